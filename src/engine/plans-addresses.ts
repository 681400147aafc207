/**
 * What an instance's addresses come to on the wire and in the kernel: the requests that set and give them back, the frames
 * that announce them, and the plans that change one of them while the others stay.
 */
import { type Family, type Ip, ipFamily } from '../base/ip.ts'
import type { MacText } from '../base/mac.ts'
import type { Us } from '../base/time.ts'
import { networkOf, placeOf } from '../wire/address-identity.ts'
import { encodeArpProbe, encodeGratuitousArp } from '../wire/arp.ts'
import { encodeProbeNs, encodeUnsolicitedNa } from '../wire/ndp.ts'
import {
  type AddressSpec,
  encodeAddressDelete,
  encodeAddressReplace,
} from '../wire/rtnetlink-address.ts'
import { errno } from '../wire/rtnetlink-numbers.ts'
import { encodeLinkSwitch } from '../wire/rtnetlink-virtual-link.ts'
import type { LinkId, Plan, Step } from './order.ts'
import {
  type Announcement,
  announce,
  type GarpFacts,
  type PaceFacts,
  paceOf,
} from './plans-announce.ts'
import { addEntry, type EntryFacts } from './plans-entries.ts'
import type { LeaseFacts } from './plans-lease.ts'

/** One virtual address, resolved to the interface that it goes on. */
export type AddressFacts = Omit<AddressSpec, 'validSeconds'> & {
  /** 6 octets; null where the interface has none or does no ARP: then nothing is announced. */
  readonly mac: Uint8Array | null
  /** Of the interface `announceOn`, for a question that must not move the virtual MAC address; null as above. */
  readonly askMac: Uint8Array | null
  /** Index of the interface that its announcements leave by: that of a virtual link's base. */
  readonly announceOn: number
  /** Its interface forwards IPv6: its neighbour advertisements carry the router flag (RFC 9568 section 6.4.2). */
  readonly router: boolean
  /** The name of its interface. */
  readonly interface: string
  /** Carried in the advert; false for an excluded address. */
  readonly advertised: boolean
  /** Another program put it there: announced while leading, but neither set, renewed nor removed. */
  readonly foreign: boolean
}

/** A link that is up while the instance is master, and down else. */
export type CarrierFacts = {
  readonly ifindex: number
  readonly name: string
  readonly mac: MacText
}

/** An address of the host's own that the kernel deletes with a primary of ours. */
export type TakenAlong = {
  readonly ifindex: number
  /** See `networkOf`. */
  readonly network: string
  /** The request that sets it again where it is missing (`encodeAddressAgain`). */
  readonly again: Uint8Array
}

/** What plans need to know of one instance, resolved against the kernel's present links. */
export type SlotFacts = {
  readonly vrid: number
  readonly version: 2 | 3
  readonly family: Family
  readonly source: Ip
  readonly link: LinkId
  /** The multicast group, or every unicast peer. */
  readonly destinations: readonly Ip[]
  /** 8 octets for PASS. */
  readonly password: Uint8Array | null
  /** The engine puts an authentication header in front of each advert. */
  readonly ah: boolean
  readonly advertIntervalUs: Us
  readonly checksumAsV2: boolean
  /** Adverts leave as frames with this source MAC address, 6 octets; null: the kernel sends them with the interface's. */
  readonly advertMac: Uint8Array | null
  /** Octets that a seal adds to each advert. */
  readonly sealOctets: number
  /** Switched on before the addresses are set, off after they are away. */
  readonly carriers: readonly CarrierFacts[]
  /** In the order of the configuration; the advertised ones of `family`. */
  readonly addresses: readonly AddressFacts[]
  /** Set again by whatever deletes `addresses`, in the same request. */
  readonly takenAlong: readonly TakenAlong[]
  /** Set after the addresses, in this order; removed before them, backwards. */
  readonly entries: readonly EntryFacts[]
  readonly garp: GarpFacts
  readonly paces: readonly PaceFacts[]
  /** garp_extra_if: the interfaces on which the first address is announced again and again, and the period; 0: none. */
  readonly extra: { readonly everyUs: Us; readonly on: readonly number[] }
  /** The interface of the source forwards IPv6: what announces the source carries the router flag. */
  readonly router: boolean
  /** The shortest down interval among the peers: how long after our last advert one may take over. */
  readonly peersDownUs: Us
  /** Valid lifetime of the addresses, renewed while leading; null is for ever. */
  readonly lifetimeSeconds: number | null
  /** null: not configured, or not in force. */
  readonly lease: LeaseFacts | null
  /** Before which take-overs it asks who has the addresses, and how long before; null: before none. */
  readonly asks: { readonly when: 'start' | 'always'; readonly beforeUs: Us } | null
}

type Encoded = {
  readonly adds: Plan
  readonly entries: Plan
  readonly release: Plan
  readonly frames: readonly Announcement[]
}

/** Bytes that depend on the facts alone; every order of the slot shares the same arrays. */
const encodings = new WeakMap<SlotFacts, Encoded>()

export function encoded(facts: SlotFacts): Encoded {
  const known = encodings.get(facts)
  if (known !== undefined) return known
  const addresses = kernelAddresses(facts)
  const each = addresses.map((address) => encodeAddress(facts, address))
  const made = {
    adds: [...facts.carriers.map(switchOn), ...each.flatMap((e) => e.add)],
    entries: facts.entries.map(addEntry),
    release: [
      ...each.flatMap((e) => e.remove),
      ...putBack(facts, addresses),
      ...facts.carriers.map(switchOff),
    ],
    frames: each.flatMap((e) => e.frame ?? []),
  }
  encodings.set(facts, made)
  return made
}

export const switchOn = ({ ifindex }: CarrierFacts): Step => ({
  kind: 'netlink',
  bytes: encodeLinkSwitch(ifindex, true),
  tolerate: [],
})

/** With what the kernel still holds on it: no packet reaches that any more. */
const switchOff = ({ ifindex }: CarrierFacts): Step => ({
  kind: 'netlink',
  bytes: encodeLinkSwitch(ifindex, false),
  tolerate: [errno.ENODEV],
})

/** Other links than before carry the addresses: those that make room for another with their MAC address go first. */
export function planCarriers(
  before: readonly CarrierFacts[],
  now: readonly CarrierFacts[],
): { readonly first: Plan; readonly last: Plan } {
  const gone = before.filter((it) => !now.some(({ ifindex }) => ifindex === it.ifindex))
  const added = now.filter((it) => !before.some(({ ifindex }) => ifindex === it.ifindex))
  const yielding = gone.filter((it) => added.some(({ mac }) => mac === it.mac))
  const rest = gone.filter((it) => !yielding.includes(it))
  return { first: [...yielding.map(switchOff), ...added.map(switchOn)], last: rest.map(switchOff) }
}

/** Addresses that are one to the kernel are set once, as the last line of them has it. */
export function kernelAddresses({ addresses }: Pick<SlotFacts, 'addresses'>): AddressFacts[] {
  return [...new Map(addresses.map((one) => [`${one.ifindex} ${placeOf(one)}`, one])).values()]
}

function encodeAddress(
  facts: SlotFacts,
  address: AddressFacts,
): { readonly add: Plan; readonly remove: Plan; readonly frame: Announcement | null } {
  const { mac, announceOn, router } = address
  const frame =
    mac === null ? null : encodeFrame(address.address, mac, announceOn, router, facts.paces)
  if (address.foreign) return { add: [], remove: [], frame }
  const add = encodeAddressReplace({ ...address, validSeconds: facts.lifetimeSeconds })
  const remove = encodeAddressDelete(address)
  const gone = [errno.EADDRNOTAVAIL, errno.ENODEV]
  return {
    add: [{ kind: 'netlink', bytes: add, tolerate: [errno.EEXIST] }],
    remove: [{ kind: 'netlink', bytes: remove, tolerate: gone }],
    frame,
  }
}

export function encodeFrame(
  address: Ip,
  mac: Uint8Array,
  ifindex: number,
  router: boolean,
  paces: readonly PaceFacts[],
): Announcement {
  const family = ipFamily(address)
  const bytes =
    family === 4 ? encodeGratuitousArp(mac, address) : encodeUnsolicitedNa(mac, address, router)
  const pace = paceOf(paces, family, ifindex)
  return { kind: 'frame', ifindex, bytes, ...(pace === null ? {} : { pace }) }
}

/** Announcements that may still wait for their turn and hold no longer: of an address that is gone, by an old MAC address. */
export function planWithdraw(before: SlotFacts, now: SlotFacts): Plan {
  const kept = new Set(encoded(now).frames.map(frameText))
  return encoded(before).frames.flatMap((frame) => {
    const { pace } = frame
    if (pace === undefined || kept.has(frameText(frame))) return []
    return [{ ...frame, pace: { ...pace, withdrawn: true } }]
  })
}

const frameText = ({ ifindex, bytes }: Announcement): string =>
  `${ifindex} ${Buffer.from(bytes).toString('hex')}`

/** Each paced announcement once more: what another engine had still to send is not known. */
export const planPacedAgain = (facts: SlotFacts): Plan =>
  encoded(facts).frames.filter(({ pace }) => pace !== undefined)

/** Every address, route and rule set again, where it is already too. */
export const planHold = (facts: SlotFacts): Plan => [
  ...encoded(facts).adds,
  ...encoded(facts).entries,
]

/**
 * An interface was down for a moment that does not count: what the kernel dropped is set again, and one address of each
 * interface is announced. Clients know our MAC address still; a switch may have forgotten its port, and where no
 * advert leaves nothing else tells it.
 */
export function planReturn(facts: SlotFacts): Plan {
  const { frames } = encoded(facts)
  const first = new Map(frames.toReversed().map((frame) => [frame.ifindex, frame]))
  return [...planHold(facts), ...first.values()]
}

/** An address that another program deleted: back in place, and announced. */
export function planRestore(facts: SlotFacts, address: AddressFacts): Plan {
  const { add, frame } = encodeAddress(facts, address)
  const frames = frame === null ? [] : [frame]
  return [...add, ...announce(frames, facts.garp.masterRepeat)]
}

/** Asks who has the addresses, each once, before they are claimed. */
export const planAsk = (facts: SlotFacts): Plan =>
  kernelAddresses(facts).flatMap(({ address, askMac, announceOn: ifindex, foreign }) => {
    if (askMac === null || foreign) return []
    const encode = ipFamily(address) === 4 ? encodeArpProbe : encodeProbeNs
    return [{ kind: 'frame', ifindex, bytes: encode(askMac, address) }]
  })

/** One address announced once: another machine has claimed it. */
export const planDefence = (facts: SlotFacts, address: Ip): Plan =>
  kernelAddresses(facts)
    .filter((one) => one.address === address)
    .flatMap((one) => encodeAddress(facts, one).frame ?? [])

export type Swap = { readonly from: AddressFacts; readonly to: AddressFacts }

/** The kernel cannot alter the address, nor hold both: away and back within one request, and announced. */
export function planSwap(before: SlotFacts, now: SlotFacts, swap: Swap): Plan {
  const { from, to } = swap
  const { remove } = encodeAddress(before, from)
  const [add, ...announced] = planRestore(now, to)
  const back = [...putBack(before, [from]), ...held(now, [from])]
  return [...remove, ...(add === undefined ? [] : [add]), ...back, ...announced]
}

/** Some addresses of `before` go while those of `now` stay. */
export function planRemove(
  before: SlotFacts,
  now: SlotFacts,
  addresses: readonly AddressFacts[],
): Plan {
  const removes = addresses.flatMap((address) => encodeAddress(before, address).remove)
  return [...removes, ...putBack(before, addresses), ...held(now, addresses)]
}

/** The host's own addresses that went with these. Where the kernel promotes secondaries they are there still. */
function putBack({ takenAlong }: SlotFacts, gone: readonly AddressFacts[]): Plan {
  if (takenAlong.length === 0) return []
  const place = (one: { readonly ifindex: number }, network: string) => `${one.ifindex} ${network}`
  const four = gone.filter((one) => !one.foreign && ipFamily(one.address) === 4)
  const places = new Set(four.map((one) => place(one, networkOf(one))))
  return takenAlong
    .filter((it) => places.has(place(it, it.network)))
    .map(({ again }) => ({
      kind: 'netlink',
      bytes: again,
      tolerate: [errno.EEXIST, errno.ENODEV],
    }))
}

/** An IPv4 address that is the first of its network takes the others of it away with it (unless promote_secondaries). */
function held(facts: SlotFacts, gone: readonly AddressFacts[]): Plan {
  const first = (one: AddressFacts) =>
    ipFamily(one.address) === 4 && (one.peer ?? one).prefixLength < 32
  return gone.some(first) ? planHold(facts) : []
}
