/** One alarm that is often set anew, mostly to later: it then looks again when the earlier instant comes. */
import type { Agenda } from './agenda.ts'

export class Timer {
  readonly #agenda: Agenda
  readonly #ring: () => void
  #due: number | null = null
  #armed = Number.POSITIVE_INFINITY

  constructor(agenda: Agenda, ring: () => void) {
    this.#agenda = agenda
    this.#ring = ring
  }

  /** Rings once at the true instant; a second call replaces the first; null silences. */
  set(at: number | null): void {
    this.#due = at
    if (at === null || at >= this.#armed) return
    this.#armed = at
    this.#agenda.at(at, () => this.#fire(at))
  }

  #fire(at: number): void {
    if (this.#armed === at) this.#armed = Number.POSITIVE_INFINITY
    if (this.#due === null) return
    if (this.#due > this.#agenda.now) return this.set(this.#due)
    this.#due = null
    this.#ring()
  }
}
