/**
 * `vipd_claim_check`: what an answer means to the question, before a take-over, who has the addresses. The engine asks;
 * what is heard comes here, and the take-over goes on unless something here says otherwise in time.
 */
import { type Us, us } from '../../base/time.ts'
import type { Instance } from '../../config/types.ts'
import type { Fault } from '../../election/types.ts'
import type { Claimant } from '../claims/claimant.ts'
import type { HeardClaim } from '../claims/watch.ts'
import { Withdrawal } from './withdrawal.ts'

/** A backup that asks. */
export type Asking = {
  readonly policy: Instance['claimPolicy']
  /** Of the take-over. */
  readonly deadline: Us
  readonly beforeUs: Us
  /** Its down interval: how long it waits in all because of answers. */
  readonly restartUs: Us
  readonly now: Us
}

/** `told`: to be reported. `until`: not to take over before. `refused`: it has become a fault. */
export type Answer = {
  readonly claimant: Claimant
  readonly told: boolean
  readonly until: Us | null
  readonly refused: boolean
}

/** Of `refuse`. */
const refusalUs = { first: us(10_000_000), longest: us(300_000_000) }
/** The question leaves a little before or after the instant that was meant. */
const earlyUs = 2_000
/** From one question to the next while it waits: twice as long each time. */
const longestWaitUs = 1_000_000
/** Machines, each with one address, that are told of at once. */
const answersMax = 16
/** An answer counts as the same for so long. */
const sameUs = 60_000_000

export class ClaimCheck {
  readonly #withdrawal = new Withdrawal<Fault>(refusalUs)
  readonly #answers = new Map<string, Claimant>()
  /** Waiting because of answers; null: it does not. */
  #waiting: { readonly since: Us; readonly spanUs: number; readonly askedAt: Us } | null = null

  /** null: it is no answer. Another machine that asks has not got the address. */
  answered(
    claim: HeardClaim & Pick<Claimant, 'sameMac'>,
    on: string,
    asking: Asking,
  ): Answer | null {
    const { deadline, beforeUs, policy, now } = asking
    const { address, mac, how, at, sameMac } = claim
    if (how === 'probed' || at < deadline - beforeUs - earlyUs) return null
    const before = this.#before(claim)
    const { firstAt, count } = before ?? { firstAt: at, count: 0 }
    const times = { firstAt, lastAt: at, count: count + claim.count }
    const claimant = { address, mac, how, sameMac, interface: on, ...times }
    const told = before === null && this.#answers.size < answersMax
    if (before !== null || told) this.#answers.set(`${address} ${mac}`, claimant)
    const answer = { claimant, told, until: null, refused: false }
    // The engine leads by now, or is about to.
    if (now >= deadline) return answer
    if (policy === 'wait') return { ...answer, until: this.#wait(asking) }
    if (policy !== 'refuse') return answer
    this.#withdrawal.begin({ kind: 'claimed', address, by: mac, interface: on }, now)
    return { ...answer, refused: true }
  }

  /** The lead has begun or ended. */
  newState(): void {
    this.#waiting = null
  }

  /** Lifts the fault when it is time to try again. True when it did. */
  lift(now: Us): boolean {
    return this.#withdrawal.lift(now)
  }

  /** When `lift` will do something; null: never. */
  get retryAt(): Us | null {
    return this.#withdrawal.retryAt
  }

  get faults(): readonly Fault[] {
    return [this.#withdrawal.reason ?? []].flat()
  }

  /** The answers that count still. */
  at(now: Us): readonly Claimant[] {
    return [...this.#answers.values()].filter(({ lastAt }) => now - lastAt <= sameUs)
  }

  snapshot() {
    return {
      withdrawal: this.#withdrawal.snapshot(),
      answers: [...this.#answers],
      waiting: this.#waiting,
    }
  }

  adopt({ withdrawal, answers, waiting }: ReturnType<ClaimCheck['snapshot']>): void {
    this.#withdrawal.adopt(withdrawal)
    for (const [key, claimant] of answers) this.#answers.set(key, claimant)
    this.#waiting = waiting
  }

  /** The same one, lately; those that are older are forgotten. */
  #before({ address, mac, at }: HeardClaim): Claimant | null {
    for (const [key, { lastAt }] of this.#answers)
      if (at - lastAt > sameUs) this.#answers.delete(key)
    return this.#answers.get(`${address} ${mac}`) ?? null
  }

  /** null: it has waited long enough. Answers to one question count once. */
  #wait({ now, deadline, beforeUs, restartUs }: Asking): Us | null {
    // The next question goes out `beforeUs` ahead of the deadline that is set here.
    const first = { since: now, spanUs: 2 * beforeUs, askedAt: now }
    const { since, spanUs, askedAt } = this.#waiting ?? first
    const begun = this.#waiting !== null
    if (begun && now - askedAt < spanUs / 4) return null
    if (now - since >= restartUs) return null
    const next = begun ? Math.min(2 * spanUs, longestWaitUs) : spanUs
    this.#waiting = { since, spanUs: next, askedAt: now }
    return us(Math.max(deadline, now + next))
  }
}
