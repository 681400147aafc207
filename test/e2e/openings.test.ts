/** docs/firewall.md: the rules that it gives are loaded, and a pair works behind them, and not without them. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Host } from '../../src/lab/host.ts'
import { startVipd } from '../../src/lab/vipd.ts'
import { conf, inLab } from './pair.ts'

const soonMs = 60_000
const root = fileURLToPath(new URL('../../../', import.meta.url))
const page = readFileSync(`${root}docs/firewall.md`, 'utf8')
const [everything = '', unicast = '', ...others] = [...page.matchAll(/```nft\n([\s\S]*?)```/g)].map(
  ([, rules = '']) => rules,
)

const load = (host: Host, rules: string): Promise<string> =>
  host.sh(`nft -f - <<'RULES'\n${rules}\nRULES`)

const addresses = {
  one: { eth0: ['172.16.80.2/24', 'fd80::2/64'] },
  two: { eth0: ['172.16.80.3/24', 'fd80::3/64'] },
}

/** An IPv4 and an IPv6 instance by multicast. */
const both = (priority: number) =>
  conf({ priority }).concat(`
vrrp_instance VI_6 {
  interface eth0
  virtual_router_id 52
  priority ${priority}
  advert_int 0.2
  virtual_ipaddress {
    fe80::100
    fd80::100/64
  }
}
`)

describe('behind a firewall that drops everything else', { concurrency: 3 }, () => {
  test('multicast, IPv4 and IPv6: one master, fail-over; without the rule for adverts two', () =>
    inLab('opened', async (lab) => {
      const one = await lab.host('one', { addresses: addresses.one })
      const two = await lab.host('two', { addresses: addresses.two })
      for (const host of [one, two]) await load(host, everything)
      const master = startVipd(one, both(150))
      for (const name of ['VI_1', 'VI_6']) await master.reaches(name, 'MASTER', soonMs)
      const backup = startVipd(two, both(100))
      for (const name of ['VI_1', 'VI_6']) {
        await backup.reaches(name, 'BACKUP', soonMs)
        await backup.child.line(new RegExp(`\\(${name}\\) Entering BACKUP`), soonMs)
      }
      await master.stop()
      for (const name of ['VI_1', 'VI_6']) await backup.reaches(name, 'MASTER', soonMs)
      await load(one, `flush chain inet host input`)
      const deaf = startVipd(one, both(90), 'deaf')
      for (const name of ['VI_1', 'VI_6']) await deaf.reaches(name, 'MASTER', soonMs)
      assert.equal(backup.state('VI_1'), 'MASTER')
    }))

  test('unicast needs its own', () =>
    inLab('opened-1', async (lab) => {
      const one = await lab.host('one', { addresses: addresses.one })
      const two = await lab.host('two', { addresses: addresses.two })
      for (const host of [one, two]) await load(host, everything)
      const peer = (host: string) => `unicast_peer {\n    ${host}\n  }`
      const low = startVipd(one, conf({ priority: 100, more: peer('172.16.80.3') }))
      await low.reaches('VI_1', 'MASTER', soonMs)
      const high = startVipd(two, conf({ priority: 150, more: peer('172.16.80.2') }))
      await high.reaches('VI_1', 'MASTER', soonMs)
      assert.equal(low.state('VI_1'), 'MASTER', 'nothing of the other arrives')
      await load(one, unicast)
      await load(two, unicast.replaceAll('172.16.80.3', '172.16.80.2'))
      await low.reaches('VI_1', 'BACKUP', soonMs)
    }))

  test('the other rules are well-formed', () =>
    inLab('opened-2', async (lab) => {
      const one = await lab.host('one', { addresses: addresses.one })
      assert.equal(others.length, 2)
      for (const rules of [everything, ...others]) await load(one, rules)
      const listed = await one.sh('nft list table inet host')
      for (const word of [/3784/, /4784/, /dport 25/, /echo-request/]) assert.match(listed, word)
    }))

  test('without CAP_NET_RAW no instance takes part', () =>
    inLab('no-raw', async (lab) => {
      const one = await lab.host('one', { addresses: addresses.one })
      const under = ['setpriv', '--bounding-set=-net_raw', '--inh-caps=-net_raw', '--']
      const daemon = startVipd(one, conf({ priority: 150 }), 'vipd', under)
      await daemon.child.line(/EPERM/, soonMs)
      assert.notEqual(daemon.state('VI_1'), 'MASTER')
    }))
})

test('the page names every capability of the unit', () => {
  const unit = readFileSync(`${root}systemd/vipd.service`, 'utf8')
  const [, listed = ''] = /^CapabilityBoundingSet=(.*)$/m.exec(unit) ?? []
  const names = listed.split(' ')
  assert.notEqual(names.length, 1)
  const missing = names.filter((name) => !new RegExp(`^\\|.*${name}\\b`, 'm').test(page))
  assert.deepEqual(missing, [])
})
