/** What a daemon is made of: sockets, threads, files, keepers of the kernel's state, joined to the dispatcher. */
import { randomInt } from 'node:crypto'
import type { Log } from '../base/log.ts'
import { startCheckPool } from '../checks/pool/pool.ts'
import type { CheckPool } from '../checks/verdict/pool-contract.ts'
import type { Config } from '../config/types.ts'
import type { Bfd, BfdSuccession } from '../engine/bfd-contract.ts'
import type { Engine, EngineStart } from '../engine/contract.ts'
import { openFrames } from '../engine/frames.ts'
import type { Frames } from '../engine/frames-contract.ts'
import { startEngine } from '../engine/native.ts'
import type { ExchangeEvent, Succession } from '../engine/succession-contract.ts'
import { LinkDelays } from '../kernel/link-delays.ts'
import { Kernel } from '../kernel/mirror.ts'
import { KernelReader } from '../kernel/reader.ts'
import type { Ownership } from '../kernel/record.ts'
import { SettingsKeeper } from '../kernel/settings-keeper.ts'
import type { VirtualLinks } from '../kernel/virtual-links.ts'
import type { Loaded } from '../loading/load.ts'
import { type PassableNotifier, startNotifier } from '../notify/notify.ts'
import type { Happening, Removal } from '../report/event.ts'
import { wantedSettings } from '../router/binding/wanted-settings.ts'
import { Dispatcher } from '../router/dispatch/dispatcher.ts'
import { notifySettings } from '../router/dispatch/plan-run.ts'
import { HandOvers } from '../router/hand-over/hand-over.ts'
import { Alarm } from './alarm.ts'
import { checkSpecs } from './check-specs.ts'
import { Counts } from './counted.ts'
import { Gate, throughGate } from './gate.ts'
import { Lease } from './lease.ts'
import { NftTables } from './nft-tables.ts'
import { applyNice, engineOptions, linkDelays } from './process.ts'
import { Reloads } from './reloads.ts'
import { request } from './request.ts'
import type { DaemonOptions } from './types.ts'
import { UpgradeRecord } from './upgrade-record.ts'
import type { Predecessor } from './upgrade-second.ts'
import type { PassableParts } from './upgrade-state.ts'
import { isStanding, linksOf, openVirtualLinks } from './virtual-links.ts'
import { Watchers } from './watchers.ts'

/** How long a start, a reload and a stop wait for links to be made, or deleted. */
export const linksMs = 2_000

/** Opened together, since each calls others; closed by the daemon, in its order. */
export class Parts {
  readonly options: DaemonOptions
  readonly engine: Engine
  readonly succession: Succession
  readonly engineStart: EngineStart
  readonly bfd: Bfd & BfdSuccession
  readonly frames: Frames
  readonly delays = new LinkDelays(() => performance.now())
  readonly kernel: Kernel
  readonly reader: KernelReader
  readonly ownership: Ownership
  readonly tables: NftTables
  readonly settings: SettingsKeeper
  readonly links: VirtualLinks
  readonly notifier: PassableNotifier
  readonly pool: CheckPool
  readonly watchers: Watchers
  readonly dispatcher: Dispatcher
  readonly handOvers: HandOvers
  readonly reloads: Reloads
  readonly lease: Lease
  readonly gate = new Gate()
  readonly alarm = new Alarm(() => this.gate.run(() => this.dispatcher.tick()))
  readonly startedMs = Date.now()
  readonly upgradeRecord: UpgradeRecord
  readonly counts: Counts

  /** `predecessor`: the process that this one is to succeed. */
  constructor(
    options: DaemonOptions,
    loaded: Loaded,
    config: Config,
    ownership: Ownership,
    predecessor: Predecessor | null,
    onExchange: (event: ExchangeEvent) => void,
  ) {
    const { log, workers } = options
    if (predecessor !== null) this.gate.shut()
    this.options = options
    this.ownership = ownership
    this.delays.set(linkDelays(config.globals))
    this.delays.adopt(predecessor?.delays ?? [])
    this.kernel = new Kernel(
      (address) => ownership.isOurs(address),
      this.delays,
      (name) => this.links.isOwn(name),
    )
    this.tables = this.#openTables(log)
    ownership.attach({
      holds: (it) =>
        it.kind === 'link' ? isStanding(it, this.kernel) : this.kernel.findHeld(it)?.ours === true,
      onRecorded: () =>
        this.gate.run(() => {
          this.tables.recorded()
          this.dispatcher.recorded()
        }),
    })
    applyNice(config.globals, log)
    const { engine, start, guard, succession, openBfd } = startEngine(
      engineOptions(config.globals, predecessor?.exchange),
      (events) => this.gate.run(() => this.dispatcher.onEngine(events)),
      (event) => (event.what === 'took' ? predecessor?.took() : onExchange(event)),
    )
    this.engine = engine
    this.succession = succession
    this.engineStart = start
    this.bfd = openBfd((events) => this.gate.run(() => this.dispatcher.onBfd(events)))
    this.frames = openFrames((frames) => this.gate.run(() => this.dispatcher.onFrames(frames)))
    for (const note of start.notes) log.info(note)
    this.lease = new Lease(engine)
    this.upgradeRecord = this.#openUpgradeRecord(options.version)
    this.counts = this.#openCounts()
    this.settings = this.#openSettings(log)
    this.links = this.#openLinks(log)
    const dispatcher = () => this.dispatcher
    const { globals } = config
    this.watchers = new Watchers({ engine, start, guard, options, globals, log, dispatcher })
    this.reader = new KernelReader({
      kernel: this.kernel,
      engine,
      log,
      onChanges: (changes) => this.gate.run(() => this.dispatcher.onKernel(changes)),
    })
    const { fifos, ...others } = notifySettings(globals)
    // Those of a process before this one are opened when it is silent.
    this.notifier = startNotifier({ log, ...others, fifos: predecessor === null ? fifos : [] })
    this.pool = startCheckPool({
      workers,
      onEvent: (event) => this.gate.run(() => this.dispatcher.onVerdict(event)),
    })
    this.dispatcher = this.#openDispatcher(config, log)
    this.handOvers = new HandOvers({
      roster: this.dispatcher.roster,
      now: () => engine.now(),
      settle: () => this.dispatcher.settle(),
    })
    this.reloads = new Reloads(loaded, {
      options,
      engine,
      ownership,
      dispatcher: this.dispatcher,
      prepare: (next) => this.#prepare(next),
    })
  }

  #openCounts(): Counts {
    return new Counts({
      engine: this.engine,
      dispatcher: () => this.dispatcher,
      wardenLost: () => this.watchers.warden.lost,
    })
  }

  #openUpgradeRecord(version: string): UpgradeRecord {
    return new UpgradeRecord({
      version,
      now: () => this.engine.now(),
      wallMs: () => Date.now(),
      happened: (what) => void this.happened(what),
    })
  }

  #openTables(log: Log): NftTables {
    return new NftTables({
      ...{ log, kernel: this.kernel, runDir: this.options.runDir },
      claim: (objects) => this.ownership.claim('no_accept', objects),
      lease: {
        changed: (names) => this.gate.run(() => this.dispatcher.leases.changed(names)),
        leading: (names) => this.dispatcher.leases.leading(names),
        lapsed: (names) => this.gate.run(() => this.dispatcher.leases.lapsed(names)),
      },
    })
  }

  #openSettings(log: Log): SettingsKeeper {
    const [engine, ownership] = [this.engine, this.ownership]
    return new SettingsKeeper({
      log,
      kernel: this.kernel,
      request: (bytes) => request(engine, bytes),
      record: (objects) => ownership.record('settings', objects),
      neighbours: () => ownership.neighbourSettings(),
    })
  }

  get passable(): PassableParts {
    return {
      dispatcher: this.dispatcher,
      ownership: this.ownership,
      settings: this.settings,
      links: this.links,
      tables: this.tables,
      pool: this.pool,
      notifier: this.notifier,
      bfd: this.bfd,
      record: this.upgradeRecord,
      succession: this.succession,
      counts: this.counts,
      delays: this.delays,
    }
  }

  #openLinks(log: Log): VirtualLinks {
    const { kernel, engine, ownership, gate } = this
    return openVirtualLinks({
      ...{ kernel, engine, log, ownership },
      read: (ifindex) => this.reader.readLink(ifindex, (act) => gate.run(act)),
      onChange: (names) => gate.run(() => this.dispatcher.onLinks(names)),
      onContested: (name) => gate.run(() => this.dispatcher.onContestedLink(name)),
    })
  }

  #openDispatcher(config: Config, log: Log): Dispatcher {
    return new Dispatcher(config, {
      engine: this.engine,
      kernel: this.kernel,
      reader: this.reader,
      notifier: throughGate(this.notifier, this.gate),
      bfd: this.bfd,
      frames: this.frames,
      discriminator: () => randomInt(1, 2 ** 32),
      log,
      verdict: (name) => this.pool.status(name),
      checks: (scripts) => this.pool.set(checkSpecs(scripts)),
      settings: ({ instances, globals }) => {
        this.options.surfaces.follow(globals)
        this.tables.setRules({ globals, instances })
        // An instance that leaves, or is altered, needs them until it has.
        this.settings.set(wantedSettings([...this.dispatcher.config.instances, ...instances]))
        this.delays.set(linkDelays(globals))
        this.reader.arm()
        this.lease.follow(globals.livenessUs)
      },
      claim: (holder, objects) => this.ownership.claim(holder, objects),
      linkState: (name) => this.links.stateOf(name),
      leaseOf: (cfg, key) => this.tables.lease.of(cfg, key),
      alarm: (at, now) => this.alarm.set(at, now),
      wallMs: () => Date.now(),
      happened: (what, removal) => this.happened(what, removal),
      sliceMs: () => performance.now(),
      lost: (what) => this.watchers.lost(what),
      kernelChanged: () => {
        this.links.look()
        this.watchers.kernelChanged()
        this.settings.look()
        this.tables.lease.kernelChanged()
      },
      settled: () => this.handOvers.look(),
    })
  }

  /** What runs keeps its links until it has been altered. */
  async #prepare(next: Config): Promise<void> {
    this.links.want(linksOf([...this.dispatcher.config.instances, ...next.instances]))
    await this.links.settled(linksMs)
    await this.tables.prepare(next)
  }

  happened(what: Happening, removal?: Removal): number | null {
    return this.options.surfaces.happened(what, removal)
  }
}
