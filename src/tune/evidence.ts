/**
 * How much has to be seen before a rate may be spoken of. Nothing is promised from less: three adverts of which none was
 * lost say nothing about the next thousand.
 */
import { enough, fewestSeen } from '../base/advert-chance.ts'

/** From here on two lost adverts in a row may be counted as what their number says, and not as the switch's habit. */
const fewestForTwo = 10_000
/** Lost adverts that a proposal waits for at least. */
const usualLeast = 3

export type Kind = 'adverts' | 'runs'

/** The least down_timer_adverts that so many adverts allow to propose. */
export const leastLost = (seen: number): number => (seen >= fewestForTwo ? 2 : usualLeast)

/** What is missing, and how long it takes to see it at one in `everyMs`. null: nothing is missing. */
export function shortfall(kind: Kind, seen: number, everyMs: number): string | null {
  if (enough(seen)) return null
  return `needs at least ${fewestSeen} ${kind}: ${duration(fewestSeen * everyMs)} (${seen} seen)`
}

/** Rounded up, as one would wait: '5 minutes'. */
function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1_000)
  if (seconds <= 120) return `${seconds} s`
  const minutes = Math.ceil(seconds / 60)
  return minutes <= 120 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`
}
