/** What was seen: of each check its latest results, of each instance the pauses between the adverts that it heard. */
import type { Recorded } from '../checks/verdict/record.ts'

/** Milliseconds. */
export type Timing = {
  readonly intervalMs: number
  /** null: `intervalMs`. */
  readonly fastIntervalMs: number | null
  readonly downIntervalMs: number | null
  readonly timeoutMs: number
  readonly rise: number
  readonly fall: number
}

export type ObservedCheck = {
  readonly name: string
  /** What it does, for people. */
  readonly how: string
  /** A push check, or made of others: it has no interval to choose. */
  readonly tunable: boolean
  readonly timing: Timing
  /** The oldest first. */
  readonly results: readonly Recorded[]
}

export type Adverts = {
  readonly version: 2 | 3
  readonly advertMs: number
  /** Adverts whose absence is a failure: `down_timer_adverts`. */
  readonly downTimerAdverts: number
  /** Of the router that takes over. */
  readonly heirPriority: number
}

export type Gap = { readonly atMs: number; readonly gapMs: number }

type Gaps = ObservedInstance['gaps']

export type ObservedInstance = {
  readonly name: string
  readonly state: string
  readonly adverts: Adverts
  readonly resignsOnDemotion: boolean
  /** Checks that it tracks, with their weights there. */
  readonly tracks: readonly { readonly name: string; readonly weight: number }[]
  /** null: no adverts were received; a master receives none. */
  readonly gaps: {
    /** Lower bound of each bucket, and how many. */
    readonly histogram: readonly { readonly fromMs: number; readonly count: number }[]
    /** Half as long again as usual, or longer; the latest few. */
    readonly long: readonly Gap[]
  } | null
}

export type Observation = {
  readonly schema: 1
  readonly host: string
  /** What the daemon runs with. */
  readonly configPath: string
  /** Milliseconds since 1970. */
  readonly fromMs: number
  readonly untilMs: number
  readonly checks: readonly ObservedCheck[]
  readonly instances: readonly ObservedInstance[]
}

/** Only what is new in the later of two observations: `vipd tune --observe`. */
export function since(before: Observation, after: Observation): Observation {
  const fromMs = before.untilMs
  return {
    ...after,
    fromMs,
    checks: after.checks.map((check) => ({
      ...check,
      results: check.results.filter(({ atMs }) => atMs >= fromMs),
    })),
    instances: after.instances.map((instance) => {
      const known = before.instances.find(({ name }) => name === instance.name)?.gaps ?? null
      return { ...instance, gaps: newGaps(known, instance.gaps, fromMs) }
    }),
  }
}

function newGaps(before: Gaps, after: Gaps, fromMs: number): Gaps {
  if (after === null) return null
  const histogram = after.histogram.map(({ fromMs: bound, count }, i) => ({
    fromMs: bound,
    count: Math.max(0, count - (before?.histogram[i]?.count ?? 0)),
  }))
  if (histogram.every(({ count }) => count === 0)) return null
  return { histogram, long: after.long.filter(({ atMs }) => atMs >= fromMs) }
}
