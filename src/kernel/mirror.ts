/**
 * The kernel's links and addresses as last heard: filled by dumps, kept by notifications. The daemon asks this
 * mirror, never a command, so deciding about a link costs no system call. After an overrun the dumps are
 * read again and the difference is reported as if it had been notified.
 */
import { isDeepStrictEqual } from 'node:util'
import type { OpError } from '../base/errors.ts'
import type { Ip } from '../base/ip.ts'
import { type AddressIdentity, identityOf, identityOfHeld } from '../wire/address-identity.ts'
import { encodeNetconfDump, type NetconfMessage } from '../wire/netconf.ts'
import { decodeMessages, type RouteMessage } from '../wire/rtnetlink.ts'
import { encodeAddressDump, vipdProtocol } from '../wire/rtnetlink-address.ts'
import { encodeLinkDump, type Link } from '../wire/rtnetlink-link.ts'
import type { Ipv4Settings } from '../wire/rtnetlink-settings.ts'
import {
  type AddressAltered,
  type AddressChange,
  AddressTable,
  type IsOurs,
  type KernelAddress,
} from './address-table.ts'
import type { DelayNews, LinkDelays } from './link-delays.ts'
import { type KernelLink, type LinkChange, LinkTable, seenOf } from './link-table.ts'

export type KernelChange =
  | LinkChange
  | AddressChange
  | AddressAltered
  | EntryGone
  /** A setting of the interface (net.ipv4.conf.IFACE.*) is known anew. */
  | { readonly kind: 'settings'; readonly ifindex: number }
  /** Whether the interface forwards IPv6 is known anew. */
  | { readonly kind: 'forwarding'; readonly ifindex: number }
  | DelayNews

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
  #addresses: AddressTable
  #forwarding = new Map<number, boolean>()
  #settings = new Map<number, Ipv4Settings | null>()
  readonly #delays: LinkDelays | null
  readonly #isOwnLink: (name: string) => boolean

  /**
   * `isOurs`: whether vipd put an address there that is new to the mirror; by the mark where it is left out. `isOwnLink`:
   * see LinkTable.
   */
  constructor(
    isOurs?: IsOurs,
    delays: LinkDelays | null = null,
    isOwnLink: (name: string) => boolean = () => false,
  ) {
    this.#delays = delays
    this.#isOwnLink = isOwnLink
    this.#links = new LinkTable(delays, isOwnLink)
    this.#addresses = new AddressTable(isOurs)
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
    for (const ifindex of this.#addresses.interfaces) {
      const link = this.#links.get(ifindex)
      if (link !== null && among(link) && this.#addresses.has(ifindex, address)) return link
    }
    return null
  }

  addressesOn(ifindex: number): readonly KernelAddress[] {
    return this.#addresses.on(ifindex)
  }

  find(ifindex: number, wanted: AddressIdentity): KernelAddress | null {
    return this.#addresses.find(ifindex, identityOf(wanted))
  }

  findHeld(held: Pick<KernelAddress, 'ifindex' | 'address' | 'prefixLength' | 'peer'>) {
    return this.#addresses.find(held.ifindex, identityOfHeld(held))
  }

  holds(ifindex: number, wanted: AddressIdentity): boolean {
    return this.find(ifindex, wanted)?.tentative === false
  }

  isForeign(ifindex: number, wanted: AddressIdentity): boolean {
    return this.#addresses.isForeign(ifindex, wanted)
  }

  secondaries(ifindex: number): readonly KernelAddress[] {
    return this.#addresses.secondaries(ifindex)
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
    this.#addresses = before.addresses.anew()
    this.#forwarding = new Map()
    this.#settings = new Map()
    for (const dump of dumps) this.#take(dump)
    this.#addresses.forgetEarlier()
    this.#delays?.keep((ifindex) => this.#links.get(ifindex) !== null)
    return [
      ...this.#links.since(before.links),
      ...this.#addresses.since(before.addresses),
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
        return this.#addresses.set(
          message.address,
          message.kind === 'newaddr' ? message.body : null,
        )
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
    this.#addresses.forget(ifindex)
    this.#forwarding.delete(ifindex)
    this.#settings.delete(ifindex)
    return this.#links.delete(ifindex)
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
