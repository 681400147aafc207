/**
 * What happened to one instance, kept with its causes: the last transitions, since when, how often.
 * The log line, `status` and `history` all print from here.
 */
import { historyPerInstanceMax } from '../../base/limits.ts'
import type { StatusTransition } from '../../report/status.ts'

export class Journal {
  #entries: StatusTransition[] = []
  #transitions = 0
  /** How often the instance became master and ceased to be. */
  #masterships = { begun: 0, ended: 0 }
  #sinceMs: number
  readonly #wallMs: () => number

  /** `wallMs`: the wall clock in milliseconds, for people; nothing is decided by it. */
  constructor(wallMs: () => number) {
    this.#wallMs = wallMs
    this.#sinceMs = wallMs()
  }

  snapshot() {
    const { entries, masterships } = this
    const transitions = this.#transitions
    return { entries: [...entries], transitions, masterships, sinceMs: this.#sinceMs }
  }

  adopt({ entries, transitions, masterships, sinceMs }: ReturnType<Journal['snapshot']>): void {
    this.#entries = [...entries]
    this.#transitions = transitions
    this.#masterships = { ...masterships }
    this.#sinceMs = sinceMs
  }

  record(what: Omit<StatusTransition, 'at'>): StatusTransition {
    const { from, to } = what
    this.#sinceMs = this.#wallMs()
    this.#transitions += 1
    if (to === 'MASTER') this.#masterships.begun += 1
    if (from === 'MASTER') this.#masterships.ended += 1
    const entry = { at: new Date(this.#sinceMs).toISOString(), ...what }
    this.#entries.push(entry)
    if (this.#entries.length > historyPerInstanceMax) this.#entries.shift()
    return entry
  }

  get masterships(): { readonly begun: number; readonly ended: number } {
    return { ...this.#masterships }
  }

  get transitions(): number {
    return this.#transitions
  }

  /** Transitions within the last `spanMs`; at most as many as are kept. */
  recent(spanMs: number): number {
    const from = this.#wallMs() - spanMs
    return this.#entries.filter(({ at }) => Date.parse(at) >= from).length
  }

  get why(): string {
    return this.#entries.at(-1)?.why ?? 'starting'
  }

  get sinceMs(): number {
    return this.#wallMs() - this.#sinceMs
  }

  get entries(): readonly StatusTransition[] {
    return this.#entries
  }
}
