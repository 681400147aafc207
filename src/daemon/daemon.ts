/**
 * The daemon's life: opens sockets, threads and files, joins them to the dispatcher, and closes them again. What happens
 * in between is the dispatcher's (router/dispatch), which knows none of this.
 *
 * ```
 *   configuration ─► reloads ─► DISPATCHER ◄── check pool (worker threads)
 *                                │  ▲
 *                         orders ▼  │ events
 *                      engine (its own thread) ◄──► kernel, wire
 * ```
 */
import { randomInt } from 'node:crypto'
import { uptime } from 'node:os'
import type { Log } from '../base/log.ts'
import { usToMilliseconds } from '../base/time.ts'
import { startCheckPool } from '../checks/pool/pool.ts'
import type { CheckPool } from '../checks/verdict/types.ts'
import type { Config } from '../config/types.ts'
import type { Bfd } from '../engine/bfd-contract.ts'
import type { Engine, EngineStart, Succession } from '../engine/contract.ts'
import { openFrames } from '../engine/frames.ts'
import type { Frames } from '../engine/frames-contract.ts'
import { startEngine } from '../engine/native.ts'
import { LinkDelays } from '../kernel/link-delays.ts'
import { Kernel } from '../kernel/mirror.ts'
import { KernelReader } from '../kernel/reader.ts'
import type { Ownership } from '../kernel/record.ts'
import { SettingsKeeper } from '../kernel/settings-keeper.ts'
import type { VirtualLinks } from '../kernel/virtual-links.ts'
import type { Loaded } from '../loading/load.ts'
import { type PassableNotifier, startNotifier } from '../notify/notify.ts'
import type { Dump } from '../report/dump.ts'
import { type Happening, type Removal, reloadLinesMax } from '../report/event.ts'
import type { HandOver } from '../report/hand-over.ts'
import type { MibFacts, MibPlace } from '../report/mib.ts'
import type { Observation } from '../report/observation.ts'
import type { Recent, RecentNames } from '../report/recent.ts'
import type { Status, StatusInstance, StatusRest } from '../report/status.ts'
import { wantedSettings } from '../router/binding/wanted-settings.ts'
import { announceNow } from '../router/dispatch/announce-now.ts'
import { Dispatcher, notifySettings } from '../router/dispatch/dispatcher.ts'
import { type ObserveSources, observe, observeRecent } from '../router/dispatch/observe.ts'
import { daemonStatus, type StatusSources, tellStatus } from '../router/dispatch/status.ts'
import { HandOvers } from '../router/hand-over/hand-over.ts'
import { Alarm } from './alarm.ts'
import { checkSpecs } from './check-specs.ts'
import { dumpFacts } from './dump-facts.ts'
import { Gate, throughGate } from './gate.ts'
import { initialiseFiles } from './initial-files.ts'
import { Lease } from './lease.ts'
import { mibFacts } from './mib-facts.ts'
import { NftTables } from './nft-tables.ts'
import { applyNice, engineOptions, linkDelays, runTimed } from './process.ts'
import { endWith, Reloads } from './reloads.ts'
import { request } from './request.ts'
import { startDelay } from './start-delay.ts'
import type { Daemon, DaemonOptions, ReloadResult } from './types.ts'
import type { UpgradeResult } from './upgrade-first.ts'
import type { Predecessor } from './upgrade-second.ts'
import { adoptState, type PassableParts, type PassedState, takeParts } from './upgrade-state.ts'
import { type UpgradeOrder, Upgrades } from './upgrades.ts'
import { isStanding, linksOf, openVirtualLinks } from './virtual-links.ts'
import { Watchers } from './watchers.ts'

/** How long a start, and a stop, wait for settings of interfaces to be set, or set back. */
const settingsMs = 2_000

/** How long a start, a reload and a stop wait for links to be made, or deleted. */
const linksMs = 2_000

/** How long a start waits for the numbers of its first transitions; a disk may hang. */
const historyMs = 1_000

/** When log lines that were held back are written, of all instances in one wake-up. */
const flushLogEveryMs = 10_000

export class RunningDaemon implements Daemon {
  readonly #options: DaemonOptions
  readonly #engine: Engine
  readonly #succession: Succession
  readonly #engineStart: EngineStart
  readonly #bfd: Bfd
  readonly #frames: Frames
  readonly #delays = new LinkDelays(() => performance.now())
  readonly #kernel: Kernel
  readonly #reader: KernelReader
  readonly #ownership: Ownership
  readonly #tables: NftTables
  readonly #settings: SettingsKeeper
  readonly #links: VirtualLinks
  readonly #notifier: PassableNotifier
  readonly #pool: CheckPool
  readonly #watchers: Watchers
  readonly #dispatcher: Dispatcher
  readonly #handOvers: HandOvers
  readonly #reloads: Reloads
  readonly #lease: Lease
  readonly #gate = new Gate()
  readonly #upgrades: Upgrades
  readonly #alarm = new Alarm(() => this.#gate.run(() => this.#dispatcher.tick()))
  readonly #startedMs = Date.now()
  #flushLog: NodeJS.Timeout | null = null
  #delay: NodeJS.Timeout | null = null

  /** `predecessor`: the process that this one is to succeed. */
  constructor(
    options: DaemonOptions,
    loaded: Loaded,
    config: Config,
    ownership: Ownership,
    predecessor: Predecessor | null = null,
  ) {
    const { log, workers } = options
    if (predecessor !== null) this.#gate.shut()
    this.#options = options
    this.#ownership = ownership
    this.#delays.set(linkDelays(config.globals))
    this.#kernel = new Kernel(
      (address) => ownership.isOurs(address),
      this.#delays,
      (name) => this.#links.isOwn(name),
    )
    this.#tables = this.#openTables(log)
    ownership.attach({
      holds: (it) =>
        it.kind === 'link'
          ? isStanding(it, this.#kernel)
          : this.#kernel.findHeld(it)?.ours === true,
      onRecorded: () =>
        this.#gate.run(() => {
          this.#tables.recorded()
          this.#dispatcher.recorded()
        }),
    })
    applyNice(config.globals, log)
    const { engine, start, guard, succession, openBfd } = startEngine(
      engineOptions(config.globals, predecessor?.exchange),
      (events) => this.#gate.run(() => this.#dispatcher.onEngine(events)),
      (what, at) => (what === 'gave' ? this.#upgrades.gave(at) : predecessor?.took()),
    )
    this.#engine = engine
    this.#succession = succession
    this.#engineStart = start
    this.#bfd = openBfd((events) => this.#gate.run(() => this.#dispatcher.onBfd(events)))
    this.#frames = openFrames((frames) => this.#gate.run(() => this.#dispatcher.onFrames(frames)))
    for (const note of start.notes) log.info(note)
    this.#lease = new Lease(engine)
    this.#settings = this.#openSettings(log)
    this.#links = this.#openLinks(log)
    const dispatcher = () => this.#dispatcher
    const { globals } = config
    this.#watchers = new Watchers({ engine, start, guard, options, globals, log, dispatcher })
    this.#reader = new KernelReader({
      kernel: this.#kernel,
      engine,
      log,
      onChanges: (changes) => this.#gate.run(() => this.#dispatcher.onKernel(changes)),
    })
    const { fifos, ...others } = notifySettings(globals)
    // Those of a process before this one are opened when it is silent.
    this.#notifier = startNotifier({ log, ...others, fifos: predecessor === null ? fifos : [] })
    this.#pool = startCheckPool({
      workers,
      onEvent: (event) => this.#gate.run(() => this.#dispatcher.onVerdict(event)),
    })
    this.#dispatcher = this.#openDispatcher(config, log)
    this.#handOvers = new HandOvers({
      roster: this.#dispatcher.roster,
      now: () => engine.now(),
      settle: () => this.#dispatcher.settle(),
    })
    this.#reloads = new Reloads(loaded, {
      options,
      engine,
      ownership,
      dispatcher: this.#dispatcher,
      prepare: (next) => this.#prepare(next),
    })
    this.#upgrades = this.#openUpgrades()
  }

  #openTables(log: Log): NftTables {
    return new NftTables({
      ...{ log, kernel: this.#kernel, runDir: this.#options.runDir },
      claim: (objects) => this.#ownership.claim('no_accept', objects),
      lease: {
        changed: (names) => this.#gate.run(() => this.#dispatcher.onLease(names)),
        leading: (names) => this.#dispatcher.leadingOf(names),
        lapsed: (names) => this.#gate.run(() => this.#dispatcher.onLeaseLapsed(names)),
      },
    })
  }

  #openSettings(log: Log): SettingsKeeper {
    const [engine, ownership] = [this.#engine, this.#ownership]
    return new SettingsKeeper({
      log,
      kernel: this.#kernel,
      request: (bytes) => request(engine, bytes),
      record: (objects) => ownership.record('settings', objects),
      neighbours: () => ownership.neighbourSettings(),
    })
  }

  #openUpgrades(): Upgrades {
    const { log, version, successor } = this.#options
    return new Upgrades({
      parts: this.#passable,
      engine: this.#engine,
      succession: this.#succession,
      gate: this.#gate,
      ...{ log, version, successor },
      whyNot: () => this.#whyNoUpgrade(),
      given: () => this.#given(),
    })
  }

  get #passable(): PassableParts {
    return {
      dispatcher: this.#dispatcher,
      ownership: this.#ownership,
      settings: this.#settings,
      links: this.#links,
      tables: this.#tables,
      pool: this.#pool,
      notifier: this.#notifier,
    }
  }

  #openLinks(log: Log): VirtualLinks {
    const [kernel, engine, ownership] = [this.#kernel, this.#engine, this.#ownership]
    const onChange = (names: ReadonlySet<string>) =>
      this.#gate.run(() => this.#dispatcher.onLinks(names))
    const onContested = (name: string) =>
      this.#gate.run(() => this.#dispatcher.onContestedLink(name))
    return openVirtualLinks({ kernel, engine, log, ownership, onChange, onContested })
  }

  #openDispatcher(config: Config, log: Log): Dispatcher {
    return new Dispatcher(config, {
      engine: this.#engine,
      kernel: this.#kernel,
      reader: this.#reader,
      notifier: throughGate(this.#notifier, this.#gate),
      bfd: this.#bfd,
      frames: this.#frames,
      discriminator: () => randomInt(1, 2 ** 32),
      log,
      verdict: (name) => this.#pool.status(name),
      checks: (scripts) => this.#pool.set(checkSpecs(scripts)),
      settings: ({ instances, globals }) => {
        this.#options.surfaces.follow(globals)
        this.#tables.setRules({ globals, instances })
        // An instance that leaves, or is altered, needs them until it has.
        this.#settings.set(wantedSettings([...this.#dispatcher.config.instances, ...instances]))
        this.#delays.set(linkDelays(globals))
        this.#reader.arm()
        this.#lease.follow(globals.livenessUs)
      },
      claim: (holder, objects) => this.#ownership.claim(holder, objects),
      linkState: (name) => this.#links.stateOf(name),
      leaseOf: (cfg, key) => this.#tables.lease.of(cfg, key),
      alarm: (at, now) => this.#alarm.set(at, now),
      wallMs: () => Date.now(),
      happened: (what, removal) => this.#happened(what, removal),
      sliceMs: () => performance.now(),
      lost: (what) => this.#watchers.lost(what),
      kernelChanged: () => {
        this.#links.look()
        this.#watchers.kernelChanged()
        this.#settings.look()
        this.#tables.lease.kernelChanged()
      },
      settled: () => this.#handOvers.look(),
    })
  }

  /** Resolves when all instances take part, or at once if there is a startup delay. */
  async start(): Promise<void> {
    const { globals, instances, scripts } = this.#dispatcher.config
    this.#links.inherit(this.#ownership.inheritedLinks)
    this.#links.want(linksOf(instances))
    await this.#reader.open()
    this.#dispatcher.mirrored()
    this.#ownership.mirrored()
    const tables = this.#tables.begin({ globals, instances }, this.#ownership.neighbours)
    this.#settings.set(wantedSettings(instances))
    this.#links.look()
    this.#options.surfaces.follow(globals)
    await Promise.all([
      tables,
      this.#settings.settled(settingsMs),
      this.#links.settled(linksMs),
      this.#options.surfaces.settled(historyMs),
    ])
    this.#lease.follow(globals.livenessUs)
    this.#watchers.startWarden()
    this.#watch()
    initialiseFiles(scripts, this.#options.log, () => {
      if (!this.#dispatcher.stopping) this.#pool.set(checkSpecs(this.#dispatcher.config.scripts))
    })
    await this.#dispatcher.setStatics()
    const delay = startDelay(globals, uptime())
    if (delay === null) return this.#takePart()
    const { log } = this.#options
    log.info(`startup delay: taking part in ${delay.us / 1_000_000} s`, { keyword: delay.keyword })
    this.#delay = setTimeout(() => {
      log.info('startup delay: over')
      void this.#takePart().catch(endWith)
    }, usToMilliseconds(delay.us))
  }

  /** What looks by itself, beside the election. */
  #watch(): void {
    this.#flushLog = setInterval(
      () => this.#gate.run(() => this.#dispatcher.flushLog()),
      flushLogEveryMs,
    )
    this.#watchers.start()
  }

  /**
   * In place of `start`: takes the place of another process. Resolves when that one serves nothing any more. Rejects with
   * the reason: nothing has been altered then.
   */
  async succeed(predecessor: Predecessor): Promise<void> {
    const { log, version } = this.#options
    const { config } = this.#dispatcher
    this.#lease.follow(config.globals.livenessUs)
    await this.#reader.open()
    this.#dispatcher.mirrored()
    this.#ownership.mirrored()
    this.#watchers.startWarden()
    await predecessor.takeSlots(version, (state, attempt) => this.#adopt(state, attempt))
    this.#tables.setRules(config)
    this.#tables.lease.set(config)
    takeParts(this.#passable, predecessor.state, {
      settings: wantedSettings(config.instances),
      links: linksOf(config.instances),
      notify: notifySettings(config.globals),
    })
    this.#reader.arm()
    this.#watch()
    this.#gate.open()
    const { pid, version: before } = predecessor
    log.info(`Went on in place of process ${pid} (vipd ${before})`)
    await predecessor.left()
    this.#options.surfaces.follow(config.globals)
  }

  #adopt(state: unknown, attempt: number): PassedState | string {
    const { instances } = this.#dispatcher.config
    const passed = adoptState(this.#passable, state, linksOf(instances))
    const altering = this.#succession.takeAltering()
    if (typeof passed === 'string') return passed
    const names = new Map(this.#dispatcher.instances.map(({ name, slot }) => [slot, name]))
    const [first] = altering
    if (first !== undefined)
      return `${names.get(first.slot)} would not go on as it is: it would ${first.order.kind}`
    const slots = new Map(this.#dispatcher.instances.map(({ name, slot }) => [name, slot]))
    this.#succession.ready(
      attempt,
      new Map(
        passed.slots.flatMap(([name, slot]) => {
          const own = slots.get(name)
          return own === undefined ? [] : [[slot, own] as const]
        }),
      ),
    )
    return passed
  }

  async #whyNoUpgrade(): Promise<string | null> {
    this.#refuseWhileStopping()
    if (!this.#dispatcher.takesPart) return 'the daemon is still starting'
    if (this.#reloads.busy) return 'a reload is under way'
    if (this.#handOvers.busy) return 'a hand-over is under way'
    if (this.#dispatcher.config.bfd.length > 0) return 'it has BFD sessions'
    const { unchangedOnDisk } = await this.#reloads.status()
    if (unchangedOnDisk === false)
      return 'the configuration has been changed since it was loaded: vipd reload first'
    return null
  }

  /** Another process has everything: nothing here may act any more. */
  #given(): void {
    this.#lease.stop()
    this.#reader.close()
    this.#watchers.stop()
    this.#watchers.stopWarden()
    this.#settings.leave()
    this.#links.leave()
    this.#tables.leave()
    this.#frames.stop()
    if (this.#flushLog !== null) clearInterval(this.#flushLog)
  }

  upgrade(order: UpgradeOrder): Promise<UpgradeResult> {
    return this.#upgrades.run(order)
  }

  /** A lease that an earlier daemon left is ended when its addresses have been given back. */
  async #takePart(): Promise<void> {
    await this.#reloads.takePart()
    await this.#engine.flush()
    if (!this.#dispatcher.stopping) this.#tables.lease.set(this.#dispatcher.config)
  }

  async status(): Promise<Status> {
    return daemonStatus(await this.#statusSources())
  }

  async tellStatus(part: (instances: readonly StatusInstance[]) => void): Promise<StatusRest> {
    return tellStatus(await this.#statusSources(), part)
  }

  async #statusSources(): Promise<StatusSources> {
    const config = await this.#reloads.status()
    const { own, network } = this.#watchers.warnings
    return {
      dispatcher: this.#dispatcher,
      engine: this.#engine,
      engineStart: { ...this.#engineStart, realtime: this.#watchers.realtime },
      kernel: this.#kernel,
      pool: this.#pool,
      leaseOf: (name, leads) => this.#tables.lease.status(name, leads),
      version: this.#options.version,
      uptimeMs: Date.now() - this.#startedMs,
      otherWarnings: [
        ...own,
        ...this.#delays.warnings,
        ...this.#ownership.warnings,
        ...network,
        ...this.#tables.warnings,
        ...this.#settings.warnings,
        ...this.#options.surfaces.warnings,
        ...this.#links.warnings,
      ],
      config,
      warden: this.#watchers.warden,
      notify: this.#notifier.figures,
    }
  }

  async dump(): Promise<Dump> {
    const status = await this.status()
    const { config, instances } = this.#dispatcher
    const running = new Map(instances.map((it) => [it.name, it]))
    return dumpFacts({
      config,
      status,
      kernel: this.#kernel,
      atMs: Date.now(),
      sourceOf: (name) => running.get(name)?.params.source ?? null,
    })
  }

  mib(): MibFacts {
    const { config, instances } = this.#dispatcher
    return mibFacts({
      config,
      kernel: this.#kernel,
      sources: instances.map((it) => [it.cfg.name, it.params.source]),
    })
  }

  mibPlaceOf(instance: string): MibPlace {
    const it = this.#dispatcher.instances.find(({ cfg }) => cfg.name === instance)
    const on = it?.cfg.interface ?? null
    const link = on === null ? null : this.#kernel.linkByName(on)
    return { ifindex: link?.ifindex ?? null, source: it?.params.source ?? null }
  }

  get dumpDirectory(): string | null {
    return this.#dispatcher.config.globals.dumpDirectory
  }

  summary(): string {
    const { length } = this.#dispatcher.instances
    const instances = length === 1 ? '1 instance' : `${length} instances`
    const rejected = this.#reloads.summary
    return rejected === '' ? instances : `${instances}; ${rejected}`
  }

  observe(): Observation {
    return observe(this.#observed())
  }

  #observed(): ObserveSources {
    return {
      configPath: this.#options.configPath,
      config: this.#dispatcher.config,
      instances: this.#dispatcher.instances,
      engine: this.#engine,
      gaps: (slot) => this.#engine.gaps(slot),
      startedMs: this.#startedMs,
      wallMs: Date.now(),
    }
  }

  recent(names: RecentNames): Recent {
    return observeRecent(this.#observed(), this.#pool, names)
  }

  results(name: string): Uint8Array {
    const packed = this.#pool.record(name)
    if (packed === null) throw new Error(`no check is called ${name}`)
    return new Uint8Array(packed.buffer)
  }

  async reload(force = false): Promise<ReloadResult> {
    if (this.#upgrades.busy) throw new Error('an upgrade is under way')
    const result = await this.#reloads.reload(force)
    const lines = result.ok ? result.changes : (result.refusal?.reasons ?? result.diagnostics)
    this.#happened({ kind: 'reload', ok: result.ok, lines: lines.slice(0, reloadLinesMax) })
    if (this.#dispatcher.stopping) return result
    const { instances } = this.#dispatcher.config
    this.#settings.set(wantedSettings(instances))
    this.#links.want(linksOf(instances))
    this.#tables.lease.set(this.#dispatcher.config)
    return result
  }

  /** What runs keeps its links until it has been altered. */
  async #prepare(next: Config): Promise<void> {
    this.#links.want(linksOf([...this.#dispatcher.config.instances, ...next.instances]))
    await this.#links.settled(linksMs)
    await this.#tables.prepare(next)
  }

  push(name: string, failure: string | null): void {
    const ok = failure === null
    if (!this.#pool.push(name, ok, failure ?? 'pushed'))
      throw new Error(`no check ${name} waits to be told (probe push)`)
  }

  checkNow(name: string): void {
    if (!this.#pool.runNow(name)) throw new Error(`no check that can be run is called ${name}`)
  }

  announce(name: string): void {
    this.#refuseWhileStopping()
    announceNow(this.#dispatcher.roster, name)
    this.#options.log.info(`(${name}) Asked to announce its addresses`)
    this.#dispatcher.settle()
  }

  async failover(name: string): Promise<readonly HandOver[]> {
    this.#refuseWhileStopping()
    this.#options.log.info(`Asked to hand over ${name}`)
    this.#happened({ kind: 'failover', name })
    return this.#handOvers.failover(name)
  }

  async drain(): Promise<readonly HandOver[]> {
    this.#refuseWhileStopping()
    this.#options.log.info('Asked to drain this host')
    this.#happened({ kind: 'drain', name: null })
    return this.#handOvers.drain()
  }

  resume(name: string | null): readonly string[] {
    this.#refuseWhileStopping()
    this.#options.log.info(`Asked to resume ${name ?? 'this host'}`)
    this.#happened({ kind: 'resume', name })
    return this.#handOvers.resume(name)
  }

  async stop(): Promise<void> {
    const { log } = this.#options
    if (!(await this.#upgrades.abort('the daemon is to stop'))) return
    if (this.#delay !== null) clearTimeout(this.#delay)
    this.#reader.close()
    this.#dispatcher.stop()
    await this.#engine.flush()
    await this.#dispatcher.removeStatics()
    this.#lease.stop()
    this.#watchers.stop()
    if (this.#flushLog !== null) clearInterval(this.#flushLog)
    await Promise.all([this.#pool.stop(), this.#notifier.stop()])
    const cleared = this.#tables.clear()
    // Links that are up answer ARP as the settings of the interface below say.
    await this.#links.close(linksMs)
    await Promise.all([cleared, this.#settings.close(settingsMs)])
    await runTimed('shutdown_script', this.#dispatcher.config.globals.shutdownScript, log)
    this.#options.loader.close()
    this.#watchers.stopWarden()
    this.#bfd.stop()
    this.#frames.stop()
    this.#engine.stop()
    await this.#ownership.close()
    log.info('Stopped')
  }

  #happened(what: Happening, removal?: Removal): number | null {
    return this.#options.surfaces.happened(what, removal)
  }

  #refuseWhileStopping(): void {
    if (this.#dispatcher.stopping) throw new Error('the daemon is stopping')
    if (this.#upgrades.busy) throw new Error('an upgrade is under way')
  }
}
