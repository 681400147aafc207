/** What has been done to a run, and since when nothing has. */
import type { Agenda } from './agenda.ts'
import type { Host } from './host.ts'
import type { Scenario } from './scenario.ts'
import { settleUs } from './times.ts'

export class Disturbances {
  #active = 0
  #lastAt = 0
  /** The last disturbance came alone, into a settled run. */
  #calm = false
  readonly #impairedAt = new Map<Host, number>()
  readonly #agenda: Agenda
  readonly #settleUs: number

  constructor(scenario: Scenario, agenda: Agenda) {
    this.#agenda = agenda
    this.#settleUs = settleUs(scenario)
  }

  get lastAt(): number {
    return this.#lastAt
  }

  get calm(): boolean {
    return this.#calm
  }

  /** Something that lasts is under way. */
  get active(): boolean {
    return this.#active > 0
  }

  get settled(): boolean {
    return this.#active === 0 && this.#agenda.now - this.#lastAt >= this.#settleUs
  }

  /** Something that lasts begins (1) or ends (-1), or happens (0). */
  disturb(by: -1 | 0 | 1, host?: Host): void {
    this.#calm = this.#lastAt !== this.#agenda.now && this.settled
    this.#active += by
    this.#lastAt = this.#agenda.now
    if (host !== undefined) this.#impairedAt.set(host, this.#agenda.now)
  }

  /** What came alone at that instant is all that has been disturbed since. */
  isLast(at: number | undefined): boolean {
    return this.#calm && this.#active === 0 && this.#lastAt === at
  }

  /** Since when nothing has happened to a host. */
  since(host: Host): number {
    return Math.max(this.#lastAt, this.#impairedAt.get(host) ?? 0)
  }

  /** Not itself, or too short a time ago. */
  impaired(host: Host, spanUs: number): boolean {
    if (host.process === null || host.asleep || host.process.stalled) return true
    const since = Math.max(this.#impairedAt.get(host) ?? 0, host.process.startedAt)
    return this.#agenda.now - since < spanUs
  }
}
