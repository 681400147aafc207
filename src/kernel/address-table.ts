/**
 * The addresses of the kernel's interfaces as last heard: which of them are vipd's, which another program's, and which IPv4
 * addresses of the host's own are secondary.
 */
import { type Ip, ipFamily } from '../base/ip.ts'
import { type AddressIdentity, identityOf, identityOfHeld } from '../wire/address-identity.ts'
import {
  encodeAddressAgain,
  keepalivedProtocol,
  type LinkAddress,
  vipdProtocol,
} from '../wire/rtnetlink-address.ts'

export type KernelAddress = {
  readonly ifindex: number
  readonly address: Ip
  /** The peer's prefix where there is a peer. */
  readonly prefixLength: number
  /** The other end of a point-to-point address; null when there is none. */
  readonly peer: Ip | null
  readonly secondary: boolean
  /** Duplicate address detection is under way, or has failed: the kernel does not answer for the address. */
  readonly tentative: boolean
  /** Duplicate address detection found it in use by another host. The kernel removes such an address if it has a lifetime. */
  readonly duplicate: boolean
  /** IFA_PROTO; null: none. */
  readonly protocol: number | null
  /** Put there by vipd. Once ours it stays so until it is deleted, whatever another program does to its mark. */
  readonly ours: boolean
  /** The request that sets this very address again where it is missing; of the host's own IPv4 addresses, else null. */
  readonly again: Uint8Array | null
}

/** Whether vipd put an address there that is new to the mirror. */
export type IsOurs = (address: LinkAddress) => boolean

export type AddressChange = {
  readonly kind: 'address'
  /** As it was last, when it is gone. */
  readonly held: KernelAddress
  /** On the interface, tentative or not. */
  readonly present: boolean
  /** An address of another program came or went, or changed hands. */
  readonly foreign: boolean
}

/** One of ours was set again: by vipd, or in another way by another program. */
export type AddressAltered = {
  readonly kind: 'address-altered'
  readonly held: KernelAddress
  readonly terms: AddressTerms
}

/** What of an address can be altered while it stands. */
export type AddressTerms = Pick<
  LinkAddress,
  'preferredSeconds' | 'validSeconds' | 'noprefixroute'
> & {
  /** It had vipd's mark, and has it no longer. */
  readonly unmarked: boolean
}

type ByIdentity = Map<string, KernelAddress>

export class AddressTable {
  readonly #isOurs: IsOurs
  /** By interface and identity. */
  readonly #all = new Map<number, ByIdentity>()
  /** IPv6 addresses of others, whatever their prefix. */
  readonly #foreignSix = new Set<string>()
  /** Of the host's own, by interface and identity; seldom any. */
  readonly #secondaries = new Map<number, ByIdentity>()
  /** What was known before everything was read anew, until that is done. */
  #earlier: AddressTable | null

  /** `isOurs`: by the mark where it is left out. */
  constructor(isOurs: IsOurs = isMarked, earlier: AddressTable | null = null) {
    this.#isOurs = isOurs
    this.#earlier = earlier
  }

  /** An empty one. What was ours here is ours there, until `forgetEarlier`. */
  anew(): AddressTable {
    return new AddressTable(this.#isOurs, this)
  }

  forgetEarlier(): void {
    this.#earlier = null
  }

  on(ifindex: number): readonly KernelAddress[] {
    return [...(this.#all.get(ifindex)?.values() ?? [])]
  }

  find(ifindex: number, identity: string): KernelAddress | null {
    return this.#all.get(ifindex)?.get(identity) ?? null
  }

  /** Those that have addresses. */
  get interfaces(): Iterable<number> {
    return this.#all.keys()
  }

  /** With whatever prefix and peer. */
  has(ifindex: number, address: Ip): boolean {
    return this.on(ifindex).some((held) => held.address === address)
  }

  isForeign(ifindex: number, wanted: AddressIdentity): boolean {
    const same = this.find(ifindex, identityOf(wanted))
    if (same !== null || ipFamily(wanted.address) === 4) return same?.ours === false
    return this.#foreignSix.has(`${ifindex} ${wanted.address}`)
  }

  secondaries(ifindex: number): readonly KernelAddress[] {
    return [...(this.#secondaries.get(ifindex)?.values() ?? [])]
  }

  /** The interface is gone. */
  forget(ifindex: number): void {
    this.#all.delete(ifindex)
    this.#secondaries.delete(ifindex)
    for (const key of this.#foreignSix)
      if (key.startsWith(`${ifindex} `)) this.#foreignSix.delete(key)
  }

  /** `added`: the body of the message that says that it is there; null: it is gone. Returns what changed. */
  set(message: LinkAddress, added: Uint8Array | null): readonly (AddressChange | AddressAltered)[] {
    const { ifindex, address, prefixLength, peer, secondary, dadFailed, protocol } = message
    const present = added !== null
    const identity = identityOfHeld(message)
    const before = this.find(ifindex, identity)
    const ours = this.#owned(message, before ?? this.#earlier?.find(ifindex, identity) ?? null)
    const now: KernelAddress = {
      ...{ ifindex, address, prefixLength, peer, secondary, protocol, ours },
      tentative: message.tentative || dadFailed,
      duplicate: dadFailed,
      again: present && isHostsFour(message, ours) ? encodeAddressAgain(added) : null,
    }
    keep(this.#all, now, identity, present)
    keep(this.#secondaries, now, identity, now.secondary && now.again !== null)
    this.#noteForeign(now, present)
    const foreign = (before?.ours === false) !== (present && !ours)
    // An IPv6 address that goes before the kernel has told of its coming is told of only now.
    const unknown = before === null && !ours
    const same = present ? sameState(before, now) && !foreign : unknown
    return [
      ...(same ? [] : [changeOf(now, present, foreign)]),
      ...(present && before?.ours ? [alteredFrom(before, now, message)] : []),
    ]
  }

  /** What differs from an earlier table. */
  since(before: AddressTable): readonly AddressChange[] {
    const lost = before
      .#entries()
      .filter(([identity, { ifindex }]) => this.find(ifindex, identity) === null)
      .map(([, held]) => changeOf(held, false, !held.ours))
    const found = this.#entries().flatMap(([identity, held]) => {
      const known = before.find(held.ifindex, identity)
      const foreign = (known?.ours === false) !== !held.ours
      return sameState(known, held) && !foreign ? [] : [changeOf(held, true, foreign)]
    })
    return [...lost, ...found]
  }

  #entries(): readonly (readonly [string, KernelAddress])[] {
    return [...this.#all.values()].flatMap((all) => [...all])
  }

  #owned(message: LinkAddress, before: KernelAddress | null): boolean {
    if (before === null) return this.#isOurs(message)
    if (before.ours || before.protocol === message.protocol) return before.ours
    return this.#isOurs(message)
  }

  #noteForeign({ ifindex, address, ours }: KernelAddress, present: boolean): void {
    if (ipFamily(address) === 4) return
    if (present && !ours) this.#foreignSix.add(`${ifindex} ${address}`)
    else this.#foreignSix.delete(`${ifindex} ${address}`)
  }
}

function keep(all: Map<number, ByIdentity>, one: KernelAddress, identity: string, there: boolean) {
  const here = all.get(one.ifindex) ?? new Map<string, KernelAddress>()
  if (there) here.set(identity, one)
  else here.delete(identity)
  if (here.size > 0) all.set(one.ifindex, here)
  else all.delete(one.ifindex)
}

const isMarked: IsOurs = ({ protocol }) => protocol === vipdProtocol

const vrrpProtocols: readonly (number | null)[] = [vipdProtocol, keepalivedProtocol]

const isHostsFour = ({ family, protocol }: LinkAddress, ours: boolean): boolean =>
  family === 4 && !ours && !vrrpProtocols.includes(protocol)

const sameState = (a: KernelAddress | null, b: KernelAddress): boolean =>
  a?.tentative === b.tentative &&
  a.duplicate === b.duplicate &&
  a.secondary === b.secondary &&
  `${a.again}` === `${b.again}`

const changeOf = (held: KernelAddress, present: boolean, foreign: boolean): AddressChange => ({
  kind: 'address',
  held,
  present,
  foreign,
})

function alteredFrom(
  before: KernelAddress,
  held: KernelAddress,
  { preferredSeconds, validSeconds, noprefixroute }: LinkAddress,
): AddressAltered {
  const unmarked = before.protocol === vipdProtocol && held.protocol !== vipdProtocol
  const terms = { preferredSeconds, validSeconds, noprefixroute, unmarked }
  return { kind: 'address-altered', held, terms }
}
