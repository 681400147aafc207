/**
 * The kernel's links and addresses as last heard: filled by dumps, kept by notifications. The daemon asks this
 * mirror, never a command, so deciding about a link costs no system call. After an overrun the dumps are
 * read again and the difference is reported as if it had been notified.
 */
import { isDeepStrictEqual } from 'node:util'
import type { OpError } from '../base/errors.ts'
import { type Ip, ipFamily } from '../base/ip.ts'
import { type AddressIdentity, identityOf, identityOfHeld } from '../wire/address-identity.ts'
import { encodeNetconfDump, type NetconfMessage } from '../wire/netconf.ts'
import { decodeMessages, type RouteMessage } from '../wire/rtnetlink.ts'
import {
  encodeAddressAgain,
  encodeAddressDump,
  keepalivedProtocol,
  type LinkAddress,
  vipdProtocol,
} from '../wire/rtnetlink-address.ts'
import { encodeLinkDump, type Link } from '../wire/rtnetlink-link.ts'
import type { Ipv4Settings } from '../wire/rtnetlink-settings.ts'
import type { DelayNews, LinkDelays } from './link-delays.ts'
import { type KernelLink, type LinkChange, LinkTable, seenOf } from './link-table.ts'

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

export type IsOurs = (address: LinkAddress) => boolean

const isMarked: IsOurs = ({ protocol }) => protocol === vipdProtocol

export type KernelChange =
  | LinkChange
  | {
      readonly kind: 'address'
      /** As it was last, when it is gone. */
      readonly held: KernelAddress
      /** On the interface, tentative or not. */
      readonly present: boolean
      /** An address of another program came or went, or changed hands. */
      readonly foreign: boolean
    }
  | AddressAltered
  | EntryGone
  /** A setting of the interface (net.ipv4.conf.IFACE.*) is known anew. */
  | { readonly kind: 'settings'; readonly ifindex: number }
  /** Whether the interface forwards IPv6 is known anew. */
  | { readonly kind: 'forwarding'; readonly ifindex: number }
  | DelayNews

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

/** A route or a rule of that identity was removed, or another program's route took its place. The mirror holds none. */
export type EntryGone = {
  readonly kind: 'entry-gone'
  readonly identity: string
  readonly replaced: boolean
}

/** What the rest of the daemon may ask. */
export type KernelView = {
  linkByName(name: string): KernelLink | null
  linkByIndex(ifindex: number): KernelLink | null
  /** `among`: which links count; all where it is left out. */
  linkHolding(address: Ip, among?: (link: KernelLink) => boolean): KernelLink | null
  addressesOn(ifindex: number): readonly KernelAddress[]
  /** The interface has exactly this address, prefix and peer; it may be tentative. */
  find(ifindex: number, wanted: AddressIdentity): KernelAddress | null
  /** The same, and the kernel answers for it. */
  holds(ifindex: number, wanted: AddressIdentity): boolean
  /** Another program has put it there: that very address, or, as IPv6 has an address but once, with another prefix. */
  isForeign(ifindex: number, wanted: AddressIdentity): boolean
  /**
   * The host's own IPv4 addresses that are secondary: deleting the primary of their network deletes them, where
   * net.ipv4.conf.IFACE.promote_secondaries is 0. No VRRP router's: it may give up its own at the same moment.
   */
  secondaries(ifindex: number): readonly KernelAddress[]
  /** net.ipv6.conf.IFACE.forwarding: a router to its IPv6 neighbours. */
  forwardsIpv6(ifindex: number): boolean
}

export class Kernel implements KernelView {
  #links: LinkTable
  /** By interface and identity. */
  #addresses = new Map<number, Map<string, KernelAddress>>()
  #forwarding = new Map<number, boolean>()
  #settings = new Map<number, Ipv4Settings | null>()
  /** IPv6 addresses of others, whatever their prefix. */
  #foreignSix = new Set<string>()
  /** Of the host's own, by interface and identity; seldom any. */
  #secondaries = new Map<number, Map<string, KernelAddress>>()
  /** What was known while everything is read anew. */
  #earlier: ReadonlyMap<number, ReadonlyMap<string, KernelAddress>> = new Map()
  readonly #isOurs: IsOurs
  readonly #delays: LinkDelays | null
  readonly #isOwnLink: (name: string) => boolean

  /**
   * `isOurs`: whether vipd put an address there that is new to the mirror; by the mark where it is left out. `isOwnLink`:
   * see LinkTable.
   */
  constructor(
    isOurs: IsOurs = isMarked,
    delays: LinkDelays | null = null,
    isOwnLink: (name: string) => boolean = () => false,
  ) {
    this.#isOurs = isOurs
    this.#delays = delays
    this.#isOwnLink = isOwnLink
    this.#links = new LinkTable(delays, isOwnLink)
  }

  linkByName(name: string): KernelLink | null {
    return this.#links.byName(name)
  }

  get linkNames(): readonly string[] {
    return this.#links.names
  }

  linkByIndex(ifindex: number): KernelLink | null {
    return this.#links.get(ifindex)
  }

  linkHolding(address: Ip, among: (link: KernelLink) => boolean = () => true): KernelLink | null {
    for (const [ifindex, held] of this.#addresses) {
      const link = this.#links.get(ifindex)
      if (link === null || !among(link)) continue
      if ([...held.values()].some((a) => a.address === address)) return link
    }
    return null
  }

  addressesOn(ifindex: number): readonly KernelAddress[] {
    return [...(this.#addresses.get(ifindex)?.values() ?? [])]
  }

  find(ifindex: number, wanted: AddressIdentity): KernelAddress | null {
    return this.#addresses.get(ifindex)?.get(identityOf(wanted)) ?? null
  }

  findHeld(held: Pick<KernelAddress, 'ifindex' | 'address' | 'prefixLength' | 'peer'>) {
    return this.#addresses.get(held.ifindex)?.get(identityOfHeld(held)) ?? null
  }

  holds(ifindex: number, wanted: AddressIdentity): boolean {
    return this.find(ifindex, wanted)?.tentative === false
  }

  isForeign(ifindex: number, wanted: AddressIdentity): boolean {
    const same = this.find(ifindex, wanted)
    if (same !== null || ipFamily(wanted.address) === 4) return same?.ours === false
    return this.#foreignSix.has(`${ifindex} ${wanted.address}`)
  }

  secondaries(ifindex: number): readonly KernelAddress[] {
    return [...(this.#secondaries.get(ifindex)?.values() ?? [])]
  }

  /** As last heard; null: the link is not known, or has no IPv4. */
  settingsOf(ifindex: number): Ipv4Settings | null {
    return this.#settings.get(ifindex) ?? null
  }

  /** What a change said was gone has been added again since. */
  hasAgain(gone: KernelAddress): boolean {
    return this.findHeld(gone) !== null
  }

  /** A link that is down and counts as up (`LinkDelays`). */
  isSuppressed(ifindex: number): boolean {
    return this.#delays?.isSuppressed(ifindex) ?? false
  }

  forwardsIpv6(ifindex: number): boolean {
    return this.#forwarding.get(ifindex) ?? false
  }

  /** Forgets what was known for what these say: dumps, and notifications since. Returns what differs from before. */
  replace(dumps: readonly Uint8Array[]): readonly KernelChange[] {
    const before = {
      links: this.#links,
      addresses: this.#addresses,
      forwarding: this.#forwarding,
      settings: this.#settings,
    }
    this.#links = new LinkTable(this.#delays, this.#isOwnLink)
    this.#addresses = new Map()
    this.#forwarding = new Map()
    this.#settings = new Map()
    this.#foreignSix = new Set()
    this.#secondaries = new Map()
    this.#earlier = before.addresses
    for (const dump of dumps) this.#take(dump)
    this.#earlier = new Map()
    this.#delays?.keep((ifindex) => this.#links.get(ifindex) !== null)
    return [
      ...this.#links.since(before.links),
      ...this.#addressDifferences(before.addresses),
      ...this.#forwardingDifferences(before.forwarding),
      ...[...this.#settings]
        .filter(([ifindex, now]) => !isDeepStrictEqual(now, before.settings.get(ifindex)))
        .map(([ifindex]): KernelChange => ({ kind: 'settings', ifindex })),
      ...(this.#delays?.takeNews() ?? []),
    ]
  }

  /** Takes in notifications or an answer to a dump. Returns what changed, in order. */
  apply(bytes: Uint8Array): readonly KernelChange[] {
    const changes = this.#take(bytes)
    const news = this.#delays?.takeNews() ?? []
    return news.length === 0 ? changes : [...changes, ...news]
  }

  /** What of the links counts by now; see `LinkDelays`. */
  elapse(): readonly KernelChange[] {
    return (this.#delays?.elapsed() ?? []).flatMap((ifindex) => this.#links.again(ifindex))
  }

  /** How long until `elapse` has something to say; null: nothing waits. */
  get nextMs(): number | null {
    return this.#delays?.nextMs ?? null
  }

  #take(bytes: Uint8Array): readonly KernelChange[] {
    return decodeMessages(bytes).flatMap((message) => this.#applyOne(message))
  }

  #applyOne(message: RouteMessage): readonly KernelChange[] {
    switch (message.kind) {
      case 'newlink':
        return [...this.#links.set(seenOf(message.link)), ...this.#setSettings(message.link)]
      case 'dellink':
        return this.#forget(message.link.ifindex)
      case 'newaddr':
      case 'deladdr':
        return this.#setAddress(message)
      case 'newroute':
        return message.replaces && message.protocol !== vipdProtocol
          ? [{ kind: 'entry-gone', identity: message.identity, replaced: true }]
          : []
      case 'delroute':
      case 'delrule':
        return [{ kind: 'entry-gone', identity: message.identity, replaced: false }]
      case 'newnetconf':
      case 'delnetconf':
        return this.#setForwarding(message)
      default:
        return []
    }
  }

  #forget(ifindex: number): readonly KernelChange[] {
    this.#addresses.delete(ifindex)
    this.#forwarding.delete(ifindex)
    this.#settings.delete(ifindex)
    this.#secondaries.delete(ifindex)
    for (const key of this.#foreignSix)
      if (key.startsWith(`${ifindex} `)) this.#foreignSix.delete(key)
    return this.#links.delete(ifindex)
  }

  #setAddress(
    message: Extract<RouteMessage, { kind: 'newaddr' | 'deladdr' }>,
  ): readonly KernelChange[] {
    const { ifindex, address, prefixLength, peer, secondary, dadFailed, protocol } = message.address
    const tentative = message.address.tentative || dadFailed
    const all = this.#addresses.get(ifindex) ?? new Map<string, KernelAddress>()
    this.#addresses.set(ifindex, all)
    const identity = identityOfHeld(message.address)
    const before = all.get(identity)
    const ours = this.#owned(message.address, before ?? this.#earlier.get(ifindex)?.get(identity))
    const state = { secondary, tentative, duplicate: dadFailed, protocol, ours }
    const present = message.kind === 'newaddr'
    const again = present && isHostsFour(message.address, ours) ? message.body : null
    const now = {
      ifindex,
      address,
      prefixLength,
      peer,
      ...state,
      again: again === null ? null : encodeAddressAgain(again),
    }
    if (present) all.set(identity, now)
    else all.delete(identity)
    this.#noteForeign(now, present)
    this.#noteSecondary(now, identity)
    const foreign = (before?.ours === false) !== (present && !ours)
    // An IPv6 address that goes before the kernel has told of its coming is told of only now.
    const unknown = before === undefined && !ours
    const same = present ? sameState(before, now) && !foreign : unknown
    return [
      ...(same ? [] : [changeOf(now, present, foreign)]),
      ...(present && before?.ours ? [alteredFrom(before, now, message.address)] : []),
    ]
  }

  #owned(message: LinkAddress, before: KernelAddress | undefined): boolean {
    if (before === undefined) return this.#isOurs(message)
    if (before.ours || before.protocol === message.protocol) return before.ours
    return this.#isOurs(message)
  }

  #noteForeign({ ifindex, address, ours }: KernelAddress, present: boolean): void {
    if (ipFamily(address) === 4) return
    if (present && !ours) this.#foreignSix.add(`${ifindex} ${address}`)
    else this.#foreignSix.delete(`${ifindex} ${address}`)
  }

  #noteSecondary(now: KernelAddress, identity: string): void {
    const all = this.#secondaries.get(now.ifindex) ?? new Map<string, KernelAddress>()
    if (now.secondary && now.again !== null) all.set(identity, now)
    else all.delete(identity)
    if (all.size > 0) this.#secondaries.set(now.ifindex, all)
    else this.#secondaries.delete(now.ifindex)
  }

  #setForwarding(message: NetconfMessage): readonly KernelChange[] {
    const { kind, ifindex, forwarding } = message
    const before = this.forwardsIpv6(ifindex)
    if (kind === 'delnetconf') this.#forwarding.delete(ifindex)
    else if (forwarding !== null) this.#forwarding.set(ifindex, forwarding)
    return before === this.forwardsIpv6(ifindex) ? [] : [{ kind: 'forwarding', ifindex }]
  }

  /** The kernel notifies what is set by rtnetlink, not what is set through /proc/sys. */
  #setSettings({ ifindex, ipv4 }: Link): readonly KernelChange[] {
    const before = this.#settings.get(ifindex)
    this.#settings.set(ifindex, ipv4)
    return isDeepStrictEqual(before, ipv4) ? [] : [{ kind: 'settings', ifindex }]
  }

  #forwardingDifferences(before: ReadonlyMap<number, boolean>): readonly KernelChange[] {
    const indexes = new Set([...before.keys(), ...this.#forwarding.keys()])
    return [...indexes]
      .filter((ifindex) => (before.get(ifindex) ?? false) !== this.forwardsIpv6(ifindex))
      .map((ifindex): KernelChange => ({ kind: 'forwarding', ifindex }))
  }

  #addressDifferences(
    before: ReadonlyMap<number, ReadonlyMap<string, KernelAddress>>,
  ): readonly KernelChange[] {
    const lost = [...before].flatMap(([ifindex, all]) =>
      [...all]
        .filter(([identity]) => this.#addresses.get(ifindex)?.has(identity) !== true)
        .map(([, held]) => changeOf(held, false, !held.ours)),
    )
    const found = [...this.#addresses].flatMap(([ifindex, all]) =>
      [...all].flatMap(([identity, held]) => {
        const known = before.get(ifindex)?.get(identity)
        const foreign = (known?.ours === false) !== !held.ours
        const same = sameState(known, held) && !foreign
        return same ? [] : [changeOf(held, true, foreign)]
      }),
    )
    return [...lost, ...found]
  }
}

const changeOf = (held: KernelAddress, present: boolean, foreign: boolean): KernelChange => ({
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

/** What to ask the kernel for the whole of it. */
export const dumpRequests = (): readonly Uint8Array[] => [
  encodeLinkDump(),
  encodeAddressDump(),
  encodeNetconfDump(),
]

/** What a refused dump stands for: a kernel without IPv6 has no settings of IPv6; otherwise the refusal. */
export function missingDump(request: Uint8Array, error: OpError): Uint8Array | OpError {
  const netconf = Buffer.compare(request, encodeNetconfDump()) === 0
  return netconf && error.code === 'EOPNOTSUPP' ? new Uint8Array(0) : error
}

const sameState = (a: KernelAddress | undefined, b: KernelAddress): boolean =>
  a?.tentative === b.tentative &&
  a.duplicate === b.duplicate &&
  a.secondary === b.secondary &&
  `${a.again}` === `${b.again}`

const vrrpProtocols: readonly (number | null)[] = [vipdProtocol, keepalivedProtocol]

const isHostsFour = ({ family, protocol }: LinkAddress, ours: boolean): boolean =>
  family === 4 && !ours && !vrrpProtocols.includes(protocol)
