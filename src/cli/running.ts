/** The daemon of this process, from its start to its stop, which may come before the start is over. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Daemon } from '../daemon/types.ts'

/** A stop waits so long for a start that is under way, which has bounds of its own; then the warden acts. */
const startingMs = 10_000

export class Running {
  #daemon: Daemon | null = null
  #starting: Promise<Daemon> | null = null

  /** null: it does not run yet. */
  get daemon(): Daemon | null {
    return this.#daemon
  }

  /** Rejects as `starting` does. */
  async become(starting: Promise<Daemon>): Promise<Daemon> {
    this.#starting = starting
    this.#daemon = await starting
    return this.#daemon
  }

  /** One that is being started may be master before that is over. */
  async stop(): Promise<void> {
    if (this.#starting === null) return
    const failed = this.#starting.catch(() => null)
    const daemon = await Promise.race([failed, delay(startingMs, null)])
    await daemon?.stop()
  }
}
