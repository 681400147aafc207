/**
 * From single results to GOOD or BAD. A counter runs from 0 to rise + fall − 1 and says GOOD from `rise`
 * upwards: `rise` successes in a row climb to the border, `fall` failures in a row descend to it, and one
 * result of the other kind jumps back to the end. The very first result decides at once.
 */

export type Verdict = {
  /** null until the first result. */
  readonly good: boolean | null
  /** 0..rise+fall−1; at least `rise` exactly when good. */
  readonly counter: number
}

/** Both at least 1. */
export type Thresholds = { readonly rise: number; readonly fall: number }

export const undecided: Verdict = { good: null, counter: 0 }

export function judge(verdict: Verdict, ok: boolean, { rise, fall }: Thresholds): Verdict {
  const top = rise + fall - 1
  if (verdict.good === null) return ok ? { good: true, counter: top } : { good: false, counter: 0 }
  const counter = clampCounter(verdict, { rise, fall })
  if (ok) {
    return counter + 1 < rise ? { good: false, counter: counter + 1 } : { good: true, counter: top }
  }
  return counter > rise ? { good: true, counter: counter - 1 } : { good: false, counter: 0 }
}

/** Results in a row that speak against the verdict. */
export function streak(verdict: Verdict, thresholds: Thresholds): number {
  if (verdict.good === null) return 0
  const counter = clampCounter(verdict, thresholds)
  return verdict.good ? thresholds.rise + thresholds.fall - 1 - counter : counter
}

/** A reload may have changed rise or fall under a verdict that is kept. */
function clampCounter({ good, counter }: Verdict, { rise, fall }: Thresholds): number {
  return good ? Math.min(Math.max(counter, rise), rise + fall - 1) : Math.min(counter, rise - 1)
}
