/** The life of one check in virtual time, with the scheduler, the pace and the verdict that the daemon uses. */
import { paceOf } from '../../../src/checks/verdict/pace.ts'
import { advance, fresh, type Progress } from '../../../src/checks/verdict/progress.ts'
import {
  anchored,
  type Schedule,
  takeTurns,
  withInterval,
} from '../../../src/checks/verdict/schedule.ts'
import type { CheckSpec } from '../../../src/checks/verdict/types.ts'
import type { Timing } from '../../../src/report/observation.ts'

export type Answer = { readonly ok: boolean; readonly tookMs: number }

export function specOf(timing: Timing): CheckSpec {
  const { intervalMs, fastIntervalMs, downIntervalMs, timeoutMs, rise, fall } = timing
  return {
    name: 'c',
    command: { kind: 'push' },
    runAs: null,
    ...{ intervalMs, timeoutMs, rise, fall },
    ...(fastIntervalMs === null ? {} : { fastIntervalMs }),
    ...(downIntervalMs === null ? {} : { downIntervalMs }),
  }
}

/** When the verdict changed, and to what. `answer`: what a run that starts then will say, and when it has said it. */
export function* verdicts(
  timing: Timing,
  answer: (startMs: number) => Answer,
): Generator<{ readonly atMs: number; readonly good: boolean }> {
  const life = new Life(timing, answer)
  for (;;) {
    const changed = life.step()
    if (changed !== null) yield changed
  }
}

class Life {
  readonly #spec: CheckSpec
  readonly #answer: (startMs: number) => Answer
  #progress: Progress = fresh
  #schedule: Schedule
  #run: { readonly endsMs: number; readonly ok: boolean } | null

  constructor(timing: Timing, answer: (startMs: number) => Answer) {
    this.#spec = specOf(timing)
    this.#answer = answer
    this.#schedule = anchored(paceOf(this.#spec, fresh), 0, 0)
    this.#run = this.#start(0)
  }

  /** The next end of a run or turn, whichever comes first. */
  step(): { readonly atMs: number; readonly good: boolean } | null {
    const run = this.#run
    if (run !== null && run.endsMs <= this.#schedule.dueAt) return this.#end(run)
    const now = this.#schedule.dueAt
    const pace = paceOf(this.#spec, this.#progress)
    this.#schedule = takeTurns(this.#schedule, pace, now, 0.5).schedule
    // A turn that finds the check still running is gone.
    this.#run ??= this.#start(now)
    return null
  }

  #start(now: number) {
    const { ok, tookMs } = this.#answer(now)
    return { endsMs: now + tookMs, ok }
  }

  #end({ endsMs: now, ok }: { readonly endsMs: number; readonly ok: boolean }) {
    const outcome = { kind: 'probe', ok, detail: '' } as const
    const result = { name: 'c', outcome, output: '', durationMs: 0 }
    const { progress, news } = advance(this.#progress, result, this.#spec, now)
    this.#progress = progress
    this.#run = null
    const { intervalMs } = paceOf(this.#spec, progress)
    this.#schedule = withInterval(this.#schedule, intervalMs, now)
    return news.verdict ? { atMs: now, good: progress.verdict.good === true } : null
  }
}
