/** Whether this process may be succeeded by another just now, and that it is so at most once. */

import { textOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Engine } from '../engine/contract.ts'
import { type Program, startSuccessor } from '../engine/exchange.ts'
import type { ExchangeEvent, Started, Succession } from '../engine/succession-contract.ts'
import type { Gate } from './gate.ts'
import { FirstOfTwo, UpgradeRefused, type UpgradeResult } from './upgrade-first.ts'
import type { PassableParts } from './upgrade-state.ts'

/** The program that shall go on: by default the one that asks for it. */
export type UpgradeOrder = {
  readonly file: string
  /** What Node.js takes, and the path of vipd's own program: before the words of the command that runs. */
  readonly args: readonly string[]
  /** Although the process that started this one sees it end. */
  readonly leaveParent: boolean
}

/** What belongs to the process and not to the daemon. */
export type Successor = {
  /** Why the end of this process would be taken for the end of the daemon; null: it would not. */
  whyNotLeave(leaveParent: boolean): string | null
  /** The whole command. */
  program(order: UpgradeOrder): Program
  /** What this process holds until it ends: the lock of the run directory, its name. */
  readonly held: { readonly lock: string; readonly name: string }
  /** Stops serving: control, HTTP, history. `pid`: of the process that goes on. */
  leave(pid: number): Promise<void>
  /** That process has ended: the end of this one is the daemon's. */
  lost(): void
}

export type UpgradesPorts = {
  readonly parts: PassableParts
  readonly engine: Pick<Engine, 'flush'>
  readonly succession: Succession
  readonly gate: Gate
  readonly log: Log
  readonly version: string
  readonly successor: Successor
  /** Why not just now; null: it may be. */
  whyNot(): Promise<string | null>
  /** The slots are given: what would act by itself stops. */
  given(): void
}

export class Upgrades {
  readonly #ports: UpgradesPorts
  #running: FirstOfTwo | null = null
  /** From the order on, whether or not there is another process yet. */
  #ordered = false
  /** Why there will be none any more: this process is to stop. */
  #stops: string | null = null
  #succeededBy: number | null = null
  #decided: Promise<void> = Promise.resolve()
  #decide: () => void = () => undefined

  constructor(ports: UpgradesPorts) {
    this.#ports = ports
  }

  /** One is under way, or has been done. */
  get busy(): boolean {
    return this.#ordered
  }

  /** The process that has the slots; null: this one. */
  get succeededBy(): number | null {
    return this.#succeededBy
  }

  /** Resolves when it is known which process goes on. */
  get decided(): Promise<void> {
    return this.#decided
  }

  /** The engine has given the slots, or never will. */
  exchanged(event: ExchangeEvent): void {
    if (event.what === 'over') return this.#running?.over(event.why)
    this.#succeededBy = this.#running?.pid ?? null
    this.#ports.given()
    this.#running?.gave()
    this.#decide()
  }

  /** Rejects with UpgradeRefused: this process goes on. Resolved: it is to end. */
  async run(order: UpgradeOrder): Promise<UpgradeResult> {
    if (this.#ordered) throw new UpgradeRefused('an upgrade is under way')
    this.#ordered = true
    this.#decided = new Promise((resolve) => {
      this.#decide = resolve
    })
    const { record } = this.#ports.parts
    record.begin()
    try {
      return await this.#carryOut(order)
    } catch (error) {
      this.#running = null
      this.#ordered = false
      this.#decide()
      record.refused(textOf(error))
      throw error
    }
  }

  async #carryOut(order: UpgradeOrder): Promise<UpgradeResult> {
    const { successor, whyNot, ...ports } = this.#ports
    const why = successor.whyNotLeave(order.leaveParent) ?? (await whyNot()) ?? this.#stops
    if (why !== null) throw new UpgradeRefused(why)
    const start = (): Started => startSuccessor(successor.program(order), successor.held)
    const leave = (pid: number) => successor.leave(pid)
    this.#running = new FirstOfTwo({ ...ports, start, leave, lost: () => successor.lost() })
    return await this.#running.run()
  }

  /** This process is to stop: true when it has everything and may do so, false when it is leaving anyway. */
  async abort(why: string): Promise<boolean> {
    this.#stops = why
    return (await this.#running?.abort(why)) ?? true
  }
}
