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
  #stops = false
  #left = false

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
   * from the last ping: this is one, lest several changes one after the other take longer than it waits. systemd hears
   * it of no unit that it is stopping: for such a one this process stays the main one, and its pings go on.
   */
  mainProcess(pid: number): void {
    if (this.#pings !== null) this.#ping()
    this.#tell(`MAINPID=${pid}`)
    this.#left = true
    if (this.#stops || this.#pings === null) return
    clearInterval(this.#pings)
    this.#pings = null
  }

  /** In place of another process from now on. Its name has not been heard yet: the first ping comes with `named`. */
  took(): void {
    this.#pingOn()
  }

  /** The other process has told it this one's number. */
  named(): void {
    if (this.#pings !== null) this.#ping()
  }

  ready(status: string): void {
    if (this.#left) return
    this.#tell(`READY=1\nSTATUS=${status}`)
    if (this.#pings !== null || this.#watchdogMs === null) return
    this.#ping()
    this.#pingOn()
  }

  reloading(): void {
    if (!this.#left) this.#tell(`RELOADING=1\nMONOTONIC_USEC=${nowUs()}`)
  }

  /** The pings go on: a stop that hangs is ended. */
  stopping(): void {
    this.#stops = true
    this.#tell('STOPPING=1\nSTATUS=handing over')
    if (this.#left) this.#pingOn()
  }

  #pingOn(): void {
    if (this.#watchdogMs === null) return
    this.#pings ??= setInterval(() => this.#ping(), this.#watchdogMs / 2).unref()
  }

  #ping(): void {
    this.#tell('WATCHDOG=1')
  }

  #tell(text: string): void {
    if (this.#socket === null) return
    const code = tellSupervisor(this.#socket, text)
    if (code !== null && !this.#failed) this.#log.warn(`the supervisor does not listen: ${code}`)
    this.#failed = code !== null
  }
}
