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
import { unreachable } from '../../base/assert.ts'
import { minUs } from '../../base/time.ts'
import { describeResult, exitStatus } from '../../checks/verdict/describe.ts'
import type { CheckEvent, CheckStatus } from '../../checks/verdict/types.ts'
import { noStatics } from '../../config/statics.ts'
import type { Config, Globals } from '../../config/types.ts'
import { describeFault } from '../../election/describe.ts'
import type { BfdEngineEvent } from '../../engine/bfd-contract.ts'
import type { EngineEvent, SlotId } from '../../engine/contract.ts'
import type { HeardFrame } from '../../engine/frames-contract.ts'
import type { OwnedObject } from '../../kernel/marks.ts'
import type { KernelChange } from '../../kernel/mirror.ts'
import type { StatusUnknownVrid } from '../../report/status.ts'
import { BfdSessions } from '../bfd/sessions.ts'
import { ownedObjects } from '../binding/interface-resolution.ts'
import { Links } from '../binding/sockets.ts'
import { UnknownVrids } from '../binding/unknown-vrids.ts'
import { OrderQueue } from '../orders.ts'
import { type ApplyPorts, applyPlan, type Pause } from '../reload/apply.ts'
import { planReload, type Refusals, type ReloadPlan } from '../reload/plan.ts'
import { namedInterfaces } from '../tracking/tracker.ts'
import { Claims } from './claims.ts'
import type { DispatcherPorts } from './dispatcher-ports.ts'
import type { RunningInstance } from './instance.ts'
import { routeKernelChanges } from './kernel-changes.ts'
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

/** The part of the globals that the notifier takes. */
export const notifySettings = (globals: Globals) => {
  const { mail, routerId, notifyFifos: fifos, noEmailFaults } = globals
  return { mail, routerId, fifos, noEmailFaults }
}

const trackablesOf = ({ scripts, bfd }: Config): readonly string[] =>
  [...scripts, ...bfd].map(({ name }) => name)

export class Dispatcher {
  readonly roster: Roster
  readonly links: Links
  readonly bfd: BfdSessions
  readonly statics: StaticEntries
  readonly claims: Claims
  readonly #ports: DispatcherPorts
  readonly #orders: OrderQueue
  readonly #unknownVrids: UnknownVrids
  /** What takes effect at the start alone was taken from here. */
  readonly #started: Globals
  /** In force: applied whole. */
  #config: Config
  /** Scripts that were there at the start hold their instances until they report; later ones do not. */
  #holding: ReadonlySet<string>
  #adoptedVerdicts: ReadonlyMap<string, CheckStatus> = new Map()
  #interfacesAtStart: readonly string[] = []
  #takesPart = false
  #changing = false
  #stopping = false
  readonly #routingNews: RoutingNews
  #eventsRaised = 0

  /** `config`: in force from here on; its instances take part from `start`. */
  constructor(config: Config, ports: DispatcherPorts) {
    const { engine, kernel, notifier, log } = ports
    this.#ports = ports
    this.#config = config
    this.#started = config.globals
    this.#holding = new Set(trackablesOf(config))
    this.bfd = new BfdSessions({
      ...ports,
      now: () => engine.now(),
      changed: (name, word) => this.#sessionChanged(name, word),
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
      {
        engine,
        kernel,
        links: this.links,
        orders: this.#orders,
        shared,
        notifier,
        claim: (slot, objects) => ports.claim(slot, objects),
        linkState: ports.linkState,
        leaseOf: ports.leaseOf,
        log,
        happened: (what, removal) => ports.happened(what, removal),
        wallMs: () => ports.wallMs(),
      },
      {
        check: (name) => this.#verdict(name),
        holds: (name) => this.#holding.has(name),
        session: (name) => this.bfd.reading(name),
        kernel,
      },
    )
    const { roster } = this
    this.claims = new Claims({ ...ports, roster, now: () => engine.now() })
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
    return this.#takesPart && !this.#changing
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
    const none = () => undefined
    this.bfd.set(plan.next.bfd)
    return yield* this.#carryOut(plan, { ...this.#applyPorts(), settings: none, checks: none })
  }

  /** `plan`: of `this.plan`, with no other applied since. True when all of it has been applied. */
  *apply(plan: ReloadPlan): Generator<Pause, boolean> {
    const whole = yield* this.#carryOut(plan, this.#applyPorts())
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
    if (this.#changing || this.#stopping) return { ok: false, why: 'instances are being changed' }
    const waiting = this.instances.find((it) => it.isTakingOver(now))
    if (waiting !== undefined) return { ok: false, why: `${waiting.name} is about to take over` }
    return {
      version: stateVersion,
      at: now,
      eventsRaised: this.#eventsRaised,
      interfacesAtStart: this.#interfacesAtStart,
      holding: [...this.#holding],
      verdicts: this.#config.scripts.flatMap(({ name }) => this.#verdict(name) ?? []),
      unknownVrids: this.unknownVrids,
      bfd: this.bfd.snapshot(),
      statics: this.statics.snapshot(),
      ...this.roster.snapshot(),
    }
  }

  /**
   * In place of `start`: goes on where another process ended, with its state and this configuration. Orders nothing that
   * alters anything. A sentence that says why not: then nothing has been ordered. A later state of that process can be
   * adopted instead, as long as the engine leaves everything to that one.
   */
  adopt(state: unknown): string | null {
    if (!isRouterState(state)) return whyUnknown(state)
    // What was adopted before is out of date.
    this.bfd.stop()
    this.roster.clear()
    this.#holding = new Set(state.holding)
    this.#adoptedVerdicts = new Map(state.verdicts.map((one) => [one.name, one]))
    this.bfd.adopt(this.#config.bfd, state.bfd)
    const why = this.roster.adopt(this.#config, state)
    if (why !== null) return why
    this.statics.adopt(this.#config.statics, state.statics)
    this.#setTakeovers()
    this.#eventsRaised = state.eventsRaised
    this.#unknownVrids.adopt(state.unknownVrids)
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
    if (this.#stopping) return this.#reportFailures(events)
    const changes = events.flatMap((event) => this.#onEngineEvent(event))
    this.#routeKernel(changes)
    this.settle()
  }

  /** What a reading of the kernel found to be different. */
  onKernel(changes: readonly KernelChange[]): void {
    if (this.#stopping) return
    this.#routeKernel(changes)
    this.settle()
  }

  onVerdict(event: CheckEvent): void {
    const { log } = this.#ports
    if (this.#stopping) return
    if (event.kind === 'worker') return log.warn(event.message)
    const { name, result } = event
    const fields = { check: name, output: result.output, durationMs: result.durationMs }
    if (event.kind === 'verdict') {
      const why = describeResult(result)
      log.info(`VRRP_Script(${name}) ${why}`, fields)
      this.#ports.happened({ kind: 'check', name, good: event.good, why })
    } else {
      const status = exitStatus(result.outcome)
      if (status !== null) log.info(`Script \`${name}\` now returning ${status}`, fields)
      if (event.kind === 'returned') return
    }
    this.roster.assessTracking(name)
    this.settle()
  }

  onBfd(events: readonly BfdEngineEvent[]): void {
    if (this.#stopping) return
    this.bfd.onEvents(events)
    this.settle()
  }

  onFrames(frames: readonly HeardFrame[]): void {
    if (this.#stopping) return
    this.claims.onFrames(frames)
    this.settle()
  }

  /** The alarm rang. */
  tick(): void {
    if (this.#stopping) return
    const now = this.#ports.engine.now()
    this.bfd.tick(now)
    this.statics.tick(now)
    this.claims.tick(now)
    for (const instance of this.instances) instance.tick(now)
    this.settle()
  }

  /** What waited for the record may be ordered. */
  recorded(): void {
    this.statics.recorded()
    if (this.#stopping) return
    this.roster.recorded()
    this.settle()
  }

  /** Links that vipd makes are there now, or cannot be made. */
  onLinks(names: ReadonlySet<string>): void {
    if (this.#stopping) return
    this.roster.linksChanged(names)
    this.settle()
  }

  /** Another program undoes again and again what a link that vipd makes is given. */
  onContestedLink(name: string): void {
    if (this.#stopping) return
    for (const instance of this.roster.instances) instance.linkContested(name)
    this.settle()
  }

  /** The kernel lease of instances has come into force, or is no more. */
  onLease(names: ReadonlySet<string>): void {
    if (this.#stopping) return
    for (const instance of this.instances) if (names.has(instance.name)) instance.refresh()
    this.settle()
  }

  /** Of these instances, those that are master. */
  leadingOf(names: ReadonlySet<string>): readonly string[] {
    const leads = (it: RunningInstance) => names.has(it.name) && it.state.kind === 'master'
    return this.instances.filter(leads).map(({ name }) => name)
  }

  /** The kernel takes the adverts of these masters for a stale one's. */
  onLeaseLapsed(names: ReadonlySet<string>): void {
    if (this.#stopping) return
    for (const instance of this.instances) if (names.has(instance.name)) instance.keeper.openLease()
    this.settle()
  }

  /** To be called every few seconds: writes log lines that were held back, as far as their limits allow. */
  flushLog(): void {
    const now = this.#ports.engine.now()
    this.statics.flushLog(now)
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

  /** What another process knew counts until a check has its first result here. */
  #verdict(name: string): CheckStatus | null {
    const status = this.#ports.verdict(name)
    if (status !== null && status.good !== null) return status
    return this.#adoptedVerdicts.get(name) ?? status
  }

  *#carryOut(plan: ReloadPlan, ports: ApplyPorts): Generator<Pause, boolean> {
    this.#changing = true
    this.#routingNews.follow(plan.next)
    // An instance may have its source from them, or a route through them.
    this.statics.set(plan.next.statics)
    if (this.statics.busy) yield 'statics'
    const whole = !this.#stopping && (yield* applyPlan(plan, ports))
    this.#changing = false
    if (whole) this.#applied(plan.next)
    return whole
  }

  #applied(next: Config): void {
    this.#config = next
    this.#setTakeovers()
    const known = new Set(trackablesOf(next))
    this.#holding = new Set([...this.#holding].filter((name) => known.has(name)))
  }

  #applyPorts() {
    const { notifier, engine, checks, settings, sliceMs } = this.#ports
    return {
      roster: this.roster,
      settings: (next: Config) => {
        notifier.reconfigure(notifySettings(next.globals))
        engine.setLiveness(next.globals.livenessUs)
        this.bfd.set(next.bfd)
        settings(next)
      },
      checks,
      settle: () => this.settle(),
      nowMs: sliceMs,
      stopping: () => this.#stopping,
    }
  }

  #sessionChanged(name: string, word: string): void {
    const session = name.slice(name.indexOf('/') + 1)
    this.#ports.happened({ kind: 'bfd', name: session, up: word === 'UP' })
    for (const it of this.instances)
      if (this.roster.scriptsOf(it).has(name)) {
        this.#ports.log.info(`VRRP_Instance(${it.name}) Tracked BFD instance ${session} is ${word}`)
      }
    this.roster.assessTracking(name)
  }

  /** Which slots may take over when a session is lost. */
  #setTakeovers(): void {
    const slots = new Map<string, SlotId[]>()
    for (const it of this.instances)
      for (const name of this.roster.takeoversOf(it))
        slots.set(name, [...(slots.get(name) ?? []), it.slot])
    this.bfd.setTakeovers(slots)
  }

  #reportFailures(events: readonly EngineEvent[]): void {
    for (const event of events)
      if (event.kind === 'failed') this.roster.bySlot(event.slot)?.engineEvent(event)
      else if (event.kind === 'kernel') this.#ports.kernel.apply(event.bytes)
  }

  /** Kernel changes are collected: what was deleted and added again within one batch has not changed. */
  #onEngineEvent(event: EngineEvent): readonly KernelChange[] {
    const { log, reader, lost } = this.#ports
    switch (event.kind) {
      case 'packet':
        this.roster.bySlot(event.slot)?.receive(event)
        return []
      case 'kernel':
        return reader.heard(event.bytes)
      case 'overrun':
        log.warn('kernel notifications were lost: reading links and addresses again')
        reader.read()
        return []
      case 'linkFailed':
        for (const slot of this.links.slotsOf(event.link))
          this.roster.bySlot(slot)?.linkFailed(event.call, event.code)
        return []
      case 'wardenLost':
        lost('warden')
        return []
      case 'realtimeLost':
        lost('realtime')
        return []
      case 'stranger':
        this.#unknownVrids.receive(event)
        return []
      case 'expired':
      case 'failed':
      case 'late':
      case 'lapsed':
      case 'skewed':
        this.roster.bySlot(event.slot)?.engineEvent(event)
        return []
      default:
        return unreachable(event)
    }
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
