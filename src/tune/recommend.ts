/**
 * Settings that reach a time and a rate. Of all that do, the one that asks least often, and of those the one that bears
 * the longest hiccup. When there is none, what stands in the way.
 */

import { falseTakeOvers } from '../base/advert-chance.ts'
import type { Adverts, Timing } from '../report/observation.ts'
import type { CheckBudget, InstanceBudget } from './budget.ts'
import { chanceOf } from './estimate.ts'
import { leastLost, shortfall } from './evidence.ts'
import {
  detection,
  falseAlarms,
  handOver,
  hostDetection,
  pauseBorne,
  perYear,
  skew,
} from './formulas.ts'

export type Target = {
  /** End to end, in the worst case, milliseconds. */
  readonly failoverMs: number
  /** Of each check, and of the adverts of each instance. */
  readonly falsePerYear: number
}

export type Choice<T> =
  | {
      readonly kind: 'found'
      readonly setting: T
      readonly worstMs: number
      readonly falsePerYear: number
      /** Nothing went wrong while it was observed: the rate is what that leaves open at most. */
      readonly bound: boolean
    }
  | { readonly kind: 'none'; readonly why: string }

/** What keywords take, in milliseconds; advert_int of version 3 is a multiple of 10 (RFC 9568 section 5.2.7). */
const advertSteps = [10, 20, 50, 100, 200, 250, 500, 1_000, 2_000, 5_000]
const secondSteps = [1_000, 2_000, 5_000]
const downTimerMax = 100
const intervalSteps = [
  ...[10, 20, 30, 50, 75, 100, 150, 200, 250, 300, 500, 750],
  ...[1_000, 1_500, 2_000, 3_000, 5_000, 10_000],
]
const timeoutSteps = [5, ...intervalSteps]
const fallMax = 12
/** Pauses come again, and longer: what was seen is borne twice over. */
const pauseSafety = 2
/** What a timeout leaves to an answer at its p99, and to the slowest that was seen. */
const room = { usual: 3, slowest: 1.5 }

const ms = (value: number): string => `${Number(value.toFixed(1))} ms`

/** How often adverts, and how many may be missing. */
export function recommendAdverts(instance: InstanceBudget, target: Target): Choice<Adverts> {
  const { adverts: present, loss } = instance
  if (loss === null)
    return { kind: 'none', why: 'no adverts were heard here: observe on the backup' }
  const missing = shortfall('adverts', loss.heard, present.advertMs)
  if (missing !== null) return { kind: 'none', why: missing }
  const steps = present.version === 3 ? advertSteps : secondSteps
  const least = leastLost(loss.heard)
  const quickest = { ...present, advertMs: steps[0] ?? 10, downTimerAdverts: least }
  if (hostDetection(quickest).worst > target.failoverMs)
    return {
      kind: 'none',
      why: `even ${ms(quickest.advertMs)} and ${least} missing adverts take ${ms(hostDetection(quickest).worst)}${present.version === 2 ? ': version 3 counts hundredths of a second' : ''}`,
    }
  for (const advertMs of steps.toReversed()) {
    const most = mostAdverts({ ...present, advertMs }, target.failoverMs)
    if (most < least) continue
    const setting = { ...present, advertMs, downTimerAdverts: most }
    const falsePerYear = perYear(falseTakeOvers(setting, loss.p))
    const bears = pauseBorne(setting) >= pauseSafety * pauseOf(loss.longestMs, present.advertMs)
    if (falsePerYear > target.falsePerYear || !bears) continue
    const worstMs = hostDetection(setting).worst
    return { kind: 'found', setting, worstMs, falsePerYear, bound: loss.bound }
  }
  return { kind: 'none', why: whyNoAdverts(instance, target) }
}

/** Of the longest gap, what was more than an interval. */
const pauseOf = (longestMs: number, advertMs: number): number => Math.max(0, longestMs - advertMs)

function mostAdverts(adverts: Adverts, limitMs: number): number {
  const most = Math.floor((limitMs - skew(adverts)) / adverts.advertMs + 1e-9)
  return Math.min(most, downTimerMax)
}

function whyNoAdverts({ adverts, loss }: InstanceBudget, target: Target): string {
  const quickest = { ...adverts, advertMs: adverts.version === 3 ? 10 : 1_000 }
  const setting = { ...quickest, downTimerAdverts: mostAdverts(quickest, target.failoverMs) }
  const longest = loss?.longestMs ?? 0
  if (pauseBorne(setting) < pauseSafety * pauseOf(longest, adverts.advertMs))
    return `it was silent for ${ms(longest)}; twice that is more than any setting within ${ms(target.failoverMs)} bears`
  const rate = perYear(falseTakeOvers(setting, loss?.p ?? 1))
  return `with ${((loss?.p ?? 1) * 100).toPrecision(2)} % of the adverts lost even every ${ms(setting.advertMs)} is wrong ${rate.toPrecision(2)} times a year${loss?.bound === true ? ' as far as this short an observation can tell: observe longer' : ''}`
}

/** How often to ask, how long to wait, and how many failures count. */
export function recommendCheck(
  check: CheckBudget,
  adverts: Adverts,
  resigns: boolean,
  target: Target,
): Choice<Timing> {
  const { seen } = check
  const missing = shortfall('runs', seen.n, check.timing.intervalMs)
  if (missing !== null) return { kind: 'none', why: missing }
  const left = target.failoverMs - handOver(adverts, resigns).worst
  const leastMs = leastTimeout(seen)
  const timeouts = timeoutSteps.filter((timeoutMs) => timeoutMs >= leastMs && timeoutMs < left)
  if (timeouts.length === 0)
    return {
      kind: 'none',
      why: `the hand-over takes ${ms(target.failoverMs - left)}, and no timeout may be shorter than ${ms(leastMs)} (the answers' p99 three times, the slowest half as long again, this machine's own lateness): ${ms(target.failoverMs)} has no room for both`,
    }
  const best = bestTiming(check, timeouts, left, target)
  if (best === null) return { kind: 'none', why: whyNoTiming(check, left, timeouts, target) }
  const worstMs = best.worst + handOver(adverts, resigns).worst
  const bound = chanceOf(seen, best.timing)?.bound ?? true
  return { kind: 'found', setting: best.timing, worstMs, falsePerYear: best.rate, bound }
}

/** Shorter ones would cut off answers, or take this machine's own pauses for the service's. */
function leastTimeout({ latency, lateness }: CheckBudget['seen']): number {
  const answers = Math.max(room.usual * (latency?.p99 ?? 0), room.slowest * (latency?.max ?? 0))
  return Math.max(answers, lateness?.max ?? 0)
}

type Found = {
  readonly timing: Timing
  /** From the first failure to the verdict: a hiccup that is shorter does nothing. */
  readonly certain: number
  readonly worst: number
  readonly rate: number
}

function bestTiming(
  check: CheckBudget,
  timeouts: readonly number[],
  leftMs: number,
  target: Target,
): Found | null {
  const fitting = timeouts.flatMap((timeoutMs) =>
    Array.from(settings(check.timing, timeoutMs), (timing): Found => {
      const { best: certain, worst } = detection(timing, timeoutMs)
      return { timing, certain, worst, rate: rateOf(check, timing) }
    }).filter(({ worst, rate }) => worst <= leftMs && rate <= target.falsePerYear),
  )
  return fitting.reduce<Found | null>(
    (best, one) => (best === null || isBetter(one, best) ? one : best),
    null,
  )
}

function rateOf({ seen }: CheckBudget, timing: Timing): number {
  const chance = chanceOf(seen, timing)
  if (chance === null) return Number.POSITIVE_INFINITY
  return perYear(falseAlarms(timing, chance.p, chance.afterFailure))
}

function* settings(present: Timing, timeoutMs: number): Generator<Timing> {
  for (const intervalMs of intervalSteps)
    for (let fall = 1; fall <= fallMax; fall++)
      for (const fastIntervalMs of [null, ...intervalSteps.filter((f) => f < intervalMs)])
        if (timeoutMs <= (fastIntervalMs ?? intervalMs))
          yield { ...present, intervalMs, fastIntervalMs, timeoutMs, fall }
}

/**
 * Asks less often; then bears a longer hiccup of the service, for failures are not as independent as the formula has it;
 * then needs fewer runs for that, and gives an answer more time.
 */
function isBetter(one: Found, than: Found): boolean {
  const [a, b] = [one.timing, than.timing]
  if (a.intervalMs !== b.intervalMs) return a.intervalMs > b.intervalMs
  if (one.certain !== than.certain) return one.certain > than.certain
  if (a.fall !== b.fall) return a.fall < b.fall
  return a.timeoutMs > b.timeoutMs
}

function whyNoTiming(
  check: CheckBudget,
  leftMs: number,
  timeouts: readonly number[],
  target: Target,
): string {
  const [timeoutMs = 0] = timeouts
  const fitting = [...settings(check.timing, timeoutMs)].filter(
    (timing) => detection(timing, timeoutMs).worst <= leftMs,
  )
  const least = Math.min(...fitting.map((timing) => rateOf(check, timing)))
  const { failures, n } = check.seen
  if (fitting.length === 0)
    return `the hand-over leaves ${ms(leftMs)}, which is too short for a timeout of ${ms(timeoutMs)} and one interval`
  const share =
    failures === 0
      ? `none of ${n} runs failed, which leaves open up to 3 in ${n}: observe longer`
      : `${failures} of ${n} runs failed for nothing`
  return `${share}; within ${ms(leftMs)} no setting is wrong less than ${least.toPrecision(2)} times a year, asked were ${target.falsePerYear}`
}
