/**
 * What a master does out of turn on account of other masters' adverts: it answers with an advert, and announces its
 * addresses again. Both at a bounded rate: an answer to each packet would make a flood of theirs one of ours.
 */
import type { Ip } from '../../base/ip.ts'
import type { Us } from '../../base/time.ts'
import { planAdvert, planReannounce } from '../../engine/plans.ts'
import type { SlotFacts } from '../../engine/plans-addresses.ts'
import { TokenBucket } from '../token-bucket.ts'
import { Competition } from './competition.ts'
import type { SlotOrders, Standing } from './slot-orders.ts'

/** Adverts out of turn, in answer to another router's. The regular one, which comes anyway, says what is left out. */
const answers = { burst: 5, perSecond: 2 }

export type Rival = { readonly address: Ip; readonly priority: number; readonly at: Us }

type Leading = Standing & { readonly facts: SlotFacts | null; readonly now: Us }

export class Competitors {
  readonly #orders: SlotOrders
  readonly #competition = new Competition()
  readonly #answers = new TokenBucket(answers.burst, answers.perSecond)
  #rival: Rival | null = null

  constructor(orders: SlotOrders) {
    this.#orders = orders
  }

  /** Another master was heard while we lead. */
  heard(rival: Rival): void {
    this.#rival = rival
  }

  /** The other master within the time that three of its adverts take; not one that has not had the time to yield: a
   *  hand-over ends with its last adverts. */
  rivalAt(now: Us, { params, machine }: Standing): Rival | null {
    const rival = this.#rival
    if (machine.state.kind !== 'master' || rival === null) return null
    const { advertIntervalUs } = params
    const yielding =
      rival.priority < machine.effective && rival.at - machine.state.since < advertIntervalUs
    return !yielding && now - rival.at <= 3 * advertIntervalUs ? rival : null
  }

  /** One advert out of turn. `resetTimer`: the next regular one follows a whole interval later. */
  answer(resetTimer: boolean, { facts, now, ...standing }: Leading): void {
    if (facts === null || !this.#answers.take(now)) return
    this.#orders.once(planAdvert(facts, standing.machine.effective))
    // Only with an advert that has gone out: else a flood of resignations would put off ours for ever.
    if (!resetTimer) return
    this.#orders.resetTimer(now)
    this.#orders.install('replace', standing)
  }

  /** Announced at once, then ever more rarely, whatever the competitor sends (RFC 9568 section 6.4.3). True when it was. */
  contact(from: Ip, leading: Leading): boolean {
    if (!this.#competition.contact(leading.now, leading.params.advertIntervalUs)) return false
    this.#announceAgain(`${from} ${leading.now}`, leading)
    return true
  }

  /** When `tick` has something to do for a master; null: never. */
  due(now: Us): Us | null {
    return this.#competition.due(now)
  }

  /** The end of a competition is announced once more. */
  tick(leading: Leading): void {
    if (this.#competition.ended(leading.now)) this.#announceAgain(`end ${leading.now}`, leading)
  }

  /** The lead has begun or ended. */
  newState(): void {
    this.#competition.forget()
  }

  snapshot() {
    return {
      competition: this.#competition.snapshot(),
      answers: this.#answers.snapshot(),
      rival: this.#rival,
    }
  }

  adopt({ competition, answers, rival }: ReturnType<Competitors['snapshot']>): void {
    this.#competition.adopt(competition)
    this.#answers.adopt(answers)
    this.#rival = rival
  }

  /** The addresses at once; the rest of the set is the lead's, under this name. */
  #announceAgain(contact: string, { facts, now, ...standing }: Leading): void {
    if (facts === null) return
    this.#orders.contact(contact, now)
    this.#orders.once(planReannounce(facts))
    this.#orders.install('replace', standing)
  }
}
