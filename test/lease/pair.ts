/** What the tests of the kernel lease share: a pair whose master has one, a client that asks all the time, and the blow. */
import assert from 'node:assert/strict'
import { Claims } from '../../src/lab/claims.ts'
import type { Daemon, DaemonKind } from '../../src/lab/daemon.ts'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { startDaemon } from '../../src/lab/serving.ts'
import { familyOf } from '../../src/lab/trial.ts'
import { startVipd, type Vipd } from '../../src/lab/vipd.ts'
import { nowMs, until } from '../../src/lab/wait.ts'
import { conf } from '../e2e/pair.ts'

export const soonMs = 60_000
export const leased = 'vipd_kernel_lease on'

export type Kind = {
  readonly vip: string
  /** The client's own. */
  readonly own: string
  readonly version: 2 | 3
  /** Seconds. */
  readonly advertInt: number
  /** Both hosts answer from the virtual MAC address. */
  readonly oneMac: boolean
  readonly more: (self: string, peer: string) => string
}

export const multicast: Kind = {
  ...{ vip: '172.16.80.100', own: '172.16.80.9', version: 3, advertInt: 0.1 },
  ...{ oneMac: false, more: () => '' },
}
export const ipv6: Kind = { ...multicast, vip: 'fd00:80::100', own: 'fd00:80::9' }
export const vmac: Kind = { ...multicast, oneMac: true, more: () => 'use_vmac' }

export type Pair = {
  readonly one: Host
  readonly two: Host
  readonly desk: Host
  readonly master: Vipd
  readonly backup: Daemon
  readonly claims: Claims
}

export const addressesOf = (n: number) => [`172.16.80.${n}/24`, `fd00:80::${n}/64`]

export function textOf(kind: Kind, priority: number, self: number, globals: string): string {
  const { vip, advertInt, version, more } = kind
  const [own, peer] = [`172.16.80.${self}`, `172.16.80.${5 - self}`]
  return conf({
    ...{ priority, advertInt, version, globals, more: more(own, peer) },
    vip: `${vip}/${vip.includes(':') ? 64 : 24}`,
  })
}

export async function openPair(lab: Lab, kind: Kind, peer: DaemonKind = 'vipd'): Promise<Pair> {
  const host = (name: string, n: number) => lab.host(name, { addresses: { eth0: addressesOf(n) } })
  const [one, two, desk] = [await host('one', 2), await host('two', 3), await host('desk', 9)]
  const master = startVipd(one, textOf(kind, 150, 2, leased))
  await master.reaches('VI_1', 'MASTER', soonMs)
  const backup = startDaemon(peer, two, textOf(kind, 140, 3, peer === 'vipd' ? leased : ''))
  await backup.reaches('VI_1', 'BACKUP', soonMs)
  const apart = kind.oneMac ? [one, two] : []
  const claims = await Claims.open(lab, desk, { own: kind.own, address: kind.vip, apart })
  return { one, two, desk, master, backup, claims }
}

/** Every process of the daemon, its warden too. */
export async function strike(daemon: Daemon, signal: NodeJS.Signals): Promise<number> {
  const all = familyOf(await daemon.child.pid())
  const fromMs = nowMs()
  for (const pid of all) process.kill(pid, signal)
  return fromMs
}

/** The address passes from one host to another, which then answers for so long; never both. */
export async function passes(
  lab: Lab,
  claims: Claims,
  [from, to]: readonly [Host, Host],
  fromMs: number,
  forMs = 1_000,
) {
  const mac = lab.mac(to)
  await until(`${to.name} has answered for ${forMs} ms`, soonMs, () => {
    const first = claims.since(fromMs).find((it) => it.mac === mac)?.atMs
    return first !== undefined && claims.since(first + forMs).some((it) => it.mac === mac)
  })
  const change = claims.change(lab.mac(from), mac, fromMs)
  assert.equal(change.twoHolders, 0, `answers of ${from.name} beside ${to.name}`)
  return change
}

export const leaseOf = async (vipd: Vipd) =>
  (await vipd.status()).instances[0]?.kernelLease?.state ?? 'off'

export const reachesLease = (vipd: Vipd, state: string) =>
  until(`the lease: ${state}`, soonMs, async () => (await leaseOf(vipd)) === state)

/** The sets that mute, with `elements` where one does; '': there is none. */
export const gates = async (host: Host): Promise<string> =>
  (await host.sh('nft list ruleset | grep -A6 "set gate_" || true')).trim()

/** Nothing is muted there. */
export const opens = (host: Host) =>
  until(`${host.name} mutes nothing`, soonMs, async () => !/elements/.test(await gates(host)))
