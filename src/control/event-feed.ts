/**
 * What happens in the daemon, on its way to those that watch it over the control socket. To tell it costs its teller a
 * push; it leaves in slices, between which the event loop turns, and is put into octets once for all readers.
 */
import type { DaemonEvent } from '../report/event.ts'

/** Told at once to one that begins to read. */
const recentMax = 100
/** Of a slice, and of a frame. */
const sliceMax = 100
/** More than every instance of a large host tells at its stop. Beyond it the readers have lost track anyway. */
const waitingMax = 20_000

export type Subscriber = {
  take(events: readonly DaemonEvent[]): void
  /** Too much has happened at once: it is told nothing more. */
  cut(): void
}

export type Subscription = { readonly recent: readonly DaemonEvent[]; end(): void }

export class EventFeed {
  readonly #subscribers = new Set<Subscriber>()
  #recent: DaemonEvent[] = []
  #waiting: DaemonEvent[] = []
  #due = false

  publish(event: DaemonEvent): void {
    this.#recent.push(event)
    if (this.#recent.length > 2 * recentMax) this.#recent = this.#recent.slice(-recentMax)
    if (this.#subscribers.size === 0) return
    this.#waiting.push(event)
    if (this.#waiting.length > waitingMax) this.#cutAll()
    else this.#schedule()
  }

  subscribe(subscriber: Subscriber): Subscription {
    // What waits is among the recent: it is told once.
    this.#flushAll()
    this.#subscribers.add(subscriber)
    return {
      recent: this.#recent.slice(-recentMax),
      end: () => void this.#subscribers.delete(subscriber),
    }
  }

  #schedule(): void {
    if (this.#due) return
    this.#due = true
    setImmediate(() => {
      this.#due = false
      this.#flush()
      if (this.#waiting.length > 0) this.#schedule()
    })
  }

  #flushAll(): void {
    while (this.#waiting.length > 0) this.#flush()
  }

  #flush(): void {
    const events = this.#waiting.splice(0, sliceMax)
    if (events.length > 0) for (const subscriber of this.#subscribers) subscriber.take(events)
  }

  #cutAll(): void {
    this.#waiting = []
    for (const subscriber of this.#subscribers) subscriber.cut()
    this.#subscribers.clear()
  }
}
