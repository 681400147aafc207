/**
 * What a master has in the kernel, while it leads: each change that another program made there is given to the part that
 * keeps it, addresses and virtual links (address-keeper.ts) or routes and rules (entry-keeper.ts). Without a lead nothing
 * here does anything.
 */
import type { Ip } from '../../base/ip.ts'
import type { Us } from '../../base/time.ts'
import type { Instance } from '../../config/types.ts'
import { planAnnounceOnce, planLease } from '../../engine/plans.ts'
import { planDefence, planHold, planReturn, type SlotFacts } from '../../engine/plans-addresses.ts'
import type { AddressAltered, KernelAddress } from '../../kernel/address-table.ts'
import type { EntryGone } from '../../kernel/mirror.ts'
import { type Holder, hasAddress } from './address-keeper.ts'
import type { Parts, SlotEvent } from './instance-parts.ts'

export type LeadKeeperPorts = {
  cfg(): Instance
  now(): Us
}

export class LeadKeeper {
  readonly #parts: Pick<Parts, 'addresses' | 'binding' | 'election' | 'entries' | 'orders'>
  readonly #ports: LeadKeeperPorts

  constructor(parts: Parts, ports: LeadKeeperPorts) {
    this.#parts = parts
    this.#ports = ports
  }

  /** Of a master, what it leads with; else null. */
  get facts(): SlotFacts | null {
    const { election, binding } = this.#parts
    return election.machine.state.kind === 'master' ? binding.facts : null
  }

  /** One of a master's addresses, once. */
  announce(address: Ip): void {
    const { facts } = this
    if (facts !== null) this.#parts.orders.once(planDefence(facts, address))
  }

  /** All of them, once, ordered by the operator. False: this host is not their master. */
  announceAll(): boolean {
    const { facts } = this
    if (facts !== null) this.#parts.orders.once(planAnnounceOnce(facts))
    return facts !== null
  }

  /** Another host has one of our addresses. */
  addressDuplicate(held: KernelAddress): void {
    const holder = this.#holder()
    if (holder !== null) this.#parts.addresses.duplicate(held, holder)
  }

  /** One of our addresses vanished although we did not remove it: put it back, stay master. `wasDown`: its interface. */
  addressVanished(gone: KernelAddress, wasDown = false): void {
    const holder = this.#holder()
    if (holder === null || !hasAddress(holder.cfg, gone.address)) return
    this.#parts.addresses.vanished(gone, holder, wasDown)
    // Not of the lead that a contested address has just ended.
    this.holdEntries()
  }

  /** One of a master's is there as it must be; null: it has no such one. */
  acceptsAddress(told: AddressAltered): boolean | null {
    const { facts } = this
    return facts === null ? null : this.#parts.addresses.accepts(told, facts)
  }

  /** Another program altered one that this instance does not accept so. */
  addressAltered(told: AddressAltered): void {
    const holder = this.#holder()
    if (holder !== null) this.#parts.addresses.altered(told, holder)
  }

  /** Another program switched off a link that a master's addresses are on. */
  linkSwitchedOff(name: string): void {
    const holder = this.#holder()
    if (holder !== null) this.#parts.addresses.switchedOff(name, holder)
  }

  /** One of our routes or rules, perhaps, vanished. */
  entryVanished(told: EntryGone): void {
    const holder = this.#holder()
    if (holder !== null) this.#parts.entries.vanished(told, holder)
  }

  /** An interface changed: the kernel drops the routes of one that is down, and does not say so. */
  holdEntries(): void {
    const { facts } = this
    if (facts !== null) this.#parts.entries.hold({ facts })
  }

  /** What a master lacks of its routes and rules, one sentence each. */
  entryWarnings(now: Us): readonly string[] {
    const { facts } = this
    return facts === null ? [] : this.#parts.entries.warnings(this.#ports.cfg(), facts.entries, now)
  }

  /** Set again: another instance gave up an address that is ours now, or an interface has `returned` from being down. */
  holdAddresses(why: 'given-up' | 'returned' = 'given-up'): void {
    const { facts } = this
    const plan = why === 'returned' ? planReturn : planHold
    if (facts !== null) this.#parts.orders.once(plan(facts))
  }

  /** The kernel is told again that this instance leads. */
  openLease(): void {
    const { facts } = this
    const { effective } = this.#parts.election.machine
    if (facts !== null) this.#parts.orders.once(planLease(facts, effective))
  }

  /** What is due of what was put off. */
  restore(now: Us): void {
    const holder = this.#holder(now)
    if (holder === null) return
    this.#parts.addresses.restore(holder)
    this.#parts.entries.restore(holder)
  }

  /** A link that vipd makes, and that has gone, is made again: the failure means nothing. */
  isRemade(code: string): boolean {
    return code === 'ENODEV' && (this.#parts.binding.facts?.carriers.length ?? 0) > 0
  }

  /** A step of an order failed, perhaps a request of the standing lead. True when that has become a fault. */
  refused(event: SlotEvent & { kind: 'failed' }): boolean {
    const { request, call, code, detail, generation } = event
    const holder = this.#holder()
    const { addresses, entries, orders } = this.#parts
    if (request === null || holder === null || generation !== orders.generation) return false
    const why = `${call}: ${code}${detail === '' ? '' : `, ${detail}`}`
    if (entries.refused(request, why, holder)) return false
    return !this.isRemade(code) && addresses.refused(request, why, holder)
  }

  /** A master with its facts; null: none. */
  #holder(now: Us = this.#ports.now()): Holder | null {
    const { facts } = this
    return facts === null ? null : { cfg: this.#ports.cfg(), facts, now }
  }
}
