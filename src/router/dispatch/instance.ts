/**
 * One VRRP instance at work: feeds what happened into the election and turns what it says into orders, log
 * lines, notifications and history. All decisions are in election/, all bytes in wire/ and the plans;
 * this is the wiring between them, and the only holder of an instance's mutable state.
 */
import { unreachable } from '../../base/assert.ts'
import type { Ip } from '../../base/ip.ts'
import type { Log } from '../../base/log.ts'
import { type Us, us } from '../../base/time.ts'
import type { Instance } from '../../config/types.ts'
import { recounted } from '../../election/backup.ts'
import { restartUs } from '../../election/effects.ts'
import { initial, nextDeadline, refreshed, step } from '../../election/step.ts'
import type { Effect, Event, Machine, OrderChange, Params, State } from '../../election/types.ts'
import type {
  Engine,
  EngineEvent,
  ExpectedAdvert,
  Order,
  Packet,
  Plan,
  SlotId,
} from '../../engine/contract.ts'
import {
  planAdvert,
  planAnnounceSource,
  planHold,
  planOrder,
  planReannounce,
  planRemove,
  planRestore,
  planSwap,
  type SlotFacts,
} from '../../engine/plans.ts'
import type { KernelAddress } from '../../kernel/mirror.ts'
import type { Notifier } from '../../notify/notify.ts'
import { identityOf, identityOfHeld } from '../../wire/address-identity.ts'
import { addressDifference } from '../binding/address-difference.ts'
import { oversizedAdvert } from '../binding/advert-size.ts'
import { paramsOf } from '../binding/slot-facts.ts'
import { Stance, type StancePorts } from '../binding/socket-binding.ts'
import type { Move } from '../binding/sockets.ts'
import type { OrderQueue } from '../orders.ts'
import type { Assessment } from '../tracking/tracker.ts'
import { Competition } from './competition.ts'
import { Duplicates, describeDuplicate } from './duplicates.ts'
import { Journal } from './journal.ts'
import { Mute, type Sending } from './mute.ts'
import { Remarks } from './rate-limited-log.ts'
import { Receiver } from './receive.ts'
import { RefusedAddresses } from './refused-addresses.ts'
import { contested, Restorer } from './restorer.ts'
import { StepFailures } from './step-failures.ts'
import { Budget } from './token-bucket.ts'
import { Voice } from './transition-reporter.ts'
import { Withdrawal } from './withdrawal.ts'

export type InstancePorts = StancePorts & {
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

/** How long an instance stands by whose address was contested. */
const conflictUs = { first: us(10_000_000), longest: us(300_000_000) }

/** Adverts out of turn, in answer to another router's. The regular one, which comes anyway, says what is left out. */
const answers = { burst: 5, perSecond: 2 }

export type Rival = { readonly address: Ip; readonly priority: number; readonly at: Us }

export class RunningInstance {
  readonly slot: SlotId
  readonly journal: Journal
  readonly receiver: Receiver
  readonly stance: Stance
  readonly refusals: RefusedAddresses
  readonly #voice: Voice
  #cfg: Instance
  readonly #ports: InstancePorts
  #params: Params
  #machine: Machine
  #generation = 0
  #expected: ExpectedAdvert | null = null
  #assessment: Assessment
  #started = false
  #applied = false
  #removed = false
  #held = false
  #ownerListens = false
  #grouped = false
  /** Names the last contact with a competitor, for the announcements still to come. */
  #contact: string | null = null
  #zeroSent = 0
  /** See `OrderOptions.timerResets`. */
  #timerResets = 0
  #rival: Rival | null = null
  readonly #competition = new Competition()
  readonly #answers = new Budget(answers.burst, answers.perSecond)
  readonly #remarks: Remarks
  readonly #restorer = new Restorer()
  readonly #conflict = new Withdrawal<Ip>(conflictUs)
  readonly #mute = new Mute()
  readonly #duplicates = new Duplicates()
  readonly #failures: StepFailures
  #oversized: string | null = null

  constructor(slot: SlotId, cfg: Instance, assessment: Assessment, ports: InstancePorts) {
    this.slot = slot
    this.#cfg = cfg
    this.#ports = ports
    this.#assessment = assessment
    this.journal = new Journal(ports.wallMs)
    this.stance = new Stance(slot, ports)
    this.refusals = new RefusedAddresses(ports.kernel)
    this.#voice = new Voice(ports, this.journal)
    this.receiver = new Receiver(cfg, ports.log)
    this.#remarks = new Remarks(ports.log)
    this.#failures = new StepFailures(ports.log)
    this.#params = paramsOf(cfg, null)
    this.#machine = initial(this.#params)
  }

  get cfg(): Instance {
    return this.#cfg
  }
  get name(): string {
    return this.#cfg.name
  }
  get machine(): Machine {
    return this.#machine
  }
  get state(): State {
    return this.#machine.state
  }
  get params(): Params {
    return this.#params
  }
  get assessment(): Assessment {
    return this.#assessment
  }
  get zeroSent(): number {
    return this.#zeroSent
  }

  /** Another master, heard while we are master, within the time that three of its adverts take; not one that has not had
   *  the time to yield: a hand-over ends with its last adverts. */
  rivalAt(now: Us): Rival | null {
    const rival = this.#rival
    if (this.#machine.state.kind !== 'master' || rival === null) return null
    const { since } = this.#machine.state
    const yielding =
      rival.priority < this.#machine.effective && rival.at - since < this.#cfg.advertIntervalUs
    return !yielding && now - rival.at <= 3 * this.#cfg.advertIntervalUs ? rival : null
  }

  /** The next instant at which the election, or something that was put off, wants a tick; null for none. */
  deadlineAt(now: Us): Us | null {
    const wanted = [
      this.refusals.retryAt ?? nextDeadline(this.#machine.state),
      this.#mute.retryAt,
      this.#conflict.retryAt,
      this.#onSending(now, (sending) => this.#mute.due(sending)),
    ]
    if (this.#machine.state.kind === 'master')
      wanted.push(this.#restorer.due(now), this.#competition.due(now))
    const instants = wanted.filter((at) => at !== null)
    return instants.length === 0 ? null : us(Math.min(...instants))
  }

  /** Writes log lines that were held back, as far as their limits allow. */
  flushLog(now: Us): void {
    this.#remarks.flush(this.name, now)
  }

  /** Addresses that another program removes again and again: warnings for `status`. */
  contestedAt(now: Us): readonly string[] {
    if (this.#machine.state.kind !== 'master') return []
    return this.#restorer.contestedAt(now).map(({ key, inUs }) => {
      const [, address = ''] = key.split(' ')
      const seconds = Math.ceil(inUs / 1_000_000)
      return `${this.name}: ${address} was removed ${contested.losses} times in ${seconds} s by another program, and put back each time`
    })
  }

  /** The contested address that it has given up the lead for, and until when; null: none. */
  conflictAt(now: Us): { readonly address: Ip; readonly forUs: Us } | null {
    const { reason, retryAt } = this.#conflict
    return reason === null || retryAt === null
      ? null
      : { address: reason, forUs: us(Math.max(0, retryAt - now)) }
  }

  /** Why no other router hears this master; null when its adverts leave. */
  muteAt(now: Us): string | null {
    return this.#onSending(now, (sending) => this.#mute.describe(sending))
  }

  /** What a master has sent so far; null for any other. */
  #onSending<T>(now: Us, ask: (sending: Sending) => T | null): T | null {
    const { state } = this.#machine
    if (!this.#mute.watches || state.kind !== 'master' || this.stance.link === null) return null
    const { lastSentUs } = this.#ports.engine.counters(this.slot)
    const sentAt = us(Math.max(lastSentUs ?? state.since, state.since))
    return ask({ now, sentAt, downUs: restartUs(this.#params, this.#machine) })
  }

  #notSent({ stepKind, call, code, at }: EngineEvent & { kind: 'failed' }): void {
    if (stepKind !== 'datagram' || this.stance.link === null) return
    const { lastSentUs } = this.#ports.engine.counters(this.slot)
    this.#mute.failed(`${call}: ${code}`, at, lastSentUs ?? us(0))
  }

  #lookAtSending(now: Us): void {
    const change = this.#onSending(now, (sending) => this.#mute.look(sending))
    if (change === null) return
    const text = `(${this.name}) ${this.muteAt(now) ?? 'its adverts leave this host again'}`
    const level = change === 'mute' ? 'warning' : 'info'
    this.#remarks.say(this.name, { kind: 'log', level, text }, now)
    if (change === 'heard' || this.#cfg.muteMaster === 'report') return
    this.#mute.resign(now)
    this.#feedFaults()
  }

  /** Addresses that serve no client because another host has them, one sentence each. */
  duplicatesAt(now: Us): readonly string[] {
    return this.#duplicates
      .at(now, this.#cfg.addressLifetimeSeconds)
      .map((address) => `${this.name}: ${describeDuplicate(address)}`)
  }

  /** Does what `deadlineAt` named, as far as it is due. */
  tick(now: Us): void {
    const lifted = [this.refusals.lift(now), this.#mute.lift(now)]
    if (lifted.includes(true)) this.#feedFaults()
    if (this.#conflict.lift(now)) this.#ports.giveUpLead(null)
    const deadline = nextDeadline(this.#machine.state)
    if (deadline !== null && deadline <= now) this.feed({ kind: 'tick' })
    this.#restore(now)
    this.#lookAtSending(now)
    if (this.#machine.state.kind === 'master' && this.#competition.ended(now))
      this.#announceAgain(`end ${now}`)
  }

  /** Takes part from now on: owners lead, everybody else listens. */
  start(): void {
    this.#started = true
    this.refresh()
    this.feed({ kind: 'priority', effective: this.#assessment.effective })
    this.feed({ kind: 'start' })
    this.#applied = true
  }

  /** Looks again at what it stands on: the kernel or the configuration changed. */
  refresh(): void {
    const before = this.stance.facts
    this.#machine = this.#refreshed()
    const rejoined = this.stance.refresh(this.#cfg)
    if (rejoined) this.receiver.rejoined()
    this.#params = this.#paramsNow()
    const generation = this.#generation
    this.#feedFaults()
    this.#reportSize()
    if (this.stance.deviceGone) this.stance.drop()
    // A new order has gone out with the faults just now, or nothing is different.
    if (generation !== this.#generation) return
    if (!rejoined && before === this.stance.facts) return
    if (this.#listensOrLeads()) return this.#installDifference(before, rejoined)
    // Faulty from the start: only now is it known where a dead predecessor's addresses would be.
    if (before === null && this.#machine.state.kind === 'fault') this.#install('enter')
  }

  #reportSize(): void {
    const text = oversizedAdvert(this.#cfg, this.stance.home)
    if (text !== null && text !== this.#oversized)
      this.#ports.log.warn(text, { instance: this.name })
    this.#oversized = text
  }

  /** The trackers' new opinion: faults and the effective priority. */
  assess(assessment: Assessment): void {
    const before = this.#assessment
    this.#assessment = assessment
    if (before.effective !== assessment.effective) {
      const { effective, standsBy } = assessment
      this.feed({ kind: 'priority', effective, serving: standsBy !== null })
      this.#voice.priority(this.#cfg, before.effective, assessment.arithmetic, this.#machine)
    }
    this.#feedFaults()
  }

  receive(packet: Packet): void {
    const advert = this.receiver.receive(packet, this.#params.source, () => this.#received())
    if (advert === null) return
    const { from, ttl, payload, at } = packet
    if (this.#machine.state.kind === 'master' && advert.priority > 0)
      this.#rival = { address: from, priority: advert.priority, at }
    const superseded = this.#heardMasterSince(at)
    this.feed({ kind: 'advert', advert, superseded }, { at, expected: { from, ttl, payload } })
  }

  #received(): number {
    return this.#ports.engine.counters(this.slot).received
  }

  /**
   * The engine took the master's expected advert while another one that came before it waited for us: that one
   * must not set the deadline back. If it still means something, its sender will say it again.
   */
  #heardMasterSince(at: Us): boolean {
    if (this.#machine.state.kind !== 'backup' || this.stance.link === null) return false
    return (this.#ports.engine.counters(this.slot).lastExpectedUs ?? at) > at
  }

  /** An event of the engine that names this slot. */
  engineEvent(
    event: Exclude<
      EngineEvent,
      {
        kind:
          | 'packet'
          | 'kernel'
          | 'overrun'
          | 'linkFailed'
          | 'stranger'
          | 'wardenLost'
          | 'realtimeLost'
      }
    >,
  ): void {
    if (event.kind === 'failed') {
      const detail = event.detail === '' ? '' : ` (${event.detail})`
      const what = `${event.call} failed: ${event.code}${detail}`
      this.#failures.say(this.name, event.stepKind, what, this.#ports.engine.now())
      this.#notSent(event)
      this.#refused(event)
      return
    }
    // It crossed a newer order, and the engine saw that: whatever it had begun on its own it has undone.
    if (event.generation !== this.#generation) return
    if (event.kind === 'expired')
      this.feed(this.#held ? { kind: 'held', at: event.at } : { kind: 'expired' })
    else if (event.kind === 'late')
      this.feed({ kind: 'resigned', why: 'late', lateUs: event.lateUs })
    else this.feed({ kind: 'resigned', why: 'lapsed', lateUs: us(0) })
  }

  has(address: Ip): boolean {
    return [...this.#cfg.addresses, ...this.#cfg.excluded].some((a) => a.address === address)
  }

  #refused({ request, call, code, detail, generation }: EngineEvent & { kind: 'failed' }): void {
    const { facts } = this.stance
    const current = generation === this.#generation && this.#machine.state.kind === 'master'
    if (request === null || facts === null || !current) return
    const why = `${call}: ${code}${detail === '' ? '' : `, ${detail}`}`
    if (this.refusals.note(request, why, facts.addresses, this.#ports.engine.now()))
      this.#feedFaults()
  }

  /** Another host has one of our addresses. The renewal tries it again, so nothing is put back here. */
  addressDuplicate({ address }: KernelAddress): void {
    if (this.#machine.state.kind !== 'master' || !this.has(address)) return
    const now = this.#ports.engine.now()
    this.#duplicates.note(address, now)
    const text = `(${this.name}) ${describeDuplicate(address)}`
    this.#remarks.say(this.name, { kind: 'log', level: 'warning', text }, now)
  }

  /** One of our addresses vanished although we did not remove it: put it back, stay master. */
  addressVanished(gone: KernelAddress): void {
    const facts = this.stance.facts
    if (this.#machine.state.kind !== 'master' || facts === null) return
    const { ifindex } = gone
    const identity = identityOfHeld(gone)
    const lost = facts.addresses.some((a) => a.ifindex === ifindex && identityOf(a) === identity)
    const tracked = [...this.#cfg.addresses, ...this.#cfg.excluded].some(
      (a) => identityOf(a) === identity && a.track,
    )
    if (!lost || !tracked) return
    const now = this.#ports.engine.now()
    this.#restorer.lost(`${ifindex} ${identity}`, now)
    const text = `(${this.name}) ${gone.address} was removed by another program: put back`
    this.#remarks.say(this.name, { kind: 'log', level: 'warning', text }, now)
    this.#restore(now)
    this.#resignContested(gone.address, now)
  }

  /** After a bound a peer is to serve the address; not again while the last attempt lasts. */
  #resignContested(address: Ip, now: Us): void {
    if (this.#cfg.addressConflict === 'report' || this.#conflict.reason !== null) return
    if (this.#restorer.contestedAt(now).length === 0) return
    if (this.#ports.giveUpLead(address)) this.#conflict.begin(address, now)
  }

  #restore(now: Us): void {
    const { facts } = this.stance
    if (this.#machine.state.kind !== 'master' || facts === null) return
    for (const { key, add, announce } of this.#restorer.take(now)) {
      const address = facts.addresses.find((a) => `${a.ifindex} ${identityOf(a)}` === key)
      if (address === undefined) continue
      const [put, ...frames] = planRestore(facts, address)
      this.#once([...(add && put !== undefined ? [put] : []), ...(announce ? frames : [])])
    }
  }

  linkFailed(call: string, code: string): void {
    this.stance.failed(call, code)
    this.#feedFaults()
    this.stance.drop()
  }

  /** Its configuration is in force: a reload that failed half-way, or sockets that did not open, leave it to be done. */
  get applied(): boolean {
    return this.#applied && !this.stance.faults.some(({ kind }) => kind === 'transport')
  }

  /** For a place that it takes over from another instance. The engine forgets what it counted there. */
  move(cfg: Instance): readonly Move[] {
    this.#machine = this.#refreshed()
    return this.stance.move(cfg)
  }

  /** Another instance gave up an address that is ours now: what it deleted is set again. */
  holdAddresses(): void {
    const { facts } = this.stance
    if (this.#machine.state.kind === 'master' && facts !== null) this.#once(planHold(facts))
  }

  /** A reload changed what belongs to this instance without changing its identity. */
  reconfigure(cfg: Instance, assessment: Assessment): void {
    this.#applied = false
    this.#cfg = cfg
    this.#assessment = assessment
    this.receiver.reconfigure(cfg)
    this.#params = this.#paramsNow()
    this.#machine = recounted(this.#params, this.#machine)
    this.refresh()
    this.feed({ kind: 'priority', effective: assessment.effective, serving: true })
    if (this.#listensOrLeads()) this.#install('replace')
    // It may not keep the place of a configuration that has gone: another instance's may be there.
    if (this.stance.faults.length > 0) this.stance.drop()
    this.#applied = true
  }

  /** `ownerListens`: not all members are owners, so an owner begins like everybody else. */
  joinGroup(ownerListens: boolean): void {
    this.#belong(true, ownerListens)
  }

  leaveGroup(): void {
    this.#belong(false, false)
    this.hold(false)
    const { state } = this.#machine
    const laid =
      state.kind === 'fault' ? state.faults.find((f) => f.kind === 'sync-group') : undefined
    if (laid !== undefined) this.feed({ kind: 'group-fault', group: laid.group, culprit: null })
  }

  /** The sync group does not allow this member's deadline to lead on its own (or allows it again). */
  hold(held: boolean): void {
    if (held === this.#held) return
    this.#held = held
    if (this.#machine.state.kind !== 'backup') return
    this.#machine = this.#refreshed()
    this.#install('replace')
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
    this.stance.drop()
    this.#ports.claim(this.slot, [])
  }

  /** One event of any origin. `advert`: when it was received and how it came, when the event is one. */
  feed(
    event: Event,
    advert: { readonly at: Us; readonly expected: ExpectedAdvert } | null = null,
  ): void {
    if (!this.#started && event.kind !== 'stop') return
    const now = advert?.at ?? this.#ports.engine.now()
    const { machine, effects, order, accepted } = step(this.#params, this.#refreshed(), event, now)
    this.#machine = machine
    if (accepted && advert !== null) this.#expected = advert.expected
    // What follows is done now, however long ago the advert came: its bounds are counted from here.
    const present = this.#ports.engine.now()
    for (const effect of effects) this.#carryOut(effect, present)
    if (order !== 'keep') this.#install(order)
  }

  /** The machine with the deadline that the engine has by now. */
  #refreshed(): Machine {
    const { state } = this.#machine
    if (state.kind !== 'backup' || this.stance.link === null) return this.#machine
    const heardAt = this.#ports.engine.counters(this.slot).lastExpectedUs
    return refreshed(this.#params, this.#machine, heardAt)
  }

  #carryOut(effect: Effect, now: Us): void {
    switch (effect.kind) {
      case 'transition':
        return this.#transition(effect)
      case 'advertise':
        return this.#answer(effect, now)
      case 'reannounce':
        return this.#reannounce(effect, now)
      case 'log':
        return this.#remarks.say(this.name, effect, now)
      default:
        return unreachable(effect)
    }
  }

  #transition(effect: Effect & { kind: 'transition' }): void {
    this.refusals.forget()
    this.#duplicates.end()
    this.#timerResets = 0
    this.receiver.newEpoch()
    this.#contact = null
    this.#competition.forget()
    this.#restorer.end()
    this.#mute.forget()
    // No peer keeps the lead: there is none, or it suffers the same.
    if (effect.to === 'master') this.#conflict.prolong(this.#ports.engine.now())
    if (effect.to !== 'backup') this.#expected = null
    this.#voice.transition(this.#cfg, effect, this.#machine, this.#removed)
    if (effect.from === 'fault' && effect.to !== 'stopped') this.#announceSource()
  }

  /** Unicast peers must reach us at once although our link was away (their ARP entry may be stale). */
  #announceSource(): void {
    const { facts, home } = this.stance
    if (this.#cfg.transport.kind === 'unicast' && facts !== null && home !== null)
      this.#once(planAnnounceSource(facts, home))
  }

  /** One advert out of turn, at a bounded rate: an answer to each packet would make a flood of theirs one of ours. */
  #answer({ resetTimer }: Effect & { kind: 'advertise' }, now: Us): void {
    const { facts } = this.stance
    if (facts === null || !this.#answers.take(now)) return
    this.#once(planAdvert(facts, this.#machine.effective))
    // Only with an advert that has gone out: else a flood of resignations would put off ours for ever.
    if (!resetTimer) return
    this.#timerResets += 1
    this.#install('replace')
  }

  /** Announced at once, then ever more rarely, whatever the competitor sends (RFC 9568 section 6.4.3). */
  #reannounce(effect: Effect & { kind: 'reannounce' }, now: Us): void {
    if (!this.#competition.contact(now, this.#cfg.advertIntervalUs)) return
    this.#announceAgain(`${effect.from} ${now}`)
    this.#voice.notify(this.#cfg, 'MASTER_RX_LOWER_PRI', this.#machine)
  }

  /** The addresses at once; the rest of the set is the lead's, under this name. */
  #announceAgain(contact: string): void {
    const { facts } = this.stance
    if (facts === null) return
    this.#contact = contact
    this.#once(planReannounce(facts))
    this.#install('replace')
  }

  #feedFaults(): void {
    const { faults: refused } = this.refusals
    const own = [...refused, ...this.#mute.faults]
    const faults = [...this.stance.faults, ...this.#assessment.faults, ...own]
    this.feed({ kind: 'faults', faults })
  }

  #belong(grouped: boolean, ownerListens: boolean): void {
    this.#grouped = grouped
    this.#ownerListens = ownerListens
    this.#params = this.#paramsNow()
  }

  /** The members of a group move together, by the group's word: one that resigned alone would interrupt the others. */
  #paramsNow(): Params {
    const params = paramsOf(this.#cfg, this.stance.source)
    const resignOnDemotion = params.resignOnDemotion && !this.#grouped
    return { ...params, resignOnDemotion, ownerListens: this.#ownerListens }
  }

  #listensOrLeads(): boolean {
    return this.#machine.state.kind === 'backup' || this.#machine.state.kind === 'master'
  }

  /** The facts changed under a standing order: it is replaced, and a master adds and removes what differs. */
  #installDifference(before: SlotFacts | null, rejoined: boolean): void {
    const now = this.stance.facts
    if (now === null) return
    if (rejoined) this.#expected = null
    this.#install(before === null ? 'enter' : 'replace')
    if (this.#machine.state.kind !== 'master' || before === null) return
    const { add, swap, remove } = addressDifference(before, now)
    for (const address of add) this.#once(planRestore(now, address))
    for (const each of swap) this.#once(planSwap(before, now, each))
    if (remove.length > 0) this.#once(planRemove(before, now, remove))
  }

  #install(change: Exclude<OrderChange, 'keep'>): void {
    const { facts } = this.stance
    if (change === 'resign') this.#zeroSent += 1
    if (facts === null) return
    this.#generation += 1
    const order = planOrder(facts, this.#params, this.#machine, {
      entering: change !== 'replace',
      resign: change === 'resign',
      expected: this.#expected,
      held: this.#held,
      reannounce: this.#contact,
      timerResets: this.#timerResets,
    })
    this.#submit(order)
  }

  #once(now: Plan): void {
    this.#submit({ kind: 'once', now })
  }

  /**
   * The only way to the engine, which knows the slot for as long as the instance has sockets. What the slot held was
   * released by the last order before they were closed; until they are open again there is nothing to order.
   */
  #submit(order: Order): void {
    if (this.stance.link === null) return
    this.#ports.orders.add(this.slot, this.#generation, order)
  }
}
