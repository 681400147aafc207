/**
 * What happened to one instance, kept with its causes: the last transitions, since when, how often.
 * The log line, `status` and `history` all print from here.
 */
import { historyPerInstanceMax } from '../../base/limits.ts'
import type { StatusTransition, TransitionCount } from '../../report/status.ts'

export class Journal {
  #entries: StatusTransition[] = []
  #transitions = 0
  #counts: TransitionCount[] = []
  #sinceMs: number
  readonly #wallMs: () => number

  /** `wallMs`: the wall clock in milliseconds, for people; nothing is decided by it. */
  constructor(wallMs: () => number) {
    this.#wallMs = wallMs
    this.#sinceMs = wallMs()
  }

  snapshot() {
    const { entries, counts } = this
    const transitions = this.#transitions
    return { entries: [...entries], transitions, counts, sinceMs: this.#sinceMs }
  }

  adopt({ entries, transitions, counts, sinceMs }: ReturnType<Journal['snapshot']>): void {
    this.#entries = [...entries]
    this.#transitions = transitions
    this.#counts = [...counts]
    this.#sinceMs = sinceMs
  }

  record(what: Omit<StatusTransition, 'at'>): StatusTransition {
    this.#sinceMs = this.#wallMs()
    this.#transitions += 1
    this.#count(what)
    const entry = { at: new Date(this.#sinceMs).toISOString(), ...what }
    this.#entries.push(entry)
    if (this.#entries.length > historyPerInstanceMax) this.#entries.shift()
    return entry
  }

  /** By what they were. */
  get counts(): readonly TransitionCount[] {
    return [...this.#counts]
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

  #count({ from, to, cause }: Omit<TransitionCount, 'count'>): void {
    const at = this.#counts.findIndex(
      (it) => it.from === from && it.to === to && it.cause === cause,
    )
    const count = (this.#counts[at]?.count ?? 0) + 1
    this.#counts[at < 0 ? this.#counts.length : at] = { from, to, cause, count }
  }
}
