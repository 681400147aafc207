/** From results to probabilities, with as much doubt as their number leaves. */
import { type Summary, summarise } from '../base/statistics.ts'
import type { Recorded } from '../checks/verdict/record.ts'
import type { ObservedCheck, Timing } from '../report/observation.ts'

export type Estimate = {
  readonly n: number
  /** Failures outside of outages. */
  readonly failures: number
  readonly timeouts: number
  /** Runs of failures that the present setting took for an outage; they are not counted as chance. */
  readonly outages: number
  /** Milliseconds. null: no success was seen. */
  readonly latency: Summary | null
  readonly lateness: Summary | null
  /** That a success follows a failure less often than chance says: P(failure | failure before). */
  readonly afterFailure: number | null
  /** Of good answers, sorted. */
  readonly durations: readonly number[]
}

/** Failures that happen once in so many runs cannot be told from none: the rule of three, at 95 %. */
export const ruleOfThree = 3

export function estimate({ results, timing }: ObservedCheck): Estimate {
  const runs = runsOf(results)
  const outages = runs.filter((run) => run.length >= timing.fall && run.ended)
  const inOutage = new Set(
    runs.filter((run) => run.length >= timing.fall).flatMap((run) => run.results),
  )
  const counted = results.filter((result) => !inOutage.has(result))
  const failed = counted.filter(({ outcome }) => outcome !== 'good')
  const good = counted.filter(({ outcome }) => outcome === 'good')
  const durations = good.map(({ durationMs }) => durationMs).toSorted((a, b) => a - b)
  return {
    n: counted.length,
    failures: failed.length,
    timeouts: failed.filter(({ outcome }) => outcome === 'timeout').length,
    outages: outages.length,
    latency: summarise(durations),
    lateness: summarise(results.map(({ latenessMs }) => latenessMs)),
    afterFailure: afterFailure(counted),
    durations,
  }
}

type Run = {
  readonly results: readonly Recorded[]
  readonly length: number
  readonly ended: boolean
}

/** Failures in a row. The last run may not have ended yet. */
function runsOf(results: readonly Recorded[]): readonly Run[] {
  const runs: Run[] = []
  let current: Recorded[] = []
  const close = (ended: boolean) => {
    if (current.length > 0) runs.push({ results: current, length: current.length, ended })
    current = []
  }
  for (const result of results) {
    if (result.outcome === 'good') close(true)
    else current.push(result)
  }
  close(false)
  return runs
}

/** null: too few failures to say; then they are taken to be independent. */
function afterFailure(results: readonly Recorded[]): number | null {
  const fewest = 10
  let failures = 0
  let again = 0
  for (const [i, { outcome }] of results.entries()) {
    const next = results[i + 1]
    if (outcome === 'good' || next === undefined) continue
    failures += 1
    if (next.outcome !== 'good') again += 1
  }
  return failures < fewest ? null : again / failures
}

export type Chance = {
  /** That one run fails although the service is well. */
  readonly p: number
  readonly afterFailure: number
  /** No failure was seen: `p` is what the number of runs leaves open. */
  readonly bound: boolean
}

/**
 * What to expect with this timing: failures as they were seen, and answers that this timeout would have cut off. null:
 * nothing was seen.
 */
export function chanceOf(seen: Estimate, { timeoutMs }: Pick<Timing, 'timeoutMs'>): Chance | null {
  if (seen.n === 0) return null
  const late = seen.durations.length - countUpTo(seen.durations, timeoutMs)
  // Timeouts of the present setting would have been timeouts of any shorter one, and perhaps of a longer.
  const bad = seen.failures + late
  const bound = bad === 0
  const p = Math.min(1, (bound ? ruleOfThree : bad) / seen.n)
  return { p, afterFailure: Math.max(p, seen.afterFailure ?? p), bound }
}

/** How many of the sorted values are at most that. */
function countUpTo(sorted: readonly number[], limit: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? 0) <= limit) low = middle + 1
    else high = middle
  }
  return low
}
