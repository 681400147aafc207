/**
 * What happened to one instance, kept with its causes: the last transitions, since when, how often.
 * The log line, `status` and `history` all print from here.
 */
import { historyPerInstanceMax } from '../../base/limits.ts'
import type { StatusTransition } from '../../report/status.ts'

export class Journal {
  #entries: StatusTransition[] = []
  #transitions = 0
  #sinceMs: number
  readonly #wallMs: () => number

  /** `wallMs`: the wall clock in milliseconds, for people; nothing is decided by it. */
  constructor(wallMs: () => number) {
    this.#wallMs = wallMs
    this.#sinceMs = wallMs()
  }

  snapshot() {
    const { entries } = this
    return { entries: [...entries], transitions: this.#transitions, sinceMs: this.#sinceMs }
  }

  adopt({ entries, transitions, sinceMs }: ReturnType<Journal['snapshot']>): void {
    this.#entries = [...entries]
    this.#transitions = transitions
    this.#sinceMs = sinceMs
  }

  record(from: string, to: string, why: string): void {
    this.#sinceMs = this.#wallMs()
    this.#transitions += 1
    this.#entries.push({ at: new Date(this.#sinceMs).toISOString(), from, to, why })
    if (this.#entries.length > historyPerInstanceMax) this.#entries.shift()
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
