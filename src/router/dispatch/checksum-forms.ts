/**
 * How many adverts of version 3 over IPv4 came with which checksum. Only unexpected adverts reach this thread; the engine
 * counts the others, and they are equal to the last one that was judged.
 */
import type { ChecksumForm } from '../../wire/vrrp.ts'

export type ChecksumCounts = Readonly<Record<ChecksumForm, number>>

export class ChecksumForms {
  #counts: ChecksumCounts = { 'pseudo-header': 0, message: 0 }
  #current: ChecksumForm | null = null
  /** Packets that came to this thread, whatever became of them, and expected ones that have been counted. */
  #accounted = 0

  /** A packet came to this thread. `form` null: it was rejected. `received`: the engine's count, with this one. */
  note(form: ChecksumForm | null, count: number, received: () => number): void {
    if (form !== null && form !== this.#current) {
      const before = received() - count
      this.#counts = this.totals(before)
      this.#accounted = Math.max(this.#accounted, before)
      this.#current = form
    }
    if (form !== null) this.#counts = { ...this.#counts, [form]: this.#counts[form] + count }
    this.#accounted += count
  }

  /** For an engine that counts from zero. */
  snapshot(received: number) {
    return { counts: this.totals(received), current: this.#current }
  }

  adopt({ counts, current }: ReturnType<ChecksumForms['snapshot']>): void {
    this.#counts = counts
    this.#current = current
  }

  /** `received`: all adverts that the engine has counted. */
  totals(received: number): ChecksumCounts {
    if (this.#current === null) return this.#counts
    const expected = Math.max(0, received - this.#accounted)
    return { ...this.#counts, [this.#current]: this.#counts[this.#current] + expected }
  }
}
