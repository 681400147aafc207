/**
 * A master's addresses in the kernel: put back when another program removes them, given up when it insists and that is
 * configured, watched for duplicates and for what the kernel refuses.
 */
import type { Ip } from '../../base/ip.ts'
import { type Us, us } from '../../base/time.ts'
import type { Instance } from '../../config/types.ts'
import type { Fault } from '../../election/types.ts'
import {
  kernelAddresses,
  planHold,
  planRestore,
  type SlotFacts,
} from '../../engine/plans-addresses.ts'
import type { AddressAltered, KernelAddress } from '../../kernel/address-table.ts'
import type { KernelView } from '../../kernel/mirror.ts'
import { identityOf, identityOfHeld } from '../../wire/address-identity.ts'
import { isAltered } from '../binding/altered-address.ts'
import { Duplicates, describeDuplicate } from './duplicates.ts'
import type { RateLimitedLog } from './rate-limited-log.ts'
import { RefusedAddresses } from './refused-addresses.ts'
import { contested, Restorer } from './restorer.ts'
import type { SlotOrders } from './slot-orders.ts'
import { Withdrawal } from './withdrawal.ts'

/** How long an instance stands by whose address was contested. */
const conflictUs = { first: us(10_000_000), longest: us(300_000_000) }

export type AddressKeeperPorts = {
  readonly kernel: KernelView
  readonly orders: SlotOrders
  readonly log: RateLimitedLog
  /** See `InstancePorts`. */
  giveUpLead(contested: Ip | null): boolean
}

/** A master as it stands. */
export type Holder = { readonly cfg: Instance; readonly facts: SlotFacts; readonly now: Us }

export const hasAddress = ({ addresses, excluded }: Instance, address: Ip): boolean =>
  [...addresses, ...excluded].some((one) => one.address === address)

export class AddressKeeper {
  readonly #ports: AddressKeeperPorts
  readonly #restorer = new Restorer()
  readonly #conflict = new Withdrawal<Ip>(conflictUs)
  readonly #duplicates = new Duplicates()
  readonly #refused: RefusedAddresses

  constructor(ports: AddressKeeperPorts) {
    this.#ports = ports
    this.#refused = new RefusedAddresses(ports.kernel)
  }

  /** Another host has one of the addresses. The renewal tries it again, so nothing is put back here. */
  duplicate({ address }: KernelAddress, { cfg, now }: Omit<Holder, 'facts'>): void {
    if (!hasAddress(cfg, address)) return
    this.#duplicates.note(address, now)
    const text = `(${cfg.name}) ${describeDuplicate(address)}`
    this.#ports.log.write(cfg.name, { kind: 'log', level: 'warning', text }, now)
  }

  /**
   * An address vanished that we did not remove: if it is ours it is put back. `wasDown`: the kernel drops addresses of an
   * interface that goes down, which does not count (interface_up_down_delays).
   */
  vanished(gone: KernelAddress, holder: Holder, wasDown: boolean): void {
    const { cfg, facts, now } = holder
    const { ifindex } = gone
    const identity = identityOfHeld(gone)
    const lost = kernelAddresses(facts).some(
      (a) => a.ifindex === ifindex && identityOf(a) === identity,
    )
    // On a virtual link its prefix may be another than the one that is written.
    const tracked = [...cfg.addresses, ...cfg.excluded].some(
      (a) =>
        a.track && (identityOf(a) === identity || (a.vmac !== null && a.address === gone.address)),
    )
    if (!lost || !tracked) return
    this.#restorer.lost(`${ifindex} ${identity}`, now, !wasDown)
    const on = facts.addresses.find((a) => a.ifindex === ifindex)?.interface ?? 'its interface'
    const how = wasDown ? `went while ${on} was down` : 'was removed by another program'
    const text = `(${cfg.name}) ${gone.address} ${how}: put back`
    this.#ports.log.write(cfg.name, { kind: 'log', level: 'warning', text }, now)
    this.restore(holder)
    if (!wasDown && this.#restorer.contestedAt(now).length > 0) this.contested(gone.address, holder)
  }

  /** Whether one of a master's is there as it must be; null: it has no such one. */
  accepts({ held, terms }: AddressAltered, facts: SlotFacts): boolean | null {
    const wanted = kernelAddresses(facts).find(
      (a) => a.ifindex === held.ifindex && identityOf(a) === identityOfHeld(held),
    )
    if (wanted === undefined || wanted.foreign) return null
    return !isAltered(wanted, facts.lifetimeSeconds, terms)
  }

  /** Another program altered it, which takes no effect on the lead and on clients as long as it is set again. */
  altered({ held }: AddressAltered, holder: Holder): void {
    const { cfg, now } = holder
    this.#restorer.altered(`${held.ifindex} ${identityOfHeld(held)}`)
    const text = `(${cfg.name}) ${held.address} was altered by another program (lifetimes, flags or protocol): set again`
    this.#ports.log.write(cfg.name, { kind: 'log', level: 'warning', text }, now)
    this.restore(holder)
  }

  /** A virtual link of the master was switched off: on again, with all that is on it. */
  switchedOff(link: string, holder: Holder): void {
    const { cfg, facts, now } = holder
    if (!facts.carriers.some(({ name }) => name === link)) return
    this.#restorer.lost(`link ${link}`, now)
    const text = `(${cfg.name}) ${link} was switched off by another program: switched on again`
    this.#ports.log.write(cfg.name, { kind: 'log', level: 'warning', text }, now)
    this.restore(holder)
  }

  /** What is due of what was put off. */
  restore({ facts, now }: Omit<Holder, 'cfg'>): void {
    for (const { key, add, announce } of this.#restorer.take(now)) {
      if (add && key.startsWith('link ')) this.#ports.orders.once(planHold(facts))
      const address = facts.addresses.find((a) => `${a.ifindex} ${identityOf(a)}` === key)
      if (address === undefined) continue
      const [put, ...frames] = planRestore(facts, address)
      this.#ports.orders.once([
        ...(add && put !== undefined ? [put] : []),
        ...(announce ? frames : []),
      ])
    }
  }

  /** A request of the standing lead failed. True when that has become a fault. */
  refused(request: Uint8Array, why: string, { facts, now }: Omit<Holder, 'cfg'>): boolean {
    return this.#refused.note(request, why, facts, now)
  }

  /** Does what `retryAt` named. True when a fault is lifted. */
  tick(now: Us): boolean {
    const lifted = this.#refused.lift(now)
    if (this.#conflict.lift(now)) this.#ports.giveUpLead(null)
    return lifted
  }

  /** The lead has begun or ended. */
  newState(to: string, now: Us): void {
    this.#refused.forget()
    this.#duplicates.end()
    this.#restorer.end()
    // No peer keeps the lead: there is none, or it suffers the same.
    if (to === 'master') this.#conflict.prolong(now)
  }

  get faults(): readonly Fault[] {
    return this.#refused.faults
  }

  /** When the kernel is asked again for what it refused; null: it has not. */
  get refusedUntil(): Us | null {
    return this.#refused.retryAt
  }
  get conflictUntil(): Us | null {
    return this.#conflict.retryAt
  }

  /** When `restore` has something to do for a master; null: never. */
  restoreAt(now: Us): Us | null {
    return this.#restorer.due(now)
  }

  /** The contested address that the lead was given up for, and until when; null: none. */
  conflictAt(now: Us): { readonly address: Ip; readonly forUs: Us } | null {
    const { reason, retryAt } = this.#conflict
    return reason === null || retryAt === null
      ? null
      : { address: reason, forUs: us(Math.max(0, retryAt - now)) }
  }

  /** What a master lacks or has to fight for, one sentence each, beginning with the instance's name. */
  warnings({ cfg, facts, now }: Omit<Holder, 'facts'> & { readonly facts: SlotFacts | null }): {
    readonly contested: readonly string[]
    readonly refused: readonly string[]
  } {
    const removed = this.#restorer.contestedAt(now).map(({ key, inUs }) => {
      const [, address = ''] = key.split(' ')
      const seconds = Math.ceil(inUs / 1_000_000)
      return `${cfg.name}: ${address} was removed ${contested.losses} times in ${seconds} s by another program, and put back each time`
    })
    const refused = this.#refused.describe(facts?.addresses ?? [])
    return {
      contested: removed,
      refused: refused.map((why) => `${cfg.name} is MASTER, but ${why}`),
    }
  }

  /** Addresses that serve no client because another host has them, one sentence each. */
  duplicatesOf({ name, addressLifetimeSeconds }: Instance, now: Us): readonly string[] {
    return this.#duplicates
      .at(now, addressLifetimeSeconds)
      .map((address) => `${name}: ${describeDuplicate(address)}`)
  }

  snapshot() {
    return {
      restorer: this.#restorer.snapshot(),
      conflict: this.#conflict.snapshot(),
      duplicates: this.#duplicates.snapshot(),
      refused: this.#refused.snapshot(),
    }
  }

  adopt(state: ReturnType<AddressKeeper['snapshot']>): void {
    this.#restorer.adopt(state.restorer)
    this.#conflict.adopt(state.conflict)
    this.#duplicates.adopt(state.duplicates)
    this.#refused.adopt(state.refused)
  }

  /** A peer is to serve the address; not again while the last attempt lasts. */
  contested(address: Ip, { cfg, now }: Omit<Holder, 'facts'>): void {
    if (cfg.addressConflict === 'report' || this.#conflict.reason !== null) return
    if (this.#ports.giveUpLead(address)) this.#conflict.begin(address, now)
  }
}
