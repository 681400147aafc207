/**
 * The reacting half of the daemon: everything that happens comes in here, and what follows goes out through ports. It
 * opens nothing, owns no timer and waits for nothing, so the simulator drives the same class in virtual time.
 *
 * ```
 *   plan of a reload ─► instances, sync groups ◄── tracker ◄── verdicts of the checks
 *                        │  ▲                       ▲
 *                 orders ▼  │ events                │ links, addresses
 *                         engine ◄──► kernel, wire
 * ```
 *
 * Each batch is worked off to the end, sync groups settle, and only then are the orders submitted, so that what belongs
 * together goes out together.
 */
import { minUs } from '../../base/time.ts'
import type { CheckEvent } from '../../checks/verdict/pool-contract.ts'
import { noStatics } from '../../config/statics.ts'
import type { Config, Globals } from '../../config/types.ts'
import { describeFault } from '../../election/describe.ts'
import type { BfdEngineEvent } from '../../engine/bfd-contract.ts'
import type { EngineEvent } from '../../engine/contract.ts'
import type { HeardFrame } from '../../engine/frames-contract.ts'
import type { OwnedObject } from '../../kernel/marks.ts'
import type { KernelChange } from '../../kernel/mirror.ts'
import type { StatusUnknownVrid } from '../../report/status.ts'
import { BfdSessions } from '../bfd/sessions.ts'
import { ownedObjects } from '../binding/interface-resolution.ts'
import { Links } from '../binding/sockets.ts'
import { UnknownVrids } from '../binding/unknown-vrids.ts'
import { OrderQueue } from '../orders.ts'
import type { Pause } from '../reload/apply.ts'
import { planReload, type Refusals, type ReloadPlan } from '../reload/plan.ts'
import { namedInterfaces } from '../tracking/tracker.ts'
import { sessionChanged, takeovers } from './bfd-tracking.ts'
import { CheckVerdicts } from './check-verdicts.ts'
import { Claims } from './claims.ts'
import type { DispatcherPorts } from './dispatcher-ports.ts'
import { routeEngineEvents, routeLastEvents } from './engine-events.ts'
import type { RunningInstance } from './instance.ts'
import { routeKernelChanges } from './kernel-changes.ts'
import { Leases } from './leases.ts'
import { type Carriers, knownBy, takeOver } from './passing.ts'
import { PlanRun } from './plan-run.ts'
import { repeatStates } from './repeat-states.ts'
import { Roster } from './roster.ts'
import {
  isRouterState,
  type NotNow,
  type RouterState,
  stateVersion,
  whyUnknown,
} from './router-state.ts'
import { RoutingNews } from './routing-news.ts'
import { SharedEntries } from './shared-entries.ts'
import { StaticEntries } from './static-entries.ts'

export class Dispatcher {
  readonly roster: Roster
  readonly links: Links
  readonly bfd: BfdSessions
  readonly statics: StaticEntries
  readonly claims: Claims
  readonly leases: Leases
  readonly #ports: DispatcherPorts
  readonly #orders: OrderQueue
  readonly #unknownVrids: UnknownVrids
  readonly #verdicts: CheckVerdicts
  /** What takes effect at the start alone was taken from here. */
  readonly #started: Globals
  /** In force: applied whole. */
  #config: Config
  #interfacesAtStart: readonly string[] = []
  #takesPart = false
  #stopping = false
  readonly #routingNews: RoutingNews
  readonly #planRun: PlanRun
  #eventsRaised = 0

  /** `config`: in force from here on; its instances take part from `start`. */
  constructor(config: Config, ports: DispatcherPorts) {
    const { engine, kernel, log } = ports
    this.#ports = ports
    this.#config = config
    this.#started = config.globals
    this.#verdicts = new CheckVerdicts(config, ports)
    this.bfd = new BfdSessions({
      ...ports,
      now: () => engine.now(),
      changed: (name, word) => sessionChanged(name, word, { ...ports, roster: this.roster }),
    })
    const shared = new SharedEntries()
    this.#routingNews = new RoutingNews(engine, log)
    this.statics = new StaticEntries({
      ...{ engine, kernel, shared, log },
      claim: (objects) => ports.claim('static', objects),
      rescheduled: () => {
        if (!this.#stopping) this.settle()
      },
    })
    this.links = new Links(engine)
    this.#orders = new OrderQueue(engine)
    this.#unknownVrids = new UnknownVrids(
      this.links,
      log,
      () => this.#config.globals.logUnknownVrids,
    )
    this.roster = new Roster(
      { ...ports, links: this.links, orders: this.#orders, shared },
      {
        check: (name) => this.#verdicts.of(name),
        holds: (name) => this.#verdicts.holds(name),
        session: (name) => this.bfd.reading(name),
        kernel,
      },
    )
    const { roster, bfd, statics } = this
    this.#planRun = new PlanRun({
      ...{ ...ports, roster, bfd, statics, routingNews: this.#routingNews },
      settle: () => this.settle(),
      stopping: () => this.#stopping,
    })
    this.claims = new Claims({ ...ports, roster, now: () => engine.now() })
    const react = (act: () => void) => this.#react(act)
    this.leases = new Leases({ ...{ engine, log, roster, bfd }, react })
  }

  get config(): Config {
    return this.#config
  }
  get instances(): readonly RunningInstance[] {
    return this.roster.instances
  }
  /** Interfaces that may be absent at a reload without being a mistake of the file: of the start, and named in force. */
  get knownInterfaces(): readonly string[] {
    return [...new Set([...this.#interfacesAtStart, ...namedInterfaces(this.#config)])]
  }
  /** Its instances have begun, here or in a process before. */
  get takesPart(): boolean {
    return this.#takesPart && !this.#planRun.changing
  }
  /** Every instance has its last order. */
  get stopping(): boolean {
    return this.#stopping
  }
  /** Of the engine, since the start. */
  get eventsRaised(): number {
    return this.#eventsRaised
  }
  get unknownVrids(): readonly StatusUnknownVrid[] {
    return this.#unknownVrids.known
  }

  /** The mirror of the kernel is filled for the first time. */
  mirrored(): void {
    this.#interfacesAtStart = this.#ports.kernel.linkNames
  }

  /** Those of the configuration in force: before an instance takes part. Resolves when the kernel has answered. */
  setStatics(): Promise<void> {
    this.#routingNews.follow(this.#config)
    this.statics.set(this.#config.statics)
    return this.statics.settled()
  }

  /** After `stop`, when the instances have given up theirs. Resolves when the kernel has answered. */
  removeStatics(): Promise<void> {
    this.statics.set(noStatics)
    return this.statics.settled()
  }

  /**
   * What becomes of the instances and settings if `next` takes the place of what is in force, or why it cannot. Before
   * `start` no instance takes part, however often the configuration is read. Changes nothing.
   */
  *plan(next: Config): Generator<void, ReloadPlan | Refusals> {
    const facts = { running: this.roster.facts(), started: this.#started }
    const planned = this.#takesPart ? next : { ...next, instances: [], groups: [] }
    const plan = yield* planReload(this.#config, planned, facts)
    return plan.ok ? { ...plan, next } : plan
  }

  /** The plan by which the configuration in force takes part. */
  planStart(): Generator<void, ReloadPlan | Refusals> {
    this.#takesPart = true
    return this.plan(this.#config)
  }

  /** What may appear in the kernel by a plan: to be recorded before it is applied. */
  objectsOf({ next }: ReloadPlan): readonly OwnedObject[] {
    if (!this.#takesPart) return []
    return next.instances.flatMap((cfg) => ownedObjects(cfg, this.#ports.kernel))
  }

  /** Settings and checks are there already. True when all of it has been applied. */
  *start(plan: ReloadPlan): Generator<Pause, boolean> {
    return yield* this.#carryOut(plan, true)
  }

  /** `plan`: of `this.plan`, with no other applied since. True when all of it has been applied. */
  *apply(plan: ReloadPlan): Generator<Pause, boolean> {
    const whole = yield* this.#carryOut(plan, false)
    if (!whole) return false
    if (plan.next.globals.fifoStatesOnReload) repeatStates(this.roster, this.#ports.notifier)
    return true
  }

  /**
   * All that another process needs to go on where this one is, as a plain value: numbers, text, lists and records, so that
   * JSON carries it. Or why not now: a plan is being applied, or an instance is between two states. Left out is what a
   * new process finds out by itself (the kernel) and what may begin anew (limits of log lines, counters of the engine).
   */
  state(): RouterState | NotNow {
    const now = this.#ports.engine.now()
    if (this.#planRun.changing || this.#stopping)
      return { ok: false, why: 'instances are being changed' }
    const waiting = this.instances.find((it) => it.isTakingOver(now))
    if (waiting !== undefined) return { ok: false, why: `${waiting.name} is about to take over` }
    return {
      version: stateVersion,
      at: now,
      eventsRaised: this.#eventsRaised,
      interfacesAtStart: this.#interfacesAtStart,
      ...knownBy(this.#carriers, this.#config),
    }
  }

  /**
   * In place of `start`: goes on where another process ended, with its state and this configuration. Orders nothing that
   * alters anything. A sentence that says why not: then nothing has been ordered. A later state of that process can be
   * adopted instead, as long as the engine leaves everything to that one.
   */
  adopt(state: unknown): string | null {
    if (!isRouterState(state)) return whyUnknown(state)
    const why = takeOver(this.#carriers, this.#config, state)
    if (why !== null) return why
    this.bfd.setTakeovers(takeovers(this.roster))
    this.#eventsRaised = state.eventsRaised
    this.#takesPart = true
    this.#interfacesAtStart = state.interfacesAtStart
    this.#routingNews.follow(this.#config)
    this.settle()
    return null
  }

  /** Instances whose configuration is not in force because the kernel refused it, one sentence each. */
  get notApplied(): readonly string[] {
    return this.instances.flatMap(({ name, applied, binding }) =>
      applied ? [] : [`${name}: not applied: ${binding.faults.map(describeFault).join(', ')}`],
    )
  }

  /** Once it stops, every instance has its last order: nothing that happens may bring another. */
  onEngine(events: readonly EngineEvent[]): void {
    this.#eventsRaised += events.length
    const { kernel, reader, log, lost } = this.#ports
    const { roster, links } = this
    if (this.#stopping) return routeLastEvents(events, { roster, kernel })
    const to = { roster, links, unknownVrids: this.#unknownVrids, reader, log, lost }
    this.#routeKernel(routeEngineEvents(events, to))
    this.settle()
  }

  /** What a reading of the kernel found to be different. */
  onKernel(changes: readonly KernelChange[]): void {
    this.#react(() => this.#routeKernel(changes))
  }

  onVerdict(event: CheckEvent): void {
    if (this.#stopping) return
    if (event.kind === 'worker') return this.#ports.log.warn(event.message)
    if (!this.#verdicts.report(event)) return
    this.roster.assessTracking(event.name)
    this.settle()
  }

  onBfd(events: readonly BfdEngineEvent[]): void {
    this.#react(() => this.bfd.onEvents(events))
  }

  onFrames(frames: readonly HeardFrame[]): void {
    this.#react(() => this.claims.onFrames(frames))
  }

  /** The alarm rang. */
  tick(): void {
    this.#react(() => {
      const now = this.#ports.engine.now()
      this.bfd.tick(now)
      this.statics.tick(now)
      this.claims.tick(now)
      for (const instance of this.instances) instance.tick(now)
    })
  }

  /** What waited for the record may be ordered. */
  recorded(): void {
    this.statics.recorded()
    this.#react(() => this.roster.recorded())
  }

  /** Links that vipd makes are there now, or cannot be made. */
  onLinks(names: ReadonlySet<string>): void {
    this.#react(() => this.roster.linksChanged(names))
  }

  /** Another program undoes again and again what a link that vipd makes is given. */
  onContestedLink(name: string): void {
    this.#react(() => {
      for (const instance of this.instances) instance.linkContested(name)
    })
  }

  /** To be called every few seconds: writes log lines that were held back, as far as their limits allow. */
  flushLog(): void {
    const now = this.#ports.engine.now()
    this.statics.flushLog(now)
    this.leases.writeLog()
    for (const instance of this.instances) instance.flushLog(now)
  }

  /** Priority 0 where it leads, addresses away. The engine is flushed by the caller. */
  stop(): void {
    this.#stopping = true
    this.bfd.stop()
    for (const instance of this.instances) instance.stop()
    this.settle()
    this.#ports.alarm(null, this.#ports.engine.now())
  }

  /** The end of every batch: groups agree, orders go out, the next tick is set. */
  settle(): void {
    this.roster.settle()
    this.#orders.submit()
    this.#ports.settled()
    const now = this.#ports.engine.now()
    this.claims.follow(now)
    const instants = [
      this.roster.deadlineAt(now),
      this.bfd.retryAt,
      this.statics.dueAt(now),
      this.claims.dueAt(now),
    ]
    const wanted = instants.flatMap((at) => at ?? [])
    this.#ports.alarm(wanted.length === 0 ? null : wanted.reduce(minUs), now)
  }

  /** A batch: once the daemon stops, nothing that happens brings another order. */
  #react(to: () => void): void {
    if (this.#stopping) return
    to()
    this.settle()
  }

  *#carryOut(plan: ReloadPlan, isStart: boolean): Generator<Pause, boolean> {
    const whole = yield* this.#planRun.run(plan, isStart)
    if (!whole) return false
    const { next } = plan
    this.#config = next
    this.bfd.setTakeovers(takeovers(this.roster))
    this.#verdicts.keep(next)
    return true
  }

  get #carriers(): Carriers {
    const { roster, bfd, statics } = this
    return { roster, bfd, statics, verdicts: this.#verdicts, unknownVrids: this.#unknownVrids }
  }

  #routeKernel(changes: readonly KernelChange[]): void {
    const { kernel, log, kernelChanged } = this.#ports
    this.statics.onKernel(changes)
    routeKernelChanges(changes, { roster: this.roster, kernel, log })
    if (changes.length === 0) return
    this.bfd.kernelChanged()
    this.claims.kernelChanged()
    kernelChanged()
  }
}
