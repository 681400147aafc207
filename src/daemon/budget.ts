/**
 * How much of something that others provoke is done: at once the first time, then at a bounded rate, so that nobody
 * can use us as an amplifier. A competitor's adverts and a program that deletes our addresses are answered so.
 * Instants are given by the caller.
 */
import type { Us } from '../base/time.ts'

/** A token bucket. */
export class Budget {
  #tokens: number
  #at: Us | null = null
  readonly #burst: number
  readonly #perSecond: number

  constructor(burst: number, perSecond: number) {
    this.#burst = burst
    this.#perSecond = perSecond
    this.#tokens = burst
  }

  /** True when one may be done now; it is then taken as done. */
  take(now: Us): boolean {
    const elapsed = this.#at === null ? 0 : now - this.#at
    this.#at = now
    this.#tokens = Math.min(this.#burst, this.#tokens + (elapsed * this.#perSecond) / 1_000_000)
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}

/**
 * The same for what is worth repeating to a new competitor and worth nothing to one that goes on: at once, and then
 * after gaps that double. After a silence the next one is new again: two partitions in a row are two competitors.
 */
export class Backoff {
  readonly #firstGapUs: number
  readonly #lastGapUs: number
  #gapUs = 0
  #doneAt: Us | null = null
  #askedAt: Us | null = null

  /** Microseconds, both above 0. */
  constructor(firstGapUs: Us, lastGapUs: Us) {
    this.#firstGapUs = firstGapUs
    this.#lastGapUs = lastGapUs
  }

  /** True when it may be done now; it is then taken as done. Nobody asked for longer than `silenceUs`: it is new. */
  take(now: Us, silenceUs: Us): boolean {
    const fresh = this.#askedAt === null || now - this.#askedAt > silenceUs
    this.#askedAt = now
    if (fresh) this.#gapUs = 0
    else if (this.#doneAt !== null && now - this.#doneAt < this.#gapUs) return false
    this.#gapUs = Math.min(Math.max(2 * this.#gapUs, this.#firstGapUs), this.#lastGapUs)
    this.#doneAt = now
    return true
  }
}
