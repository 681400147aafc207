/**
 * Everything a check has come to so far, as one value. The worker advances it with each result; the pool
 * holds a copy, answers `status` from it, and hands it to the successor of a worker that died.
 */
import { exitStatus, succeeded } from './describe.ts'
import { judge, streak, undecided, type Verdict } from './rise-fall.ts'
import type { CheckSpec, CheckStatus, Result } from './types.ts'

export type Progress = {
  readonly verdict: Verdict
  readonly last: Result | null
  /** The last exit status reported, 0 before the first: a first success says nothing new. */
  readonly returned: number
  readonly runs: number
  readonly failures: number
  readonly timeouts: number
  readonly overruns: number
  /** Wall clock, milliseconds since 1970, of the last change of verdict. */
  readonly sinceMs: number | null
}

export type News = { readonly verdict: boolean; readonly returned: boolean }

export const fresh: Progress = {
  verdict: undecided,
  last: null,
  returned: 0,
  runs: 0,
  failures: 0,
  timeouts: 0,
  overruns: 0,
  sinceMs: null,
}

/** Adds one result. `wallMs` is the wall clock. */
export function advance(
  before: Progress,
  result: Result,
  spec: CheckSpec,
  wallMs: number,
): { readonly progress: Progress; readonly news: News } {
  const ok = succeeded(result.outcome)
  const verdict = judge(before.verdict, ok, spec)
  const returned = exitStatus(result.outcome) ?? before.returned
  const turned = verdict.good !== before.verdict.good
  const progress = {
    ...before,
    verdict,
    last: result,
    returned,
    runs: before.runs + 1,
    failures: before.failures + (ok ? 0 : 1),
    timeouts: before.timeouts + (result.outcome.kind === 'timeout' ? 1 : 0),
    sinceMs: turned ? wallMs : before.sinceMs,
  }
  return { progress, news: { verdict: turned, returned: returned !== before.returned } }
}

export const overrun = (before: Progress, turns: number): Progress => ({
  ...before,
  overruns: before.overruns + turns,
})

export function statusOf(spec: CheckSpec, progress: Progress): CheckStatus {
  return {
    name: spec.name,
    good: progress.verdict.good,
    last: progress.last,
    runs: progress.runs,
    failures: progress.failures,
    timeouts: progress.timeouts,
    overruns: progress.overruns,
    streak: streak(progress.verdict, spec),
    sinceMs: progress.sinceMs,
  }
}
