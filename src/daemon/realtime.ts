/**
 * What became of the engine's real-time priority: granted at start or not, and lost when its thread has run for
 * `vrrp_rlimit_rttime` without waiting. Then the pair still works; the adverts of a busy machine may be late.
 */

import type { Log } from '../base/log.ts'
import { type Us, usToMilliseconds } from '../base/time.ts'

export class Realtime {
  readonly #boundUs: Us
  readonly #log: Log
  #granted: boolean
  #lost = false

  constructor(granted: boolean, boundUs: Us, log: Log) {
    this.#granted = granted
    this.#boundUs = boundUs
    this.#log = log
  }

  /** The engine went on with ordinary scheduling. */
  lost(): void {
    if (this.#lost) return
    this.#lost = true
    this.#granted = false
    this.#log.error(`The engine ${this.#why}`, { boundUs: this.#boundUs })
  }

  get granted(): boolean {
    return this.#granted
  }

  /** For `status`. */
  get warnings(): readonly string[] {
    return this.#lost ? [`the engine ${this.#why}`] : []
  }

  get #why(): string {
    const ms = usToMilliseconds(this.#boundUs)
    return `ran for ${ms} ms without waiting (vrrp_rlimit_rttime) and has lost its real-time priority until a restart`
  }
}
