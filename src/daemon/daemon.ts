/**
 * The daemon's life: its start, in an empty place or in that of another process, what it is ordered to do, and its end.
 * What happens in between is the dispatcher's (router/dispatch), which knows none of this. What it is made of: parts.ts;
 * what it says of itself: answers.ts.
 *
 * ```
 *   configuration ─► reloads ─► DISPATCHER ◄── check pool (worker threads)
 *                                │  ▲
 *                         orders ▼  │ events
 *                      engine (its own thread) ◄──► kernel, wire
 * ```
 */
import { uptime } from 'node:os'
import { usToMilliseconds } from '../base/time.ts'
import type { Config } from '../config/types.ts'
import { figuresFor } from '../engine/figures.ts'
import type { Ownership } from '../kernel/record.ts'
import type { Loaded } from '../loading/load.ts'
import { reloadLinesMax } from '../report/event.ts'
import type { HandOver } from '../report/hand-over.ts'
import { wantedSettings } from '../router/binding/wanted-settings.ts'
import { announceNow } from '../router/dispatch/announce-now.ts'
import { notifySettings } from '../router/dispatch/plan-run.ts'
import { Answers } from './answers.ts'
import { checkSpecs } from './check-specs.ts'
import { initialiseFiles } from './initial-files.ts'
import { linksMs, Parts } from './parts.ts'
import { runTimed } from './process.ts'
import { endWith } from './reloads.ts'
import { startDelay } from './start-delay.ts'
import type { Daemon, DaemonOptions, ReloadResult } from './types.ts'
import type { UpgradeResult } from './upgrade-first.ts'
import type { Predecessor } from './upgrade-second.ts'
import { adoptState, type PassedState, takeParts } from './upgrade-state.ts'
import { type UpgradeOrder, Upgrades } from './upgrades.ts'
import { linksOf } from './virtual-links.ts'

/** How long a start, and a stop, wait for settings of interfaces to be set, or set back. */
const settingsMs = 2_000

/** How long a start waits for the numbers of its first transitions; a disk may hang. */
const historyMs = 1_000

/** When log lines that were held back are written, of all instances in one wake-up. */
const flushLogEveryMs = 10_000

export class RunningDaemon extends Answers implements Daemon {
  readonly #upgrades: Upgrades
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
    super(
      new Parts(options, loaded, config, ownership, predecessor, (event) =>
        this.#upgrades.exchanged(event),
      ),
    )
    this.#upgrades = this.#openUpgrades()
  }

  #openUpgrades(): Upgrades {
    const { options, passable, engine, succession, gate } = this.parts
    const { log, version, successor } = options
    return new Upgrades({
      parts: passable,
      engine,
      succession,
      gate,
      ...{ log, version, successor },
      whyNot: () => this.#whyNoUpgrade(),
      given: () => this.#given(),
    })
  }

  /** Resolves when all instances take part, or at once if there is a startup delay. */
  async start(): Promise<void> {
    const {
      dispatcher,
      links,
      ownership,
      reader,
      tables,
      settings,
      options,
      lease,
      watchers,
      pool,
    } = this.parts
    const { globals, instances, scripts } = dispatcher.config
    links.inherit(ownership.inheritedLinks)
    links.want(linksOf(instances))
    await reader.open()
    dispatcher.mirrored()
    ownership.mirrored()
    const standing = tables.begin({ globals, instances }, ownership.neighbours)
    settings.set(wantedSettings(instances))
    links.look()
    options.surfaces.follow(globals)
    await Promise.all([
      standing,
      settings.settled(settingsMs),
      links.settled(linksMs),
      options.surfaces.settled(historyMs),
    ])
    lease.follow(globals.livenessUs)
    watchers.startWarden()
    this.#watch()
    initialiseFiles(scripts, options.log, () => {
      if (!dispatcher.stopping) pool.set(checkSpecs(dispatcher.config.scripts))
    })
    await dispatcher.setStatics()
    const delay = startDelay(globals, uptime())
    if (delay === null) return this.#takePart()
    const { log } = options
    log.info(`startup delay: taking part in ${delay.us / 1_000_000} s`, { keyword: delay.keyword })
    this.#delay = setTimeout(() => {
      log.info('startup delay: over')
      void this.#takePart().catch(endWith)
    }, usToMilliseconds(delay.us))
  }

  /** What looks by itself, beside the election. */
  #watch(): void {
    this.#flushLog = setInterval(
      () => this.parts.gate.run(() => this.parts.dispatcher.flushLog()),
      flushLogEveryMs,
    )
    this.parts.watchers.start()
  }

  /**
   * In place of `start`: takes the place of another process. Resolves when that one serves nothing any more. Rejects with
   * the reason: nothing has been altered then.
   */
  async succeed(predecessor: Predecessor): Promise<void> {
    const { options, dispatcher, lease, reader, ownership, watchers, tables, passable, gate } =
      this.parts
    const { log, version } = options
    const { config } = dispatcher
    lease.follow(config.globals.livenessUs)
    await reader.open()
    dispatcher.mirrored()
    ownership.mirrored()
    watchers.startWarden()
    await predecessor.takeSlots(version, (state, attempt) => this.#adopt(state, attempt))
    tables.setRules(config)
    tables.lease.set(config)
    takeParts(passable, predecessor.state, {
      settings: wantedSettings(config.instances),
      links: linksOf(config.instances),
      notify: notifySettings(config.globals),
    })
    reader.arm()
    this.#watch()
    gate.open()
    const { pid, version: before } = predecessor
    log.info(`Went on in place of process ${pid} (vipd ${before})`)
    await predecessor.left()
    options.surfaces.follow(config.globals)
  }

  #adopt(state: unknown, attempt: number): PassedState | string {
    const { dispatcher, passable, succession } = this.parts
    const { instances } = dispatcher.config
    const passed = adoptState(passable, state, linksOf(instances))
    const altering = succession.takeAltering()
    if (typeof passed === 'string') return passed
    const names = new Map(dispatcher.instances.map(({ name, slot }) => [slot, name]))
    const [first] = altering
    if (first !== undefined)
      return `${names.get(first.slot)} would not go on as it is: it would ${first.order.kind}`
    const slots = new Map(dispatcher.instances.map(({ name, slot }) => [name, slot]))
    const moved = new Map(
      passed.slots.flatMap(([name, slot]) => {
        const own = slots.get(name)
        return own === undefined ? [] : [[slot, own] as const]
      }),
    )
    succession.countOnFrom(figuresFor(moved, passed.engine))
    succession.ready(attempt, moved)
    return passed
  }

  async #whyNoUpgrade(): Promise<string | null> {
    const { dispatcher, reloads, handOvers } = this.parts
    if (dispatcher.stopping) return 'the daemon is stopping'
    if (!dispatcher.takesPart) return 'the daemon is still starting'
    if (reloads.busy) return 'a reload is under way'
    if (handOvers.busy) return 'a hand-over is under way'
    const { unchangedOnDisk } = await reloads.status()
    if (unchangedOnDisk === false)
      return 'the configuration has been changed since it was loaded: vipd reload first'
    return null
  }

  /** Another process has everything: nothing here may act any more. */
  #given(): void {
    const { lease, reader, watchers, settings, links, tables, bfd, frames } = this.parts
    lease.stop()
    reader.close()
    watchers.stop()
    watchers.stopWarden()
    settings.leave()
    links.leave()
    tables.leave()
    // Its thread gives the sessions before it ends, if it has not yet.
    bfd.stop()
    frames.stop()
    if (this.#flushLog !== null) clearInterval(this.#flushLog)
  }

  upgrade(order: UpgradeOrder): Promise<UpgradeResult> {
    return this.#upgrades.run(order)
  }

  get succeededBy(): number | null {
    return this.#upgrades.succeededBy
  }

  upgradeDecided(): Promise<void> {
    return this.#upgrades.decided
  }

  /** A lease that an earlier daemon left is ended when its addresses have been given back. */
  async #takePart(): Promise<void> {
    const { reloads, engine, dispatcher, tables } = this.parts
    await reloads.takePart()
    await engine.flush()
    if (!dispatcher.stopping) tables.lease.set(dispatcher.config)
  }

  async reload(force = false): Promise<ReloadResult> {
    const { reloads, dispatcher, settings, links, tables } = this.parts
    this.#refuseInUpgrade()
    const result = await reloads.reload(force)
    const lines = result.ok ? result.changes : (result.refusal?.reasons ?? result.diagnostics)
    this.parts.happened({ kind: 'reload', ok: result.ok, lines: lines.slice(0, reloadLinesMax) })
    if (dispatcher.stopping) return result
    const { instances } = dispatcher.config
    settings.set(wantedSettings(instances))
    links.want(linksOf(instances))
    tables.lease.set(dispatcher.config)
    return result
  }

  push(name: string, failure: string | null): void {
    this.#refuseWhilePassing()
    const ok = failure === null
    if (!this.parts.pool.push(name, ok, failure ?? 'pushed'))
      throw new Error(`no push check is called ${name} (probe push)`)
  }

  checkNow(name: string): void {
    this.#refuseWhilePassing()
    if (!this.parts.pool.runNow(name)) throw new Error(`no check that can be run is called ${name}`)
  }

  announce(name: string): void {
    this.#refuseWhileStopping()
    announceNow(this.parts.dispatcher.roster, name)
    this.parts.options.log.info(`(${name}) Asked to announce its addresses`)
    this.parts.dispatcher.settle()
  }

  async failover(name: string): Promise<readonly HandOver[]> {
    this.#refuseWhileStopping()
    this.parts.options.log.info(`Asked to hand over ${name}`)
    this.parts.happened({ kind: 'failover', name })
    return this.parts.handOvers.failover(name)
  }

  async drain(): Promise<readonly HandOver[]> {
    this.#refuseWhileStopping()
    this.parts.options.log.info('Asked to drain this host')
    this.parts.happened({ kind: 'drain', name: null })
    return this.parts.handOvers.drain()
  }

  resume(name: string | null): readonly string[] {
    this.#refuseWhileStopping()
    this.parts.options.log.info(`Asked to resume ${name ?? 'this host'}`)
    this.parts.happened({ kind: 'resume', name })
    return this.parts.handOvers.resume(name)
  }

  async stop(): Promise<void> {
    const {
      options,
      reader,
      dispatcher,
      engine,
      lease,
      watchers,
      pool,
      notifier,
      tables,
      links,
      settings,
      bfd,
      frames,
      ownership,
    } = this.parts
    const { log } = options
    if (!(await this.#upgrades.abort('the daemon is to stop'))) return
    if (this.#delay !== null) clearTimeout(this.#delay)
    reader.close()
    dispatcher.stop()
    await engine.flush()
    await dispatcher.removeStatics()
    lease.stop()
    watchers.stop()
    if (this.#flushLog !== null) clearInterval(this.#flushLog)
    await Promise.all([pool.stop(), notifier.stop()])
    const cleared = tables.clear()
    // Links that are up answer ARP as the settings of the interface below say.
    await links.close(linksMs)
    await Promise.all([cleared, settings.close(settingsMs)])
    await runTimed('shutdown_script', dispatcher.config.globals.shutdownScript, log)
    options.loader.close()
    watchers.stopWarden()
    bfd.stop()
    frames.stop()
    engine.stop()
    await ownership.close()
    log.info('Stopped')
  }

  #refuseWhileStopping(): void {
    if (this.parts.dispatcher.stopping) throw new Error('the daemon is stopping')
    this.#refuseInUpgrade()
  }

  #refuseInUpgrade(): void {
    if (this.#upgrades.busy) throw new Error('an upgrade is under way')
  }

  /** The state is with the other process: what came now would be lost if that one goes on. */
  #refuseWhilePassing(): void {
    if (this.parts.gate.isShut) throw new Error('an upgrade is under way')
  }
}
