/**
 * One VRRP instance at work: feeds what happened into the election and carries out what it asks for. All decisions are in
 * election/, all bytes in wire/ and the plans; this is the wiring between them, and its parts are in instance-parts.ts.
 */
import { unreachable } from '../../base/assert.ts'
import type { Ip } from '../../base/ip.ts'
import { type Us, us } from '../../base/time.ts'
import type { Instance } from '../../config/types.ts'
import { nextDeadline } from '../../election/step.ts'
import type { Effect, Event, Machine, Params, State } from '../../election/types.ts'
import type { Packet } from '../../engine/contract.ts'
import type { ExpectedAdvert, SlotId } from '../../engine/order.ts'
import type { Move } from '../binding/sockets.ts'
import type { Assessment } from '../tracking/tracker.ts'
import { hasAddress } from './address-keeper.ts'
import type { Rival } from './competitors.ts'
import { InstanceClaims } from './instance-claims.ts'
import {
  adoptParts,
  deadlineOf,
  type InstancePorts,
  identityOf,
  makeParts,
  type Parts,
  type SlotEvent,
  snapshotParts,
  whyNotAs,
} from './instance-parts.ts'
import { LeadKeeper } from './lead-keeper.ts'

export type InstanceState = ReturnType<RunningInstance['snapshot']>

export class RunningInstance {
  readonly slot: SlotId
  readonly journal: Parts['journal']
  readonly receiver: Parts['receiver']
  readonly binding: Parts['binding']
  readonly addresses: Parts['addresses']
  readonly orders: Parts['orders']
  readonly claimants: Parts['claimants']
  readonly keeper: LeadKeeper
  readonly claims: InstanceClaims
  readonly #parts: Parts
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
    this.#parts = makeParts(slot, cfg, ports)
    this.journal = this.#parts.journal
    this.receiver = this.#parts.receiver
    this.binding = this.#parts.binding
    this.addresses = this.#parts.addresses
    this.orders = this.#parts.orders
    this.claimants = this.#parts.claimants
    const current = () => this.#cfg
    this.keeper = new LeadKeeper(this.#parts, { cfg: current, now: () => ports.engine.now() })
    this.claims = new InstanceClaims(this.#parts, {
      cfg: current,
      wait: (until) => this.feed({ kind: 'claimed', until }),
      refused: () => this.#feedFaults(),
    })
  }

  get cfg(): Instance {
    return this.#cfg
  }
  get name(): string {
    return this.#cfg.name
  }
  get machine(): Machine {
    return this.#parts.election.machine
  }
  get state(): State {
    return this.machine.state
  }
  get params(): Params {
    return this.#parts.election.params
  }
  get assessment(): Assessment {
    return this.#assessment
  }
  /** Another master, heard lately while we are master. */
  rivalAt(now: Us): Rival | null {
    return this.#parts.competitors.rivalAt(now, this.#standing)
  }

  /** Why no other router hears this master; null when its adverts leave. */
  muteAt(now: Us): string | null {
    return this.#parts.sending.describe(now, this.#bound)
  }

  /** The next instant at which the election, or something that was put off, wants a tick; null for none. */
  deadlineAt(now: Us): Us | null {
    return deadlineOf(this.#parts, this.#bound, now)
  }

  /** Does what `deadlineAt` named, as far as it is due. */
  tick(now: Us): void {
    const { check } = this.#parts
    const lifted = [this.addresses.tick(now), this.#parts.sending.lift(now), check.lift(now)]
    if (lifted.includes(true)) this.#feedFaults()
    const deadline = nextDeadline(this.machine.state)
    if (deadline !== null && deadline <= now) this.feed({ kind: 'tick' })
    this.keeper.restore(now)
    if (this.#parts.sending.watch(this.#cfg, now, this.#bound)) this.#feedFaults()
    if (this.state.kind === 'master') this.#parts.competitors.tick(this.#leading(now))
  }

  /** Writes log lines that were held back, as far as their limits allow. */
  flushLog(now: Us): void {
    this.#parts.limitedLog.flush(this.name, now)
  }

  /** Takes part from now on: an owner leads, any other listens. */
  start(): void {
    this.#started = true
    this.refresh()
    this.feed({ kind: 'priority', effective: this.#assessment.effective })
    this.feed({ kind: 'start' })
    this.#applied = true
  }

  /** Its deadline has passed and the engine has not led yet: it listens once more, or waits for an answer from here. */
  isTakingOver(now: Us): boolean {
    this.#parts.election.refresh()
    const { state } = this
    return state.kind === 'backup' && !state.wantsMaster && state.masterDownAt <= now
  }

  /** For another process. */
  snapshot() {
    const { link } = this.binding
    const counters = link === null ? null : this.#ports.engine.counters(this.slot)
    this.#parts.election.refresh()
    this.#parts.sent.keep()
    return {
      ...identityOf(this.#cfg),
      assessed: this.#assessment.effective,
      ...snapshotParts(this.#parts, counters?.received ?? 0),
    }
  }

  /** Opens the sockets that the other process has. A sentence that says why this one cannot go on in its place. */
  bindAs(before: InstanceState): string | null {
    this.binding.refresh(this.#cfg)
    return whyNotAs(before, this.#cfg, this.binding)
  }

  /** After `bindAs`, and once its sync group is there: goes on where the other process ended. */
  adopt(before: InstanceState): void {
    this.#started = true
    this.#applied = true
    this.#parts.election.follow(this.#cfg)
    adoptParts(this.#parts, before)
    const now = this.#ports.engine.now()
    this.orders.resume(this.#standing, { now, sentAt: before.sentAt })
    const { effective } = this.#assessment
    if (effective !== before.assessed) this.feed({ kind: 'priority', effective, serving: true })
  }

  /** The kernel or the configuration changed: the sockets and facts follow. */
  refresh(): void {
    const before = this.binding.facts
    this.#parts.election.refresh()
    this.#parts.sent.keep()
    const rejoined = this.binding.refresh(this.#cfg)
    if (rejoined) this.receiver.rejoined()
    this.#parts.election.follow(this.#cfg)
    const { generation } = this.orders
    this.#feedFaults()
    this.#parts.reporter.size(this.#cfg, this.binding.primary)
    if (this.binding.deviceGone) this.binding.drop()
    // A new order has gone out with the faults just now, or nothing is different.
    if (generation !== this.orders.generation) return
    if (!rejoined && before === this.binding.facts) return
    if (this.#parts.election.listensOrLeads) {
      if (rejoined) this.orders.expect(null)
      this.#parts.entries.alter(before, this.binding.facts)
      const joined = { now: this.#ports.engine.now(), sentAt: this.#parts.sent.at }
      if (rejoined) this.#parts.election.rejoined(joined.now)
      return this.orders.installDifference(before, this.#standing, rejoined ? joined : null)
    }
    // Faulty from the start: only now is it known where a dead predecessor's addresses would be.
    if (before === null && this.state.kind === 'fault') this.orders.install('enter', this.#standing)
  }

  /** What is tracked has another result: faults and the effective priority. */
  assess(assessment: Assessment): void {
    const before = this.#assessment
    this.#assessment = assessment
    if (before.effective !== assessment.effective) {
      const { effective, standsBy } = assessment
      this.feed({ kind: 'priority', effective, serving: standsBy !== null })
      this.#parts.reporter.priority(
        this.#cfg,
        before.effective,
        assessment.arithmetic,
        this.machine,
      )
    }
    this.#feedFaults()
  }

  receive(packet: Packet): void {
    const received = () => this.#ports.engine.counters(this.slot).received
    const advert = this.receiver.receive(packet, this.params.source, received)
    if (advert === null) return
    const { from, ttl, payload, at } = packet
    if (this.state.kind === 'master' && advert.priority > 0)
      this.#parts.competitors.heard({ address: from, priority: advert.priority, at })
    const superseded = this.#parts.election.heardMasterSince(at)
    this.feed({ kind: 'advert', advert, superseded }, { at, expected: { from, ttl, payload } })
  }

  engineEvent(event: SlotEvent): void {
    if (event.kind === 'failed') return this.#onFailed(event)
    if (event.kind === 'skewed') return this.receiver.skewed(event)
    // It crossed a newer order, and the engine saw that: what it had begun on its own it has undone.
    if (event.generation !== this.orders.generation) return
    if (event.kind === 'expired')
      this.feed(this.orders.held ? { kind: 'held', at: event.at } : { kind: 'expired' })
    else if (event.kind === 'late')
      this.feed({ kind: 'resigned', why: 'late', lateUs: event.lateUs })
    else this.feed({ kind: 'resigned', why: 'lapsed', lateUs: us(0) })
  }

  has(address: Ip): boolean {
    return hasAddress(this.#cfg, address)
  }

  /** Another program insists on removing a link that vipd makes, or the address that is on it. */
  linkContested(name: string): void {
    const link = this.#cfg.virtualLinks.find((it) => it.name === name)
    if (link === undefined) return
    const own = link.kind === 'ipvlan' ? link.address?.address : undefined
    const address = own ?? this.#cfg.addresses[0]?.address
    const now = this.#ports.engine.now()
    if (address !== undefined) this.addresses.contested(address, { cfg: this.#cfg, now })
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
    this.#parts.election.refresh()
    this.#parts.sent.keep()
    return this.binding.move(cfg)
  }

  /** A reload changed what belongs to this instance without changing its identity. */
  reconfigure(cfg: Instance, assessment: Assessment): void {
    this.#applied = false
    this.#cfg = cfg
    this.#assessment = assessment
    this.receiver.reconfigure(cfg)
    this.#parts.election.recount(cfg)
    this.refresh()
    this.feed({ kind: 'priority', effective: assessment.effective, serving: true })
    if (this.#parts.election.listensOrLeads) this.orders.install('replace', this.#standing)
    // It may not keep the place of a configuration that has gone: another instance's may be there.
    if (this.binding.faults.length > 0) this.binding.drop()
    this.#applied = true
  }

  /** `ownerListens`: not all members are owners, so an owner begins like any other. */
  joinGroup(ownerListens: boolean): void {
    this.#parts.election.setGroup({ ownerListens }, this.#cfg)
  }

  leaveGroup(): void {
    this.#parts.election.setGroup(null, this.#cfg)
    this.hold(false)
    const { state } = this.machine
    const imposed =
      state.kind === 'fault' ? state.faults.find((f) => f.kind === 'sync-group') : undefined
    if (imposed !== undefined)
      this.feed({ kind: 'group-fault', group: imposed.group, faultyMember: null })
  }

  /** The sync group does not allow this member's deadline to lead on its own (or allows it again). */
  hold(held: boolean): void {
    if (!this.orders.hold(held) || this.state.kind !== 'backup') return
    this.#parts.election.refresh()
    this.orders.install('replace', this.#standing)
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
    const { effects, order, accepted } = this.#parts.election.step(event, now)
    if (accepted && advert !== null) this.orders.expect(advert.expected)
    // What follows is done now, however long ago the advert came: its bounds are counted from here.
    const present = this.#ports.engine.now()
    for (const effect of effects) this.#carryOut(effect, present)
    const otherwise = order === 'keep' && this.orders.asksOtherwise(this.#standing)
    const change = otherwise ? 'replace' : order
    if (change !== 'keep') this.orders.install(change, this.#standing)
  }

  get #standing() {
    const { params, machine } = this.#parts.election
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
        return this.#parts.competitors.answer(effect.resetTimer, this.#leading(now))
      case 'reannounce':
        if (this.#parts.competitors.contact(effect.from, this.#leading(now)))
          this.#parts.reporter.notify(this.#cfg, 'MASTER_RX_LOWER_PRI', this.machine)
        return
      case 'log':
        return this.#parts.limitedLog.write(this.name, effect, now)
      default:
        return unreachable(effect)
    }
  }

  #transition(effect: Effect & { kind: 'transition' }, now: Us): void {
    this.addresses.newState(effect.to, now)
    this.#parts.entries.newState()
    this.receiver.newEpoch()
    this.#parts.competitors.newState()
    this.claimants.newState(now)
    this.#parts.check.newState()
    this.#parts.sending.newState()
    this.orders.newState(effect.to)
    this.#parts.reporter.transition(this.#cfg, effect, this.machine, this.#removed)
    if (effect.from === 'fault' && effect.to !== 'stopped') this.orders.announceSource(this.#cfg)
  }

  #onFailed(event: SlotEvent & { kind: 'failed' }): void {
    const { stepKind, call, code, detail } = event
    const what = `${call} failed: ${code}${detail === '' ? '' : ` (${detail})`}`
    if (!this.keeper.isRemade(code))
      this.#parts.failures.write(this.name, stepKind, what, this.#ports.engine.now())
    this.#parts.sending.failed(event, this.binding.link !== null)
    if (this.keeper.refused(event)) this.#feedFaults()
  }

  #feedFaults(): void {
    const { check, sending } = this.#parts
    const own = [...this.addresses.faults, ...sending.faults, ...check.faults]
    const faults = [...this.binding.faults, ...this.#assessment.faults, ...own]
    this.feed({ kind: 'faults', faults })
  }
}
