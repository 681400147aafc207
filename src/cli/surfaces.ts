/** What the daemon tells besides its log and its control socket, switched on and off by the configuration. */
import type { Log } from '../base/log.ts'
import type { HttpConfig } from '../config/http.ts'
import { isSnmpOn, noSnmp, overridden, type SnmpOverride } from '../config/snmp.ts'
import type { Globals } from '../config/types.ts'
import { EventFeed } from '../control/event-feed.ts'
import type { Daemon, ReloadResult, Surfaces } from '../daemon/types.ts'
import type { Happening, Removal } from '../report/event.ts'
import type { ClaimsQuery, KeptPage, KeptQuery } from '../report/kept.ts'
import { systemBusAddress } from '../surfaces/dbus/bus-address.ts'
import type { DbusConfig, Order as DbusOrder } from '../surfaces/dbus/messages.ts'
import type { DbusSurface } from '../surfaces/dbus/surface.ts'
import type { DumpKind } from '../surfaces/dumps/dumps.ts'
import { HistorySurface } from '../surfaces/history/surface.ts'
import type { Order as HttpOrder } from '../surfaces/http/messages.ts'
import type { HttpSurface } from '../surfaces/http/surface.ts'
import type { SnmpSurface } from '../surfaces/snmp/surface.ts'
import type { GroupSockets } from './group-sockets.ts'

export type SurfacePorts = {
  readonly log: Log
  /** Throws while it starts. */
  daemon(): Daemon
  /** null while it starts. */
  running(): Daemon | null
  /** After those that were asked for before. */
  reload(force: boolean): Promise<ReloadResult>
  /** The path that was written. Rejects with the reason why none was. */
  dump(kind: DumpKind): Promise<string>
  /** Where transitions are kept, with that in vipd_history; null: nowhere. */
  historyDirectory(configured: string | null): string | null
  /** Of the command line. */
  readonly snmp: SnmpOverride
}

/** The first transitions of thousands of instances. */
const earlyMax = 10_000

export class DaemonSurfaces implements Surfaces {
  readonly events = new EventFeed()
  readonly #ports: SurfacePorts
  readonly #history: HistorySurface
  #http: HttpSurface | null = null
  #dbus: DbusSurface | null = null
  #dbusConfig: DbusConfig | null = null
  #snmp: SnmpSurface | null = null
  #snmpConfig = noSnmp
  /** What happened while its code was being read. */
  #early: Happening[] = []
  #groups: GroupSockets | null = null
  #httpConfig: HttpConfig = { listeners: [], peers: [] }
  #stopped = false
  /** What happened before the surfaces follow a configuration: their files and addresses are another process's till then. */
  #unfollowed: (readonly [Happening, Removal | null])[] | null = []

  constructor(ports: SurfacePorts) {
    this.#ports = ports
    this.#history = new HistorySurface(ports.log)
  }

  get warnings(): readonly string[] {
    const groups = this.#groups?.warnings ?? []
    const asked = [...(this.#http?.warnings ?? []), ...(this.#dbus?.warnings ?? [])]
    return [...groups, ...asked, ...(this.#snmp?.warnings ?? []), ...this.#history.warnings]
  }

  /** Once it is known where they are. */
  openTo(groups: GroupSockets): void {
    this.#groups = groups
  }

  happened(what: Happening, removal: Removal | null = null): number | null {
    if (this.#unfollowed !== null) {
      this.#unfollowed.push([what, removal])
      return null
    }
    if (what.kind === 'past-claim') {
      this.#history.keepClaim(what.claim)
      return null
    }
    if (this.#snmp !== null) this.#snmp.happened(what)
    else if (isSnmpOn(this.#snmpConfig) && this.#early.length < earlyMax) this.#early.push(what)
    if (what.kind === 'reload' && what.ok) this.#dbus?.reloaded()
    if (what.kind !== 'transition') {
      this.events.publish({ at: new Date().toISOString(), ...what, number: null })
      return null
    }
    const { kind, silent: _silent, ...transition } = what
    const number = this.#history.keep(transition)
    this.events.publish({ kind, number, ...transition })
    this.#http?.transition(transition, number)
    this.#dbus?.transition(transition, removal)
    return number
  }

  settled(timeoutMs: number): Promise<void> {
    return this.#history.settled(timeoutMs)
  }

  kept(query: KeptQuery): Promise<KeptPage> {
    return this.#history.read(query)
  }

  keptClaims(query: ClaimsQuery): Promise<KeptPage> {
    return this.#history.claims(query)
  }

  /** Nothing of a surface is loaded before a configuration asks for it. */
  follow(globals: Globals): void {
    const { http, httpPeers, historyDirectory } = globals
    this.#groups?.follow(globals)
    this.#history.follow(this.#ports.historyDirectory(historyDirectory))
    const unfollowed = this.#unfollowed ?? []
    this.#unfollowed = null
    this.#httpConfig = { listeners: http, peers: httpPeers }
    if (this.#http !== null) this.#http.follow(this.#httpConfig)
    else if (http.length > 0) void this.#openHttp()
    this.#dbusConfig = dbusOf(globals)
    if (this.#dbus !== null) this.#dbus.follow(this.#dbusConfig)
    else if (globals.dbus) void this.#openDbus()
    this.#snmpConfig = overridden(globals.snmp, this.#ports.snmp)
    if (this.#snmp !== null) this.#snmp.follow(this.#snmpConfig)
    else if (isSnmpOn(this.#snmpConfig)) void this.#openSnmp()
    for (const [what, removal] of unfollowed) this.happened(what, removal)
  }

  /** `stopping`: the daemon ends; else another process is it from now on. */
  async stop(stopping = true): Promise<void> {
    this.#stopped = true
    await Promise.all([this.#http?.stop(), this.#dbus?.stop(stopping), this.#groups?.stop()])
  }

  /** After the daemon's last transition. */
  async close(): Promise<void> {
    await Promise.all([this.#history.stop(), this.#snmp?.stop()])
  }

  async #openHttp(): Promise<void> {
    const { HttpSurface } = await import('../surfaces/http/surface.ts')
    if (this.#stopped || this.#http !== null) return
    this.#http = new HttpSurface({
      log: this.#ports.log,
      status: (part) => this.#ports.daemon().tellStatus(part),
      carryOut: (order) => this.#carryOut(order),
      recent: (names) => this.#ports.daemon().recent(names),
      kept: (query) => this.#history.latest(query),
    })
    this.#http.follow(this.#httpConfig)
  }

  async #openDbus(): Promise<void> {
    const { DbusSurface } = await import('../surfaces/dbus/surface.ts')
    if (this.#stopped || this.#dbus !== null) return
    this.#dbus = new DbusSurface({
      log: this.#ports.log,
      status: (part) => this.#ports.daemon().tellStatus(part),
      carryOut: (order) => this.#carryOutForBus(order),
    })
    this.#dbus.follow(this.#dbusConfig)
  }

  async #carryOutForBus(order: DbusOrder): Promise<void> {
    if (order.verb === 'announce') return this.#ports.daemon().announce(order.instance)
    if (order.verb === 'dump') return void (await this.#ports.dump(order.what))
    const { ok, refusal } = await this.#ports.reload(false)
    if (!ok) throw new Error(refusal?.reasons[0] ?? 'the configuration cannot be loaded')
  }

  async #openSnmp(): Promise<void> {
    const { SnmpSurface } = await import('../surfaces/snmp/surface.ts')
    if (this.#stopped || this.#snmp !== null) return
    const { log, daemon } = this.#ports
    this.#snmp = new SnmpSurface({
      log,
      status: (part) => daemon().tellStatus(part),
      facts: () => daemon().mib(),
      placeOf: (instance) => this.#ports.running()?.mibPlaceOf(instance) ?? null,
    })
    this.#snmp.follow(this.#snmpConfig)
    for (const what of this.#early.splice(0)) this.#snmp.happened(what)
  }

  async #carryOut({ verb, name, force }: HttpOrder): Promise<unknown> {
    const daemon = this.#ports.daemon()
    if (verb === 'reload') return await this.#ports.reload(force)
    if (verb === 'drain') return await daemon.drain()
    if (verb === 'resume') return daemon.resume(name)
    if (verb === 'failover') return await daemon.failover(name ?? '')
    return daemon.checkNow(name ?? '')
  }
}

const dbusOf = (globals: Globals): DbusConfig | null =>
  globals.dbus
    ? {
        address: process.env['DBUS_SYSTEM_BUS_ADDRESS'] ?? systemBusAddress,
        name: globals.dbusName,
        noInterface: globals.dbusNoInterface,
        within: [globals.netNamespace, globals.instanceName].flatMap((it) => it ?? []),
      }
    : null
