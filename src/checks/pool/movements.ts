/** What has moved since the last sign of life, a few entries in a message: a thousand in one would delay the checks that are due. */
import { type Entry, reportOf } from './entry.ts'
import type { FromWorker } from './messages.ts'

const perMessage = 16

export class Movements {
  readonly #post: (message: FromWorker) => void
  readonly #moved = new Set<Entry>()

  constructor(post: (message: FromWorker) => void) {
    this.#post = post
  }

  add(entry: Entry): void {
    this.#moved.add(entry)
  }

  /** It was reported otherwise, or removed. */
  delete(entry: Entry): void {
    this.#moved.delete(entry)
  }

  report(left = this.#moved.size): void {
    const some: Entry[] = []
    for (const entry of this.#moved) {
      if (some.length === Math.min(left, perMessage)) break
      this.#moved.delete(entry)
      some.push(entry)
    }
    if (some.length === 0) return
    this.#post({ kind: 'moved', reports: some.map(reportOf) })
    if (left > some.length) setImmediate(() => this.report(left - some.length))
  }
}
