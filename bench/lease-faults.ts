/**
 * All processes of a master at once, vipd's or keepalived's. Counted from answers on the wire to a client that asks all the
 * time (ARP, neighbour discovery).
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Claims } from '../src/lab/claims.ts'
import type { Daemon, DaemonKind } from '../src/lab/daemon.ts'
import { openLab } from '../src/lab/lab.ts'
import { startDaemon } from '../src/lab/serving.ts'
import { familyOf } from '../src/lab/trial.ts'
import { nowMs } from '../src/lab/wait.ts'
import { type LeaseBench, median, soonMs } from './lease-common.ts'

const priorities = { master: 150, peer: 140 } as const
/** How long both hosts are watched once the new master answers; the processes stand still for as long. */
const watchedMs = { leased: 2_000, without: 4_000 } as const
const usual = { base: 20, others: 5 } as const

type Case = {
  readonly what: string
  readonly master: DaemonKind
  readonly peer: DaemonKind
  readonly lease: boolean
  readonly version: 2 | 3
  /** Seconds. */
  readonly advertInt: number
  readonly vip: string
  readonly own: string
  /** Both answer from the virtual MAC address. */
  readonly oneMac: boolean
  readonly more: (self: string, peer: string) => string
}

const base: Case = {
  what: 'IPv4',
  ...{ master: 'vipd', peer: 'vipd', lease: true, version: 3, advertInt: 0.1 },
  ...{ vip: '172.16.80.100', own: '172.16.80.9', oneMac: false, more: () => '' },
}
const six: Case = { ...base, what: 'IPv6', vip: 'fd00:80::100', own: 'fd00:80::9' }
const vmac: Case = { ...base, what: 'use_vmac', oneMac: true, more: () => 'use_vmac' }
const unicast: Case = {
  ...base,
  what: 'unicast',
  more: (self, peer) => `unicast_src_ip ${self}\n unicast_peer {\n ${peer}\n }`,
}
const second: Case = { ...base, what: 'IPv4, advert_int 1', advertInt: 1 }
const hmac: Case = {
  ...base,
  what: 'auth_hmac',
  more: () => `auth_hmac {\n key 1 hex:${'a1'.repeat(32)}\n active_key 1\n }`,
}
const ah: Case = {
  ...{ ...base, what: 'auth_type AH, advert_int 1', version: 2, advertInt: 1 },
  more: () => 'authentication {\n auth_type AH\n auth_pass 1111\n }',
}
const beside = (of: Case): Case => ({ ...of, peer: 'keepalived' })
const cases: Readonly<Record<string, Case>> = {
  base,
  'base-keepalived': beside(base),
  ipv6: six,
  'ipv6-keepalived': beside(six),
  vmac,
  'vmac-keepalived': beside(vmac),
  unicast,
  'unicast-keepalived': beside(unicast),
  second,
  'second-keepalived': beside(second),
  hmac,
  ah,
  'ah-keepalived': beside(ah),
  without: { ...base, what: 'IPv4, without', lease: false },
  keepalived: { ...base, master: 'keepalived', lease: false },
}

const text = (of: Case, priority: number, self: string, peer: string, kind: DaemonKind): string => `
global_defs {
  script_user root
  ${of.lease && kind === 'vipd' ? 'vipd_kernel_lease on' : ''}
}
vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  version ${of.version}
  priority ${priority}
  advert_int ${of.advertInt}
  virtual_ipaddress {
    ${of.vip}/${of.vip.includes(':') ? 64 : 24}
  }
  ${of.more(self, peer)}
}
`

type Outcome = { readonly twoHolders: number; readonly gapMs: number; readonly newMs: number }

async function measure(of: Case, fault: string): Promise<Outcome> {
  const lab = await openLab({ name: 'lease' })
  try {
    const host = (name: string, n: number) =>
      lab.host(name, { addresses: { eth0: [`172.16.80.${n}/24`, `fd00:80::${n}/64`] } })
    const [one, two, desk] = [await host('one', 2), await host('two', 3), await host('desk', 9)]
    const [a, b] = ['172.16.80.2', '172.16.80.3']
    const master = startDaemon(of.master, one, text(of, priorities.master, a, b, of.master))
    await master.reaches('VI_1', 'MASTER', soonMs)
    const backup = startDaemon(of.peer, two, text(of, priorities.peer, b, a, of.peer))
    await backup.reaches('VI_1', 'BACKUP', soonMs)
    const apart = of.oneMac ? [one, two] : []
    const claims = await Claims.open(lab, desk, { own: of.own, address: of.vip, apart })
    // At any phase of the adverts.
    await delay(500 + Math.random() * of.advertInt * 1_000)
    const fromMs = await strike(master, fault)
    await claims.answeredBy(lab.mac(two), soonMs, fromMs)
    await delay(watchedMs[of.lease ? 'leased' : 'without'])
    const { twoHolders, gapMs, firstNewMs } = claims.change(lab.mac(one), lab.mac(two), fromMs)
    return { twoHolders, gapMs, newMs: firstNewMs - fromMs }
  } finally {
    await lab.close()
  }
}

async function strike(daemon: Daemon, how: string): Promise<number> {
  const all = familyOf(await daemon.child.pid())
  const fromMs = nowMs()
  for (const pid of all) process.kill(pid, how === 'kill' ? 'SIGKILL' : 'SIGSTOP')
  return fromMs
}

/** The peer's skew: what lies between the end of a lease and the peer's deadline. */
const floorMs = ({ advertInt, version }: Case): number =>
  ((256 - priorities.peer) / 256) * (version === 2 ? 1 : advertInt) * 1_000

const most = (values: readonly number[]) => Math.max(...values)

export async function faults(options: LeaseBench): Promise<readonly unknown[]> {
  const { print } = options
  print([
    ...['case', 'master', 'peer', 'lease', 'fault', 'n', 'answers of two holders, most'],
    ...['none answered ms, floor', 'median', 'max', 'new master answers ms, median', 'max'],
  ])
  print(Array.from({ length: 12 }, () => '---'))
  const results: unknown[] = []
  const left: string[] = []
  for (const name of namesOf(options))
    for (const fault of options.faults) {
      const count = countOf(name, options)
      const outcomes = await repeated(name, fault, count, options)
      if (outcomes.length < count) left.push(`${name} ${fault} (${outcomes.length} of ${count})`)
      if (outcomes.length > 0) print(row(cases[name] ?? base, fault, outcomes))
      results.push({ name, fault, outcomes })
    }
  if (left.length > 0) process.stdout.write(`\nnot within the time: ${left.join(', ')}\n`)
  return results
}

function namesOf({ cases: wanted }: LeaseBench): readonly string[] {
  const names = wanted ?? Object.keys(cases)
  const unknown = names.filter((name) => cases[name] === undefined)
  if (unknown.length > 0) throw new Error(`no case ${unknown.join()}: ${Object.keys(cases).join()}`)
  return names
}

const countOf = (name: string, { n }: LeaseBench): number =>
  name === 'base' ? (n ?? usual.base) : Math.min(n ?? usual.others, usual.others)

async function repeated(
  name: string,
  fault: string,
  count: number,
  { isOver }: LeaseBench,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  for (let i = 0; i < count && !isOver(); i++)
    outcomes.push(await measure(cases[name] ?? base, fault))
  return outcomes
}

function row(of: Case, fault: string, outcomes: readonly Outcome[]): readonly (string | number)[] {
  const each = (pick: (outcome: Outcome) => number) => outcomes.map(pick)
  const ms = (value: number) => value.toFixed(0)
  return [
    ...[of.what, of.master, of.peer, of.lease ? 'on' : 'off', fault, outcomes.length],
    most(each((it) => it.twoHolders)),
    of.lease ? ms(floorMs(of)) : '-',
    ...[ms(median(each((it) => it.gapMs))), ms(most(each((it) => it.gapMs)))],
    ...[ms(median(each((it) => it.newMs))), ms(most(each((it) => it.newMs)))],
  ]
}
