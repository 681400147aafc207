/** What was seen lately of the instances and checks that a reader names: the pauses between adverts, and the runs. */

import { us } from '../base/time.ts'
import { downIntervalUs } from '../base/vrrp-timing.ts'
import type { Recorded } from '../checks/verdict/record.ts'
import type { Gap, ObservedCheck, ObservedInstance } from './observation.ts'

export type RecentInstance = {
  readonly name: string
  /** Milliseconds, as configured. */
  readonly advertMs: number
  /** The silence after which a backup of this pair takes over. */
  readonly downMs: number
  /** Half as long again as usual, or longer; the latest 32, the oldest first. */
  readonly longGaps: readonly Gap[]
}

export type RecentCheck = {
  readonly name: string
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly rise: number
  readonly fall: number
  /** The latest, the oldest first. */
  readonly results: readonly Pick<Recorded, 'atMs' | 'durationMs' | 'outcome'>[]
}

export type Recent = {
  readonly schema: 1
  readonly instances: readonly RecentInstance[]
  readonly checks: readonly RecentCheck[]
}

export type RecentNames = {
  readonly instances: readonly string[]
  readonly checks: readonly string[]
}

/** Of each kind, in one question: what the deciding part pays for it stays far below a millisecond. */
export const recentNamesMax = 32
/** Of each check. */
export const recentResultsMax = 60

export function recentInstance({ name, adverts, gaps }: ObservedInstance): RecentInstance {
  const { version, advertMs, downTimerAdverts, heirPriority } = adverts
  const down = downIntervalUs({
    ...{ version, downTimerAdverts, effectivePriority: heirPriority },
    intervalUs: us(Math.round(advertMs * 1_000)),
  })
  return { name, advertMs, downMs: down / 1_000, longGaps: gaps?.long ?? [] }
}

export function recentCheck(
  { name, timing }: ObservedCheck,
  results: readonly Recorded[],
): RecentCheck {
  const { intervalMs, timeoutMs, rise, fall } = timing
  return {
    ...{ name, intervalMs, timeoutMs, rise, fall },
    results: results
      .slice(-recentResultsMax)
      .map(({ atMs, durationMs, outcome }) => ({ atMs, durationMs, outcome })),
  }
}
