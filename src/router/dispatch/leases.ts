/** The instances and their kernel leases: what a lease that comes or goes changes, and what takes over before one ends. */
import type { Log } from '../../base/log.ts'
import type { Engine } from '../../engine/contract.ts'
import type { BfdSessions } from '../bfd/sessions.ts'
import type { RunningInstance } from './instance.ts'
import type { Roster } from './roster.ts'
import { soonerTakeOvers } from './sooner-take-overs.ts'

export type LeasesPorts = {
  readonly roster: Pick<Roster, 'instances' | 'takeoversOf'>
  readonly bfd: Pick<BfdSessions, 'peerDetectionUs'>
  readonly engine: Pick<Engine, 'now'>
  readonly log: Log
  /** With what follows from it at the end; not at all once the router stops. */
  readonly react: (act: () => void) => void
}

export class Leases {
  readonly #ports: LeasesPorts
  /** Logged already, by instance. */
  #said: ReadonlyMap<string, readonly string[]> = new Map()

  constructor(ports: LeasesPorts) {
    this.#ports = ports
  }

  /** The leases of these instances have come into force, or are no more. */
  changed(names: ReadonlySet<string>): void {
    this.#each(names, (it) => it.refresh())
  }

  /** The kernel takes the adverts of these masters for a stale one's. */
  lapsed(names: ReadonlySet<string>): void {
    this.#each(names, (it) => it.keeper.openLease())
  }

  /** Of these instances, those that are master. */
  leading(names: ReadonlySet<string>): readonly string[] {
    const leads = (it: RunningInstance) => names.has(it.name) && it.state.kind === 'master'
    return this.#ports.roster.instances.filter(leads).map(({ name }) => name)
  }

  /** Empty too where none is in force. */
  soonerTakeOvers(it: RunningInstance): readonly string[] {
    const { roster, bfd, engine } = this.#ports
    if ((it.binding.facts?.lease ?? null) === null) return []
    const sessions = [...roster.takeoversOf(it)].map((name) => ({
      name,
      peerDetectionUs: bfd.peerDetectionUs(name),
    }))
    return soonerTakeOvers(it.cfg, { sessions, ignored: it.receiver.ignored.at(engine.now()) })
  }

  /** Each is logged once, and again when it has been otherwise in between. */
  writeLog(): void {
    const found = this.#ports.roster.instances.map(
      (it) => [it.name, this.soonerTakeOvers(it)] as const,
    )
    for (const [name, sentences] of found)
      for (const sentence of sentences)
        if (this.#said.get(name)?.includes(sentence) !== true)
          this.#ports.log.warn(`(${name}) ${sentence}`, { instance: name })
    this.#said = new Map(found.filter(([, { length }]) => length > 0))
  }

  #each(names: ReadonlySet<string>, act: (it: RunningInstance) => void): void {
    const { react, roster } = this.#ports
    react(() => {
      for (const it of roster.instances) if (names.has(it.name)) act(it)
    })
  }
}
