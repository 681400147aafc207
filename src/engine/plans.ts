/**
 * From an instance's facts and election state to the order that its slot stands under: every advert, address
 * request and announcement as finished bytes. Nothing is decided here. The picture: facts never change
 * between two reloads, so their bytes are made once; what changes with the election is the priority in the
 * advert, and which of the plans is now, which repeats, and which waits for a deadline.
 */
import { unreachable } from '../base/assert.ts'
import { type Family, type Ip, ipFamily } from '../base/ip.ts'
import { type Us, us } from '../base/time.ts'
import { followedIntervalUs, restarts, restartUs } from '../election/effects.ts'
import type { Machine, Params, State } from '../election/types.ts'
import { identityOf, networkOf } from '../wire/address-identity.ts'
import { encodeGratuitousArp } from '../wire/arp.ts'
import { encodeUnsolicitedNa } from '../wire/ndp.ts'
import {
  type AddressSpec,
  encodeAddressDelete,
  encodeAddressReplace,
  errno,
} from '../wire/rtnetlink.ts'
import { encodeAdvert, priorityResign } from '../wire/vrrp.ts'
import type { ExpectedAdvert, Lead, LinkId, Order, Plan, Repeat } from './contract.ts'
import {
  type Announcement,
  announce,
  announceEvery,
  announceLater,
  type GarpFacts,
} from './plans-announce.ts'
import { followPatience, wardenLateUs } from './policy.ts'

/** Adverts of many instances leave in some 64 batches each interval: few wake-ups, and no batch overflows a peer's socket. */
const advertSlackShare = 64
/** Renewals ride along with adverts wherever there are any. */
const leaseSlackShare = 4

/** One virtual address, resolved to the interface that it goes on. */
export type AddressFacts = Omit<AddressSpec, 'validSeconds'> & {
  /** 6 octets; null where the interface has none or does no ARP: then nothing is announced. */
  readonly mac: Uint8Array | null
  /** Its interface forwards IPv6: its neighbour advertisements carry the router flag (RFC 9568 section 6.4.2). */
  readonly router: boolean
  /** The name of its interface. */
  readonly interface: string
  /** Carried in the advert; false for an excluded address. */
  readonly advertised: boolean
  /** Another program put it there: announced while leading, but neither set, renewed nor removed. */
  readonly foreign: boolean
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
  readonly advertIntervalUs: Us
  readonly checksumAsV2: boolean
  /** In the order of the configuration; the advertised ones of `family`. */
  readonly addresses: readonly AddressFacts[]
  /** Set again by whatever deletes `addresses`, in the same request. */
  readonly takenAlong: readonly TakenAlong[]
  readonly garp: GarpFacts
  /** The interface of the source forwards IPv6: what announces the source carries the router flag. */
  readonly router: boolean
  /** The shortest down interval among the peers: how long after our last advert one may take over. */
  readonly peersDownUs: Us
  /** Valid lifetime of the addresses, renewed while leading; null is for ever. */
  readonly lifetimeSeconds: number | null
}

export type OrderOptions = {
  /**
   * The slot comes from another state: a follow begins with deleting the addresses, a lead with taking
   * over. Otherwise the order replaces one of its kind and nothing is repeated that was done before.
   */
  readonly entering: boolean
  /** Master until now, and leaves without having yielded to anybody: say priority 0 before the addresses go. */
  readonly resign?: boolean
  /** The advert that was accepted last, as it came. Left out of the order unless it still restarts the deadline. */
  readonly expected?: ExpectedAdvert | null
  /** Announces each address once when it takes over, as somebody does who loses the lead again and again. */
  readonly brief?: boolean
  /** The sync group forbids to lead: at the deadline nothing is carried out, only `expired` is raised. */
  readonly held?: boolean
  /** How often the advert timer was set anew; a lead with another number sends its next advert a whole interval later. */
  readonly timerResets?: number
  /**
   * Names a contact with a competitor. The lead then also carries what is left of announcing the addresses
   * again after `planReannounce`: the paced frames and, after garp_lower_prio_delay, the second set. Keep
   * passing the same name until the next contact: a lead without it drops what is still to come.
   */
  readonly reannounce?: string | null
}

/** The order of a slot in this state. */
export function planOrder(
  facts: SlotFacts,
  params: Params,
  machine: Machine,
  options: OrderOptions,
): Order {
  const { state } = machine
  switch (state.kind) {
    case 'init':
    case 'fault':
    case 'stopped':
      return { kind: 'idle', now: planIdle(facts, options.resign === true) }
    case 'backup':
      return planFollow(facts, params, { ...machine, state }, options)
    case 'master':
      return { kind: 'lead', ...planLead(facts, machine.effective, options) }
    default:
      return unreachable(state)
  }
}

/** One advert to every destination. `priority` 0 resigns. */
export function planAdvert(facts: SlotFacts, priority: number): Plan {
  const addresses = facts.addresses.filter((a) => a.advertised).map((a) => a.address)
  const { version, family, vrid, advertIntervalUs: intervalUs, password, source } = facts
  const { checksumAsV2, link } = facts
  const fixed = { version, family, vrid, priority, intervalUs, addresses, password, source }
  // Where no pseudo-header is summed, the bytes are the same for every destination.
  const same = family === 4 && (version === 2 || checksumAsV2)
  const encode = (destination: Ip): Uint8Array =>
    encodeAdvert({ ...fixed, destination, checksumAsV2 })
  const [first] = facts.destinations
  const shared = same && first !== undefined ? encode(first) : null
  return facts.destinations.map((to) => ({
    kind: 'datagram',
    link,
    to,
    bytes: shared ?? encode(to),
  }))
}

/**
 * Gives everything back; harmless where nothing is held. The resignation is sent twice, as keepalived does: a
 * peer that hears both starts the same skew time again microseconds later, and one that lost the first
 * is spared the whole down interval.
 */
export function planIdle(facts: SlotFacts, resign: boolean): Plan {
  const advert = resign ? planAdvert(facts, priorityResign) : []
  return [...advert, ...advert, ...encoded(facts).release]
}

/** garp_lower_prio_repeat announcements of every address at once; paced ones are the order's (`reannounce`). */
export function planReannounce(facts: SlotFacts): Plan {
  return announce('', encoded(facts).frames, facts.garp, facts.garp.lowerPrioRepeat).now
}

/** Every address set again, where it is already too. */
export const planHold = (facts: SlotFacts): Plan => encoded(facts).adds

/** An address that somebody deleted: back in place, and announced. */
export function planRestore(facts: SlotFacts, address: AddressFacts): Plan {
  const { add, frame } = encodeAddress(facts, address)
  const frames = frame === null ? [] : [frame]
  return [...add, ...announce('', frames, facts.garp, facts.garp.masterRepeat).now]
}

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
  return gone.some(first) ? encoded(facts).adds : []
}

/** Our own source address, so that unicast peers reach us at once after the link came back. */
export function planAnnounceSource(
  facts: Pick<SlotFacts, 'source' | 'router' | 'garp'>,
  on: { readonly ifindex: number; readonly mac: Uint8Array | null },
): Plan {
  if (on.mac === null) return []
  const frame = encodeFrame(facts.source, on.mac, on.ifindex, facts.router)
  return announce('', [frame], facts.garp, facts.garp.masterRepeat).now
}

type BackupMachine = Machine & { readonly state: State & { readonly kind: 'backup' } }

function planFollow(
  facts: SlotFacts,
  params: Params,
  machine: BackupMachine,
  options: OrderOptions,
): Order {
  const { state, effective } = machine
  const restart = restartUs(params, machine)
  return {
    kind: 'follow',
    now: options.entering ? planIdle(facts, options.resign === true) : [],
    expect: restarts(state, effective) ? (options.expected ?? null) : null,
    deadlineUs: state.masterDownAt,
    restartUs: restart,
    ...followPatience(restart),
    ...(state.master === null
      ? {}
      : { intervalUs: state.master.statedUs ?? followedIntervalUs(params, state.master) }),
    onExpiry:
      options.held === true
        ? { now: [], repeats: [], resign: [], ...patience(facts) }
        : planLead(facts, effective, { entering: true, brief: state.damping !== null }),
  }
}

function planLead(facts: SlotFacts, priority: number, options: OrderOptions): Lead {
  const { garp, advertIntervalUs } = facts
  const { adds, frames } = encoded(facts)
  const advert = planAdvert(facts, priority)
  const first = announce('garp-first', frames, garp, garp.masterRepeat)
  const once = announce('garp-first', frames, garp, Math.min(garp.masterRepeat, 1))
  const announced = options.brief === true ? once.now : first.now
  return {
    now: options.entering ? [...advert, ...adds, ...announced] : [],
    repeats: [
      {
        key: advertKey(options.timerResets ?? 0),
        firstAfterUs: advertIntervalUs,
        everyUs: advertIntervalUs,
        slackUs: us(Math.floor(advertIntervalUs / advertSlackShare)),
        plan: advert,
      },
      ...lease(facts, adds),
      ...first.later,
      ...announceLater('garp-second', frames, garp, garp.masterRepeat, garp.masterDelayUs),
      ...announceEvery('garp-refresh', frames, garp),
      ...reannouncements(facts, options.reannounce ?? null),
    ],
    resign: planIdle(facts, true),
    ...patience(facts),
  }
}

/** The engine keeps the phase of a repeat whose key it knows. */
const advertKey = (resets: number): string => (resets === 0 ? 'advert' : `advert ${resets}`)

/** A finite lifetime is renewed three times within it, so that one missed renewal costs nothing. */
function lease({ lifetimeSeconds }: SlotFacts, adds: Plan): readonly Repeat[] {
  if (lifetimeSeconds === null || adds.length === 0) return []
  const everyUs = us(Math.floor((lifetimeSeconds * 1_000_000) / 3))
  const slackUs = us(Math.floor(everyUs / leaseSlackShare))
  return [{ key: 'lease', firstAfterUs: everyUs, everyUs, slackUs, plan: adds }]
}

function reannouncements(facts: SlotFacts, contact: string | null): readonly Repeat[] {
  if (contact === null) return []
  const { garp } = facts
  const { frames } = encoded(facts)
  const repeat = garp.lowerPrioRepeat
  return [
    ...announce(`garp-again ${contact}`, frames, garp, repeat).later,
    ...announceLater(`garp-again-second ${contact}`, frames, garp, repeat, garp.lowerPrioDelayUs),
  ]
}

/** A peer's deadline runs from our last advert, which was one interval before the one that is late. */
function patience(facts: SlotFacts): Pick<Lead, 'lateUs' | 'wardenLateUs'> {
  const lateUs = us(Math.max(facts.peersDownUs - facts.advertIntervalUs, 0))
  return { lateUs, wardenLateUs: wardenLateUs(lateUs) }
}

type Encoded = {
  readonly adds: Plan
  readonly release: Plan
  readonly frames: readonly Announcement[]
}

/** Bytes that depend on the facts alone; every order of the slot shares the same arrays. */
const encodings = new WeakMap<SlotFacts, Encoded>()

function encoded(facts: SlotFacts): Encoded {
  const known = encodings.get(facts)
  if (known !== undefined) return known
  const addresses = kernelAddresses(facts)
  const each = addresses.map((address) => encodeAddress(facts, address))
  const made = {
    adds: each.flatMap((e) => e.add),
    release: [...each.flatMap((e) => e.remove), ...putBack(facts, addresses)],
    frames: each.flatMap((e) => e.frame ?? []),
  }
  encodings.set(facts, made)
  return made
}

/** An address that is listed again is one to the kernel, with the options of the last line. */
export function kernelAddresses({ addresses }: Pick<SlotFacts, 'addresses'>): AddressFacts[] {
  const identity = (one: AddressFacts) => `${one.ifindex} ${identityOf(one)}`
  return [...new Map(addresses.map((one) => [identity(one), one])).values()]
}

function encodeAddress(
  facts: SlotFacts,
  address: AddressFacts,
): { readonly add: Plan; readonly remove: Plan; readonly frame: Announcement | null } {
  const { mac, ifindex, router } = address
  const frame = mac === null ? null : encodeFrame(address.address, mac, ifindex, router)
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

function encodeFrame(address: Ip, mac: Uint8Array, ifindex: number, router: boolean): Announcement {
  const family = ipFamily(address)
  const bytes =
    family === 4 ? encodeGratuitousArp(mac, address) : encodeUnsolicitedNa(mac, address, router)
  return { family, step: { kind: 'frame', ifindex, bytes } }
}
