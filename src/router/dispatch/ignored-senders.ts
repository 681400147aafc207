/**
 * Senders that are heard and not believed at present. Another master that is ignored is a second holder of the addresses, so it is a
 * warning for as long as it goes on sending.
 */
import type { Ip } from '../../base/ip.ts'
import { type Us, us } from '../../base/time.ts'
import type { Reject } from '../../wire/vrrp.ts'
import type { SealReject } from './seals.ts'

/** Named at once: a flood with forged sources must not fill memory or the screen. */
const named = 4
/** A sender that is silent for three of its own pauses has gone; none is longer than what version 2 can say. */
const pauses = { times: 3, longestUs: 255_000_000 }

export type IgnoredSender = {
  readonly from: Ip
  readonly why: Reject | SealReject
  readonly explanation: string
}
const keyOf = ({ from, why }: Pick<IgnoredSender, 'from' | 'why'>): string => `${from} ${why}`
type Kept = IgnoredSender & { readonly at: Us; readonly pauseUs: number }

export class IgnoredSenders {
  readonly #kept = new Map<string, Kept>()

  /** `intervalUs`: the longer of ours and the one that it states. */
  note(sender: IgnoredSender, at: Us, intervalUs: Us): void {
    const key = keyOf(sender)
    const before = this.#kept.get(key)
    const pauseUs = before === undefined ? intervalUs : Math.max(intervalUs, at - before.at)
    if (before === undefined && this.#kept.size >= named) this.#dropSilent(at)
    if (before === undefined && this.#kept.size >= named) return
    this.#kept.set(key, { ...sender, at, pauseUs: Math.min(pauseUs, pauses.longestUs) })
  }

  /** What is believed now is no longer ignored. */
  believed(from: Ip): void {
    for (const [key, it] of this.#kept) if (it.from === from) this.#kept.delete(key)
  }

  clear(): void {
    this.#kept.clear()
  }

  at(now: Us): readonly IgnoredSender[] {
    this.#dropSilent(now)
    return [...this.#kept.values()].map(({ from, why, explanation }) => ({
      from,
      why,
      explanation,
    }))
  }

  snapshot() {
    return [...this.#kept.values()]
  }

  adopt(kept: ReturnType<IgnoredSenders['snapshot']>): void {
    for (const one of kept) this.#kept.set(keyOf(one), one)
  }

  #dropSilent(now: Us): void {
    for (const [key, { at, pauseUs }] of this.#kept)
      if (now > us(at + pauses.times * pauseUs)) this.#kept.delete(key)
  }
}
