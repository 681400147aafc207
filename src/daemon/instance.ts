/**
 * One VRRP instance at work: feeds what happened into the election and turns what it says into orders, log
 * lines, notifications and history. All decisions are in election/, all bytes in wire/ and the plans;
 * this is the wiring between them, and the only holder of an instance's mutable state.
 */
import { isDeepStrictEqual } from 'node:util'
import { unreachable } from '../base/assert.ts'
import { OpError } from '../base/errors.ts'
import type { Ip } from '../base/ip.ts'
import { type Us, us } from '../base/time.ts'
import type { Instance } from '../config/types.ts'
import { describeCause } from '../election/describe.ts'
import { initial, nextDeadline, refreshed, step } from '../election/step.ts'
import type { Effect, Event, Fault, Machine, Params, State } from '../election/types.ts'
import type {
  Engine,
  EngineEvent,
  Familiar,
  Heard,
  LinkId,
  Plan,
  SlotId,
} from '../engine/contract.ts'
import {
  type AddressFacts,
  planAdvert,
  planOrder,
  planReannounce,
  planRest,
  planRestore,
  type SlotFacts,
} from '../engine/plans.ts'
import { Budget } from './budget.ts'
import type { Log } from './daemon-types.ts'
import { findFooting } from './footing.ts'
import { Journal } from './journal.ts'
import type { KernelLink, KernelView } from './kernel.ts'
import type { Links, LinkWish } from './links.ts'
import type { InstanceState, Notifier } from './notify.ts'
import type { OrderQueue } from './orders.ts'
import { Receiver } from './receive.ts'
import { paramsOf, slotFacts } from './slot-facts.ts'
import type { Assessment } from './tracker.ts'

export type InstancePorts = {
  readonly engine: Engine
  readonly kernel: KernelView
  readonly links: Links
  readonly orders: OrderQueue
  readonly notifier: Notifier
  readonly log: Log
  /** Every configured VIP, which is never a source address. */
  virtual(): ReadonlySet<Ip>
  /** The wall clock in milliseconds, for people. */
  wallMs(): number
}

/** Announcements provoked by others: five contacts at once, then one each second. */
const reannouncements = { burst: 5, perSecond: 1 }
/** Addresses put back after somebody deleted them. A program that insists must not turn us into a flood. */
const restorations = { burst: 20, perSecond: 5 }

export class RunningInstance {
  readonly slot: SlotId
  readonly journal: Journal
  readonly receiver: Receiver
  #cfg: Instance
  readonly #ports: InstancePorts
  #params: Params
  #machine: Machine
  #generation = 0
  #link: LinkId | null = null
  #wish: LinkWish | null = null
  #facts: SlotFacts | null = null
  #familiar: Familiar | null = null
  #footingFaults: readonly Fault[] = []
  #assessment: Assessment
  #started = false
  #removed = false
  #held = false
  #ownerListens = false
  /** Names the last contact with a competitor, for the announcements still to come. */
  #contact: string | null = null
  #zeroSent = 0
  readonly #contacts = new Budget(reannouncements.burst, reannouncements.perSecond)
  readonly #restorations = new Budget(restorations.burst, restorations.perSecond)

  constructor(slot: SlotId, cfg: Instance, assessment: Assessment, ports: InstancePorts) {
    this.slot = slot
    this.#cfg = cfg
    this.#ports = ports
    this.#assessment = assessment
    this.journal = new Journal(ports.wallMs)
    this.receiver = new Receiver(cfg, ports.log)
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
  get facts(): SlotFacts | null {
    return this.#facts
  }
  get link(): LinkId | null {
    return this.#link
  }
  get assessment(): Assessment {
    return this.#assessment
  }
  get zeroSent(): number {
    return this.#zeroSent
  }

  /** The next instant at which the election itself wants a tick; null for none. */
  get deadline(): Us | null {
    return nextDeadline(this.#machine.state)
  }

  /** Takes part from now on: first move of reference §4.1. */
  start(): void {
    this.#started = true
    this.refresh()
    this.feed({ kind: 'priority', effective: this.#assessment.effective })
    this.feed({ kind: 'start' })
  }

  /** Looks again at what it stands on: the kernel or the configuration changed. */
  refresh(): void {
    const before = this.#facts
    const footing = findFooting(this.#cfg, this.#ports.kernel, this.#ports.virtual())
    const rejoined = footing.ok && this.#stand(footing.wish, footing.home)
    if (!footing.ok) this.#footingFaults = footing.faults
    const generation = this.#generation
    this.#feedFaults()
    // New sockets know nothing of the standing order; a new order may have gone out with the faults just now.
    if (generation !== this.#generation || before === this.#facts) return
    if (this.#listensOrLeads()) this.#installDifference(before, rejoined)
  }

  /** The trackers' new opinion: faults and the effective priority. */
  assess(assessment: Assessment): void {
    const before = this.#assessment
    this.#assessment = assessment
    if (before.effective !== assessment.effective) {
      this.#ports.log.info(
        `(${this.name}) Changing effective priority from ${before.effective} to ${assessment.effective}`,
        { instance: this.name, arithmetic: assessment.arithmetic },
      )
      this.feed({ kind: 'priority', effective: assessment.effective })
      this.#notifyPriority()
    }
    this.#feedFaults()
  }

  heard(packet: Heard): void {
    const advert = this.receiver.receive(packet, this.#params.source)
    if (advert === null) return
    const { from, ttl, payload } = packet
    this.feed({ kind: 'advert', advert }, { from, ttl, payload })
  }

  /** An event of the engine that names this slot. */
  engineEvent(
    event: Exclude<EngineEvent, { kind: 'heard' | 'kernel' | 'overrun' | 'linkFailed' }>,
  ): void {
    if (event.kind === 'failed') {
      this.#ports.log.error(
        `(${this.name}) ${event.call} failed: ${event.code}${event.detail === '' ? '' : ` (${event.detail})`}`,
        { instance: this.name, step: event.stepKind },
      )
      return
    }
    if (event.generation !== this.#generation) {
      // It crossed a newer order. Had the engine begun to lead, the newer order must also undo that.
      if (event.kind === 'expired' && this.#machine.state.kind !== 'master')
        this.#install({ entering: true, goodbye: false })
      return
    }
    if (event.kind === 'expired') this.feed({ kind: this.#held ? 'held' : 'expired' })
    else if (event.kind === 'late')
      this.feed({ kind: 'resigned', why: 'late', lateUs: event.lateUs })
    else this.feed({ kind: 'resigned', why: 'lapsed', lateUs: us(0) })
  }

  /** One of our addresses vanished although we did not remove it: put it back, stay master. */
  addressVanished(ifindex: number, address: Ip): void {
    const facts = this.#facts
    if (this.#machine.state.kind !== 'master' || facts === null) return
    const lost = facts.addresses.find((a) => a.ifindex === ifindex && a.address === address)
    const tracked = [...this.#cfg.addresses, ...this.#cfg.excluded].some(
      (a) => a.address === address && a.track,
    )
    if (lost === undefined || !tracked || !this.#restorations.take(this.#ports.engine.now())) return
    this.#ports.log.warn(`(${this.name}) ${address} was removed by another program: put back`, {
      instance: this.name,
    })
    this.#also(planRestore(facts, lost))
  }

  /** The link's sockets failed; they are opened again when the kernel says that the interface is back. */
  linkFailed(call: string, code: string): void {
    this.#dropLink()
    this.#footingFaults = [{ kind: 'transport', op: call, code }]
    this.#feedFaults()
  }

  /** A reload changed what belongs to this instance without changing its identity. */
  reconfigure(cfg: Instance, assessment: Assessment): void {
    this.#cfg = cfg
    this.#assessment = assessment
    this.receiver.reconfigure(cfg)
    this.#params = this.#paramsNow(this.#wish?.source ?? null)
    this.refresh()
    this.feed({ kind: 'priority', effective: assessment.effective })
    if (this.#listensOrLeads()) this.#install({ entering: false, goodbye: false })
  }

  /** `ownerListens`: not all members are owners, so an owner begins like everybody else. */
  joinGroup(ownerListens: boolean): void {
    this.#ownerListens = ownerListens
    this.#params = this.#paramsNow(this.#wish?.source ?? null)
  }

  leaveGroup(): void {
    this.joinGroup(false)
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
    this.#install({ entering: false, goodbye: false })
  }

  /** Leaves for good: priority 0 if master, addresses removed. The slot stays until `forget`. */
  stop(): void {
    this.feed({ kind: 'stop' })
  }

  /** A reload took it out of the configuration (reference §3.4: DELETED, else FAULT, is notified). */
  remove(): void {
    const { notify } = this.#cfg
    this.#cfg = { ...this.#cfg, notify: { ...notify, stop: null } }
    this.#removed = true
    this.stop()
  }

  /** After the engine has carried out the last order. */
  forget(): void {
    this.#dropLink()
  }

  /** One event of any origin. `familiar`: the advert as it came, when the event is one. */
  feed(event: Event, familiar: Familiar | null = null): void {
    if (!this.#started && event.kind !== 'stop') return
    const now = this.#ports.engine.now()
    const before = this.#machine.state
    const { machine, effects, accepted } = step(this.#params, this.#refreshed(), event, now)
    this.#machine = machine
    if (accepted && familiar !== null) this.#familiar = familiar
    for (const effect of effects) this.#carryOut(effect, now)
    const moved = effects.some((e) => e.kind === 'transition')
    const reordered = accepted || effects.some((e) => e.kind === 'reorder')
    // The engine already stands on the lead that it was given with the follow.
    const standing = event.kind === 'expired' && machine.state.kind === 'master'
    if (standing || !(moved || reordered)) return
    const goodbye = before.kind === 'master' && machine.state.kind !== 'backup'
    if (goodbye) this.#zeroSent += 1
    this.#install({ entering: moved, goodbye })
  }

  /** The machine with the deadline that the engine has by now. */
  #refreshed(): Machine {
    const { state } = this.#machine
    if (state.kind !== 'backup' || this.#link === null) return this.#machine
    const heardAt = this.#ports.engine.counters(this.slot).lastFamiliarUs
    return refreshed(this.#params, this.#machine, heardAt)
  }

  #carryOut(effect: Effect, now: Us): void {
    switch (effect.kind) {
      case 'transition':
        return this.#transition(effect)
      case 'advertise':
        if (this.#facts !== null) this.#also(planAdvert(this.#facts, this.#machine.effective))
        return
      case 'reannounce':
        return this.#reannounce(effect, now)
      case 'log':
        if (effect.level === 'info') this.#ports.log.info(effect.text, { instance: this.name })
        else this.#ports.log.warn(effect.text, { instance: this.name })
        return
      case 'reorder':
        return
      default:
        return unreachable(effect)
    }
  }

  #transition(effect: Effect & { kind: 'transition' }): void {
    const why = describeCause(effect.cause)
    this.receiver.newEpoch()
    this.#contact = null
    if (effect.to !== 'backup') this.#familiar = null
    this.journal.record(effect.from.toUpperCase(), effect.to.toUpperCase(), why)
    const { log } = this.#ports
    const fields = { instance: this.name, from: effect.from, to: effect.to, cause: effect.cause }
    const state = this.#machine.state
    if (effect.to === 'stopped') return this.#notifyEnd()
    if (state.kind === 'fault' && state.silent)
      return log.info(`(${this.name}) held: ${why}`, fields)
    const init = effect.from === 'init' && effect.to === 'backup' ? ' (init)' : ''
    const text = `(${this.name}) Entering ${effect.to.toUpperCase()} STATE${init}`
    log.info(`${text}: ${why}`, fields)
    if (effect.to === 'master') this.#notify('MASTER')
    else if (effect.to === 'backup') this.#notify('BACKUP')
    else if (effect.to === 'fault') this.#notify('FAULT')
  }

  /** Announced at once, then at a bounded rate, whatever the competitor sends (RFC 9568 section 6.4.3). */
  #reannounce(effect: Effect & { kind: 'reannounce' }, now: Us): void {
    if (this.#facts === null || !this.#contacts.take(now)) return
    this.#contact = `${effect.from} ${now}`
    this.#also(planReannounce(this.#facts))
    this.#install({ entering: false, goodbye: false })
    this.#notify('MASTER_RX_LOWER_PRI')
  }

  #notify(state: InstanceState): void {
    const { name, notify } = this.#cfg
    this.#ports.notifier.instance({ name, state, priority: this.#machine.effective, notify })
  }

  #notifyEnd(): void {
    if (!this.#removed) return this.#notify('STOP')
    this.#notify(this.#cfg.notify.deleted === null ? 'FAULT' : 'DELETED')
  }

  #notifyPriority(): void {
    if (!this.#cfg.notify.priorityChanges) return
    if (this.#machine.state.kind === 'master') this.#notify('MASTER_PRIORITY')
    else if (this.#machine.state.kind === 'backup') this.#notify('BACKUP_PRIORITY')
  }

  #feedFaults(): void {
    const faults = [...this.#footingFaults, ...this.#assessment.faults]
    this.feed({ kind: 'faults', faults })
  }

  /** Opens what the wish asks for, unless it is open, and derives the facts that plans need. True: sockets are new. */
  #stand(wish: LinkWish, home: KernelLink): boolean {
    const { kernel, links } = this.#ports
    try {
      const joined = this.#link === null || !isDeepStrictEqual(this.#wish, wish)
      if (joined) {
        this.#dropLink()
        this.#link = links.join(this.slot, this.#cfg.vrid, wish)
        this.#wish = wish
      }
      this.#footingFaults = []
      this.#params = this.#paramsNow(wish.source)
      if (this.#link === null) return false
      const facts = slotFacts(this.#cfg, home, kernel, this.#link, wish.source)
      // Equal facts keep their identity: bytes that were encoded for them stay good.
      if (!isDeepStrictEqual(facts, this.#facts)) this.#facts = facts
      return joined
    } catch (error) {
      if (!(error instanceof OpError)) throw error
      this.#dropLink()
      this.#footingFaults = [{ kind: 'transport', op: error.op, code: error.code }]
      return false
    }
  }

  #paramsNow(source: Ip | null): Params {
    return { ...paramsOf(this.#cfg, source), ownerListens: this.#ownerListens }
  }

  #listensOrLeads(): boolean {
    return this.#machine.state.kind === 'backup' || this.#machine.state.kind === 'master'
  }

  /** The facts changed under a standing order: it is replaced, and a master adds and removes what differs. */
  #installDifference(before: SlotFacts | null, rejoined: boolean): void {
    const now = this.#facts
    if (now === null) return
    if (rejoined) this.#familiar = null
    this.#install({ entering: before === null, goodbye: false })
    if (this.#machine.state.kind !== 'master' || before === null) return
    const gone = before.addresses.filter((a) => !now.addresses.some((b) => isDeepStrictEqual(a, b)))
    const come = now.addresses.filter((a) => !before.addresses.some((b) => isDeepStrictEqual(a, b)))
    const stale = gone.filter((a) => !come.some((b) => samePlace(a, b)))
    if (stale.length > 0) this.#also(planRest({ ...before, addresses: stale }, false))
    for (const address of come) this.#also(planRestore(now, address))
  }

  /** What was ordered before still goes out through the old sockets. */
  #dropLink(): void {
    this.#ports.orders.hand()
    this.#ports.links.leave(this.slot)
    this.#link = null
    this.#wish = null
  }

  #install(options: { entering: boolean; goodbye: boolean }): void {
    if (this.#facts === null) return
    this.#generation += 1
    const { entering, goodbye } = options
    const order = planOrder(this.#facts, this.#params, this.#machine, {
      entering,
      goodbye,
      familiar: this.#familiar,
      held: this.#held,
      reannounce: this.#contact,
    })
    this.#ports.orders.add(this.slot, this.#generation, order)
  }

  #also(now: Plan): void {
    this.#ports.orders.add(this.slot, this.#generation, { kind: 'also', now })
  }
}

const samePlace = (a: AddressFacts, b: AddressFacts): boolean =>
  a.address === b.address && a.ifindex === b.ifindex && a.prefixLength === b.prefixLength
