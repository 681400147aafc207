/**
 * What systemd is told (sd_notify(3)): ready, reloading, stopping, and that the main loop turns. Without a
 * supervisor that wants to know, all of it does nothing.
 */

import type { Log } from '../base/log.ts'
import { nowUs, tellSupervisor } from '../engine/native.ts'

export class Supervisor {
  /** What a process that takes the place of this one is to be given of them. */
  readonly environment: Readonly<Record<string, string>>
  readonly #socket: string | null
  readonly #watchdogMs: number | null
  readonly #log: Log
  #pings: NodeJS.Timeout | null = null
  #failed = false

  /** Takes the variables out of the environment: they are not for our scripts. */
  constructor(environment: NodeJS.ProcessEnv, log: Log) {
    const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: usec, WATCHDOG_PID: pid } = environment
    for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete environment[name]
    this.environment = {
      ...(socket === undefined ? {} : { NOTIFY_SOCKET: socket }),
      ...(usec === undefined ? {} : { WATCHDOG_USEC: usec }),
    }
    this.#log = log
    this.#socket = socket === undefined || socket === '' ? null : socket
    const ours = pid === undefined || Number(pid) === process.pid
    const watched = usec !== undefined && Number(usec) > 0 && ours
    this.#watchdogMs = watched ? Number(usec) / 1_000 : null
  }

  /** There is one, and it hears which process is the daemon. */
  get listens(): boolean {
    return this.#socket !== null
  }

  /**
   * Another process is the daemon from now on; that one speaks to the supervisor itself. The watchdog goes on counting
   * from the last ping: this is one, lest several changes one after the other take longer than it waits.
   */
  mainProcess(pid: number): void {
    if (this.#pings !== null) this.#tell('WATCHDOG=1')
    this.#tell(`MAINPID=${pid}`)
    if (this.#pings !== null) clearInterval(this.#pings)
    this.#pings = null
  }

  ready(status: string): void {
    this.#tell(`READY=1\nSTATUS=${status}`)
    if (this.#watchdogMs === null || this.#pings !== null) return
    this.#tell('WATCHDOG=1')
    this.#pings = setInterval(() => this.#tell('WATCHDOG=1'), this.#watchdogMs / 2)
  }

  reloading(): void {
    this.#tell(`RELOADING=1\nMONOTONIC_USEC=${nowUs()}`)
  }

  /** The pings go on: a stop that hangs is ended. */
  stopping(): void {
    this.#tell('STOPPING=1\nSTATUS=handing over')
  }

  #tell(text: string): void {
    if (this.#socket === null) return
    const code = tellSupervisor(this.#socket, text)
    if (code !== null && !this.#failed) this.#log.warn(`the supervisor does not listen: ${code}`)
    this.#failed = code !== null
  }
}
