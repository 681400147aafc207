/**
 * How much of something that others provoke is done at once: a token bucket over an instant given by the caller.
 * A competitor's adverts and a program that deletes our addresses are answered at once, then at a bounded rate.
 */
import type { Us } from '../base/time.ts'

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
