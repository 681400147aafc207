/**
 * From what the trackers say to what the election needs: the effective priority and the faults. A tracker
 * with a weight adds or subtracts; one without (weight 0) decides whether the instance may take part. Every
 * step of the sum is kept, so that an operator can read why the priority is what it is.
 */
import {
  countsWhile,
  fileBounds,
  priorityMin,
  priorityOwner,
  signedWeight,
  withinPriorities,
} from '../base/priority-rules.ts'
import type { Fault } from './types.ts'

/** What a trackable says at the moment. */
export type Reading =
  /** Nothing yet. */
  | { readonly kind: 'unknown' }
  /** `detail`: the last result in words: 'exit 1', 'timed out after 2 s', 'down'; '' when there is none. */
  | { readonly kind: 'verdict'; readonly good: boolean; readonly detail: string }
  /** Adds its number times the weight; without a weight any number but 0 is bad. */
  | { readonly kind: 'value'; readonly value: number }

/** A trackable as seen by one instance, with the weight that applies to it there. */
export type Tracker = {
  /** `interface`: a fault of it is a fault of the link; any other kind is a check. `name`: in faults and in the sum. */
  readonly key: { readonly kind: string; readonly name: string }
  readonly reading: Reading
  /** -253..253 (-254..254 for files and processes); 0: bad means fault. */
  readonly weight: number
  /** Good and bad swap their meaning for a fault; a contribution changes its sign. */
  readonly reverse: boolean
  /** Without a reading and a weight it holds the instance: a reload did not add it. */
  readonly holds: boolean
}

/** Waits for others to lead: after one hand-over, with the whole host, or while an address is contested. */
export type StandBy = 'failover' | 'drain' | 'conflict'

type Contribution = { readonly key: Tracker['key']; readonly delta: number }

export type Assessment = {
  /** 1..254, or 255 for an owner. */
  readonly effective: number
  readonly faults: readonly Fault[]
  /** '100 + 20 (web good) - 30 (eth2 down) = 90'. */
  readonly arithmetic: string
  /** Overrules what is tracked; null: does not stand by. */
  readonly standsBy: StandBy | null
}

/** @param basePriority 1..255; an owner's (255) is never changed, only its faults count. */
export function assess(basePriority: number, trackers: readonly Tracker[]): Assessment {
  const faults = trackers.flatMap(faultsOf)
  if (basePriority === priorityOwner) {
    const arithmetic = `${priorityOwner} (address owner: weights do not count)`
    return { effective: priorityOwner, faults, arithmetic, standsBy: null }
  }
  const contributions = trackers.filter((t) => t.weight !== 0).map(contribution)
  const sum = contributions.reduce((total, { delta }) => total + delta, basePriority)
  const effective = withinPriorities(sum)
  return {
    effective,
    faults,
    standsBy: null,
    arithmetic: arithmeticOf(basePriority, contributions, sum, effective),
  }
}

/** The least priority there is, so that every other router is better. An owner's is not changed. */
export function standingBy(assessment: Assessment, standsBy: StandBy): Assessment {
  if (assessment.effective === priorityOwner) return assessment
  const arithmetic = `${priorityMin} (stands by; else ${assessment.arithmetic})`
  return { ...assessment, effective: priorityMin, arithmetic, standsBy }
}

/** null: not known yet. */
function isGood(reading: Reading): boolean | null {
  if (reading.kind === 'unknown') return null
  return reading.kind === 'value' ? reading.value === 0 : reading.good
}

function contribution(tracker: Tracker): Contribution {
  const { key, reading, weight } = tracker
  if (reading.kind === 'value') {
    const product = productOf(reading.value, tracker)
    return { key, delta: Math.min(Math.max(product, fileBounds.least), fileBounds.most) }
  }
  const counts = isGood(reading) === (countsWhile(weight) === 'good')
  return { key, delta: counts ? signedWeight(tracker) : 0 }
}

/** Not -0. */
const productOf = (value: number, tracker: Tracker): number => value * signedWeight(tracker) + 0

function faultsOf(tracker: Tracker): readonly Fault[] {
  const { key, reading, weight, reverse, holds } = tracker
  const { name } = key
  if (weight !== 0) {
    if (reading.kind !== 'value' || productOf(reading.value, tracker) > fileBounds.least) return []
    return [{ kind: 'check', name, detail: `it holds ${reading.value}, times ${weight}` }]
  }
  if (reading.kind === 'unknown') return holds ? [{ kind: 'check-pending', name }] : []
  if (isGood(reading) !== reverse) return []
  if (reading.kind === 'value')
    return [{ kind: 'check', name, detail: `it holds ${reading.value}` }]
  if (key.kind === 'interface') return [linkFault(name, reading)]
  return [{ kind: 'check', name, detail: reversedDetail(reverse, reading.detail) }]
}

function linkFault(name: string, { good, detail }: { good: boolean; detail: string }): Fault {
  const why = good ? 'up' : detail === 'missing' ? 'missing' : 'down'
  return { kind: 'link', interface: name, why }
}

const reversedDetail = (reverse: boolean, detail: string): string => {
  if (!reverse) return detail
  return detail === '' ? 'reverse: it succeeds' : `reverse: ${detail}`
}

function arithmeticOf(
  base: number,
  contributions: readonly Contribution[],
  sum: number,
  effective: number,
): string {
  const counted = contributions.filter(({ delta }) => delta !== 0)
  if (counted.length === 0) return `${base}`
  const terms = counted.map(
    ({ delta, key: { kind, name } }) =>
      `${delta < 0 ? '-' : '+'} ${Math.abs(delta)} (${kind === 'interface' ? 'link ' : ''}${name})`,
  )
  const limit = sum === effective ? '' : `, limited to ${effective}`
  return `${base} ${terms.join(' ')} = ${sum}${limit}`
}
