/**
 * Keeps the warden alive: starts it with the daemon, starts another when it is gone, and remembers how often that
 * was, for `status`. Without one the pair still works; only a killed or frozen daemon is cleaned up later.
 */
import { OpError } from '../base/errors.ts'
import type { Guard } from '../engine/contract.ts'
import type { Log } from './daemon-types.ts'

/** One that dies at once, again and again, must not keep us busy: the first is replaced at once, then ever later. */
const againMs = { first: 1_000, longest: 60_000 }

export class Warden {
  readonly #guard: Guard
  readonly #log: Log
  #lost = 0
  #running = false
  #again: NodeJS.Timeout | null = null

  constructor(guard: Guard, log: Log) {
    this.#guard = guard
    this.#log = log
  }

  start(): void {
    this.#again = null
    try {
      this.#guard.startWarden()
      this.#running = true
    } catch (error) {
      if (!(error instanceof OpError)) throw error
      this.#log.error(`No warden: ${error.message}`)
      this.#again = setTimeout(() => this.start(), againMs.longest)
    }
  }

  /** The engine lost its warden: another, at once the first time. */
  lost(): void {
    this.#lost += 1
    this.#running = false
    this.#log.error('The warden is gone: starting another', { lost: this.#lost })
    const laterMs = this.#lost === 1 ? 0 : againMs.first * 2 ** Math.min(this.#lost - 2, 10)
    this.#again ??= setTimeout(() => this.start(), Math.min(laterMs, againMs.longest))
  }

  stop(): void {
    if (this.#again !== null) clearTimeout(this.#again)
  }

  /** For `status`. */
  get warnings(): readonly string[] {
    const running = this.#running ? [] : ['no warden: nobody cleans up if the daemon is killed']
    const times = this.#lost === 1 ? 'once' : `${this.#lost} times`
    return this.#lost === 0 ? running : [...running, `the warden was lost ${times}`]
  }
}
