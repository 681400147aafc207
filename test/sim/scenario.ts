/**
 * What a run consists of, drawn from its seed: how many hosts, with which priorities, intervals, clocks and options.
 */
import type { Ip } from '../../src/base/ip.ts'
import { type HostFile, livenessOf, plainFile } from './host-file.ts'
import { Prng } from './prng.ts'
import type { Sealing } from './seals.ts'

export type HostPlan = {
  readonly number: number
  readonly source: Ip
  readonly clockRate: number
  readonly clockOffset: number
  readonly nopreempt: boolean
  readonly preemptDelayS: number
  /** What a bad check does: a fault (0) or less priority. */
  readonly weight: number
  /** Changed by reloads. */
  priority: number
  file: HostFile
  /** On an operator's word. */
  drained: boolean
  /** Its daemon dies with a warden that cleans up. */
  readonly warden: boolean
}

/**
 * `storm`: faults on faults. `changes`: the same, with every kind of reload, interfaces that go, and processes that take
 * over from each other. `quiet`: long silence, rare faults. `calm`: no fault at all.
 */
export type Profile = 'storm' | 'changes' | 'quiet' | 'calm'

export type Scenario = {
  readonly seed: number
  readonly profile: Profile
  readonly version: 2 | 3
  readonly family: 4 | 6
  readonly advertUs: number
  /** After which an address that is not renewed is gone. */
  readonly lifetimeS: number
  /** Two instances in a sync group instead of one. */
  readonly grouped: boolean
  readonly refreshS: number
  readonly hosts: readonly HostPlan[]
  readonly hours: number
  /** Adverts are signed, and others send what they have recorded or made up. */
  readonly seal?: Sealing
  /** Each host has a session with each other one, of packets at this interval. Absent: none. */
  readonly bfd?: {
    readonly everyUs: number
    /** What is written behind a session that is tracked. Absent: takeover. */
    readonly tracker?: string
    /** No thread is late and no interval is altered: no session is said to be up for longer than its detection time. */
    readonly exact?: true
  }
  /** How long the main thread works on a unit of a reload, milliseconds. Absent: up to 8 in `changes`, else no time. */
  readonly unitMs?: number
  /** Each host has a static address, route and rule. */
  readonly statics?: true
  /** The kernels have leases, and count timeouts in such steps. Absent: none. */
  readonly lease?: { readonly tickUs: number }
  /** Absent: report. */
  readonly addressConflict?: 'resign'
  /** What is done about frames of others that claim an address. Absent: as by default. */
  readonly claims?: {
    readonly reaction: 'report' | 'announce' | 'defend'
    readonly check: 'off' | 'always'
    readonly policy: 'warn' | 'wait' | 'refuse'
  }
}

export type Vip = { readonly instance: string; readonly vrid: number; readonly address: Ip }

const second = 1_000_000
/** The other member of a sync group has no check of its own: it goes with this one. */
const firstVrid = 51

export function drawScenario(seed: number, prng: Prng, profile: Profile, hours: number): Scenario {
  const version = prng.pick([2, 3] as const)
  const advertUs = drawInterval(prng, version, profile)
  const count = prng.pick([2, 2, 2, 3, 3, 4])
  const family = prng.chance(0.2) ? 6 : 4
  const spread = prng.pick([0, 0.0002, 0.01, 0.03])
  const priorities = drawPriorities(prng, count)
  const grouped = prng.chance(profile === 'changes' ? 0.5 : 0.25)
  // Members of a sync group take no weights.
  const weight = grouped ? 0 : prng.pick([0, -30, 20])
  const hosts = priorities.map(
    (priority, i): HostPlan => ({
      number: i + 1,
      source: (family === 4 ? `10.0.0.${i + 1}` : `fe80::${i + 1}`) as Ip,
      clockRate: 1 + spread * (2 * prng.next() - 1),
      clockOffset: prng.between(0, 1_000_000) * second,
      nopreempt: prng.chance(0.25),
      preemptDelayS: prng.chance(0.25)
        ? Math.min(Math.ceil((advertUs / second) * prng.between(1, 12)), 900)
        : 0,
      weight,
      priority,
      warden: prng.chance(0.7),
      file: plainFile(0),
      drained: false,
    }),
  )
  const livenessUs = livenessOf(prng.pick([2, 20, 0]) * advertUs)
  for (const host of hosts) host.file = plainFile(livenessUs)
  const bfd = drawBfd(seed, profile, hours, advertUs, count)
  return {
    ...(bfd === null ? {} : { bfd }),
    ...(seed % 7 === 2 ? drawOptional(seed, advertUs) : {}),
    seed,
    profile,
    version,
    family,
    advertUs,
    lifetimeS: Math.max(8, Math.ceil((6 * advertUs) / second)),
    grouped,
    refreshS: prng.chance(0.5) ? Math.max(1, Math.ceil((advertUs / second) * 7)) : 0,
    hosts,
    hours,
    ...(seed % 4 === 3 ? { seal: 'trailer' } : {}),
  }
}

/** What is off by default, in every seventh run; drawn apart. A claim delays no take-over here: that is claims.ts. */
function drawOptional(seed: number, advertUs: number): Pick<Scenario, 'lease' | 'claims'> {
  const prng = new Prng(seed ^ 0x0b7)
  const reaction = prng.pick(['report', 'announce', 'defend'] as const)
  const check = prng.pick(['off', 'always'] as const)
  const tickUs = prng.pick([1_000, 4_000, 10_000])
  // A lease counts whole ticks, and a tenth of an interval is what a peer's skew may be.
  return {
    lease: { tickUs: Math.min(tickUs, advertUs / 25) },
    claims: { reaction, check, policy: 'warn' },
  }
}

/** Packets of BFD in a run, at most: they decide how long it takes. */
const bfdPacketsMax = 300_000

/** Every third run has BFD. Drawn apart, so that the other runs stay what they were. */
function drawBfd(
  seed: number,
  profile: Profile,
  hours: number,
  advertUs: number,
  hosts: number,
): NonNullable<Scenario['bfd']> | null {
  if (seed % 6 > 1 || profile === 'calm') return null
  const share = new Prng(seed ^ 0xbfd).pick([0.02, 0.1, 0.3])
  const least = (hours * 3_600 * second * hosts * (hosts - 1)) / bfdPacketsMax
  const everyUs = Math.min(Math.max(advertUs * share, least, 10_000), advertUs)
  return { everyUs: Math.ceil(everyUs / 1_000) * 1_000 }
}

/** Long intervals make long silences cheap: an idle hour costs as many events as it has adverts. */
function drawInterval(prng: Prng, version: 2 | 3, profile: Profile): number {
  if (profile === 'storm' || profile === 'changes') {
    const seconds = version === 2 ? [1, 2, 5] : [0.1, 0.5, 1, 2, 10]
    return prng.pick(seconds) * second
  }
  return prng.pick(version === 2 ? [60, 100, 200] : [20, 30, 40]) * second
}

function drawPriorities(prng: Prng, count: number): readonly number[] {
  if (prng.chance(0.15)) return Array.from({ length: count }, () => 100)
  return Array.from({ length: count }, (_, i) => prng.between(60, 90) + i * 40)
}

export function vipsOf(scenario: Scenario): readonly Vip[] {
  const names = scenario.grouped ? ['VI_1', 'VI_2'] : ['VI_1']
  return names.flatMap((instance, i) =>
    [1, 2].map((n) => ({
      instance,
      vrid: firstVrid + i,
      address: (scenario.family === 4 ? `10.0.0.${100 + 10 * i + n}` : `fd00::${10 * i + n}`) as Ip,
    })),
  )
}

/** The priority that an operator would work out by hand. */
export function expectedPriority(host: HostPlan, good: boolean): number {
  if (host.drained) return 1
  if (host.weight > 0) return Math.min(host.priority + (good ? host.weight : 0), 254)
  return Math.max(host.priority + (good ? 0 : host.weight), 1)
}
