/**
 * When a master announces its addresses on account of another master's adverts: at the first contact, then ever more
 * rarely, and once more when the competition ends. The end counts most: a competitor that could not hear us has misled
 * switches and hosts until then, and yields without a further word.
 */
import { type Us, us } from '../../base/time.ts'
import { Backoff, TokenBucket } from '../token-bucket.ts'

/** Announcements provoked by a competitor that goes on: the gap between two sets doubles. */
const during = { firstGapUs: us(2_000_000), lastGapUs: us(60_000_000) }
/** Ends that are announced: competitors can be made to come and go. */
const ends = { burst: 3, perSecond: 0.2 }

export class Competition {
  readonly #contacts = new Backoff(during.firstGapUs, during.lastGapUs)
  readonly #ends = new TokenBucket(ends.burst, ends.perSecond)
  /** After so much silence the competitor has ended; null: its end has been announced. */
  #endsAt: Us | null = null

  /** An advert of a lower master. True: announce the addresses now. `intervalUs` is that of the adverts. */
  contact(now: Us, intervalUs: Us): boolean {
    this.#endsAt = us(now + 1.5 * intervalUs)
    // Silent for so long it has ended, as any master would have; the next one has misled the clients anew.
    return this.#contacts.take(now, us(3 * intervalUs))
  }

  /** When the end may have to be announced; null while there is none. */
  due(now: Us): Us | null {
    if (this.#endsAt === null) return null
    return this.#endsAt > now ? this.#endsAt : this.#ends.availableAt(now)
  }

  /** True: the competition is over and is to be announced now. */
  ended(now: Us): boolean {
    if (this.#endsAt === null || this.#endsAt > now || !this.#ends.take(now)) return false
    this.#endsAt = null
    return true
  }

  /** The lead has ended: the new master announces itself. */
  forget(): void {
    this.#endsAt = null
  }

  snapshot() {
    return {
      contacts: this.#contacts.snapshot(),
      ends: this.#ends.snapshot(),
      endsAt: this.#endsAt,
    }
  }

  adopt({ contacts, ends, endsAt }: ReturnType<Competition['snapshot']>): void {
    this.#contacts.adopt(contacts)
    this.#ends.adopt(ends)
    this.#endsAt = endsAt
  }
}
