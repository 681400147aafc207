/** What a running daemon says of itself: to the control socket, to the surfaces, to the supervisor. */
import type { Dump } from '../report/dump.ts'
import type { MibFacts, MibPlace } from '../report/mib.ts'
import type { Observation } from '../report/observation.ts'
import type { Recent, RecentNames } from '../report/recent.ts'
import type { Status, StatusInstance, StatusRest } from '../report/status.ts'
import { type ObserveSources, observe, observeRecent } from '../router/dispatch/observe.ts'
import { daemonStatus, type StatusSources, tellStatus } from '../router/dispatch/status.ts'
import { dumpFacts } from './dump-facts.ts'
import { mibFacts } from './mib-facts.ts'
import type { Parts } from './parts.ts'

/** The questions; none of them alters anything. */
export class Answers {
  protected readonly parts: Parts

  constructor(parts: Parts) {
    this.parts = parts
  }

  async status(): Promise<Status> {
    return daemonStatus(await this.#statusSources())
  }

  async tellStatus(part: (instances: readonly StatusInstance[]) => void): Promise<StatusRest> {
    return tellStatus(await this.#statusSources(), part)
  }

  async #statusSources(): Promise<StatusSources> {
    const {
      reloads,
      watchers,
      dispatcher,
      engine,
      engineStart,
      kernel,
      pool,
      tables,
      options,
      delays,
      ownership,
      settings,
      links,
      notifier,
      upgradeRecord,
      counts,
    } = this.parts
    const { wardenLost, ...packets } = counts.total
    const config = await reloads.status()
    const { own, network } = watchers.warnings
    return {
      dispatcher,
      engine,
      engineStart: { ...engineStart, realtime: watchers.realtime },
      kernel,
      pool,
      leaseOf: (name, leads) => tables.lease.status(name, leads),
      version: options.version,
      uptimeMs: Date.now() - upgradeRecord.startedMs,
      otherWarnings: [
        ...own,
        ...delays.warnings,
        ...ownership.warnings,
        ...network,
        ...tables.warnings,
        ...settings.warnings,
        ...options.surfaces.warnings,
        ...links.warnings,
      ],
      config,
      packets,
      warden: { ...watchers.warden, lost: wardenLost },
      upgrades: { ...upgradeRecord.status, prevented: options.successor.whyNotLeave(false) },
      notify: notifier.figures,
    }
  }

  async dump(): Promise<Dump> {
    const status = await this.status()
    const { config, instances } = this.parts.dispatcher
    const running = new Map(instances.map((it) => [it.name, it]))
    return dumpFacts({
      config,
      status,
      kernel: this.parts.kernel,
      atMs: Date.now(),
      sourceOf: (name) => running.get(name)?.params.source ?? null,
    })
  }

  mib(): MibFacts {
    const { config, instances } = this.parts.dispatcher
    return mibFacts({
      config,
      kernel: this.parts.kernel,
      sources: instances.map((it) => [it.cfg.name, it.params.source]),
    })
  }

  mibPlaceOf(instance: string): MibPlace {
    const it = this.parts.dispatcher.instances.find(({ cfg }) => cfg.name === instance)
    const on = it?.cfg.interface ?? null
    const link = on === null ? null : this.parts.kernel.linkByName(on)
    return { ifindex: link?.ifindex ?? null, source: it?.params.source ?? null }
  }

  get dumpDirectory(): string | null {
    return this.parts.dispatcher.config.globals.dumpDirectory
  }

  summary(): string {
    const { length } = this.parts.dispatcher.instances
    const instances = length === 1 ? '1 instance' : `${length} instances`
    const rejected = this.parts.reloads.summary
    return rejected === '' ? instances : `${instances}; ${rejected}`
  }

  observe(): Observation {
    return observe(this.#observed())
  }

  #observed(): ObserveSources {
    const { options, dispatcher, engine, startedMs } = this.parts
    return {
      configPath: options.configPath,
      config: dispatcher.config,
      instances: dispatcher.instances,
      engine,
      gaps: (slot) => engine.gaps(slot),
      startedMs,
      wallMs: Date.now(),
    }
  }

  recent(names: RecentNames): Recent {
    return observeRecent(this.#observed(), this.parts.pool, names)
  }

  results(name: string): Uint8Array {
    const packed = this.parts.pool.record(name)
    if (packed === null) throw new Error(`no check is called ${name}`)
    return new Uint8Array(packed.buffer)
  }
}
