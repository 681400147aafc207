/** What the thread knows of the daemon: a status, the configuration, the host; and the MIB that is made of them. */
import type { SnmpConfig } from '../../config/snmp.ts'
import type { MibHost, MibInstance, MibPlace, MibSettings } from '../../report/mib.ts'
import type { Transition } from '../../report/status.ts'
import { type Snapshot, Snapshots } from '../feed/snapshots.ts'
import { keepalivedTables } from './keepalived-mib.ts'
import type { ToSnmp } from './messages.ts'
import { rfc2787 } from './rfc2787.ts'
import { rfc6527 } from './rfc6527.ts'
import { Mib } from './tables.ts'
import { type MibClock, viewOf } from './view.ts'

export type FactsPart = Exclude<ToSnmp, { kind: 'serve' | 'news' | 'ping' | 'stop' }>

type Configured = { readonly settings: MibSettings; readonly instances: MibInstance[] }

export class Knowledge {
  readonly #snapshots: Snapshots
  readonly #sysUpTime: () => number
  /** What came of a configuration; it counts from the status on that it came before. */
  #coming: Configured | null = null
  #configured: Configured | null = null
  #byName: ReadonlyMap<string, MibInstance> = new Map()
  #host: MibHost = { links: [], sources: {} }
  #made: { readonly of: Snapshot; readonly with: SnmpConfig; readonly mib: Mib } | null = null

  /** `want`: asks the daemon for a status. `sysUpTime`: of the master agent, in hundredths of a second. */
  constructor(ports: { want(): void; sysUpTime(): number }) {
    this.#snapshots = new Snapshots(() => ports.want())
    this.#sysUpTime = () => ports.sysUpTime()
  }

  /** True when a status is complete. */
  take(part: FactsPart): boolean {
    switch (part.kind) {
      case 'settings':
        this.#coming = { settings: part.settings, instances: [] }
        return false
      case 'configured':
        this.#coming?.instances.push(...part.some)
        return false
      case 'host':
        this.#host = part.host
        return false
      default:
        if (!this.#snapshots.take(part)) return false
        this.#settle()
        return true
    }
  }

  /** At once in the objects; the rest follows with the next status. */
  apply(transition: Transition): void {
    this.#snapshots.apply(transition)
  }

  /** Of a status that is a second old at most; null: the daemon did not answer in time. */
  async mib(config: SnmpConfig): Promise<Mib | null> {
    const of = await this.#snapshots.fresh()
    const configured = this.#configured
    if (of === null || configured === null) return null
    if (this.#made?.of === of && this.#made.with === config) return this.#made.mib
    const clock: MibClock = {
      sysUpTime: this.#sysUpTime,
      age: () => performance.now() - of.at,
    }
    const view = viewOf({ ...configured, status: of.status, host: this.#host }, clock)
    const mib = new Mib([
      ...(config.keepalived ? keepalivedTables(view, config.traps) : []),
      ...(config.rfc2787 ? rfc2787.tables(view, config.traps) : []),
      ...(config.rfc6527 ? rfc6527.tables(view, config.traps) : []),
    ])
    this.#made = { of, with: config, mib }
    return mib
  }

  /** null: no configuration is known yet. */
  get routerId(): string | null {
    return this.#configured?.settings.routerId ?? null
  }

  configOf(instance: string): MibInstance | null {
    return this.#byName.get(instance) ?? null
  }

  placeOf({ name, interface: on }: MibInstance): MibPlace {
    const link = this.#host.links.find((it) => it.name === on)
    return { ifindex: link?.ifindex ?? null, source: this.#host.sources[name] ?? null }
  }

  #settle(): void {
    if (this.#coming === null) return
    this.#configured = this.#coming
    this.#coming = null
    this.#byName = new Map(this.#configured.instances.map((it) => [it.name, it]))
  }
}
