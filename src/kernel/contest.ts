/**
 * How soon what another program undoes is done again: at once, so many times within a span; from then on after ever longer
 * waits, until it has been left alone for as long as the longest of them. Instants are the caller's, in milliseconds.
 */

const freely = { count: 10, spanMs: 10_000 }
const waitMs = { first: 1_000, longest: 60_000 }

export class Contest {
  #undoneAtMs: readonly number[] = []
  #lastMs = Number.NEGATIVE_INFINITY
  #waits = 0

  /** It was undone. Returns how long to wait before it is done again; 0: not at all. */
  undone(nowMs: number): number {
    if (!this.#isLive(nowMs)) {
      this.#undoneAtMs = []
      this.#waits = 0
    }
    this.#lastMs = nowMs
    this.#undoneAtMs = [...this.#undoneAtMs, nowMs].filter((at) => nowMs - at < freely.spanMs)
    if (this.#waits === 0 && this.#undoneAtMs.length < freely.count) return 0
    const wait = Math.min(waitMs.first * 2 ** this.#waits, waitMs.longest)
    this.#waits += 1
    return wait
  }

  /** It is waited for, or was not long ago. */
  isContested(nowMs: number): boolean {
    return this.#waits > 0 && this.#isLive(nowMs)
  }

  #isLive(nowMs: number): boolean {
    // The last wait is no time in which it was left alone.
    const waited =
      this.#waits === 0 ? 0 : Math.min(waitMs.first * 2 ** (this.#waits - 1), waitMs.longest)
    return nowMs - this.#lastMs <= waited + waitMs.longest
  }
}
