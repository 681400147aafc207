/** All processes of a master are killed at once, whatever its adverts are like and whatever its peer is: no two hosts answer. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Claims } from '../../src/lab/claims.ts'
import { startVipd } from '../../src/lab/vipd.ts'
import { inLab } from '../e2e/pair.ts'
import {
  addressesOf,
  ipv6,
  type Kind,
  leased,
  multicast,
  openPair,
  passes,
  reachesLease,
  soonMs,
  strike,
  vmac,
} from './pair.ts'

const unicast: Kind = {
  ...multicast,
  more: (self, peer) => `unicast_src_ip ${self}\n unicast_peer {\n ${peer}\n }`,
}
const hmac: Kind = {
  ...multicast,
  more: () => `auth_hmac {\n key 1 hex:${'a1'.repeat(32)}\n active_key 1\n }`,
}
const ah: Kind = {
  ...{ ...multicast, version: 2, advertInt: 1 },
  more: () => 'authentication {\n auth_type AH\n auth_pass 1111\n }',
}
const cases = [
  ['IPv6, keepalived', ipv6, 'keepalived'],
  ['use_vmac', vmac, 'vipd'],
  ['use_vmac, keepalived', vmac, 'keepalived'],
  ['unicast, keepalived', unicast, 'keepalived'],
  ['auth_hmac', hmac, 'vipd'],
  ['AH', ah, 'vipd'],
  ['AH, keepalived', ah, 'keepalived'],
] as const

describe('killed whole', { concurrency: 2 }, () => {
  for (const [name, kind, peer] of cases)
    test(name, (t) =>
      inLab('lease', async (lab) => {
        const { one, two, master, claims } = await openPair(lab, kind, peer)
        await reachesLease(master, 'answers')
        const fromMs = await strike(master, 'SIGKILL')
        const { gapMs, lastOldMs } = await passes(lab, claims, [one, two], fromMs)
        const lastMs = (lastOldMs - fromMs).toFixed(0)
        t.diagnostic(`last answer after ${lastMs} ms, none for ${gapMs.toFixed(0)} ms`)
      }),
    )

  test('use_vmac, keepalived: frozen whole, and thawed it says nothing as master', () =>
    inLab('thawed', async (lab) => {
      const { one, two, master, claims } = await openPair(lab, vmac, 'keepalived')
      const capture = await lab.capture()
      const fromMs = await strike(master, 'SIGSTOP')
      await passes(lab, claims, [one, two], fromMs, 2_000)
      const { mark } = capture
      await strike(master, 'SIGCONT')
      await master.reaches('VI_1', 'BACKUP', soonMs)
      const stale = capture.adverts((a) => a.from === '172.16.80.2' && a.priority > 0, mark)
      const back = master.transitions.items.findLast(({ to }) => to === 'MASTER')?.atMs ?? 0
      const early = stale.filter(({ atMs }) => back < fromMs || atMs < back - 100)
      assert.deepEqual(early, [])
    }))

  test('two instances of a sync group: both addresses', () =>
    inLab('group', async (lab) => {
      const host = (name: string, n: number) =>
        lab.host(name, { addresses: { eth0: addressesOf(n) } })
      const [one, two, desk] = [await host('one', 2), await host('two', 3), await host('desk', 9)]
      const vips = ['172.16.80.100', '172.16.80.101']
      const text = (priority: number) => `
global_defs {
  script_user root
  ${leased}
}
vrrp_sync_group G {
  group {
    VI_0
    VI_1
  }
}
${vips
  .map(
    (vip, i) => `vrrp_instance VI_${i} {
  interface eth0
  virtual_router_id ${51 + i}
  version 3
  priority ${priority}
  advert_int 0.1
  virtual_ipaddress {
    ${vip}/24
  }
}`,
  )
  .join('\n')}
`
      const master = startVipd(one, text(150))
      await master.reaches('VI_1', 'MASTER', soonMs)
      const backup = startVipd(two, text(140))
      await backup.reaches('VI_1', 'BACKUP', soonMs)
      const claims: Claims[] = []
      for (const address of vips)
        claims.push(await Claims.open(lab, desk, { own: '172.16.80.9', address }))
      const fromMs = await strike(master, 'SIGKILL')
      for (const each of claims) await passes(lab, each, [one, two], fromMs)
      // The peer that led for it is frozen, and wakes up beside no other: it leads again, and answers.
      await strike(backup, 'SIGSTOP')
      await strike(backup, 'SIGCONT')
      await reachesLease(backup, 'answers')
      assert.equal(backup.state('VI_0'), 'MASTER')
    }))
})
