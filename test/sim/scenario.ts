/**
 * What a run consists of, drawn from its seed: how many hosts, with which priorities, intervals, clocks and
 * options. Rendered as configuration text, so that the shipped parser reads it.
 */
import type { Ip } from '../../src/base/ip.ts'
import type { Prng } from './prng.ts'

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
  /** Its daemon dies with a warden that cleans up. */
  readonly warden: boolean
}

/** `storm`: faults on faults. `quiet`: long silence, rare faults. `calm`: no fault at all. */
export type Profile = 'storm' | 'quiet' | 'calm'

export type Scenario = {
  readonly seed: number
  readonly profile: Profile
  readonly version: 2 | 3
  readonly family: 4 | 6
  readonly advertUs: number
  readonly livenessUs: number
  /** After which an address that nobody renews is gone. */
  readonly lifetimeS: number
  /** Two instances in a sync group instead of one. */
  readonly grouped: boolean
  readonly refreshS: number
  readonly hosts: readonly HostPlan[]
  readonly hours: number
  /** Absent: report. */
  readonly addressConflict?: 'resign'
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
  const grouped = prng.chance(0.25)
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
    }),
  )
  return {
    seed,
    profile,
    version,
    family,
    advertUs,
    livenessUs: livenessOf(prng.pick([2, 20, 0]) * advertUs),
    lifetimeS: Math.max(8, Math.ceil((6 * advertUs) / second)),
    grouped,
    refreshS: prng.chance(0.5) ? Math.max(1, Math.ceil((advertUs / second) * 7)) : 0,
    hosts,
    hours,
  }
}

/** 0, no lease, stays 0. */
const livenessOf = (wished: number): number =>
  wished === 0 ? 0 : Math.min(Math.max(wished, second / 2), 3_000 * second)

/** Long intervals make long silences cheap: an idle hour costs as many events as it has adverts. */
function drawInterval(prng: Prng, version: 2 | 3, profile: Profile): number {
  if (profile === 'storm') {
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
  if (host.weight > 0) return Math.min(host.priority + (good ? host.weight : 0), 254)
  return Math.max(host.priority + (good ? 0 : host.weight), 1)
}

export function configText(scenario: Scenario, host: HostPlan): string {
  const vips = vipsOf(scenario)
  const names = [...new Set(vips.map((vip) => vip.instance))]
  const instances = names.map((name) =>
    instanceText(
      scenario,
      host,
      name,
      vips.filter((vip) => vip.instance === name),
    ),
  )
  const group = scenario.grouped
    ? `vrrp_sync_group G {\n  group {\n    ${names.join('\n    ')}\n  }\n}\n`
    : ''
  return `global_defs {
  router_id host${host.number}
  vipd_liveness ${scenario.livenessUs / second}
  vipd_address_lifetime ${scenario.lifetimeS}
  vipd_address_conflict ${scenario.addressConflict ?? 'report'}
}
vrrp_script chk {
  script "/usr/bin/true"
  interval 1
  weight ${host.weight}
}
${group}${instances.join('')}`
}

function instanceText(
  scenario: Scenario,
  host: HostPlan,
  name: string,
  vips: readonly Vip[],
): string {
  const options = [
    host.nopreempt ? 'nopreempt' : '',
    host.preemptDelayS > 0 ? `preempt_delay ${host.preemptDelayS}` : '',
    scenario.refreshS > 0 ? `garp_master_refresh ${scenario.refreshS}` : '',
  ]
  return `vrrp_instance ${name} {
  state BACKUP
  interface eth0
  version ${scenario.version}
  virtual_router_id ${vips[0]?.vrid}
  priority ${host.priority}
  advert_int ${scenario.advertUs / second}
  ${options.filter((text) => text !== '').join('\n  ')}
  virtual_ipaddress {
    ${vips.map((vip) => `${vip.address}/${scenario.family === 4 ? 24 : 64}`).join('\n    ')}
  }
  ${vips[0]?.vrid === firstVrid ? 'track_script {\n    chk\n  }' : ''}
}
`
}
