/** The daemon of this process, from its start to its stop, which may come before the start is over. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '../base/log.ts'
import type { Daemon } from '../daemon/types.ts'

/** A stop waits so long for a start that is under way, which has bounds of its own; then the warden acts. */
const startingMs = 10_000

export class Running {
  readonly #log: Log
  /** Stays pending if the start fails. */
  readonly started: Promise<Daemon>
  #onStarted: (daemon: Daemon) => void = () => undefined
  #daemon: Daemon | null = null
  #starting: Promise<Daemon> | null = null

  constructor(log: Log) {
    this.#log = log
    this.started = new Promise((resolve) => {
      this.#onStarted = resolve
    })
  }

  /** null: it does not run yet. */
  get daemon(): Daemon | null {
    return this.#daemon
  }

  /** Rejects as `starting` does. */
  async become(starting: Promise<Daemon>): Promise<Daemon> {
    this.#starting = starting
    this.#daemon = await starting
    this.#onStarted(this.#daemon)
    return this.#daemon
  }

  /** One that is being started may be master before that is over. */
  async stop(): Promise<void> {
    if (this.#starting === null) return
    const failed = this.#starting.catch(() => null)
    const late = delay(startingMs, 'late' as const)
    const daemon = await Promise.race([failed, late])
    if (daemon !== 'late') return daemon?.stop()
    const seconds = startingMs / 1_000
    this.#log.error(`The start is not over after ${seconds} s: what it leads is left to the warden`)
  }
}
