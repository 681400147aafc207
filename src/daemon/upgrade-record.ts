/** Which upgrades there have been since the daemon was started, in this process and in those before it. */
import type { Us } from '../base/time.ts'
import type { Happening } from '../report/event.ts'
import type { StatusUpgrades } from '../report/status.ts'

export type UpgradeRecordPorts = {
  readonly version: string
  /** CLOCK_MONOTONIC, which is one for both processes. */
  now(): Us
  wallMs(): number
  happened(what: Happening): void
}

/** `began`: the upgrade by which it is passed on. */
export type PassedUpgrades = {
  readonly done: number
  readonly refused: number
  readonly lastRefusal: StatusUpgrades['lastRefusal']
  /** Of the daemon's first process, milliseconds since 1970. */
  readonly startedMs: number
  readonly began: Us
  readonly attempts: number
  readonly from: { readonly pid: number; readonly version: string }
}

export class UpgradeRecord {
  readonly #ports: UpgradeRecordPorts
  #startedMs: number
  #done = 0
  #refused = 0
  #last: StatusUpgrades['last'] = null
  #lastRefusal: StatusUpgrades['lastRefusal'] = null
  #running: { readonly began: Us; pid: number | null; attempts: number } | null = null
  #adopted: PassedUpgrades | null = null

  constructor(ports: UpgradeRecordPorts) {
    this.#ports = ports
    this.#startedMs = ports.wallMs()
  }

  /** When the daemon was started, in milliseconds since 1970: what it counts, it has counted since. */
  get startedMs(): number {
    return this.#startedMs
  }

  /** It is ordered. */
  begin(): void {
    this.#running = { began: this.#ports.now(), pid: null, attempts: 0 }
  }

  /** The other process runs. */
  started(pid: number): void {
    if (this.#running !== null) this.#running.pid = pid
  }

  /** This process goes on. */
  refused(why: string): void {
    this.#running = null
    this.#refused += 1
    this.#lastRefusal = { at: this.#at, why }
    this.#ports.happened({ kind: 'upgrade', ok: false, text: why })
  }

  /** With the state. `attempts`: this one included. */
  pass(attempts: number): PassedUpgrades {
    const { version, now } = this.#ports
    if (this.#running !== null) this.#running.attempts = attempts
    return {
      ...{ done: this.#done, refused: this.#refused, lastRefusal: this.#lastRefusal },
      startedMs: this.#startedMs,
      began: this.#running?.began ?? now(),
      attempts,
      from: { pid: process.pid, version },
    }
  }

  /** A later one takes its place. */
  adopt(passed: PassedUpgrades): void {
    this.#adopted = passed
  }

  /** The slots are this process's. */
  took(): void {
    const passed = this.#adopted
    if (passed === null) return
    const { from, attempts } = passed
    const tookMs = (this.#ports.now() - passed.began) / 1_000
    this.#startedMs = passed.startedMs
    this.#done = passed.done + 1
    this.#refused = passed.refused
    this.#lastRefusal = passed.lastRefusal
    this.#last = { at: this.#at, from, tookMs, attempts }
    const text = `vipd ${this.#ports.version} (process ${process.pid}) goes on in place of vipd ${from.version} (process ${from.pid})`
    this.#ports.happened({ kind: 'upgrade', ok: true, text })
  }

  get status(): Omit<StatusUpgrades, 'prevented'> {
    const running = this.#running
    return {
      ...{ done: this.#done, refused: this.#refused },
      ...{ last: this.#last, lastRefusal: this.#lastRefusal },
      running:
        running === null
          ? null
          : {
              sinceMs: (this.#ports.now() - running.began) / 1_000,
              ...{ pid: running.pid, attempts: running.attempts },
            },
    }
  }

  get #at(): string {
    return new Date(this.#ports.wallMs()).toISOString()
  }
}
