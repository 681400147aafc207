/**
 * A master none of whose adverts leaves this host: its peers take over and it stays master beside them. Watched from the
 * first advert that could not be sent; a master whose adverts leave costs nothing. With `vipd_mute_master resign` it is a
 * fault, which is lifted after a while, ever later, to try again: a backup sends nothing from which it could learn that
 * its adverts leave again.
 */
import { type Us, us, usToSeconds } from '../../base/time.ts'
import type { Fault } from '../../election/types.ts'
import { Withdrawal } from './withdrawal.ts'

const againUs = { first: us(10_000_000), longest: us(300_000_000) }

/** Of a master. */
export type Sending = {
  readonly now: Us
  /** When an advert left last, or when it became master, whichever is later. */
  readonly sentAt: Us
  /** After so much silence a peer has taken over. */
  readonly downUs: Us
}

export type MuteChange = 'mute' | 'heard'

export class Mute {
  /** The last failure, 'sendmsg: EPERM'; null: not watched. */
  #why: string | null = null
  #failedAt: Us = us(0)
  #lookAt: Us | null = null
  #mute = false
  readonly #withdrawal = new Withdrawal<Fault>(againUs)

  /**
   * An advert could not be handed to the kernel. The next ones that fail in the same way are not reported, but one that
   * fails after another has left is. `sentAt`: when one left last.
   */
  failed(why: string, at: Us, sentAt: Us): void {
    if (this.#why === null || sentAt > this.#failedAt) this.#failedAt = at
    this.#why = why
  }

  /** Whether an advert has failed since it became master, and it is not known that one has left after it. */
  get watches(): boolean {
    return this.#why !== null
  }

  /** When `look` may have something to say about a master; null: never. */
  due({ downUs }: Pick<Sending, 'downUs'>): Us | null {
    if (this.#why === null) return null
    return this.#lookAt ?? us(this.#failedAt + downUs)
  }

  /** What has changed; null: nothing. */
  look({ now, sentAt, downUs }: Sending): MuteChange | null {
    const due = this.due({ downUs })
    if (due === null || now < due) return null
    if (sentAt <= this.#failedAt) {
      this.#lookAt = us(now + downUs)
      const known = this.#mute
      this.#mute = true
      return known ? null : 'mute'
    }
    // Adverts leave. The next one that does not is reported by the engine as a new failure.
    const was = this.#mute
    this.forget()
    return was ? 'heard' : null
  }

  /** No longer master, or heard again. A fault stays. */
  forget(): void {
    this.#why = null
    this.#mute = false
    this.#lookAt = null
  }

  /** A mute master is to be a fault from now on. */
  resign(now: Us): void {
    this.#withdrawal.begin({ kind: 'mute', why: this.#why ?? '' }, now)
  }

  /** Lifts the fault when it is time to try again. True when it did. */
  lift(now: Us): boolean {
    return this.#withdrawal.lift(now)
  }

  get faults(): readonly Fault[] {
    return [this.#withdrawal.reason ?? []].flat()
  }

  /** When `lift` will do something; null: never. */
  get retryAt(): Us | null {
    return this.#withdrawal.retryAt
  }

  snapshot() {
    return {
      why: this.#why,
      failedAt: this.#failedAt,
      lookAt: this.#lookAt,
      mute: this.#mute,
      withdrawal: this.#withdrawal.snapshot(),
    }
  }

  adopt({ why, failedAt, lookAt, mute, withdrawal }: ReturnType<Mute['snapshot']>): void {
    this.#why = why
    this.#failedAt = failedAt
    this.#lookAt = lookAt
    this.#mute = mute
    this.#withdrawal.adopt(withdrawal)
  }

  /** 'none of its adverts has left this host for 4 s (sendmsg: EPERM): …' of a mute master; null of any other. */
  describe({ now, sentAt }: Sending): string | null {
    if (!this.#mute || this.#why === null) return null
    const seconds = Math.round(usToSeconds(us(now - sentAt)) * 10) / 10
    return `none of its adverts has left this host for ${seconds} s (${this.#why})${remedyFor(this.#why)}`
  }
}

function remedyFor(why: string): string {
  if (/EPERM|EACCES/.test(why))
    return ': does a firewall rule of this host refuse IP protocol 112 (51 with auth_type AH)?'
  if (/EMSGSIZE/.test(why)) return ': they are larger than the MTU allows'
  if (/ENETUNREACH|EHOSTUNREACH/.test(why)) return ': there is no route to the peers'
  return ''
}
