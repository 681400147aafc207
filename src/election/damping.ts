/**
 * A better master that comes and goes many times a second would drag the addresses along. Whoever has yielded more
 * than five times within ten advertisement intervals (at most ten seconds) waits longer before taking over again: one
 * interval, then two, four and at most eight. From the second time on it announces the addresses once instead of
 * repeatedly when it takes over. As long after having yielded last, all is forgotten. Of resignations only
 * the first five in that time are believed; then silence alone tells that the master is gone. An election by silence
 * takes more than three intervals, so a pair whose hosts really fail by turns never comes near that rate. Neither RFC
 * knows of this; below it nothing is different, and a valid advert of higher priority is yielded to at any time.
 */
import { addUs, secondsToUs, type Us, us } from '../base/time.ts'
import type { Damping, Params } from './types.ts'

const undamped = 5
const windowIntervals = 10
const mostIntervals = 8
const longestUnit = secondsToUs(1)

const unitOf = ({ advertIntervalUs }: Params): Us => us(Math.min(advertIntervalUs, longestUnit))
const windowOf = (params: Params): Us => us(windowIntervals * unitOf(params))

/** The instants that still count, `now` included; oldest first. */
export function withNow(params: Params, before: readonly Us[] | undefined, now: Us): readonly Us[] {
  const recent = (before ?? []).filter((at) => now - at < windowOf(params))
  // What is older than the latest dozen cannot change the result.
  return [...recent.slice(-11), now]
}

/** Resignations that nobody means: forged, or of a master that is back in a moment. */
export const tooMany = (resignations: readonly Us[]): boolean => resignations.length > undamped

/** null: once is seldom. */
export function dampingOf(params: Params, yields: readonly Us[], now: Us): Damping | null {
  if (yields.length < 2) return null
  const excess = yields.length - undamped
  const intervals = excess <= 0 ? 0 : Math.min(2 ** (excess - 1), mostIntervals)
  const extraUs = us(intervals * unitOf(params))
  const windowUs = windowOf(params)
  return { extraUs, until: addUs(now, windowUs), yields: yields.length, windowUs }
}
