/**
 * A better master that comes and goes many times a second would drag the addresses along. Whoever has yielded more
 * than five times in ten seconds waits longer before taking over again: a second, then two, four and at most eight.
 * Ten seconds after having yielded last, all is forgotten. Of resignations only the first five in ten seconds are
 * believed; then silence alone tells that the master is gone. Neither RFC knows of this; below that rate it is not there,
 * and a valid advert of higher priority is yielded to at any time.
 */
import { addUs, secondsToUs, type Us, us } from '../base/time.ts'
import type { Damping } from './types.ts'

const windowUs = secondsToUs(10)
const undamped = 5
const firstUs = secondsToUs(1)
const mostUs = secondsToUs(8)

/** The instants that still count, `now` included; oldest first. */
export function withNow(before: readonly Us[] | undefined, now: Us): readonly Us[] {
  const recent = (before ?? []).filter((at) => now - at < windowUs)
  // What is older than the latest dozen cannot change the result.
  return [...recent.slice(-11), now]
}

/** Resignations that nobody means: forged, or of a master that is back in a moment. */
export const tooMany = (resignations: readonly Us[]): boolean => resignations.length > undamped

/** null: few enough. */
export function dampingOf(yields: readonly Us[], now: Us): Damping | null {
  const excess = yields.length - undamped
  if (excess <= 0) return null
  const extraUs = us(Math.min(firstUs * 2 ** (excess - 1), mostUs))
  return { extraUs, until: addUs(now, windowUs), yields: yields.length }
}
