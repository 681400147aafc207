/**
 * The daemon: everything joined, and the one place where events enter.
 *
 * ```
 *   configuration ─► roster of instances ◄── tracker ◄── check pool (worker threads)
 *                        │  ▲                   ▲
 *                 orders ▼  │ events            │ links, addresses
 *                     engine (its own thread) ◄──► kernel, wire
 * ```
 *
 * Each batch of events is worked off to the end, sync groups settle, and only then are the orders handed over,
 * so that what belongs together happens together.
 */
import { unreachable } from '../base/assert.ts'
import type { Log } from '../base/log.ts'
import { type Us, us } from '../base/time.ts'
import { startCheckPool } from '../checks/pool/pool.ts'
import { describeResult, exitStatus } from '../checks/verdict/describe.ts'
import type { CheckEvent, CheckPool } from '../checks/verdict/types.ts'
import type { Config } from '../config/types.ts'
import type { Engine, EngineEvent, EngineStart } from '../engine/contract.ts'
import { kernelRequest, outgoing, startEngine } from '../engine/native.ts'
import { Errands } from '../kernel/errands.ts'
import { linkNews } from '../kernel/link-news.ts'
import type { OwnedObject } from '../kernel/marks.ts'
import { Kernel, type KernelChange } from '../kernel/mirror.ts'
import { KernelReader } from '../kernel/reader.ts'
import { Ownership } from '../kernel/record.ts'
import type { Loaded } from '../loading/load.ts'
import { type Notifier, startNotifier } from '../notify/notify.ts'
import type { HandOver } from '../report/hand-over.ts'
import type { Observation } from '../report/observation.ts'
import type { Status } from '../report/status.ts'
import { Memberships, readMemberships } from '../router/binding/memberships.ts'
import { OtherTransport, type Participant } from '../router/binding/other-transport.ts'
import { type Leader, SameHost } from '../router/binding/same-host.ts'
import { Links } from '../router/binding/sockets.ts'
import { Strangers } from '../router/binding/strangers.ts'
import type { RunningInstance } from '../router/dispatch/instance.ts'
import { observe } from '../router/dispatch/observe.ts'
import { repeatStates } from '../router/dispatch/repeat-states.ts'
import { Roster } from '../router/dispatch/roster.ts'
import { daemonStatus } from '../router/dispatch/status.ts'
import { HandOvers } from '../router/hand-over/hand-over.ts'
import { OrderQueue } from '../router/orders.ts'
import { Alarm } from './alarm.ts'
import { requireNetAdmin } from './capabilities.ts'
import { checkSpecs } from './check-specs.ts'
import { Firewall } from './firewall.ts'
import { initialiseFiles } from './initial-files.ts'
import { logDiagnostics, logTolerated } from './log-diagnostics.ts'
import { applyNice, engineOptions, runTimed } from './process.ts'
import { Realtime } from './realtime.ts'
import { endWith, Reloads } from './reloads.ts'
import {
  ConfigError,
  type Daemon,
  type DaemonOptions,
  type ReloadResult,
  type StartDaemon,
} from './types.ts'
import { Warden, wardenLock } from './warden.ts'

export const startDaemon: StartDaemon = async (options) => {
  const loaded = await options.loader.load()
  logDiagnostics(options.log, loaded.diagnostics)
  if (loaded.config === null) throw new ConfigError(loaded.diagnostics)
  logTolerated(options.log, loaded.diagnostics)
  requireNetAdmin(loaded.config)
  const { log, runDir } = options
  const ownership = new Ownership({ runDir, log, errands: new Errands() })
  await ownership.open(kernelRequest)
  await runTimed('startup_script', loaded.config.globals.startupScript, log)
  const daemon = new RunningDaemon(options, loaded, loaded.config, ownership)
  await daemon.start()
  return daemon
}

/** How long a start, and a stop, wait for nft; a reload does not. */
const firewallMs = 2_000

/** When remarks that were held back are written, of all instances in one wake-up. */
const remarksEveryMs = 10_000

class RunningDaemon implements Daemon {
  readonly #options: DaemonOptions
  readonly #engine: Engine
  readonly #engineStart: EngineStart
  readonly #realtime: Realtime
  readonly #warden: Warden
  readonly #kernel: Kernel
  readonly #ownership: Ownership
  readonly #firewall: Firewall
  readonly #mirror: KernelReader
  readonly #links: Links
  readonly #memberships: Memberships
  readonly #strangers: Strangers
  readonly #sameHost: SameHost
  readonly #otherTransport: OtherTransport
  readonly #orders: OrderQueue
  readonly #notifier: Notifier
  readonly #pool: CheckPool
  readonly #roster: Roster
  readonly #handOvers: HandOvers
  readonly #reloads: Reloads
  readonly #alarm = new Alarm(() => this.#tick())
  readonly #startedMs = Date.now()
  #lease: NodeJS.Timeout | null = null
  #remarks: NodeJS.Timeout | null = null
  #delay: NodeJS.Timeout | null = null
  #eventsRaised = 0
  /** Scripts that were there at start hold their instances until they report; later ones do not. */
  #holding: ReadonlySet<string>
  #stopping = false

  constructor(options: DaemonOptions, loaded: Loaded, config: Config, ownership: Ownership) {
    const { log, runDir } = options
    this.#options = options
    this.#ownership = ownership
    this.#kernel = new Kernel((address) => ownership.isOurs(address))
    const claim = ownership.claim.bind(ownership)
    const record = (objects: readonly OwnedObject[]) => claim('no_accept', objects)
    this.#firewall = new Firewall({ runDir, log, errands: new Errands(), claim: record })
    ownership.attach({
      holds: (it) => this.#kernel.findHeld(it)?.ours === true,
      onRecorded: () => this.#onRecorded(),
    })
    this.#holding = new Set(config.scripts.map((s) => s.name))
    applyNice(config.globals, log)
    const started = startEngine(engineOptions(config.globals), (events) => this.#onEngine(events))
    this.#engine = started.engine
    this.#engineStart = started.start
    this.#realtime = new Realtime(started.start.realtime, us(config.globals.rttimeUs), log)
    this.#warden = new Warden(started.guard, wardenLock(options.runDir), log)
    for (const note of started.start.notes) log.info(note)
    this.#mirror = this.#openMirror(log)
    this.#links = new Links(this.#engine)
    this.#memberships = new Memberships({
      engine: this.#engine,
      log,
      memberships: () => this.#links.memberships,
      read: readMemberships,
    })
    this.#sameHost = this.#watchSameHost(log)
    this.#otherTransport = new OtherTransport({
      sockets: outgoing,
      log,
      participants: () => this.#roster.instances.flatMap(participantOf),
    })
    this.#strangers = new Strangers(
      this.#links,
      log,
      () => this.#reloads.config.globals.logUnknownVrids,
    )
    this.#orders = new OrderQueue(this.#engine)
    this.#notifier = startNotifier(notifierOptions(config, log))
    this.#pool = startCheckPool({
      workers: options.workers,
      onEvent: (event) => this.#onCheck(event),
    })
    this.#roster = new Roster(
      {
        engine: this.#engine,
        kernel: this.#kernel,
        links: this.#links,
        orders: this.#orders,
        notifier: this.#notifier,
        claim,
        log,
        wallMs: () => Date.now(),
      },
      {
        check: (name) => this.#pool.status(name),
        holds: (name) => this.#holding.has(name),
        kernel: this.#kernel,
      },
    )
    this.#handOvers = new HandOvers({
      roster: this.#roster,
      now: () => this.#engine.now(),
      settle: () => this.#settle(),
    })
    this.#reloads = this.#openReloads(loaded, config)
  }

  #openMirror(log: Log): KernelReader {
    return new KernelReader({
      kernel: this.#kernel,
      engine: this.#engine,
      log,
      onChanges: (changes) => {
        if (this.#stopping) return
        this.#onKernel(changes)
        this.#settle()
      },
    })
  }

  #openReloads(loaded: Loaded, config: Config): Reloads {
    return new Reloads(loaded, config, {
      options: this.#options,
      engine: this.#engine,
      kernel: this.#kernel,
      roster: this.#roster,
      ownership: this.#ownership,
      settings: (next) => {
        this.#notifier.reconfigure(notifierOptions(next, this.#options.log))
        this.#firewall.set(next.instances)
        this.#startLease(next.globals.livenessUs)
      },
      checks: (scripts) => this.#pool.set(checkSpecs(scripts)),
      settle: () => this.#settle(),
      stopping: () => this.#stopping,
      waiting: () => this.#delay !== null,
      applied: ({ scripts, globals }) => {
        if (globals.fifoStatesOnReload) repeatStates(this.#roster, this.#notifier)
        const known = new Set(scripts.map(({ name }) => name))
        this.#holding = new Set([...this.#holding].filter((name) => known.has(name)))
      },
    })
  }

  #watchSameHost(log: Log): SameHost {
    return new SameHost({
      sockets: outgoing,
      log,
      leaders: () => this.#roster.instances.flatMap(leaderOf),
      sent: (slot) => this.#engine.counters(slot).sent,
      counted: () => this.#engine.flush(),
    })
  }

  /** Resolves when all instances take part, or at once if there is a startup delay. */
  async start(): Promise<void> {
    const { globals, instances, scripts } = this.#reloads.config
    await this.#mirror.open()
    this.#reloads.begin()
    this.#ownership.mirrored()
    this.#firewall.sweep(this.#ownership.neighbours)
    this.#firewall.set(instances)
    await this.#firewall.settled(firewallMs)
    this.#startLease(globals.livenessUs)
    this.#memberships.look()
    this.#remarks = setInterval(() => this.#sayHeldBack(), remarksEveryMs)
    this.#warden.start()
    this.#sameHost.looks.start()
    this.#otherTransport.looks.start()
    initialiseFiles(scripts, this.#options.log, () => {
      if (!this.#stopping) this.#pool.set(checkSpecs(this.#reloads.config.scripts))
    })
    const delayMs = globals.startupDelayUs / 1000
    if (delayMs === 0) return this.#reloads.takePart()
    this.#options.log.info(`startup delay: taking part in ${delayMs / 1000} s`)
    this.#delay = setTimeout(() => {
      this.#delay = null
      this.#reloads.takePart().catch(endWith)
    }, delayMs)
  }

  async status(): Promise<Status> {
    const { version } = this.#options
    const config = await this.#reloads.status()
    return daemonStatus({
      roster: this.#roster,
      engine: this.#engine,
      engineStart: { ...this.#engineStart, realtime: this.#realtime.granted },
      links: this.#links,
      kernel: this.#kernel,
      pool: this.#pool,
      scripts: this.#reloads.config.scripts,
      version,
      uptimeMs: Date.now() - this.#startedMs,
      eventsRaised: this.#eventsRaised,
      unknownVrids: this.#strangers.known,
      otherWarnings: [
        ...this.#warden.warnings,
        ...this.#realtime.warnings,
        ...this.#memberships.warnings,
        ...this.#ownership.warnings,
        ...this.#sameHost.looks.findings,
        ...this.#otherTransport.looks.findings,
        ...this.#firewall.warnings,
      ],
      config,
    })
  }

  summary(): string {
    const { length } = this.#roster.instances
    const instances = length === 1 ? '1 instance' : `${length} instances`
    const rejected = this.#reloads.summary
    return rejected === '' ? instances : `${instances}; ${rejected}`
  }

  observe(): Observation {
    return observe({
      configPath: this.#options.configPath,
      config: this.#reloads.config,
      instances: this.#roster.instances,
      engine: this.#engine,
      gaps: (slot) => this.#engine.gaps(slot),
      startedMs: this.#startedMs,
      wallMs: Date.now(),
    })
  }

  results(name: string): Uint8Array {
    const packed = this.#pool.record(name)
    if (packed === null) throw new Error(`no check is called ${name}`)
    return new Uint8Array(packed.buffer)
  }

  reload(force = false): Promise<ReloadResult> {
    return this.#reloads.reload(force)
  }

  push(name: string, failure: string | null): void {
    const ok = failure === null
    if (!this.#pool.push(name, ok, failure ?? 'pushed'))
      throw new Error(`no check ${name} waits to be told (probe push)`)
  }

  async failover(name: string): Promise<readonly HandOver[]> {
    this.#refuseWhileStopping()
    this.#options.log.info(`Asked to hand over ${name}`)
    return this.#handOvers.failover(name)
  }

  async drain(): Promise<readonly HandOver[]> {
    this.#refuseWhileStopping()
    this.#options.log.info('Asked to drain this host')
    return this.#handOvers.drain()
  }

  resume(name: string | null): readonly string[] {
    this.#refuseWhileStopping()
    this.#options.log.info(`Asked to resume ${name ?? 'this host'}`)
    return this.#handOvers.resume(name)
  }

  async stop(): Promise<void> {
    const { log } = this.#options
    this.#stopping = true
    if (this.#delay !== null) clearTimeout(this.#delay)
    this.#mirror.stop()
    this.#alarm.set(null, this.#engine.now())
    for (const instance of this.#roster.instances) instance.stop()
    this.#settle()
    await this.#engine.flush()
    if (this.#lease !== null) clearInterval(this.#lease)
    this.#memberships.stop()
    if (this.#remarks !== null) clearInterval(this.#remarks)
    this.#sameHost.looks.stop()
    this.#otherTransport.looks.stop()
    await Promise.all([this.#pool.stop(), this.#notifier.stop()])
    this.#firewall.set([])
    await this.#firewall.settled(firewallMs)
    await runTimed('shutdown_script', this.#reloads.config.globals.shutdownScript, log)
    this.#options.loader.close()
    this.#warden.stop()
    this.#engine.stop()
    await this.#ownership.close()
    log.info('Stopped')
  }

  #refuseWhileStopping(): void {
    if (this.#stopping) throw new Error('the daemon is stopping')
  }

  /** Proves to the engine that this thread still turns; four times within the bound. */
  #startLease(livenessUs: Us): void {
    if (this.#lease !== null) clearInterval(this.#lease)
    this.#engine.setLiveness(livenessUs)
    if (livenessUs === 0) return
    this.#lease = setInterval(() => this.#engine.renew(), livenessUs / 4000)
  }

  /** What waited for the record may be ordered. */
  #onRecorded(): void {
    this.#firewall.recorded()
    if (this.#stopping) return
    this.#roster.recorded()
    this.#settle()
  }

  /** Once it stops, every instance has its last order: nothing that happens may bring another. */
  #onEngine(events: readonly EngineEvent[]): void {
    this.#eventsRaised += events.length
    if (this.#stopping) return this.#reportFailures(events)
    const changes = events.flatMap((event) => this.#onEngineEvent(event))
    this.#onKernel(changes)
    this.#settle()
  }

  #reportFailures(events: readonly EngineEvent[]): void {
    for (const event of events)
      if (event.kind === 'failed') this.#roster.bySlot(event.slot)?.engineEvent(event)
      else if (event.kind === 'kernel') this.#kernel.apply(event.bytes)
  }

  /** Kernel changes are collected: what was deleted and added again within one batch has not changed. */
  #onEngineEvent(event: EngineEvent): readonly KernelChange[] {
    switch (event.kind) {
      case 'packet':
        this.#roster.bySlot(event.slot)?.receive(event)
        return []
      case 'kernel':
        return this.#mirror.heard(event.bytes)
      case 'overrun':
        this.#options.log.warn('kernel notifications were lost: reading links and addresses again')
        this.#mirror.read()
        return []
      case 'linkFailed':
        for (const slot of this.#links.slotsOf(event.link))
          this.#roster.bySlot(slot)?.linkFailed(event.call, event.code)
        return []
      case 'wardenLost':
        this.#warden.lost()
        return []
      case 'realtimeLost':
        this.#realtime.lost()
        return []
      case 'stranger':
        this.#strangers.heard(event)
        return []
      case 'expired':
      case 'failed':
      case 'late':
      case 'lapsed':
        this.#roster.bySlot(event.slot)?.engineEvent(event)
        return []
      default:
        return unreachable(event)
    }
  }

  #onKernel(changes: readonly KernelChange[]): void {
    for (const { name, text } of linkNews(changes)) {
      const { log } = this.#options
      if (this.#roster.isTracked(name)) log.info(text)
      else log.debug(text)
      this.#roster.linkChanged(name)
    }
    for (const change of changes) {
      if (change.kind === 'address') this.#onAddress(change)
      if (change.kind === 'forwarding') this.#onForwarding(change)
    }
    if (changes.some(({ kind }) => kind === 'address')) this.#roster.addressesChanged()
    if (changes.length > 0) this.#memberships.look()
  }

  #onForwarding({ ifindex }: KernelChange & { kind: 'forwarding' }): void {
    const link = this.#kernel.linkByIndex(ifindex)
    if (link !== null) this.#roster.linkChanged(link.name)
  }

  #onAddress({ held, present, foreign }: KernelChange & { kind: 'address' }): void {
    if (!this.#roster.isVirtual(held.address)) {
      const link = this.#kernel.linkByIndex(held.ifindex)
      if (link !== null) this.#roster.sourceChanged(link.name, held.address)
      return
    }
    if (foreign) return this.#roster.foreignChanged(held.address)
    if (held.duplicate) {
      for (const instance of this.#roster.instances) instance.addressDuplicate(held)
      return
    }
    if (present || this.#kernel.hasAgain(held)) return
    for (const instance of this.#roster.instances) instance.addressVanished(held)
  }

  #onCheck(event: CheckEvent): void {
    const { log } = this.#options
    if (this.#stopping) return
    if (event.kind === 'worker') return log.warn(event.message)
    const { name, result } = event
    const fields = { check: name, output: result.output, durationMs: result.durationMs }
    if (event.kind === 'returned') {
      this.#onReturned(event)
      return
    }
    log.info(`VRRP_Script(${name}) ${describeResult(result)}`, fields)
    this.#roster.assessTracking(name)
    this.#settle()
  }

  /** A file's number counts whether or not it changes the verdict. */
  #onReturned({ name, result }: CheckEvent & { kind: 'returned' }): void {
    const fields = { check: name, output: result.output, durationMs: result.durationMs }
    const status = exitStatus(result.outcome)
    if (status !== null)
      this.#options.log.info(`Script \`${name}\` now returning ${status}`, fields)
    if (result.outcome.kind !== 'value') return
    this.#roster.assessTracking(name)
    this.#settle()
  }

  #tick(): void {
    const now = this.#engine.now()
    for (const instance of this.#roster.instances) instance.tick(now)
    this.#settle()
  }

  #sayHeldBack(): void {
    const now = this.#engine.now()
    for (const instance of this.#roster.instances) instance.sayHeldBack(now)
  }

  /** The end of every batch: groups agree, orders go out, the next tick is set. */
  #settle(): void {
    this.#roster.settle()
    this.#orders.submit()
    this.#handOvers.look()
    const now = this.#engine.now()
    this.#alarm.set(this.#roster.deadlineAt(now), now)
  }
}

function notifierOptions({ globals }: Config, log: DaemonOptions['log']) {
  const { mail, routerId, notifyFifos: fifos, noEmailFaults } = globals
  return { log, mail, routerId, fifos, noEmailFaults }
}

function participantOf({ slot, name, cfg, state, stance }: RunningInstance): Participant[] {
  const { home, link, source } = stance
  if (home === null || link === null || source === null) return []
  const { family, vrid, advertIntervalUs, transport } = cfg
  const peers = transport.kind === 'unicast' ? transport.peers.map((peer) => peer.address) : null
  const on = { interface: home.name, ifindex: home.ifindex, peers, source }
  const since = state.kind === 'master' ? state.since : null
  return [{ slot, name, family, vrid, advertIntervalUs, ...on, since }]
}

/** Adverts to a group alone: those to unicast peers may share a VRID, and each peer gets one. */
function leaderOf({ slot, name, cfg, state, stance }: RunningInstance): readonly Leader[] {
  const { home, link } = stance
  if (state.kind !== 'master' || cfg.transport.kind !== 'multicast') return []
  if (home === null || link === null) return []
  const { family, vrid, advertIntervalUs } = cfg
  const { since } = state
  const on = { interface: home.name, ifindex: home.ifindex }
  return [{ slot, name, family, vrid, ...on, advertIntervalUs, since }]
}
