/**
 * Starts pass through a queue, one per turn of the event loop, so that exits and deadlines of running checks are
 * seen between two forks.
 */
import type { Entry } from './entry.ts'

export class StartQueue {
  readonly #start: (entry: Entry) => void
  readonly #queue: Entry[] = []
  #draining = false

  constructor(start: (entry: Entry) => void) {
    this.#start = start
  }

  add(entry: Entry): void {
    if (entry.queued) return
    entry.queued = true
    this.#queue.push(entry)
    if (this.#draining) return
    this.#draining = true
    setImmediate(() => this.#drain())
  }

  #drain(): void {
    const entry = this.#queue.shift()
    if (entry !== undefined) {
      entry.queued = false
      if (!entry.removed && entry.run === null) this.#start(entry)
    }
    this.#draining = this.#queue.length > 0
    if (this.#draining) setImmediate(() => this.#drain())
  }
}
