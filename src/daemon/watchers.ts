/**
 * What is watched beside the election, each with a thread, process or timer of its own: the warden, the real-time
 * priority, multicast memberships, other routers and programs with a VRID of ours. They warn, and decide nothing.
 */
import type { Log } from '../base/log.ts'
import { us } from '../base/time.ts'
import type { Globals } from '../config/types.ts'
import type { Engine, EngineStart, Guard } from '../engine/contract.ts'
import { outgoing } from '../engine/native.ts'
import { Memberships, readMemberships } from '../router/binding/memberships.ts'
import { OtherTransport } from '../router/binding/other-transport.ts'
import { SameHost } from '../router/binding/same-host.ts'
import type { Dispatcher } from '../router/dispatch/dispatcher.ts'
import { leaderOf, participantOf } from '../router/dispatch/participants.ts'
import { Realtime } from './realtime.ts'
import { Warden, type WardenOptions } from './warden.ts'

export type WatchersPorts = {
  readonly engine: Engine
  readonly start: EngineStart
  readonly guard: Guard
  readonly options: WardenOptions
  readonly globals: Globals
  readonly log: Log
  dispatcher(): Dispatcher
}

export class Watchers {
  readonly #warden: Warden
  readonly #realtime: Realtime
  readonly #memberships: Memberships
  readonly #sameHost: SameHost
  readonly #otherTransport: OtherTransport

  constructor({ engine, start, guard, options, globals, log, dispatcher }: WatchersPorts) {
    const instances = () => dispatcher().instances
    this.#warden = new Warden(guard, options, log)
    this.#realtime = new Realtime(start.realtime, us(globals.rttimeUs), log)
    this.#memberships = new Memberships({
      engine,
      log,
      memberships: () => dispatcher().links.memberships,
      read: readMemberships,
    })
    this.#sameHost = new SameHost({
      sockets: outgoing,
      log,
      leaders: () => instances().flatMap(leaderOf),
      sent: (slot) => engine.counters(slot).sent,
      counted: () => engine.flush(),
    })
    this.#otherTransport = new OtherTransport({
      sockets: outgoing,
      log,
      participants: () => instances().flatMap(participantOf),
    })
  }

  /** Before anything leads. */
  startWarden(): void {
    this.#warden.start()
  }

  start(): void {
    this.#memberships.look()
    this.#sameHost.looks.start()
    this.#otherTransport.looks.start()
  }

  /** Those that ask the engine; the warden stands until `stopWarden`. */
  stop(): void {
    this.#memberships.stop()
    this.#sameHost.looks.stop()
    this.#otherTransport.looks.stop()
  }

  stopWarden(): void {
    this.#warden.stop()
  }

  lost(what: 'warden' | 'realtime'): void {
    if (what === 'warden') this.#warden.lost()
    else this.#realtime.lost()
  }

  /** Links or addresses changed. */
  kernelChanged(): void {
    this.#memberships.look()
  }

  /** The engine's thread still has its real-time priority. */
  get realtime(): boolean {
    return this.#realtime.granted
  }

  /** For `status`. */
  get warden(): { readonly running: boolean; readonly lost: number } {
    return this.#warden.figures
  }

  /** For `status`: the daemon's own, then those of the network. */
  get warnings(): { readonly own: readonly string[]; readonly network: readonly string[] } {
    return {
      own: [...this.#warden.warnings, ...this.#realtime.warnings, ...this.#memberships.warnings],
      network: [...this.#sameHost.looks.findings, ...this.#otherTransport.looks.findings],
    }
  }
}
