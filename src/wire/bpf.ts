/**
 * Classic BPF programs for the receiving sockets: what cannot concern us is dropped in the kernel, before
 * it costs a wake-up. A program for an IPv4 raw socket sees the packet from its IP header on; one for an
 * IPv6 raw socket begins at the payload, and reaches the IP header at SKF_NET_OFF.
 */
import { assert } from '../base/assert.ts'
import { viewOf } from '../base/bytes.ts'
import { type Family, type Ip, ipBytes, ipFamily } from '../base/ip.ts'
import type { Prefix } from '../base/routing.ts'
import { hostIsLittleEndian } from './netlink.ts'
import { addressFamily, nlm, type } from './rtnetlink-numbers.ts'
import { advertTtl, ahBytes, ahProtocol, vrrpProtocol } from './vrrp.ts'

/** struct sock_filter. `jt` and `jf` count instructions to skip. */
export type Instruction = {
  readonly code: number
  readonly jt: number
  readonly jf: number
  readonly k: number
}

/** The opcodes in use, as linux/bpf_common.h composes them. */
export const opcode = {
  /** A = octet at k */
  loadByte: 0x30,
  /** A = two octets at k, in network order */
  loadHalf: 0x28,
  /** A = four octets at k */
  loadWord: 0x20,
  /** A = octet at X + k */
  loadByteIndexed: 0x50,
  /** A = four octets at X + k */
  loadWordIndexed: 0x40,
  /** X = k */
  constantToX: 0x01,
  /** X = 4 × (octet at k & 0xf): the length of an IPv4 header */
  loadHeaderLength: 0xb1,
  /** X = A */
  toX: 0x07,
  /** A ^= X */
  xorX: 0xac,
  /** To whichever place: k instructions on. */
  jumpAlways: 0x05,
  jumpEqual: 0x15,
  jumpGreaterOrEqual: 0x35,
  /** A & k is not 0 */
  jumpAnySet: 0x45,
  return: 0x06,
} as const

/** SKF_NET_OFF of linux/filter.h: offsets from here on count from the network header. */
export const networkHeader = -0x10_0000
/** SKF_AD_OFF + SKF_AD_PKTTYPE, and PACKET_OTHERHOST and PACKET_OUTGOING of linux/if_packet.h. */
export const packetType = -0x1000 + 4
export const packetOtherHost = 3
export const packetOutgoing = 4
/** SKF_AD_OFF + SKF_AD_IFINDEX: the interface that the frame has come to, which may lie above the one of the socket. */
export const packetInterface = -0x1000 + 8
/** SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT, and + SKF_AD_VLAN_TAG: the 802.1Q tag, which is not in the frame any more. */
export const tagPresent = -0x1000 + 48
export const tagOctets = -0x1000 + 44
const instructionBytes = 8
const everything = 0xffff_ffff

export const load = (code: number, k: number): Instruction => ({ code, jt: 0, jf: 0, k })
export const jump = (code: number, k: number, jt: number, jf: number): Instruction => ({
  code,
  jt,
  jf,
  k,
})
export const pass = load(opcode.return, everything)
export const drop = load(opcode.return, 0)
/** Goes on when A is k, drops otherwise. */
export const require = (k: number): readonly Instruction[] => [
  jump(opcode.jumpEqual, k, 1, 0),
  drop,
]

/** From the IP header on; of IPv4 also what lies behind an authentication header. */
const vrrpOfEitherFamily: readonly Instruction[] = [
  load(opcode.loadByte, 0),
  jump(opcode.jumpGreaterOrEqual, 0x60, 4, 0),
  load(opcode.loadByte, 9),
  jump(opcode.jumpEqual, vrrpProtocol, 5, 0),
  jump(opcode.jumpEqual, ahProtocol, 4, 0),
  drop,
  load(opcode.loadByte, 6),
  ...require(vrrpProtocol),
  pass,
]

export type FilterSpec = {
  readonly family: Family
  /** Behind an authentication header, which names them; IPv4. */
  readonly ah?: boolean
  /** 1..255 each; none: everything is dropped. */
  readonly vrids: Iterable<number>
  /** Then TTL or hop limit 255 is required. */
  readonly multicast: boolean
  /** Drops adverts of another version (and other types). Absent: the decoder sees and counts them. */
  readonly version?: 2 | 3
}

/** struct sock_filter[] that passes the adverts of these VRIDs whole and drops the rest. */
export function vrrpFilter(spec: FilterSpec): Uint8Array {
  const ranges = toRanges(spec.vrids)
  if (ranges.length === 0) return dropAllFilter()
  const field = spec.family === 4 ? opcode.loadByteIndexed : opcode.loadByte
  const ah = spec.ah === true
  const at = ah ? ahBytes : 0
  const protocol = ah ? ahProtocol : vrrpProtocol
  return encode([
    ...(spec.family === 4 ? ipv4Header(protocol, spec.multicast) : ipv6Header(spec.multicast)),
    ...(ah ? nextIsVrrp : []),
    ...(spec.version === undefined ? [] : [load(field, at), ...require((spec.version << 4) | 1)]),
    load(field, at + 1),
    ...search(ranges),
  ])
}

/** For a packet socket (SOCK_DGRAM): VRRP that leaves the host, of either family; what arrives is dropped. */
export const outgoingFilter = (): Uint8Array =>
  encode([load(opcode.loadWord, packetType), ...require(packetOutgoing), ...vrrpOfEitherFamily])

/** The same for VRRP that arrives, whatever its destination is. */
export const incomingFilter = (): Uint8Array =>
  encode([
    load(opcode.loadWord, packetType),
    jump(opcode.jumpEqual, packetOutgoing, 0, 1),
    drop,
    ...vrrpOfEitherFamily,
  ])

/**
 * Offsets in a notification: the type and flags of struct nlmsghdr, the struct rtmsg behind it, and the destination, which
 * the kernel writes second, behind the table.
 */
const notification = {
  type: 4,
  flags: 6,
  routeFamily: 16,
  destinationLength: 17,
  routeProtocol: 21,
  secondAttribute: 38,
  destination: 40,
}
/** RTA_DST. */
const destinationAttribute = 1
/**
 * A program is charged to the socket, beside the one that it takes the place of (net.core.optmem_max, 20 KiB before Linux
 * 6.9); so many take 6 KiB. With more of them all replacements pass.
 */
const destinationsMax = 128

/**
 * For the socket of rtnetlink's notifications. Of routes: removals of those with this protocol, and those of another one that
 * took the place of a route (NLM_F_REPLACE) to one of these destinations. Of rules: removals. Of everything else all. Of a
 * host's million routes that another program adds, replaces and removes none wakes the engine.
 */
export function routingNewsFilter(protocol: number, destinations: readonly Prefix[]): Uint8Array {
  const loadProtocol = load(opcode.loadByte, notification.routeProtocol)
  const removal = [
    jump(opcode.jumpEqual, ofHost16(type.delRoute), 1, 0),
    pass,
    loadProtocol,
    ...require(protocol),
    pass,
  ]
  return encode([
    load(opcode.loadHalf, notification.type),
    jump(opcode.jumpEqual, ofHost16(type.newRule), 0, 1),
    drop,
    jump(opcode.jumpEqual, ofHost16(type.newRoute), removal.length, 0),
    ...removal,
    load(opcode.loadHalf, notification.flags),
    jump(opcode.jumpAnySet, ofHost16(nlm.replace), 1, 0),
    drop,
    loadProtocol,
    jump(opcode.jumpEqual, protocol, 0, 1),
    drop,
    ...(destinations.length > destinationsMax ? [pass] : leadingTo(destinations)),
  ])
}

/** A default route passes: it has no destination to look at. */
function leadingTo(destinations: readonly Prefix[]): readonly Instruction[] {
  const keys = (family: Family) =>
    destinations.flatMap(({ address }) =>
      ipFamily(address) === family ? destinationKey(address) : [],
    )
  const word = (at: number) => load(opcode.loadWord, notification.destination + at)
  const mixed = [4, 8, 12].flatMap((at) => [load(opcode.toX, 0), word(at), load(opcode.xorX, 0)])
  const six = [word(0), ...mixed, ...among(keys(6))]
  return [
    load(opcode.loadByte, notification.destinationLength),
    jump(opcode.jumpEqual, 0, 0, 1),
    pass,
    load(opcode.loadHalf, notification.secondAttribute),
    jump(opcode.jumpEqual, ofHost16(destinationAttribute), 1, 0),
    pass,
    load(opcode.loadByte, notification.routeFamily),
    jump(opcode.jumpEqual, addressFamily[6], 1, 0),
    load(opcode.jumpAlways, six.length),
    ...six,
    word(0),
    ...among(keys(4)),
  ]
}

/** The address, or its four words, one over the other: another one with the same is looked at in vain. */
function destinationKey(address: Ip): number {
  const view = viewOf(ipBytes(address))
  const words = Array.from({ length: view.byteLength / 4 }, (_, i) => view.getUint32(4 * i))
  return words.reduce((all, one) => all ^ one, 0) >>> 0
}

/** A binary search for A among numbers of 32 bits. */
function among(values: readonly number[]): readonly Instruction[] {
  const sorted = [...new Set(values)].sort((a, b) => a - b)
  const pivot = sorted[sorted.length >> 1]
  if (sorted.length <= 4 || pivot === undefined)
    return [...sorted.flatMap((it) => [jump(opcode.jumpEqual, it, 0, 1), pass]), drop]
  const below = among(sorted.filter((it) => it < pivot))
  const above = among(sorted.filter((it) => it >= pivot))
  return [
    jump(opcode.jumpGreaterOrEqual, pivot, 0, 1),
    load(opcode.jumpAlways, below.length),
    ...below,
    ...above,
  ]
}

/** What a load in network order makes of a number in the host's. */
const ofHost16 = (n: number): number => (hostIsLittleEndian ? ((n & 0xff) << 8) | (n >> 8) : n)

/** All that the socket's protocol and address bring. */
export const passAllFilter = (): Uint8Array => encode([pass])

/** The same of a socket of protocol 51: what is no VRRP behind it is another program's (IPsec). */
export const passAhFilter = (): Uint8Array =>
  encode([load(opcode.loadHeaderLength, 0), ...nextIsVrrp, pass])

/** For a socket that only sends: its receive queue must not fill. */
export const dropAllFilter = (): Uint8Array => encode([drop])

/** Checks the IPv4 header and leaves its length in X. */
function ipv4Header(protocol: number, multicast: boolean): readonly Instruction[] {
  return [
    load(opcode.loadByte, 9),
    ...require(protocol),
    ...(multicast ? [load(opcode.loadByte, 8), ...require(advertTtl)] : []),
    load(opcode.loadHeaderLength, 0),
  ]
}

const ipv6Header = (multicast: boolean): readonly Instruction[] =>
  multicast ? [load(opcode.loadByte, networkHeader + 7), ...require(advertTtl)] : []

/** The authentication header begins at X. */
const nextIsVrrp: readonly Instruction[] = [
  load(opcode.loadByteIndexed, 0),
  ...require(vrrpProtocol),
]

type Range = { readonly low: number; readonly high: number }

/** Sorted, neighbours joined. */
function toRanges(vrids: Iterable<number>): readonly Range[] {
  const ranges: Range[] = []
  for (const vrid of [...new Set(vrids)].sort((a, b) => a - b)) {
    assert(Number.isInteger(vrid) && vrid >= 1 && vrid <= 255, 'a VRID is in 1..255')
    const last = ranges.at(-1)
    if (last !== undefined && last.high === vrid - 1) {
      ranges[ranges.length - 1] = { low: last.low, high: vrid }
    } else {
      ranges.push({ low: vrid, high: vrid })
    }
  }
  return ranges
}

/**
 * A binary search for A: at most nine comparisons per packet. The left half of any set of VRIDs is at
 * most 255 instructions long, which is as far as a conditional jump reaches.
 */
function search(ranges: readonly Range[]): readonly Instruction[] {
  const middle = ranges.length >> 1
  const pivot = ranges[middle]
  if (pivot === undefined) return [drop]
  if (middle === 0) return within(pivot)
  const below = search(ranges.slice(0, middle))
  const above = search(ranges.slice(middle))
  return [jump(opcode.jumpGreaterOrEqual, pivot.low, below.length, 0), ...below, ...above]
}

function within({ low, high }: Range): readonly Instruction[] {
  if (low === high) return [jump(opcode.jumpEqual, low, 0, 1), pass, drop]
  return [
    jump(opcode.jumpGreaterOrEqual, low, 0, 2),
    jump(opcode.jumpGreaterOrEqual, high + 1, 1, 0),
    pass,
    drop,
  ]
}

/** struct sock_filter[]. */
export function encode(program: readonly Instruction[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(program.length * instructionBytes))
  program.forEach(({ code, jt, jf, k }, i) => {
    assert(jt <= 255 && jf <= 255, 'a conditional jump reaches 255 instructions')
    view.setUint16(i * instructionBytes, code, hostIsLittleEndian)
    view.setUint8(i * instructionBytes + 2, jt)
    view.setUint8(i * instructionBytes + 3, jf)
    view.setUint32(i * instructionBytes + 4, k >>> 0, hostIsLittleEndian)
  })
  return new Uint8Array(view.buffer)
}
