/**
 * From what the trackers say to what the election needs: the effective priority and the faults. A tracker
 * with a weight adds or subtracts; one without (weight 0) decides whether the instance may take part. Every
 * step of the sum is kept, so that an operator can read why the priority is what it is.
 */
import { unreachable } from '../base/assert.ts'
import {
  countsWhile,
  fileBounds,
  priorityMin,
  priorityOwner,
  signedWeight,
  withinPriorities,
} from '../base/priority-rules.ts'
import type { Fault } from './types.ts'

/** A tracked check or interface as seen by one instance, with the weight that applies to it there. */
export type Tracker = {
  /** -253..253 (-254..254 for files and processes); 0: bad means fault. */
  readonly weight: number
  /** Good and bad swap their meaning for a fault; a contribution changes its sign. */
  readonly reverse: boolean
} & (
  | {
      readonly kind: 'check'
      readonly name: string
      readonly verdict: 'good' | 'bad' | 'unknown'
      /** Without a verdict a weight-0 check holds the instance, unless a reload added it. */
      readonly holds: boolean
      /** The last result in words: 'exit 1', 'timed out after 2 s'; '' when there is none. */
      readonly detail: string
    }
  | {
      /** Its contribution is its number times the weight; without a weight any number but 0 is bad. */
      readonly kind: 'file'
      readonly name: string
      /** null: not known yet. */
      readonly value: number | null
      readonly holds: boolean
    }
  | {
      readonly kind: 'interface'
      readonly name: string
      readonly verdict: 'up' | 'down' | 'missing'
    }
)

/** Waits for others to lead: after one hand-over, with the whole host, or while an address is contested. */
export type StandBy = 'failover' | 'drain' | 'conflict'

type Contribution = {
  readonly kind: Tracker['kind']
  readonly name: string
  readonly delta: number
}

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

type Verdict = 'good' | 'bad' | 'unknown'

const verdictOf = (tracker: Tracker): Verdict => {
  if (tracker.kind === 'check') return tracker.verdict
  if (tracker.kind === 'file')
    return tracker.value === null ? 'unknown' : tracker.value === 0 ? 'good' : 'bad'
  return tracker.verdict === 'up' ? 'good' : 'bad'
}

function contribution(tracker: Tracker): Contribution {
  if (tracker.kind === 'file') return fileContribution(tracker)
  const { kind, name, weight } = tracker
  const delta = verdictOf(tracker) === countsWhile(weight) ? signedWeight(tracker) : 0
  return { kind, name, delta }
}

type FileTracker = Extract<Tracker, { kind: 'file' }>

function fileContribution(tracker: FileTracker): Contribution {
  const { kind, name } = tracker
  const delta = Math.min(Math.max(productOf(tracker), fileBounds.least), fileBounds.most)
  return { kind, name, delta }
}

/** Not -0. */
const productOf = (tracker: FileTracker): number => (tracker.value ?? 0) * signedWeight(tracker) + 0

function faultsOf(tracker: Tracker): readonly Fault[] {
  const { name } = tracker
  if (tracker.weight !== 0) {
    if (tracker.kind !== 'file' || productOf(tracker) > fileBounds.least) return []
    const detail = `it holds ${tracker.value}, times ${tracker.weight}`
    return [{ kind: 'check', name, detail }]
  }
  const verdict = verdictOf(tracker)
  if (verdict === 'unknown')
    return tracker.kind !== 'interface' && tracker.holds ? [{ kind: 'check-pending', name }] : []
  if (verdict === (tracker.reverse ? 'bad' : 'good')) return []
  switch (tracker.kind) {
    case 'check':
      return [{ kind: 'check', name, detail: reversedDetail(tracker.reverse, tracker.detail) }]
    case 'file':
      return [{ kind: 'check', name, detail: `it holds ${tracker.value}` }]
    case 'interface':
      return [{ kind: 'link', interface: name, why: tracker.verdict }]
    default:
      return unreachable(tracker)
  }
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
    ({ delta, name, kind }) =>
      `${delta < 0 ? '-' : '+'} ${Math.abs(delta)} (${kind === 'interface' ? 'link ' : ''}${name})`,
  )
  const limit = sum === effective ? '' : `, limited to ${effective}`
  return `${base} ${terms.join(' ')} = ${sum}${limit}`
}
