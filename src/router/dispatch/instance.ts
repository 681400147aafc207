/**
 * One VRRP instance at work: feeds what happened into the election and carries out what it asks for. All decisions are in
 * election/, all bytes in wire/ and the plans; this is the wiring between them.
 */
import { unreachable } from '../../base/assert.ts'
import type { Ip } from '../../base/ip.ts'
import type { Log } from '../../base/log.ts'
import { type Us, us } from '../../base/time.ts'
import type { Instance } from '../../config/types.ts'
import { nextDeadline } from '../../election/step.ts'
import type { Effect, Event, Machine, Params, State } from '../../election/types.ts'
import type { Engine, EngineEvent, ExpectedAdvert, Packet, SlotId } from '../../engine/contract.ts'
import { planAnnounceSource } from '../../engine/plans.ts'
import { planHold } from '../../engine/plans-addresses.ts'
import type { KernelAddress } from '../../kernel/mirror.ts'
import type { Notifier } from '../../notify/notify.ts'
import { SocketBinding, type SocketBindingPorts } from '../binding/socket-binding.ts'
import type { Move } from '../binding/sockets.ts'
import type { OrderQueue } from '../orders.ts'
import type { Assessment } from '../tracking/tracker.ts'
import { AddressKeeper, hasAddress } from './address-keeper.ts'
import { Competitors, type Rival } from './competitors.ts'
import { ElectionRun } from './election-run.ts'
import { Journal } from './journal.ts'
import { RateLimitedLog } from './rate-limited-log.ts'
import { Receiver } from './receive.ts'
import { SendingWatch } from './sending-watch.ts'
import { SlotOrders } from './slot-orders.ts'
import { StepFailures } from './step-failures.ts'
import { TransitionReporter } from './transition-reporter.ts'

export type InstancePorts = SocketBindingPorts & {
  readonly engine: Engine
  readonly orders: OrderQueue
  readonly notifier: Notifier
  readonly log: Log
  /** The wall clock in milliseconds, for people. */
  wallMs(): number
  /**
   * Another program removes the address again and again: the instance, its sync group with it, resigns and stands by.
   * False: it must stay. null: it takes part as before.
   */
  giveUpLead(contested: Ip | null): boolean
}

/** An event of the engine that names one slot. */
export type SlotEvent = Extract<
  EngineEvent,
  { readonly kind: 'expired' | 'failed' | 'late' | 'lapsed' }
>

export class RunningInstance {
  readonly slot: SlotId
  readonly journal: Journal
  readonly receiver: Receiver
  readonly binding: SocketBinding
  readonly addresses: AddressKeeper
  readonly #election: ElectionRun
  readonly #orders: SlotOrders
  readonly #competitors: Competitors
  readonly #sending: SendingWatch
  readonly #reporter: TransitionReporter
  readonly #limitedLog: RateLimitedLog
  readonly #failures: StepFailures
  readonly #ports: InstancePorts
  #cfg: Instance
  #assessment: Assessment
  #started = false
  #applied = false
  #removed = false

  constructor(slot: SlotId, cfg: Instance, assessment: Assessment, ports: InstancePorts) {
    this.slot = slot
    this.#cfg = cfg
    this.#ports = ports
    this.#assessment = assessment
    this.journal = new Journal(ports.wallMs)
    this.binding = new SocketBinding(slot, ports)
    this.receiver = new Receiver(cfg, ports.log)
    this.#limitedLog = new RateLimitedLog(ports.log)
    this.#election = new ElectionRun(slot, cfg, this.binding, ports.engine)
    this.#orders = new SlotOrders(slot, this.binding, ports.orders)
    this.addresses = new AddressKeeper({
      kernel: ports.kernel,
      orders: this.#orders,
      log: this.#limitedLog,
      giveUpLead: (contested) => ports.giveUpLead(contested),
    })
    this.#competitors = new Competitors(this.#orders)
    this.#sending = new SendingWatch(slot, ports.engine, this.#limitedLog)
    this.#reporter = new TransitionReporter(ports, this.journal)
    this.#failures = new StepFailures(ports.log)
  }

  get cfg(): Instance {
    return this.#cfg
  }
  get name(): string {
    return this.#cfg.name
  }
  get machine(): Machine {
    return this.#election.machine
  }
  get state(): State {
    return this.machine.state
  }
  get params(): Params {
    return this.#election.params
  }
  get assessment(): Assessment {
    return this.#assessment
  }
  /** Resignations that were ordered. */
  get zeroSent(): number {
    return this.#orders.zeroSent
  }

  /** Another master, heard lately while we are master. */
  rivalAt(now: Us): Rival | null {
    return this.#competitors.rivalAt(now, this.#standing)
  }

  /** Why no other router hears this master; null when its adverts leave. */
  muteAt(now: Us): string | null {
    return this.#sending.describe(now, this.#bound)
  }

  /** The next instant at which the election, or something that was put off, wants a tick; null for none. */
  deadlineAt(now: Us): Us | null {
    const wanted = [
      this.addresses.refusedUntil ?? nextDeadline(this.machine.state),
      this.#sending.retryAt,
      this.addresses.conflictUntil,
      this.#sending.lookAt(now, this.#bound),
    ]
    if (this.state.kind === 'master')
      wanted.push(this.addresses.restoreAt(now), this.#competitors.due(now))
    const instants = wanted.filter((at) => at !== null)
    return instants.length === 0 ? null : us(Math.min(...instants))
  }

  /** Does what `deadlineAt` named, as far as it is due. */
  tick(now: Us): void {
    const lifted = [this.addresses.tick(now), this.#sending.lift(now)]
    if (lifted.includes(true)) this.#feedFaults()
    const deadline = nextDeadline(this.machine.state)
    if (deadline !== null && deadline <= now) this.feed({ kind: 'tick' })
    const { facts } = this.binding
    if (this.state.kind === 'master' && facts !== null) this.addresses.restore({ facts, now })
    if (this.#sending.watch(this.#cfg, now, this.#bound)) this.#feedFaults()
    if (this.state.kind === 'master') this.#competitors.tick(this.#leading(now))
  }

  /** Writes log lines that were held back, as far as their limits allow. */
  flushLog(now: Us): void {
    this.#limitedLog.flush(this.name, now)
  }

  /** Takes part from now on: an owner leads, any other listens. */
  start(): void {
    this.#started = true
    this.refresh()
    this.feed({ kind: 'priority', effective: this.#assessment.effective })
    this.feed({ kind: 'start' })
    this.#applied = true
  }

  /** The kernel or the configuration changed: the sockets and facts follow. */
  refresh(): void {
    const before = this.binding.facts
    this.#election.refresh()
    const rejoined = this.binding.refresh(this.#cfg)
    if (rejoined) this.receiver.rejoined()
    this.#election.follow(this.#cfg)
    const { generation } = this.#orders
    this.#feedFaults()
    this.#reporter.size(this.#cfg, this.binding.primary)
    if (this.binding.deviceGone) this.binding.drop()
    // A new order has gone out with the faults just now, or nothing is different.
    if (generation !== this.#orders.generation) return
    if (!rejoined && before === this.binding.facts) return
    if (this.#election.listensOrLeads) {
      if (rejoined) this.#orders.expect(null)
      return this.#orders.installDifference(before, this.#standing)
    }
    // Faulty from the start: only now is it known where a dead predecessor's addresses would be.
    if (before === null && this.state.kind === 'fault')
      this.#orders.install('enter', this.#standing)
  }

  /** What is tracked has another result: faults and the effective priority. */
  assess(assessment: Assessment): void {
    const before = this.#assessment
    this.#assessment = assessment
    if (before.effective !== assessment.effective) {
      const { effective, standsBy } = assessment
      this.feed({ kind: 'priority', effective, serving: standsBy !== null })
      this.#reporter.priority(this.#cfg, before.effective, assessment.arithmetic, this.machine)
    }
    this.#feedFaults()
  }

  receive(packet: Packet): void {
    const received = () => this.#ports.engine.counters(this.slot).received
    const advert = this.receiver.receive(packet, this.params.source, received)
    if (advert === null) return
    const { from, ttl, payload, at } = packet
    if (this.state.kind === 'master' && advert.priority > 0)
      this.#competitors.heard({ address: from, priority: advert.priority, at })
    const superseded = this.#election.heardMasterSince(at)
    this.feed({ kind: 'advert', advert, superseded }, { at, expected: { from, ttl, payload } })
  }

  engineEvent(event: SlotEvent): void {
    if (event.kind === 'failed') return this.#onFailed(event)
    // It crossed a newer order, and the engine saw that: what it had begun on its own it has undone.
    if (event.generation !== this.#orders.generation) return
    if (event.kind === 'expired')
      this.feed(this.#orders.held ? { kind: 'held', at: event.at } : { kind: 'expired' })
    else if (event.kind === 'late')
      this.feed({ kind: 'resigned', why: 'late', lateUs: event.lateUs })
    else this.feed({ kind: 'resigned', why: 'lapsed', lateUs: us(0) })
  }

  has(address: Ip): boolean {
    return hasAddress(this.#cfg, address)
  }

  /** Another host has one of our addresses. */
  addressDuplicate(held: KernelAddress): void {
    const now = this.#ports.engine.now()
    if (this.state.kind === 'master') this.addresses.duplicate(held, { cfg: this.#cfg, now })
  }

  /** One of our addresses vanished although we did not remove it: put it back, stay master. */
  addressVanished(gone: KernelAddress): void {
    const { facts } = this.binding
    const now = this.#ports.engine.now()
    if (this.state.kind === 'master' && facts !== null)
      this.addresses.vanished(gone, { cfg: this.#cfg, facts, now })
  }

  /** Another instance gave up an address that is ours now: what it deleted is set again. */
  holdAddresses(): void {
    const { facts } = this.binding
    if (this.state.kind === 'master' && facts !== null) this.#orders.once(planHold(facts))
  }

  linkFailed(call: string, code: string): void {
    this.binding.failed(call, code)
    this.#feedFaults()
    this.binding.drop()
  }

  /** Its configuration is in force: a reload that failed half-way, or sockets that did not open, leave it to be done. */
  get applied(): boolean {
    return this.#applied && !this.binding.faults.some(({ kind }) => kind === 'transport')
  }

  /** For a place that it takes over from another instance. The engine forgets what it counted there. */
  move(cfg: Instance): readonly Move[] {
    this.#election.refresh()
    return this.binding.move(cfg)
  }

  /** A reload changed what belongs to this instance without changing its identity. */
  reconfigure(cfg: Instance, assessment: Assessment): void {
    this.#applied = false
    this.#cfg = cfg
    this.#assessment = assessment
    this.receiver.reconfigure(cfg)
    this.#election.recount(cfg)
    this.refresh()
    this.feed({ kind: 'priority', effective: assessment.effective, serving: true })
    if (this.#election.listensOrLeads) this.#orders.install('replace', this.#standing)
    // It may not keep the place of a configuration that has gone: another instance's may be there.
    if (this.binding.faults.length > 0) this.binding.drop()
    this.#applied = true
  }

  /** `ownerListens`: not all members are owners, so an owner begins like any other. */
  joinGroup(ownerListens: boolean): void {
    this.#election.setGroup({ ownerListens }, this.#cfg)
  }

  leaveGroup(): void {
    this.#election.setGroup(null, this.#cfg)
    this.hold(false)
    const { state } = this.machine
    const imposed =
      state.kind === 'fault' ? state.faults.find((f) => f.kind === 'sync-group') : undefined
    if (imposed !== undefined)
      this.feed({ kind: 'group-fault', group: imposed.group, culprit: null })
  }

  /** The sync group does not allow this member's deadline to lead on its own (or allows it again). */
  hold(held: boolean): void {
    if (!this.#orders.hold(held) || this.state.kind !== 'backup') return
    this.#election.refresh()
    this.#orders.install('replace', this.#standing)
  }

  /** Leaves for good: priority 0 if master, addresses removed. The slot stays until `forget`. */
  stop(): void {
    this.feed({ kind: 'stop' })
  }

  /** A reload took it out of the configuration. */
  remove(): void {
    this.#removed = true
    this.stop()
  }

  /** After the engine has carried out the last order. */
  forget(): void {
    this.binding.drop()
    this.#ports.claim(this.slot, [])
  }

  /** One event of any origin. `advert`: when it was received and how it came, when the event is one. */
  feed(
    event: Event,
    advert: { readonly at: Us; readonly expected: ExpectedAdvert } | null = null,
  ): void {
    if (!this.#started && event.kind !== 'stop') return
    const now = advert?.at ?? this.#ports.engine.now()
    const { effects, order, accepted } = this.#election.step(event, now)
    if (accepted && advert !== null) this.#orders.expect(advert.expected)
    // What follows is done now, however long ago the advert came: its bounds are counted from here.
    const present = this.#ports.engine.now()
    for (const effect of effects) this.#carryOut(effect, present)
    if (order !== 'keep') this.#orders.install(order, this.#standing)
  }

  get #standing() {
    const { params, machine } = this.#election
    return { params, machine }
  }
  get #bound() {
    return { ...this.#standing, bound: this.binding.link !== null }
  }
  #leading(now: Us) {
    return { ...this.#standing, facts: this.binding.facts, now }
  }

  #carryOut(effect: Effect, now: Us): void {
    switch (effect.kind) {
      case 'transition':
        return this.#transition(effect, now)
      case 'advertise':
        return this.#competitors.answer(effect.resetTimer, this.#leading(now))
      case 'reannounce':
        if (this.#competitors.contact(effect.from, this.#leading(now)))
          this.#reporter.notify(this.#cfg, 'MASTER_RX_LOWER_PRI', this.machine)
        return
      case 'log':
        return this.#limitedLog.write(this.name, effect, now)
      default:
        return unreachable(effect)
    }
  }

  #transition(effect: Effect & { kind: 'transition' }, now: Us): void {
    this.addresses.newState(effect.to, now)
    this.receiver.newEpoch()
    this.#competitors.newState()
    this.#sending.newState()
    this.#orders.newState(effect.to)
    this.#reporter.transition(this.#cfg, effect, this.machine, this.#removed)
    if (effect.from === 'fault' && effect.to !== 'stopped') this.#announceSource()
  }

  /** Unicast peers must reach us at once although our link was away (their ARP entry may be stale). */
  #announceSource(): void {
    const { facts, primary } = this.binding
    if (this.#cfg.transport.kind === 'unicast' && facts !== null && primary !== null)
      this.#orders.once(planAnnounceSource(facts, primary))
  }

  #onFailed(event: SlotEvent & { kind: 'failed' }): void {
    const { stepKind, request, call, code, detail, generation } = event
    const now = this.#ports.engine.now()
    const what = `${call} failed: ${code}${detail === '' ? '' : ` (${detail})`}`
    this.#failures.write(this.name, stepKind, what, now)
    this.#sending.failed(event, this.binding.link !== null)
    const { facts } = this.binding
    const current = generation === this.#orders.generation && this.state.kind === 'master'
    if (request === null || facts === null || !current) return
    const why = `${call}: ${code}${detail === '' ? '' : `, ${detail}`}`
    if (this.addresses.refused(request, why, { facts, now })) this.#feedFaults()
  }

  #feedFaults(): void {
    const own = [...this.addresses.faults, ...this.#sending.faults]
    const faults = [...this.binding.faults, ...this.#assessment.faults, ...own]
    this.feed({ kind: 'faults', faults })
  }
}
