/** What counts later: an interface that flaps (interface_up_down_delays), and a start soon after the boot. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Frame } from '../../src/lab/capture.ts'
import { startVipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { conf, inLab } from './pair.ts'

const soonMs = 30_000
const vips = ['172.16.80.100', 'fd80::100'] as const

/** Owners of an IPv4 and an IPv6 address on eth0, master at once; the delays are far longer than a flap takes here. */
const owners = (delays: string) =>
  conf({
    priority: 255,
    advertInt: 20,
    before: delays,
    more: 'garp_master_delay 0\n  virtual_routes {\n    10.77.0.0/24 via 172.16.80.9 dev eth0\n  }',
  }).concat(`
vrrp_instance VI_6 {
  interface eth0
  virtual_router_id 52
  priority 255
  advert_int 20
  virtual_ipaddress {
    fe80::100
    ${vips[1]}/64
  }
}
`)

describe('delays', { concurrency: 3 }, () => {
  test('a flap is no transition, and what the kernel dropped is there again', () =>
    inLab('flap', async (lab) => {
      const one = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24', 'fd80::2/64'] } })
      const master = startVipd(one, owners('interface_up_down_delays {\n  eth0 30\n}\n'))
      for (const name of ['VI_1', 'VI_6']) await master.reaches(name, 'MASTER', soonMs)
      for (const vip of vips) await one.awaitAddress(vip, true, soonMs)
      const transitions = async () =>
        (await master.status()).instances.map((it) => `${it.name} ${it.state} ${it.transitions}`)
      const before = await transitions()

      await lab.unplug(one)
      await master.child.line(/eth0 is down, which counts in 30 s/, soonMs)
      const capture = await lab.capture({ filter: 'arp' })
      await lab.plug(one)
      const announced = (it: Frame) => it.kind === 'arp' && it.sender === vips[0]
      await capture.frames.next(
        'an announcement: a switch may have forgotten us',
        soonMs,
        announced,
      )
      await master.child.line(/eth0 is up again before the change counted/, soonMs)
      assert.deepEqual(await transitions(), before)

      await one.sh('ip link set eth0 down; ip address flush dev eth0 to 172.16.80.100')
      await one.sh('ip link set eth0 up')
      await master.child.line(/172\.16\.80\.100 went while eth0 was down: put back/, soonMs)
      assert.doesNotMatch(master.child.text, /removed by another program/)
      for (const vip of vips) await until(`${vip} is there`, soonMs, () => one.holds(vip))
      const route = async () => /^10\.77\.0\.0\/24/m.test(await one.sh('ip route show'))
      await until('the route is there', soonMs, route)
      assert.equal((await transitions())[0], before[0])

      master.configure(owners('interface_up_down_delays {\n  eth0 0 1\n}\n'))
      assert.match((await master.tryReload()).text, /interface_up_down_delays: altered/)
      await lab.unplug(one)
      await master.reaches('VI_1', 'FAULT', soonMs)
      await lab.plug(one)
      await master.child.line(/eth0 is up, which counts in 1 s/, soonMs)
      await master.reaches('VI_1', 'MASTER', soonMs)
    }))

  test('a reload that takes the delays away lets what waits count at once', () =>
    inLab('undelay', async (lab) => {
      const one = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
      const wait = 'interface_up_down_delays {\n  eth0 0 250\n}\n'
      const master = startVipd(one, conf({ priority: 150, before: wait }))
      await master.reaches('VI_1', 'MASTER', soonMs)
      await one.sh('ip link set eth0 down')
      await master.reaches('VI_1', 'FAULT', soonMs)
      await one.sh('ip link set eth0 up')
      await master.child.line(/eth0 is up, which counts in 250 s/, soonMs)
      assert.ok((await master.status()).warnings.some((it) => /eth0 is up, which counts/.test(it)))
      master.configure(conf({ priority: 150 }))
      assert.match((await master.tryReload()).text, /interface_up_down_delays: altered/)
      await master.reaches('VI_1', 'MASTER', soonMs)
    }))

  test('a start long after the boot waits for vrrp_startup_delay alone', () =>
    inLab('boot', async (lab) => {
      const one = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
      const globals = 'vrrp_delay_after_boot 0.001\n  vrrp_startup_delay 2'
      const daemon = startVipd(one, conf({ priority: 200, globals }))
      await daemon.child.line(/startup delay: taking part in 2 s/, soonMs)
      await daemon.child.line(/startup delay: over/, soonMs)
      await daemon.reaches('VI_1', 'MASTER', soonMs)
    }))
})
