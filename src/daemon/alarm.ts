/**
 * One timer for the earliest of many instants. The instants belong to the election (a preempt delay, say);
 * what must be exact belongs to the engine and never comes here.
 */
import type { Us } from '../base/time.ts'

/** The longest span that setTimeout takes; a later instant is looked at again then. */
const longestMs = 2 ** 31 - 1

export class Alarm {
  #timer: NodeJS.Timeout | null = null
  readonly #ring: () => void

  constructor(ring: () => void) {
    this.#ring = ring
  }

  /** Rings once at or after the instant; a second call replaces the first; null silences. */
  set(at: Us | null, now: Us): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (at === null) return
    const ms = Math.min(Math.max(Math.ceil((at - now) / 1000), 0), longestMs)
    this.#timer = setTimeout(this.#ring, ms)
  }
}
