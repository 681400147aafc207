/** The kernel lease: what becomes of an address when all processes of its holder are killed, or stand still, at once. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startVipd } from '../../src/lab/vipd.ts'
import { nowMs, until } from '../../src/lab/wait.ts'
import {
  gates,
  ipv6,
  leased,
  leaseOf,
  multicast,
  openPair,
  opens,
  passes,
  reachesLease,
  soonMs,
  strike,
} from '../lease/pair.ts'
import { conf, inLab } from './pair.ts'

describe('all processes of the master at once', { concurrency: 2 }, () => {
  for (const [name, kind, signal] of [
    ['IPv4', multicast, 'SIGKILL'],
    ['IPv4', multicast, 'SIGSTOP'],
    ['IPv6', ipv6, 'SIGKILL'],
  ] as const)
    test(`${signal}, ${name}: no answer of two holders`, (t) =>
      inLab('lease', async (lab) => {
        const { one, two, master, claims } = await openPair(lab, kind)
        const fromMs = await strike(master, signal)
        const { lastOldMs, firstNewMs } = await passes(lab, claims, [one, two], fromMs)
        const [last, first] = [lastOldMs, firstNewMs].map((ms) => (ms - fromMs).toFixed(0))
        t.diagnostic(`last of the old ${last} ms, first of the new ${first} ms`)
      }))
})

describe('the table of the kernel lease', { concurrency: 2 }, () => {
  test('flushed by another program, restarted, reloaded, refused by a filter, stopped, cleaned up', () =>
    inLab('table', async (lab) => {
      // Nothing is to change hands before the filter refuses adverts, also on a busy machine.
      const all = await openPair(lab, { ...multicast, advertInt: 0.3 })
      const { one, two, master, claims } = all
      assert.equal(await leaseOf(master), 'answers')
      await one.sh('nft flush ruleset')
      await master.child.line(/vipd_kernel_lease: another program has removed .* put back/, soonMs)
      await reachesLease(master, 'answers')
      // A longer interval and another address while it leads.
      const moves = master.transitions.items.length
      master.configure(
        conf({
          ...{ priority: 150, advertInt: 0.5, globals: leased },
          vip: '172.16.80.100/24\n    172.16.80.101/24',
        }),
      )
      const reloaded = await master.tryReload()
      assert.equal(reloaded.status, 0, reloaded.text)
      await one.awaitAddress('172.16.80.101', true, soonMs)
      assert.equal(await leaseOf(master), 'answers')
      assert.match(await one.sh('nft list ruleset'), /arp daddr ip 172\.16\.80\.101/)
      assert.equal(master.transitions.items.length, moves, 'nothing changed hands')
      // Adverts that do not leave: the kernel answers no more, although the daemon leads.
      const refusedMs = nowMs()
      await one.sh(
        'nft "table ip host { chain out { type filter hook output priority 0; ip protocol 112 drop; }; }"',
      )
      await claims.answeredBy(lab.mac(two), soonMs, refusedMs)
      await reachesLease(master, 'muted')
      const change = claims.change(lab.mac(one), lab.mac(two), refusedMs)
      assert.equal(change.twoHolders, 0)
      await one.sh('nft delete table ip host')
      await reachesLease(master, 'answers')
      // In good order: nothing is muted afterwards, and nothing is left.
      await master.stop(soonMs)
      assert.equal(await gates(one), '')
    }))

  test('killed whole and started again while the table stands; not wanted any more, it goes', () =>
    inLab('again', async (lab) => {
      const all = await openPair(lab, multicast)
      const { one, two, master, claims } = all
      const fromMs = await strike(master, 'SIGKILL')
      await claims.answeredBy(lab.mac(two), soonMs, fromMs)
      assert.match(await gates(one), /gate_/, 'what is left is muted')
      const again = startVipd(one, conf({ priority: 100, advertInt: 0.1, globals: leased }), 'vipd')
      await again.reaches('VI_1', 'BACKUP', soonMs)
      await one.awaitAddress('172.16.80.100', false, soonMs)
      await opens(one)
      await all.backup.stop(soonMs)
      await again.reaches('VI_1', 'MASTER', soonMs)
      await claims.answeredBy(lab.mac(one), soonMs, nowMs())
      assert.equal(await leaseOf(again), 'answers')
      await strike(again, 'SIGKILL')
      await again.child.exited
      const off = startVipd(one, conf({ priority: 100, advertInt: 0.1 }))
      await off.reaches('VI_1', 'MASTER', soonMs)
      await until('the table has gone', soonMs, async () => (await gates(one)) === '')
      await claims.answeredBy(lab.mac(one), soonMs, nowMs())
    }))
})
