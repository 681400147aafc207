/**
 * When the main thread of a simulated daemon works: what is to be done waits for its next turn, which comes after a
 * moment, or, while it is stalled, not until it turns again.
 */
import { type Us, us } from '../../src/base/time.ts'
import type { Agenda } from './agenda.ts'
import { mainLatencyUs } from './latency.ts'
import type { Prng } from './prng.ts'

export type MainTurnsPorts = {
  /** By the clock of the host. */
  now(): Us
  /** The process has not ended. */
  alive(): boolean
  run(task: () => void): void
  /** A turn is over, and no task waits for the next one. */
  rested(): void
}

export class MainTurns {
  readonly #agenda: Agenda
  readonly #prng: Prng
  readonly #ports: MainTurnsPorts
  #tasks: (() => void)[] = []
  #turning = false
  #stalledAt: Us | null = null
  #turnsFrom = 0
  /** Tasks of this turn that are still to be done. */
  #behind = 0

  constructor(agenda: Agenda, prng: Prng, ports: MainTurnsPorts) {
    this.#agenda = agenda
    this.#prng = prng
    this.#ports = ports
  }

  /** Something to do, in its turn. */
  add(task: () => void): void {
    this.#tasks.push(task)
    this.turn()
  }

  /** Tasks that wait, beside the one that is being done. */
  get waiting(): number {
    return this.#behind + this.#tasks.length
  }

  get stalled(): boolean {
    return this.#stalledAt !== null
  }

  get stalledUs(): number {
    return this.#stalledAt === null ? 0 : this.#ports.now() - this.#stalledAt
  }

  /** It has something to work off. */
  get busy(): boolean {
    return this.stalled || this.#turning
  }

  stall(): void {
    this.#stalledAt ??= this.#ports.now()
  }

  /** It turns again, with the next call of `turn`. False: it was not stalled. */
  unstall(): boolean {
    if (this.#stalledAt === null) return false
    this.#stalledAt = null
    this.#turnsFrom = this.#ports.now()
    return true
  }

  turn(): void {
    if (this.#turning || this.stalled || this.#tasks.length === 0) return
    this.#turning = true
    this.#agenda.after(this.latency(), () => this.#work())
  }

  /** How long it takes to take up something, µs; drawn. */
  latency(): number {
    return this.#prng.between(mainLatencyUs.least, mainLatencyUs.most)
  }

  /** When it last renewed the lease, four times within its span, as long as it turns. */
  renewedAt(livenessUs: Us): Us {
    const now = this.#stalledAt ?? this.#ports.now()
    const quarter = Math.max(Math.floor(livenessUs / 4), 1)
    return us(Math.max(now - (now % quarter), this.#turnsFrom))
  }

  #work(): void {
    this.#turning = false
    if (!this.#ports.alive() || this.stalled) return
    const tasks = this.#tasks
    this.#tasks = []
    for (const [i, task] of tasks.entries()) {
      this.#behind = tasks.length - i - 1
      if (this.#ports.alive()) this.#ports.run(task)
    }
    if (!this.#ports.alive()) return
    if (this.#tasks.length === 0) this.#ports.rested()
    this.turn()
  }
}
