/**
 * Not taking part as usual, for a while, because leading did not serve: then it is tried again, and what fails soon again
 * is withdrawn for twice as long, up to a bound. Why is the caller's: a fault, or the address that is contested.
 */
import { type Us, us } from '../../base/time.ts'

export type WithdrawalTimes = { readonly first: Us; readonly longest: Us }

export class Withdrawal<Reason> {
  readonly #times: WithdrawalTimes
  #reason: Reason | null = null
  #endsAt: Us | null = null
  #waitUs: Us = us(0)

  constructor(times: WithdrawalTimes) {
    this.#times = times
  }

  /** null: takes part. */
  get reason(): Reason | null {
    return this.#reason
  }

  begin(reason: Reason, now: Us): void {
    const { first, longest } = this.#times
    // Long after the last attempt it is another story.
    const calm = this.#endsAt === null || now - this.#endsAt > longest
    this.#waitUs = calm ? first : us(Math.min(2 * this.#waitUs, longest))
    this.#endsAt = us(now + this.#waitUs)
    this.#reason = reason
  }

  /** It was of no use: the next one is not before the longest wait is over. */
  prolong(now: Us): void {
    if (this.#reason === null) return
    this.#waitUs = this.#times.longest
    this.#endsAt = us(now + this.#waitUs)
  }

  /** Ends when it is time to try again. True when it did. */
  lift(now: Us): boolean {
    if (this.retryAt === null || now < this.retryAt) return false
    this.#reason = null
    return true
  }

  /** When `lift` will do something; null: never. */
  get retryAt(): Us | null {
    return this.#reason === null ? null : this.#endsAt
  }

  snapshot() {
    return { reason: this.#reason, endsAt: this.#endsAt, waitUs: this.#waitUs }
  }

  adopt({ reason, endsAt, waitUs }: ReturnType<Withdrawal<Reason>['snapshot']>): void {
    this.#reason = reason
    this.#endsAt = endsAt
    this.#waitUs = waitUs
  }
}
