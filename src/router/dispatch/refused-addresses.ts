/**
 * Addresses that the kernel refused to a master. One of several is a warning; a master whose kernel refused all of them
 * serves no client and keeps the peer from doing it: that is a fault, which is lifted after a while, ever later, to try
 * again.
 */
import { type Us, us } from '../../base/time.ts'
import type { Fault } from '../../election/types.ts'
import { type AddressFacts, type SlotFacts, switchOn } from '../../engine/plans-addresses.ts'
import type { KernelView } from '../../kernel/mirror.ts'
import { identityOf, identityOfHeld } from '../../wire/address-identity.ts'
import { decodeMessages } from '../../wire/rtnetlink.ts'
import { Withdrawal } from './withdrawal.ts'

const againUs = { first: us(1_000_000), longest: us(60_000_000) }

/** Of a master's facts. */
type Wanted = Pick<SlotFacts, 'addresses' | 'carriers'>

type Refused = { readonly address: string; readonly why: string }

export class RefusedAddresses {
  /** By interface and identity. */
  readonly #refused = new Map<string, Refused>()
  /** Virtual links that cannot be switched on, by index, and why. */
  readonly #dark = new Map<number, string>()
  readonly #kernel: KernelView
  readonly #withdrawal = new Withdrawal<Fault>(againUs)

  constructor(kernel: KernelView) {
    this.#kernel = kernel
  }

  /** A request failed while the instance is master. True when it has become a fault. */
  note(
    request: Uint8Array,
    why: string,
    { addresses: wanted, carriers }: Wanted,
    now: Us,
  ): boolean {
    const carrier = carriers.find((it) => Buffer.compare(switchOn(it).bytes, request) === 0)
    if (carrier !== undefined) this.#dark.set(carrier.ifindex, why)
    for (const message of decodeMessages(request)) {
      if (message.kind !== 'newaddr') continue
      const { ifindex, address } = message.address
      this.#refused.set(`${ifindex} ${identityOfHeld(message.address)}`, { address, why })
    }
    const ours = wanted.filter((it) => !it.foreign)
    if (this.#withdrawal.reason !== null || ours.length === 0) return false
    if (!ours.every((it) => this.#isRefused(it))) return false
    this.#withdrawal.begin({ kind: 'addresses', why }, now)
    return true
  }

  /** No longer master: what the kernel would say now is not known. */
  forget(): void {
    this.#refused.clear()
    this.#dark.clear()
  }

  /** Lifts the fault when it is time to try again. True when it did. */
  lift(now: Us): boolean {
    return this.#withdrawal.lift(now)
  }

  get faults(): readonly Fault[] {
    return [this.#withdrawal.reason ?? []].flat()
  }

  /** When `lift` will do something; null: never. */
  get retryAt(): Us | null {
    return this.#withdrawal.retryAt
  }

  /** What a master lacks, one sentence each. */
  describe(wanted: readonly AddressFacts[]): readonly string[] {
    return wanted
      .filter((it) => this.#isRefused(it))
      .map((it) => `the kernel refuses ${it.address} on ${it.interface}: ${this.#whyOf(it)}`)
  }

  snapshot() {
    return { refused: [...this.#refused], withdrawal: this.#withdrawal.snapshot() }
  }

  adopt({ refused, withdrawal }: ReturnType<RefusedAddresses['snapshot']>): void {
    for (const [key, it] of refused) this.#refused.set(key, it)
    this.#withdrawal.adopt(withdrawal)
  }

  #isRefused(it: AddressFacts): boolean {
    if (this.#dark.has(it.ifindex)) return true
    return this.#whyOf(it) !== null && this.#kernel.find(it.ifindex, it) === null
  }

  #whyOf(it: AddressFacts): string | null {
    const dark = this.#dark.get(it.ifindex)
    return dark ?? this.#refused.get(`${it.ifindex} ${identityOf(it)}`)?.why ?? null
  }
}
