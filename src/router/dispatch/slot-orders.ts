/**
 * The orders of one instance's slot: from the election's state to the order that the engine stands under, and what is
 * done once beside it. Keeps what an order takes from the past: the advert that is expected, the last contact with a
 * competitor, whether the sync group holds the lead back.
 */
import { type Us, us } from '../../base/time.ts'
import type { Instance } from '../../config/types.ts'
import { backupSkewUs } from '../../election/effects.ts'
import type { Machine, OrderChange, Params } from '../../election/types.ts'
import type { ExpectedAdvert, Order, Plan, SlotId } from '../../engine/order.ts'
import { planAdvert, planAnnounceSource, planLease, planOrder } from '../../engine/plans.ts'
import {
  planCarriers,
  planPacedAgain,
  planRemove,
  planRestore,
  planSwap,
  planWithdraw,
  type SlotFacts,
} from '../../engine/plans-addresses.ts'
import { addEntry, planEntryChanges } from '../../engine/plans-entries.ts'
import { type LeadBefore, resumeLead } from '../../engine/resume-lead.ts'
import { addressDifference } from '../binding/address-difference.ts'
import type { SocketBinding } from '../binding/socket-binding.ts'
import type { OrderQueue } from '../orders.ts'
import type { SharedEntries } from './shared-entries.ts'

export type Standing = { readonly params: Params; readonly machine: Machine }

export class SlotOrders {
  readonly #slot: SlotId
  readonly #binding: SocketBinding
  readonly #queue: OrderQueue
  readonly #shared: SharedEntries
  #generation = 0
  #expected: ExpectedAdvert | null = null
  /** See `OrderOptions.held`. */
  /** As the standing order has it. */
  #asksBeforeUs: Us | null = null
  #held = false
  #contact: { readonly name: string; readonly at: Us } | null = null
  #timerResets = 0
  #zeroSent = 0
  /** It has led since the start. */
  #led = false
  /**
   * The lead that stands was resumed, at that instant: what replaces it leaves out the same, which the engine would take
   * for new. What it knows keeps its phase, whatever is said here.
   */
  #resumed: Pick<LeadBefore, 'now' | 'sentAt'> | null = null

  constructor(slot: SlotId, binding: SocketBinding, queue: OrderQueue, shared: SharedEntries) {
    this.#slot = slot
    this.#binding = binding
    this.#queue = queue
    this.#shared = shared
  }

  /** Of the standing order: events of another one have crossed with it. */
  get generation(): number {
    return this.#generation
  }
  get held(): boolean {
    return this.#held
  }
  /** Resignations that were ordered; the engine's own are not counted. */
  get zeroSent(): number {
    return this.#zeroSent
  }

  /** The advert that was accepted last, as it came; null: none that the sockets know. */
  expect(advert: ExpectedAdvert | null): void {
    this.#expected = advert
  }

  /** True when that is new. */
  hold(held: boolean): boolean {
    const changed = held !== this.#held
    this.#held = held
    return changed
  }

  /** Another state: nothing is left of a competition, and only a backup expects an advert. */
  newState(to: Machine['state']['kind']): void {
    this.#timerResets = 0
    this.#contact = null
    this.#resumed = null
    if (to !== 'backup') this.#expected = null
    if (to === 'master') this.#led = true
    this.#noteEntries(to)
  }

  /** Which routes and rules it holds from now on. */
  #noteEntries(state: Machine['state']['kind']): void {
    this.#shared.hold(this.#slot, state === 'master' ? (this.#binding.facts?.entries ?? []) : [])
  }

  /** Until the next contact a lead announces again what this one left to announce. */
  contact(name: string, at: Us): void {
    this.#contact = { name, at }
  }

  /** The next regular advert follows a whole interval after the one that has just been ordered. */
  resetTimer(now: Us): void {
    this.#timerResets += 1
    if (this.#resumed !== null) this.#resumed = { now, sentAt: now }
  }

  install(change: Exclude<OrderChange, 'keep'>, standing: Standing): void {
    const { facts } = this.#binding
    const resumed = this.#resumed
    if (change === 'replace' && resumed !== null) return this.resume(standing, resumed)
    if (change === 'resign') this.#zeroSent += 1
    if (facts === null) return
    this.#generation += 1
    this.#noteEntries(standing.machine.state.kind)
    this.#submit(this.#plan(facts, standing, change))
  }

  /**
   * The facts changed under a standing order: it is replaced, and a master adds and removes what differs. `rejoined`: the
   * sockets are new and know nothing of what stood; the lead goes on in phase with `sentAt`.
   */
  installDifference(
    before: SlotFacts | null,
    standing: Standing,
    rejoined: Pick<LeadBefore, 'now' | 'sentAt'> | null,
  ): void {
    const now = this.#binding.facts
    if (now === null) return
    const leads = standing.machine.state.kind === 'master'
    if (before !== null && rejoined !== null && leads) this.takeUp(standing, rejoined)
    // A take-over may have crossed with the sockets' end: what it set is taken back.
    else this.install(before === null || rejoined !== null ? 'enter' : 'replace', standing)
    if (!leads || before === null) return
    this.#setDifference(before, now)
    const { effective } = standing.machine
    if (before.lease === null) this.#onceUnlessEmpty(planLease(now, effective))
    // Peers wait for as long as the last advert says: a longer interval must be theirs before it passes.
    if (before.advertIntervalUs !== now.advertIntervalUs) this.once(planAdvert(now, effective))
  }

  #setDifference(before: SlotFacts, now: SlotFacts): void {
    this.#onceUnlessEmpty(planWithdraw(before, now))
    const { add, swap, remove } = addressDifference(before, now)
    const carriers = planCarriers(before.carriers, now.carriers)
    this.#onceUnlessEmpty(carriers.first)
    for (const address of add) this.once(planRestore(now, address))
    for (const each of swap) this.once(planSwap(before, now, each))
    // What an address takes with it is set again.
    const anew = swap.length > 0 || remove.length > 0 ? now.entries.map(addEntry) : []
    const entries = planEntryChanges(
      before.entries,
      now.entries,
      this.#shared.heldBeside(this.#slot),
    )
    this.#onceUnlessEmpty(entries)
    if (remove.length > 0) this.once(planRemove(before, now, remove))
    this.#onceUnlessEmpty(anew)
    this.#onceUnlessEmpty(carriers.last)
  }

  snapshot() {
    const expected = this.#expected
    return {
      expected: expected === null ? null : { ...expected, payload: toHex(expected.payload) },
      held: this.#held,
      contact: this.#contact,
      timerResets: this.#timerResets,
      zeroSent: this.#zeroSent,
      led: this.#led,
    }
  }

  adopt({ expected, ...state }: ReturnType<SlotOrders['snapshot']>): void {
    this.#expected = expected === null ? null : { ...expected, payload: fromHex(expected.payload) }
    this.#held = state.held
    this.#contact = state.contact
    this.#timerResets = state.timerResets
    this.#zeroSent = state.zeroSent
    this.#led = state.led
  }

  /** Goes on with what other sockets or another process was ordered: a backup with its deadline, a master in phase with `sentAt`. */
  resume({ params, machine }: Standing, { now, sentAt }: Pick<LeadBefore, 'now' | 'sentAt'>): void {
    const { facts } = this.#binding
    const { state } = machine
    if (facts === null || (state.kind !== 'backup' && state.kind !== 'master')) return
    this.#generation += 1
    this.#noteEntries(state.kind)
    const order = this.#plan(facts, { params, machine }, 'replace')
    this.#resumed = { now, sentAt }
    const since = state.kind === 'master' ? state.since : now
    const contact = this.#contact
    const resumed =
      order.kind === 'lead'
        ? { ...order, ...resumeLead(order, { now, since, sentAt, contact }) }
        : order
    this.#submit(resumed)
  }

  /** The first of `resume`: other sockets or another process did not send all that was paced. */
  takeUp(standing: Standing, lead: Pick<LeadBefore, 'now' | 'sentAt'>): void {
    this.resume(standing, lead)
    const { facts } = this.#binding
    if (facts !== null && standing.machine.state.kind === 'master')
      this.#onceUnlessEmpty(planPacedAgain(facts))
  }

  /** Unicast peers must reach us at once although our link was away (their ARP entry may be stale). */
  announceSource({ transport }: Instance): void {
    const { facts, primary } = this.#binding
    if (transport.kind === 'unicast' && facts !== null && primary !== null)
      this.once(planAnnounceSource(facts, primary))
  }

  /**
   * How long before a take-over a backup asks who has the addresses; null: it does not. A lower master that is to be taken
   * over from has them, and gives them up when it hears our advert. One that has resigned gives them up just now, and what
   * it announced before may still be on its way: half of the skew time is left to that.
   */
  askBeforeUs({ params, machine: { state, effective } }: Standing): Us | null {
    const asks = this.#binding.facts?.asks ?? null
    if (asks === null || state.kind !== 'backup' || (asks.when === 'start' && this.#led))
      return null
    const { kind } = state.countdown
    if (kind !== 'resigned') return kind === 'overruled' ? null : asks.beforeUs
    return us(Math.min(asks.beforeUs, Math.floor(backupSkewUs(params, effective, null) / 2)))
  }

  /** Whether the standing order asks although there is nothing to ask about now, or the other way round. */
  asksOtherwise(standing: Standing): boolean {
    const { kind } = standing.machine.state
    return kind === 'backup' && this.askBeforeUs(standing) !== this.#asksBeforeUs
  }

  once(now: Plan): void {
    this.#submit({ kind: 'once', now })
  }

  #onceUnlessEmpty(plan: Plan): void {
    if (plan.length > 0) this.once(plan)
  }

  #plan(facts: SlotFacts, { params, machine }: Standing, change: OrderChange): Order {
    this.#asksBeforeUs = this.askBeforeUs({ params, machine })
    return planOrder(facts, params, machine, {
      entering: change !== 'replace',
      resign: change === 'resign',
      expected: this.#expected,
      held: this.#held,
      shared: this.#shared.heldBeside(this.#slot),
      reannounce: this.#contact?.name ?? null,
      timerResets: this.#timerResets,
      askBeforeUs: this.#asksBeforeUs,
    })
  }

  /**
   * The only way to the engine, which knows the slot for as long as the instance has sockets. What the slot held was
   * released by the last order before they were closed; until they are open again there is nothing to order.
   */
  #submit(order: Order): void {
    if (this.#binding.link === null) return
    this.#queue.add(this.#slot, this.#generation, order)
  }
}

const toHex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex')
const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
