/** The main thread's lease on leading: renewed four times within `vipd_liveness`, as long as the event loop turns. */
import type { Us } from '../base/time.ts'
import type { Engine } from '../engine/contract.ts'

export class Lease {
  readonly #engine: Pick<Engine, 'renew'>
  #timer: NodeJS.Timeout | null = null

  constructor(engine: Pick<Engine, 'renew'>) {
    this.#engine = engine
  }

  /** The bound that the engine has from now on; 0: there is no lease. */
  follow(livenessUs: Us): void {
    this.stop()
    if (livenessUs > 0) this.#timer = setInterval(() => this.#engine.renew(), livenessUs / 4000)
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }
}
