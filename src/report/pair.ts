/**
 * The whole pair, in words: what this host says of itself held against what a peer said, and what does not fit. `Summary` is
 * what hosts tell each other; it is small, so that it can be asked for each second.
 */

import { us } from '../base/time.ts'
import { skewUs } from '../base/vrrp-timing.ts'
import type { Status, StatusInstance } from './status.ts'

export type SummaryInstance = Pick<
  StatusInstance,
  | 'name'
  | 'vrid'
  | 'interface'
  | 'family'
  | 'version'
  | 'state'
  | 'basePriority'
  | 'effectivePriority'
  | 'advertIntervalMs'
  | 'sinceMs'
  | 'why'
> & {
  /** Absent: a release before this one. */
  readonly downTimerAdverts?: number
  /** Its kernel lease, in milliseconds; null: it has none. */
  readonly leaseMs?: number | null
  readonly standsBy: string | null
  /** The address of the master that it follows; null: it knows none. */
  readonly master: string | null
  /** 'none', or how adverts are signed. */
  readonly authentication: string
  /** '192.0.2.1/24'. */
  readonly addresses: readonly string[]
}

export type Summary = {
  readonly schema: 1
  readonly version: string
  readonly host: string
  readonly pid: number
  readonly drained: boolean
  readonly configPath: string
  readonly instances: readonly SummaryInstance[]
}

export type Finding = {
  /** Stays, for programs. */
  readonly code:
    | 'two-masters'
    | 'no-master'
    | 'peer-silent'
    | 'peer-is-self'
    | 'instance-missing'
    | 'different-addresses'
    | 'different-vrid'
    | 'different-interval'
    | 'different-down-timer'
    | 'different-protocol'
    | 'different-authentication'
    | 'equal-priorities'
    | 'different-versions'
  /** `alarm`: clients feel it, or will at once. */
  readonly severity: 'alarm' | 'warning' | 'note'
  /** null: it is about the hosts. */
  readonly instance: string | null
  readonly text: string
}

export const summaryOf = (status: Status): Summary => ({
  schema: 1,
  version: status.version,
  host: status.host,
  pid: status.pid,
  drained: status.drained,
  configPath: status.config.path,
  instances: status.instances.map(summaryInstance),
})

function summaryInstance(it: StatusInstance): SummaryInstance {
  const { name, vrid, family, version, state, basePriority, effectivePriority } = it
  const { advertIntervalMs, sinceMs, why, authentication } = it
  return {
    ...{ name, vrid, family, version, state, basePriority, effectivePriority },
    ...{ advertIntervalMs, sinceMs, why, interface: it.interface, standsBy: it.standsBy },
    ...{ downTimerAdverts: it.downTimerAdverts, leaseMs: it.kernelLease?.leaseMs ?? null },
    master: it.master?.address ?? null,
    authentication: authentication === null ? 'none' : authentication.mode,
    addresses: it.addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`),
  }
}

/** Which instance there is the counterpart of one here: by its name, else by VRID and family. */
const counterpart = (
  it: SummaryInstance,
  there: readonly SummaryInstance[],
): SummaryInstance | null =>
  there.find(({ name, family }) => name === it.name && family === it.family) ??
  there.find(({ vrid, family }) => vrid === it.vrid && family === it.family) ??
  null

export const counterparts = (here: Summary, there: Summary): PairPeer['counterparts'] =>
  here.instances.flatMap((it) => {
    const other = counterpart(it, there.instances)
    return other === null ? [] : [{ here: it.name, there: other.name }]
  })

/** What does not fit between this host and one peer. Who leads is another question: `leadFindings`. */
export function differences(here: Summary, there: Summary): readonly Finding[] {
  if (here.host === there.host && here.pid === there.pid)
    return [
      {
        ...{ code: 'peer-is-self', severity: 'warning', instance: null },
        text: 'vipd_peer_http names this daemon itself: it must name the other host',
      },
    ]
  const found = here.instances.flatMap((it) => {
    const other = counterpart(it, there.instances)
    return other === null ? [missing(it, here, there)] : instanceDifferences(it, here, other, there)
  })
  const back = there.instances
    .filter((it) => counterpart(it, here.instances) === null)
    .map((it) => missing(it, there, here))
  return [...found, ...back, ...versions(here, there)]
}

const missing = (it: SummaryInstance, on: Summary, notOn: Summary): Finding => ({
  ...{ code: 'instance-missing', severity: 'warning', instance: it.name },
  text: `${it.name} (VRID ${it.vrid}, IPv${it.family}) is configured on ${on.host} and not on ${notOn.host}`,
})

const versions = (here: Summary, there: Summary): readonly Finding[] =>
  here.version === there.version
    ? []
    : [
        {
          ...{ code: 'different-versions', severity: 'note', instance: null },
          text: `${here.host} runs vipd ${here.version}, ${there.host} runs ${there.version}`,
        },
      ]

function instanceDifferences(
  a: SummaryInstance,
  here: Summary,
  b: SummaryInstance,
  there: Summary,
): readonly Finding[] {
  const instance = a.name
  const found: Finding[] = []
  const say = (code: Finding['code'], severity: Finding['severity'], text: string): void => {
    found.push({ code, severity, instance, text: `${instance}: ${text}` })
  }
  const both = (x: string | number, y: string | number): string =>
    `${x} on ${here.host}, ${y} on ${there.host}`
  if (a.vrid !== b.vrid)
    say('different-vrid', 'warning', `VRID ${both(a.vrid, b.vrid)}: they do not hear each other`)
  if (a.version !== b.version)
    say(
      'different-protocol',
      'warning',
      `VRRP version ${both(a.version, b.version)}: neither believes the other`,
    )
  if (a.advertIntervalMs !== b.advertIntervalMs)
    say(
      'different-interval',
      'warning',
      `advert_int ${both(`${a.advertIntervalMs} ms`, `${b.advertIntervalMs} ms`)}: ${a.version === 2 ? 'neither believes the other' : 'who leads decides how soon the other takes over'}`,
    )
  const [missed, missedThere] = [a.downTimerAdverts ?? 0, b.downTimerAdverts ?? 0]
  if (missed !== missedThere && missed > 0 && missedThere > 0)
    say(
      'different-down-timer',
      'warning',
      `down_timer_adverts ${both(missed, missedThere)}: ${leasedLonger(a, b) ? 'the one that waits for fewer takes over before the kernel lease of the other ends, and both answer meanwhile' : 'who leads decides how soon the other takes over'}`,
    )
  if (a.authentication !== b.authentication)
    say(
      'different-authentication',
      'warning',
      `authentication ${both(a.authentication, b.authentication)}`,
    )
  if (a.basePriority === b.basePriority)
    say(
      'equal-priorities',
      'warning',
      `priority ${a.basePriority} on both hosts: the higher address decides who leads`,
    )
  const only = onlyIn(a.addresses, b.addresses)
  const onlyThere = onlyIn(b.addresses, a.addresses)
  if (only.length > 0)
    say('different-addresses', 'warning', `${only.join(', ')} only on ${here.host}`)
  if (onlyThere.length > 0)
    say('different-addresses', 'warning', `${onlyThere.join(', ')} only on ${there.host}`)
  return found
}

/** The one that counts more adverts has a lease. */
function leasedLonger(a: SummaryInstance, b: SummaryInstance): boolean {
  const longer = (a.downTimerAdverts ?? 0) > (b.downTimerAdverts ?? 0) ? a : b
  return (longer.leaseMs ?? null) !== null
}

const onlyIn = (some: readonly string[], others: readonly string[]): readonly string[] =>
  some.filter((address) => !others.includes(address))

/** What hosts say is up to so much older than now, and never of the same instant. */
const settledMs = 2_500

/**
 * Who leads, over all hosts that answer, as far as it has stayed so: an election is none, and a hand-over is none. `all`:
 * every peer answers; else one that does not may be the master.
 */
export function leadFindings(
  here: Summary,
  peers: readonly Summary[],
  all: boolean,
): readonly Finding[] {
  if (peers.length === 0) return []
  return here.instances.flatMap((it) => {
    const sides = [
      { host: here.host, it },
      ...peers.flatMap((peer) => {
        const other = counterpart(it, peer.instances)
        return other === null ? [] : [{ host: peer.host, it: other }]
      }),
    ]
    const masters = sides.filter(({ it: { state } }) => state === 'MASTER')
    if (masters.length > 1)
      return lastsMs(masters) < settledMs
        ? []
        : [
            twoMasters(
              it,
              masters.map(({ host }) => host),
            ),
          ]
    const led = masters.length === 1 || sides.some(({ it: { master } }) => master !== null)
    return !all || led || lastsMs(sides) < settledMs + electionMs(sides)
      ? []
      : [noMaster(it.name, sides)]
  })
}

type Side = { readonly host: string; readonly it: SummaryInstance }

/** For how long none of them has changed its state. */
const lastsMs = (sides: readonly Side[]): number =>
  Math.min(...sides.map(({ it: { sinceMs } }) => sinceMs))

const twoMasters = ({ name, addresses }: SummaryInstance, masters: readonly string[]): Finding => ({
  ...{ code: 'two-masters', severity: 'alarm', instance: name },
  text: `${name} has ${masters.length === 2 ? 'two' : masters.length} masters: ${masters.join(' and ')} both hold ${addresses.join(', ') || 'its addresses'}. They do not hear each other, or do not believe what they hear.`,
})

const noMaster = (name: string, all: readonly Side[]): Finding => ({
  ...{ code: 'no-master', severity: 'alarm', instance: name },
  text: `${name} has no master: ${all.map(({ host, it }) => `${host} is ${it.state} (${it.why})`).join(', ')}`,
})

/** In milliseconds: how long an election can take, with three adverts missed. */
function electionMs(sides: readonly Side[]): number {
  const spans = sides.map(({ it: { version, effectivePriority, advertIntervalMs } }) => {
    const interval = us(Math.round(advertIntervalMs * 1_000))
    return 3 * advertIntervalMs + skewUs(version, effectivePriority, interval) / 1_000
  })
  return Math.max(...spans)
}

export type PairPeer = {
  readonly url: string
  /** The last that it said, however old. */
  readonly summary: Summary | null
  /** Names of instances here, and of what they are there. */
  readonly counterparts: readonly { readonly here: string; readonly there: string }[]
  readonly answeredAgoMs: number | null
  /** Why it does not answer; null: it does. */
  readonly why: string | null
}

export type Pair = {
  readonly schema: 1
  readonly peers: readonly PairPeer[]
  readonly findings: readonly Finding[]
}
