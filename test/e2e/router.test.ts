/**
 * A pair of IPv6 routers with a virtual link-local address, and a host that has its default route from a router
 * advertisement: the route outlives a take-over, and goes when the new master is no router any more.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Capture } from '../../src/lab/capture.ts'
import type { DaemonKind } from '../../src/lab/daemon.ts'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { until } from '../../src/lab/wait.ts'
import { inject, ip, routerAdvertisement } from './packets.ts'
import { conf, inLab, start } from './pair.ts'

const soonMs = 20_000
const gateway = 'fe80::64'

const forwarding = (host: Host, on: boolean, which = 'eth0') =>
  host.sh(`echo ${on ? 1 : 0} > /proc/sys/net/ipv6/conf/${which}/forwarding`)

async function defaultRoutes(host: Host): Promise<readonly string[]> {
  const shown = await host.must('ip', ['-6', '-o', 'route', 'show', 'default'])
  return shown.split('\n').filter((line) => line.includes(gateway))
}

const announced = (capture: Capture, from: number, router: boolean) =>
  capture.frames.next(
    `a neighbour advertisement of ${gateway}, router ${router}`,
    soonMs,
    (f) => f.kind === 'na' && f.target === gateway && f.router === router && f.override,
    from,
  )

async function network(lab: Lab) {
  const routers = await Promise.all(
    ['one', 'two'].map((name) => lab.host(name, { addresses: { eth0: [] } })),
  )
  const client = await lab.host('client', { addresses: { eth0: [] } })
  const [one, two] = routers
  assert(one !== undefined && two !== undefined)
  for (const router of routers) await forwarding(router, true)
  await client.sh('echo 1 > /proc/sys/net/ipv6/conf/eth0/accept_ra')
  return { one, two, client }
}

/** As radvd on the master would: from the virtual address. */
async function advertiseRouter(lab: Lab, master: Host, client: Host): Promise<void> {
  await inject(master, 'eth0', [routerAdvertisement(lab.mac(master), ip(gateway), ip('ff02::1'))])
  await until('the client has a default route', soonMs, async () => {
    return (await defaultRoutes(client)).length === 1
  })
}

const heirs: readonly DaemonKind[] = ['vipd', 'keepalived']

describe('IPv6 routers', { concurrency: 2 }, () => {
  for (const heir of heirs) {
    test(`a take-over by ${heir} leaves the hosts their default route`, () =>
      inLab('router', async (lab) => {
        const { one, two, client } = await network(lab)
        const first = start('vipd', one, conf({ priority: 150, vip: gateway }))
        await first.reaches('VI_1', 'MASTER', soonMs)
        const second = start(heir, two, conf({ priority: 100, vip: gateway }))
        await second.reaches('VI_1', 'BACKUP', soonMs)
        await advertiseRouter(lab, one, client)
        const capture = await lab.capture()
        await first.stop()
        await second.reaches('VI_1', 'MASTER', soonMs)
        await announced(capture, 0, true)
        await until('the client knows the new master', soonMs, async () => {
          const shown = await client.must('ip', ['-6', 'neigh', 'show', gateway, 'dev', 'eth0'])
          return shown.includes(lab.mac(two))
        })
        assert.equal((await defaultRoutes(client)).length, 1, 'the default route is gone')
        const lies = capture.frames.items.filter((f) => f.kind === 'na' && !f.router)
        assert.deepEqual(lies, [], 'an advertisement without the router flag')
      }))
  }

  test('a master follows the forwarding of its interface: at once, and before it leads', () =>
    inLab('router', async (lab) => {
      const { one, two, client } = await network(lab)
      const first = start('vipd', one, conf({ priority: 150, vip: gateway }))
      await first.reaches('VI_1', 'MASTER', soonMs)
      const second = start('vipd', two, conf({ priority: 100, vip: gateway }))
      await second.reaches('VI_1', 'BACKUP', soonMs)
      await advertiseRouter(lab, one, client)
      const capture = await lab.capture()
      await forwarding(one, false)
      await announced(capture, 0, false)
      await until('the client drops the route', soonMs, async () => {
        return (await defaultRoutes(client)).length === 0
      })
      const back = capture.mark
      await forwarding(one, true, 'all')
      await announced(capture, back, true)
      assert.equal(first.state('VI_1'), 'MASTER')
      const moves = first.transitions.items.filter((t) => t.to === 'MASTER')
      assert.equal(moves.length, 1, 'a sysctl is no reason for an election')
      const before = capture.mark
      await forwarding(two, false)
      await first.stop()
      await second.reaches('VI_1', 'MASTER', soonMs)
      await announced(capture, before, false)
    }))
})
