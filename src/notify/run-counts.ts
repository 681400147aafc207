/** What came of notify scripts, and of mails, since the daemon's start. */
import { succeeded } from '../checks/verdict/describe.ts'
import type { JobResult } from './messages.ts'

export type RunFigures = {
  /** Handed to the thread that runs them. */
  readonly started: number
  readonly succeeded: number
  readonly failed: number
  /** The thread was lost; what came of it is not known. */
  readonly lost: number
  /** Never started: too many waited, or the daemon stopped. */
  readonly dropped: number
  /** From there to the end, of those that have ended: how many of at most so long; `null`: of any length. */
  readonly took: readonly { readonly untilMs: number | null; readonly count: number }[]
  readonly tookSumMs: number
}

/** A script that takes longer holds up those behind it; after a minute it does so no longer. */
const untilMs = [10, 50, 100, 500, 1_000, 5_000, 10_000, 60_000]

export class RunCounts {
  #started = 0
  #succeeded = 0
  #failed = 0
  #lost = 0
  #dropped = 0
  readonly #took = untilMs.map(() => 0)
  #ended = 0
  #sumMs = 0

  /** What it returns is to be called once, with what came of it. */
  begin(): (result: JobResult) => void {
    const began = performance.now()
    this.#started += 1
    return (result) => {
      if (result.kind === 'lost') {
        this.#lost += 1
        return
      }
      if (isGood(result)) this.#succeeded += 1
      else this.#failed += 1
      this.#note(performance.now() - began)
    }
  }

  /** What a process before this one has counted is counted here too. */
  continueFrom(before: RunFigures): void {
    this.#started += before.started
    this.#succeeded += before.succeeded
    this.#failed += before.failed
    this.#lost += before.lost
    this.#dropped += before.dropped
    this.#sumMs += before.tookSumMs
    for (const { untilMs: bound, count } of before.took) {
      const at = bound === null ? -1 : untilMs.indexOf(bound)
      if (bound === null) this.#ended += count
      else if (at >= 0) this.#took[at] = (this.#took[at] ?? 0) + count
    }
  }

  drop(count: number): void {
    this.#dropped += count
  }

  get figures(): RunFigures {
    return {
      started: this.#started,
      succeeded: this.#succeeded,
      failed: this.#failed,
      lost: this.#lost,
      dropped: this.#dropped,
      took: [
        ...untilMs.map((bound, i) => ({ untilMs: bound, count: this.#took[i] ?? 0 })),
        { untilMs: null, count: this.#ended },
      ],
      tookSumMs: this.#sumMs,
    }
  }

  #note(tookMs: number): void {
    for (const [i, bound] of untilMs.entries())
      if (tookMs <= bound) this.#took[i] = (this.#took[i] ?? 0) + 1
    this.#ended += 1
    this.#sumMs += tookMs
  }
}

const isGood = (result: Exclude<JobResult, { kind: 'lost' }>): boolean =>
  result.kind === 'mail' ? result.failure === null : succeeded(result.outcome)
