/** Are as many of these processes there as there should be; a change counts when it has lasted. */
import type { ProcessesWanted } from '../../base/command.ts'
import type { Outcome } from '../../programs/outcome.ts'
import { matchesWanted, type ProcessFacts, type ProcessTable } from './processes.ts'

export class Quorum {
  readonly #wanted: ProcessesWanted
  readonly #processes: ProcessTable
  #known: readonly number[] = []
  /** As last said; null: nothing yet. */
  #said: boolean | null = null
  /** Since when it has been otherwise. */
  #otherwiseAt: number | null = null

  constructor(wanted: ProcessesWanted, processes: ProcessTable) {
    this.#wanted = wanted
    this.#processes = processes
  }

  /** `now`: monotonic milliseconds. */
  look(now: number): Outcome {
    const { name, least, most } = this.#wanted
    this.#known = this.#processes.count(this.#wanted, this.#known, now)
    const count = this.#known.length
    const ok = this.#settle(count >= least && count <= most, now)
    const bounds = most === Number.POSITIVE_INFINITY ? `${least}` : `${least} to ${most}`
    return { kind: 'probe', ok, detail: `${count} of ${name}, quorum ${bounds}` }
  }

  concerns(process: ProcessFacts, ended: boolean): boolean {
    if (ended) return this.#known.includes(process.pid)
    const full = this.#said === true && this.#wanted.most === Number.POSITIVE_INFINITY
    return !full && matchesWanted(this.#wanted, process)
  }

  #settle(is: boolean, now: number): boolean {
    if (this.#said === null || this.#said === is) {
      this.#otherwiseAt = null
      this.#said = is
      return is
    }
    this.#otherwiseAt ??= now
    const { gainDelayMs, lossDelayMs } = this.#wanted
    if (now - this.#otherwiseAt < (is ? gainDelayMs : lossDelayMs)) return this.#said
    this.#otherwiseAt = null
    this.#said = is
    return is
  }
}
