/**
 * Sends and requests that the kernel refused, as log lines: the same one of an instance once, and again after a while
 * with the number that was left out. An interface that is set down refuses each advert on its way, and then the last one.
 */

import type { Log } from '../../base/log.ts'
import type { Us } from '../../base/time.ts'

const quietUs = 10_000_000
/** Different failures that are remembered. */
const keptMax = 64

export class StepFailures {
  readonly #log: Log
  readonly #said = new Map<string, { readonly at: Us; held: number }>()

  constructor(log: Log) {
    this.#log = log
  }

  write(instance: string, stepKind: string | null, what: string, now: Us): void {
    const text = `(${instance}) ${what}`
    const before = this.#said.get(text)
    if (before !== undefined && now - before.at < quietUs) {
      before.held += 1
      return
    }
    if (this.#said.size >= keptMax) this.#said.clear()
    this.#said.set(text, { at: now, held: 0 })
    const repeated = before === undefined || before.held === 0 ? {} : { repeated: before.held }
    this.#log.error(text, { instance, step: stepKind, ...repeated })
  }
}
