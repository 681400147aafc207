/** From the pauses between adverts to how many were lost, and how long it was silent at most. */

import type { Adverts, ObservedInstance } from '../report/observation.ts'
import { ruleOfThree } from './estimate.ts'

export type Loss = {
  readonly heard: number
  readonly lost: number
  /** Of one advert; what the number of adverts leaves open where none was lost. */
  readonly p: number
  readonly bound: boolean
  readonly longestMs: number
}

/** null: nothing was heard. */
export function lossOf({ gaps, adverts }: ObservedInstance): Loss | null {
  if (gaps === null) return null
  const heard = gaps.histogram.reduce((sum, { count }) => sum + count, 0)
  if (heard === 0) return null
  const lost = gaps.histogram.reduce(
    (sum, { fromMs, count }) => sum + count * missing(fromMs, adverts),
    0,
  )
  // What is not among the long ones was about an interval.
  const longestMs = Math.max(adverts.advertMs, ...gaps.long.map(({ gapMs }) => gapMs))
  const bound = lost === 0
  const p = Math.min(1, (bound ? ruleOfThree : lost) / (heard + lost))
  return { heard, lost, p, bound, longestMs }
}

/** Adverts that a pause of that length is short of. Buckets are a quarter of an octave wide at most. */
const missing = (gapMs: number, { advertMs }: Adverts): number =>
  Math.max(0, Math.round(gapMs / advertMs) - 1)
