/**
 * Waiting, always bounded. Everything in the lab that waits says what it waited for when it gives up, so
 * that a failed run explains itself.
 */
import { setTimeout as delay } from 'node:timers/promises'

/** Milliseconds since the epoch with a fraction, from the monotonic clock: what time stamps are made of. */
export const nowMs = (): number => performance.timeOrigin + performance.now()

/** Looks every `everyMs` until `look` gives something else than null, undefined or false. Throws after `timeoutMs`. */
export async function until<T>(
  what: string,
  timeoutMs: number,
  look: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  everyMs = 20,
): Promise<T> {
  const end = nowMs() + timeoutMs
  for (;;) {
    const found = await look()
    if (found !== null && found !== undefined && found !== false) return found
    if (nowMs() >= end) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await delay(everyMs)
  }
}

type Waiter<T> = { readonly wants: (item: T) => boolean; readonly give: (item: T) => void }

/** A growing list that can be waited on: lines of a child, captured frames, changes of addresses. */
export class Journal<T> {
  readonly items: T[] = []
  readonly #waiters = new Set<Waiter<T>>()
  #ended: string | null = null
  readonly #onEnd = new Set<(why: string) => void>()

  push(item: T): void {
    this.items.push(item)
    for (const waiter of [...this.#waiters]) if (waiter.wants(item)) waiter.give(item)
  }

  /** No more items will come; the waiting calls fail with the reason. */
  end(why: string): void {
    this.#ended = why
    for (const tell of [...this.#onEnd]) tell(why)
  }

  /** The first item from index `from` on, there already or still to come, that `wants` accepts. */
  next(what: string, timeoutMs: number, wants: (item: T) => boolean, from = 0): Promise<T> {
    const there = this.items.slice(from).find(wants)
    if (there !== undefined) return Promise.resolve(there)
    return new Promise((resolve, reject) => {
      const waiter: Waiter<T> = { wants, give: (item) => finish(() => resolve(item)) }
      const fail = (why: string) => finish(() => reject(new Error(`${why} while waiting: ${what}`)))
      const timer = setTimeout(() => fail(`${timeoutMs} ms passed`), timeoutMs)
      const finish = (then: () => void): void => {
        clearTimeout(timer)
        this.#waiters.delete(waiter)
        this.#onEnd.delete(fail)
        then()
      }
      this.#waiters.add(waiter)
      this.#onEnd.add(fail)
      if (this.#ended !== null) fail(this.#ended)
    })
  }
}
