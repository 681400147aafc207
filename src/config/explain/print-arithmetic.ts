/** The numbers that a configuration implies and does not state: priorities with weights, and intervals. */
import { groupBy } from '../../base/collections.ts'
import {
  countsWhile,
  fileBounds,
  priorityOwner,
  signedWeight,
  withinPriorities,
} from '../../base/priority-rules.ts'
import * as timing from '../../base/vrrp-timing.ts'
import type { Config, Instance, SyncGroup, Tracked } from '../types.ts'

/** What one weighted tracker does to the priority. */
export type Contribution = {
  readonly name: string
  readonly amount: number
  /** The verdict on which the amount counts. */
  readonly when: 'good' | 'bad'
  readonly kind: Tracked['kind']
}

export type Arithmetic = {
  readonly base: number
  readonly contributions: readonly Contribution[]
  /** With every tracker at its worst and at its best; clamped to 1..254, an owner is always 255. */
  readonly lowest: number
  readonly highest: number
  /** Before clamping. */
  readonly sums: readonly [number, number]
}

/** The trackers of an instance and those of its sync group. */
export function trackersOf(
  instance: Instance,
  config: Config,
): { readonly scripts: readonly Tracked[]; readonly interfaces: readonly Tracked[] } {
  const groups = groupsByMember(config).get(instance.name) ?? []
  return {
    scripts: [instance, ...groups].flatMap((one) => one.trackChecks),
    interfaces: [instance, ...groups].flatMap((one) => one.trackInterfaces),
  }
}

const byMember = new WeakMap<Config, ReadonlyMap<string, readonly SyncGroup[]>>()

function groupsByMember(config: Config): ReadonlyMap<string, readonly SyncGroup[]> {
  const known = byMember.get(config)
  if (known !== undefined) return known
  const members = config.groups.flatMap((group) => group.members.map((name) => ({ name, group })))
  const groups = new Map(
    [...groupBy(members, ({ name }) => name)].map(([name, all]) => [
      name,
      all.map(({ group }) => group),
    ]),
  )
  byMember.set(config, groups)
  return groups
}

export function arithmetic(instance: Instance, config: Config): Arithmetic {
  const { scripts, interfaces } = trackersOf(instance, config)
  const contributions = [...scripts.flatMap(contribution), ...interfaces.flatMap(contribution)]
  const base = instance.priority
  const worst = contributions.reduce((sum, one) => sum + Math.min(...rangeOf(one), 0), base)
  const best = contributions.reduce((sum, one) => sum + Math.max(...rangeOf(one), 0), base)
  const clamp = (sum: number) => (base === priorityOwner ? base : withinPriorities(sum))
  return { base, contributions, lowest: clamp(worst), highest: clamp(best), sums: [worst, best] }
}

function contribution(tracked: Tracked): Contribution[] {
  const { kind, name, weight } = tracked
  if (weight === 0) return []
  return [{ name, kind, amount: signedWeight(tracked), when: countsWhile(weight) }]
}

/** A file may hold anything: whatever it adds or takes away within the bounds of a priority. */
const rangeOf = ({ kind, amount }: Contribution): readonly number[] =>
  kind === 'file' ? [fileBounds.least, fileBounds.most] : [amount]

/** `100 base, +2 while chk_http succeeds → 100..102`. */
export function describeArithmetic(sums: Arithmetic): string {
  if (sums.base === priorityOwner)
    return '255, the owner of the addresses: never yields, takes no weights'
  if (sums.contributions.length === 0) return `${sums.base}, fixed`
  const terms = sums.contributions.map(({ name, amount, when, kind }) => {
    if (kind === 'file') return `${amount < 0 ? '−' : '+'}${Math.abs(amount)} × what ${name} holds`
    const verbs =
      kind === 'interface' || kind === 'bfd'
        ? { good: 'is up', bad: 'is down' }
        : { good: 'succeeds', bad: 'fails' }
    return `${amount < 0 ? '−' : '+'}${Math.abs(amount)} while ${name} ${verbs[when]}`
  })
  return `${sums.base} base, ${terms.join(', ')} → ${sums.lowest}..${sums.highest}`
}

/** Of a backup with this priority whose master has our interval. */
export const skewUs = ({ version, advertIntervalUs }: Instance, priority: number): number =>
  timing.skewUs(version, priority, advertIntervalUs)

export const downIntervalUs = (instance: Instance, priority: number): number => {
  const { version, downTimerAdverts, advertIntervalUs: intervalUs } = instance
  const waits = { version, downTimerAdverts, effectivePriority: priority, intervalUs }
  return timing.downIntervalUs(waits)
}
