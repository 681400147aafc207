/** The kernel lease: what becomes of an address when all processes of its holder are killed, or stand still, at once. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Claims } from '../../src/lab/claims.ts'
import type { Daemon, DaemonKind } from '../../src/lab/daemon.ts'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { startDaemon } from '../../src/lab/serving.ts'
import { familyOf } from '../../src/lab/trial.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { nowMs, until } from '../../src/lab/wait.ts'
import { conf, inLab } from './pair.ts'

const soonMs = 60_000
const leased = 'vipd_kernel_lease on'

type Kind = {
  readonly vip: string
  /** The client's own. */
  readonly own: string
  readonly more: string
}

const multicast: Kind = { vip: '172.16.80.100', own: '172.16.80.9', more: '' }
const kinds: Readonly<Record<string, Kind>> = {
  IPv4: multicast,
  IPv6: { ...multicast, vip: 'fd00:80::100', own: 'fd00:80::9' },
  use_vmac: { ...multicast, more: 'use_vmac' },
}

type Pair = {
  readonly one: Host
  readonly two: Host
  readonly master: Vipd
  readonly backup: Daemon
  readonly claims: Claims
}

async function pair(lab: Lab, kind: Kind, peer: DaemonKind = 'vipd'): Promise<Pair> {
  const host = (name: string, n: number) =>
    lab.host(name, { addresses: { eth0: [`172.16.80.${n}/24`, `fd00:80::${n}/64`] } })
  const [one, two, desk] = [await host('one', 2), await host('two', 3), await host('desk', 9)]
  const text = (priority: number, globals: string) =>
    conf({
      ...{ priority, advertInt: 0.1, globals },
      vip: `${kind.vip}/${kind.vip.includes(':') ? 64 : 24}`,
      more: kind.more,
    })
  const master = startVipd(one, text(150, leased))
  await master.reaches('VI_1', 'MASTER', soonMs)
  const backup = startDaemon(peer, two, text(140, peer === 'vipd' ? leased : ''))
  await backup.reaches('VI_1', 'BACKUP', soonMs)
  const claims = await Claims.open(lab, desk, { own: kind.own, address: kind.vip })
  return { one, two, master, backup, claims }
}

/** Every process of the daemon, its warden too. */
async function strike(daemon: Daemon, signal: NodeJS.Signals): Promise<number> {
  const all = familyOf(await daemon.child.pid())
  const fromMs = nowMs()
  for (const pid of all) process.kill(pid, signal)
  return fromMs
}

/** The other host has answered for so long since. */
async function passed({ claims, two }: Pair, lab: Lab, fromMs: number, forMs: number) {
  const macs = await macsOf(lab, two)
  await until(`${two.name} has answered for ${forMs} ms`, soonMs, () =>
    claims.since(fromMs).some(({ mac, atMs }) => macs.has(mac) && atMs > fromMs + forMs),
  )
}

/** What answers of a host carry as their source; with use_vmac both have the virtual one in the answer. */
const macsOf = async (lab: Lab, host: Host) => new Set([lab.mac(host)])

const leaseOf = async (vipd: Vipd) =>
  (await vipd.status()).instances[0]?.kernelLease?.state ?? 'off'

const sets = async (host: Host): Promise<string> =>
  (await host.sh('nft list ruleset | grep -A3 "set gate_" || true')).trim()

describe('all processes of the master at once', { concurrency: 2 }, () => {
  for (const [name, kind] of Object.entries(kinds).filter(([key]) => key !== 'use_vmac'))
    for (const signal of name === 'IPv4' ? (['SIGKILL', 'SIGSTOP'] as const) : ['SIGKILL' as const])
      test(`${signal}, ${name}: no answer of two holders`, (t) =>
        inLab('lease', async (lab) => {
          const all = await pair(lab, kind)
          const fromMs = await strike(all.master, signal)
          await passed(all, lab, fromMs, 1_500)
          const change = all.claims.change(lab.mac(all.one), lab.mac(all.two), fromMs)
          t.diagnostic(
            `last of the old ${(change.lastOldMs - fromMs).toFixed(0)} ms, first of the new ${(change.firstNewMs - fromMs).toFixed(0)} ms`,
          )
          assert.equal(change.twoHolders, 0)
        }))

  test('SIGSTOP with a virtual MAC address, keepalived as the peer; thawed it says nothing as master', (t) =>
    inLab('vmac', async (lab) => {
      const all = await pair(lab, kinds['use_vmac'] ?? multicast, 'keepalived')
      const capture = await lab.capture()
      const fromMs = await strike(all.master, 'SIGSTOP')
      await capture.advert('the peer leads', soonMs, (a) => a.priority === 140)
      const peerMs = capture.adverts((a) => a.priority === 140)[0]?.atMs ?? 0
      // The link of the old host is up and has the address, and both have the MAC address: its kernel says nothing.
      const port = await all.one.sh(
        'ip -j neigh show; nft list ruleset | grep -c "ether daddr" || true',
      )
      assert.match(port, /1\s*$/)
      await until('two seconds', soonMs, () => nowMs() > peerMs + 2_000)
      const before = all.one.read('/sys/class/net/vrrp.51/statistics/tx_packets')
      await until('another second', soonMs, () => nowMs() > peerMs + 3_000)
      assert.equal(all.one.read('/sys/class/net/vrrp.51/statistics/tx_packets'), before)
      const mark = capture.mark
      for (const pid of familyOf(await all.master.child.pid())) process.kill(pid, 'SIGCONT')
      await all.master.reaches('VI_1', 'BACKUP', soonMs)
      const stale = capture.adverts((a) => a.from === '172.16.80.2' && a.priority > 0, mark)
      const back = all.master.transitions.items.findLast(({ to }) => to === 'MASTER')?.atMs ?? 0
      assert.deepEqual(
        stale.filter(({ atMs }) => back < fromMs || atMs < back - 100),
        [],
      )
      t.diagnostic(`the peer led ${(peerMs - fromMs).toFixed(0)} ms after the fault`)
    }))
})

describe('the table of the kernel lease', { concurrency: 2 }, () => {
  test('flushed by another program, restarted, reloaded, refused by a filter, stopped, cleaned up', () =>
    inLab('table', async (lab) => {
      const all = await pair(lab, multicast)
      const { one, two, master, claims } = all
      assert.equal(await leaseOf(master), 'answers')
      await one.sh('nft flush ruleset')
      await master.child.line(/vipd_kernel_lease: another program has removed .* put back/, soonMs)
      await until('the lease is in force again', soonMs, async () =>
        (await leaseOf(master)) === 'answers' ? true : null,
      )
      // A longer interval and another address while it leads.
      const moves = master.transitions.items.length
      master.configure(
        conf({
          ...{ priority: 150, advertInt: 0.1, globals: leased },
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
      await until('muted', soonMs, async () => ((await leaseOf(master)) === 'muted' ? true : null))
      const change = claims.change(lab.mac(one), lab.mac(two), refusedMs)
      assert.equal(change.twoHolders, 0)
      await one.sh('nft delete table ip host')
      await until('answers again', soonMs, async () =>
        (await leaseOf(master)) === 'answers' ? true : null,
      )
      // In good order: nothing is muted afterwards, and nothing is left.
      await master.stop(soonMs)
      assert.equal(await sets(one), '')
    }))

  test('killed whole and started again while the table stands; not wanted any more, it goes', () =>
    inLab('again', async (lab) => {
      const all = await pair(lab, multicast)
      const { one, two, master, claims } = all
      const fromMs = await strike(master, 'SIGKILL')
      await claims.answeredBy(lab.mac(two), soonMs, fromMs)
      assert.match(await sets(one), /gate_/, 'what is left is muted')
      const again = startVipd(one, conf({ priority: 100, advertInt: 0.1, globals: leased }), 'vipd')
      await again.reaches('VI_1', 'BACKUP', soonMs)
      await one.awaitAddress('172.16.80.100', false, soonMs)
      await until('nothing is muted', soonMs, async () =>
        /elements/.test(await sets(one)) ? null : true,
      )
      await all.backup.stop(soonMs)
      await again.reaches('VI_1', 'MASTER', soonMs)
      await claims.answeredBy(lab.mac(one), soonMs, nowMs())
      assert.equal(await leaseOf(again), 'answers')
      await strike(again, 'SIGKILL')
      await again.child.exited
      const off = startVipd(one, conf({ priority: 100, advertInt: 0.1 }))
      await off.reaches('VI_1', 'MASTER', soonMs)
      await until('the table has gone', soonMs, async () => (await sets(one)) === '')
      await claims.answeredBy(lab.mac(one), soonMs, nowMs())
    }))
})
