/**
 * A reload while something else goes on: interfaces that are gone, a daemon that stops, addresses that are altered
 * where they are held. The plan of a reload has its tests in test/unit/daemon/reload.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { startVipd } from '../../src/lab/vipd.ts'
import { until } from '../../src/lab/wait.ts'
import { inLab } from './pair.ts'

const soonMs = 30_000

type Router = {
  readonly name: string
  readonly interface: string
  readonly vrid: number
  readonly vip: string
  readonly more?: string
}

/** Priority 150, advert_int 0.2, v3. */
const instances = (routers: readonly Router[], globals = ''): string =>
  [
    `global_defs {\n  script_user root\n  vrrp_version 3\n  ${globals}\n}`,
    ...routers.map(
      (r) => `vrrp_instance ${r.name} {
  interface ${r.interface}
  virtual_router_id ${r.vrid}
  priority 150
  advert_int 0.2
  virtual_ipaddress {
    ${r.vip}
  }
  ${r.more ?? ''}
}`,
    ),
  ].join('\n')

/** eth0, and va, which the test may delete. */
async function hostWithTwo(lab: Lab): Promise<Host> {
  const host = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
  await host.sh(`ip link add va type veth peer name vb
    ip address add 172.16.81.2/24 dev va; ip link set va up; ip link set vb up`)
  return host
}

const moving: Router = { name: 'VI_1', interface: 'va', vrid: 51, vip: '172.16.81.100' }
const staying: Router = { name: 'VI_2', interface: 'eth0', vrid: 52, vip: '172.16.80.100' }
const said = 'notify_stop "/bin/sh -c \'echo stopped > /run/lab/stopped\'"'

/** Deletes the interface under a master, and waits until its sockets have failed too. */
async function withoutInterface(lab: Lab, more = '') {
  const host = await hostWithTwo(lab)
  const daemon = startVipd(host, instances([moving, { ...staying, more }]))
  await daemon.reaches('VI_1', 'MASTER', soonMs)
  await daemon.reaches('VI_2', 'MASTER', soonMs)
  await host.must('ip', ['link', 'delete', 'va'])
  await daemon.reaches('VI_1', 'FAULT', soonMs)
  return { host, daemon }
}

describe('an interface is deleted under a master', { concurrency: 2 }, () => {
  test('the file follows: the instance moves, and a second reload has nothing to do', () =>
    inLab('gone-moves', async (lab) => {
      const { host, daemon } = await withoutInterface(lab)
      const to = { ...moving, interface: 'eth0' }
      daemon.configure(instances([to, staying]))
      const first = await daemon.tryReload()
      assert.equal(first.status, 0, first.text)
      await daemon.reaches('VI_1', 'MASTER', soonMs)
      await host.awaitAddress(moving.vip, true, soonMs)
      const second = await daemon.tryReload()
      assert.equal(second.status, 0, second.text)
      const { instances: all } = await daemon.status()
      assert.deepEqual(
        all.map((it) => it.state),
        ['MASTER', 'MASTER'],
      )
      assert.equal((await daemon.stop()).status, 0)
    }))

  test('TERM: the daemon stops in order, and the notify_stop of the others runs', () =>
    inLab('gone-stops', async (lab) => {
      const { host, daemon } = await withoutInterface(lab, said)
      assert.equal((await daemon.stop()).status, 0)
      assert.equal(host.read('/run/lab/stopped'), 'stopped\n')
      assert.equal(await host.holds(staying.vip), false)
    }))
})

describe('a daemon that stops', { concurrency: 2 }, () => {
  test('refuses a reload, and no instance of that file ever leads', () =>
    inLab('stopping', async (lab) => {
      const host = await hostWithTwo(lab)
      const wait = 'touch /run/lab/stopping; while test ! -e /run/lab/go; do sleep 0.05; done'
      host.write('/run/lab/wait.sh', `#!/bin/sh\n${wait}\n`, 0o755)
      const globals = 'shutdown_script /run/lab/wait.sh\n  shutdown_script_timeout 60'
      const daemon = startVipd(host, instances([staying], globals))
      await daemon.reaches('VI_2', 'MASTER', soonMs)
      const ending = daemon.stop(soonMs)
      await until('it stops', soonMs, () => host.read('/run/lab/stopping') !== null)
      const owner = { ...moving, interface: 'eth0', more: 'preempt_delay 0' }
      daemon.configure(instances([staying, owner], globals))
      const answer = await daemon.tryReload()
      assert.equal(answer.status, 1, answer.text)
      assert.match(answer.text, /stopping/)
      const drained = await daemon.ask('drain')
      assert.match(`${drained.stdout}${drained.stderr}`, /stopping/)
      host.write('/run/lab/go', '')
      assert.equal((await ending).status, 0)
      assert.doesNotMatch(daemon.child.text, /\(VI_1\)/)
      assert.equal(await host.holds(moving.vip), false)
    }))
})
