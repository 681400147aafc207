/**
 * Addresses of a master that vanish although it did not remove them: put back at once, whichever and however many, and
 * announced at a bounded rate of each. A program that insists makes the address wait its turn and no more: what is put
 * off is done a moment later. Decides nothing about leading.
 */
import type { Us } from '../../base/time.ts'
import { Deferred, TokenBucket } from '../token-bucket.ts'

/** Of one address. Faster than any loop of commands, slower than a flood. */
const puttingBack = { burst: 20, perSecond: 50 }
const announcing = { burst: 3, perSecond: 0.5 }
/** So many losses of one address within the span are no accident. */
export const contested = { losses: 10, spanUs: 10_000_000 }

export type Restoration = {
  /** Identity of the address on its interface. */
  readonly key: string
  readonly announce: boolean
}

type Loser = {
  readonly adds: Deferred<'add', true>
  readonly announcements: Deferred<'announce', true>
  lostAt: Us[]
}

export class Restorer {
  readonly #losers = new Map<string, Loser>()

  /** One of the addresses is gone, `isContested`: by another program. `take` says when to put it back. */
  lost(key: string, now: Us, isContested = true): void {
    const loser = this.#losers.get(key) ?? newLoser()
    this.#losers.set(key, loser)
    if (isContested) loser.lostAt = [...loser.lostAt, now].slice(-contested.losses)
    loser.adds.add('add', true)
    loser.announcements.add('announce', true)
  }

  /** It is there, and not as it must be: set again, announced or not as it was to be. */
  altered(key: string): void {
    const loser = this.#losers.get(key) ?? newLoser()
    this.#losers.set(key, loser)
    loser.adds.add('add', true)
  }

  /** What to do now. An announcement alone is the last of several that were put off. */
  take(now: Us): readonly (Restoration & { readonly add: boolean })[] {
    return [...this.#losers].flatMap(([key, { adds, announcements }]) => {
      const add = adds.take(now).length > 0
      // Not before the address is there.
      const announce = adds.due(now) === null && announcements.take(now).length > 0
      return add || announce ? [{ key, add, announce }] : []
    })
  }

  /** When `take` has something to give; null while nothing waits. */
  due(now: Us): Us | null {
    let due: Us | null = null
    for (const { adds, announcements } of this.#losers.values()) {
      const next = adds.due(now) ?? announcements.due(now)
      if (next !== null && (due === null || next < due)) due = next
    }
    return due
  }

  /** Addresses that are removed again and again, with how long `contested.losses` removals took. */
  contestedAt(now: Us): readonly { readonly key: string; readonly inUs: number }[] {
    return [...this.#losers].flatMap(([key, { lostAt }]) => {
      const first = lostAt[0]
      if (first === undefined || lostAt.length < contested.losses) return []
      return now - first <= contested.spanUs ? [{ key, inUs: now - first }] : []
    })
  }

  /** The lead has ended: nothing is to be put back any more. */
  end(): void {
    for (const loser of this.#losers.values()) {
      loser.adds.clear()
      loser.announcements.clear()
      loser.lostAt = []
    }
  }

  snapshot() {
    return [...this.#losers].map(([key, { adds, announcements, lostAt }]) => ({
      key,
      adds: adds.snapshot(),
      announcements: announcements.snapshot(),
      lostAt,
    }))
  }

  adopt(losers: ReturnType<Restorer['snapshot']>): void {
    for (const { key, adds, announcements, lostAt } of losers) {
      const loser = newLoser()
      loser.adds.adopt(adds)
      loser.announcements.adopt(announcements)
      loser.lostAt = [...lostAt]
      this.#losers.set(key, loser)
    }
  }
}

const newLoser = (): Loser => ({
  adds: new Deferred(new TokenBucket(puttingBack.burst, puttingBack.perSecond)),
  announcements: new Deferred(new TokenBucket(announcing.burst, announcing.perSecond)),
  lostAt: [],
})
