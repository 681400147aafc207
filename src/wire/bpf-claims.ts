/**
 * Filter programs for packet sockets that hear who else claims an address: ARP of its sender, neighbour discovery of its
 * target or source. All else is dropped in the kernel. The program sees the frame from its Ethernet header on, and the
 * socket is for one type of frame.
 */
import { type Family, type Ip, ipBytes } from '../base/ip.ts'
import {
  drop,
  encode,
  type Instruction,
  jump,
  load,
  opcode,
  packetInterface,
  packetOtherHost,
  packetOutgoing,
  packetType,
  pass,
  require,
  tagOctets,
  tagPresent,
} from './bpf.ts'
import { etherTypes } from './claim.ts'

/** Offsets in a frame. */
const frame = { destination: 0, type: 12 }
const arp = { kinds: 14, lengths: 18, operation: 20, sender: 28, target: 38 }
const ip6 = { next: 20, hops: 21, source: 22, type: 54, target: 62 }
const icmp6 = { protocol: 58, solicitation: 135, advertisement: 136 }

/**
 * Where the address lies that a frame is about: the first of these places that is not zero. An advertisement comes from any
 * address, one for all that a machine announces; a solicitation in the name of an address is told for each neighbour.
 */
export const claimKeys = {
  4: { keyAt: [arp.sender, arp.target], keyOctets: 4 },
  6: { keyAt: [ip6.target], keyOctets: 16 },
} as const

/**
 * A range of words takes up to seven instructions. A program is charged to the socket, beside the one that it takes the place
 * of (net.core.optmem_max, 20 KiB before Linux 6.9): two of 950 instructions fit in there, of 1,030 they do not. What passes
 * besides is dropped by who reads.
 */
const rangesMax = { 4: 128, 6: 96 }
/** Of the first words of IPv6 addresses: there are few networks on a link. */
const networksMax = 24

/** Of the octets of a tag. */
const vlanId = 0x0fff

/**
 * Requests and replies whose sender, or whose target where the sender is 0.0.0.0 (a probe, RFC 5227), is one of these
 * IPv4 addresses. Of very many addresses, some that lie between them pass too. `on`: the index of the socket's interface.
 */
export const arpClaimFilter = (on: number, addresses: readonly Ip[]): Uint8Array =>
  encode(arpClaims(addresses, arrivesHere(on)))

/**
 * Neighbour advertisements for one of these IPv6 addresses, solicitations that come from one, and solicitations for one
 * from no address (duplicate address detection, RFC 4862). The first and the last 32 bits are compared.
 */
export const ndClaimFilter = (on: number, addresses: readonly Ip[]): Uint8Array =>
  encode(ndClaims(addresses, arrivesHere(on)))

/** The same of frames that leave this host for a group, for a socket that is shown every frame of an interface. */
export const sentClaimFilter = (family: Family, addresses: readonly Ip[]): Uint8Array =>
  encode([
    load(opcode.loadWord, packetType),
    ...require(packetOutgoing),
    load(opcode.loadHalf, frame.type),
    ...require(etherTypes[family]),
    load(opcode.loadByte, frame.destination),
    jump(opcode.jumpAnySet, 1, 1, 0),
    drop,
    ...(family === 4 ? arpClaims : ndClaims)(addresses, leavesUntagged),
  ])

function arpClaims(
  addresses: readonly Ip[],
  onHit: readonly Instruction[],
): readonly Instruction[] {
  const words = addresses.map((address) => wordAt(ipBytes(address), 0))
  return [
    load(opcode.loadWord, arp.kinds),
    ...require(0x0001_0800),
    load(opcode.loadHalf, arp.lengths),
    ...require(0x0604),
    load(opcode.loadWord, arp.sender),
    jump(opcode.jumpEqual, 0, 0, 4),
    load(opcode.loadHalf, arp.operation),
    ...require(1),
    load(opcode.loadWord, arp.target),
    ...search(rangesOf(words, rangesMax[4]), onHit),
  ]
}

function ndClaims(addresses: readonly Ip[], onHit: readonly Instruction[]): readonly Instruction[] {
  const octets = addresses.map(ipBytes)
  const networks = rangesOf(
    octets.map((it) => wordAt(it, 0)),
    networksMax,
  )
  const words = rangesOf(
    octets.map((it) => wordAt(it, 12)),
    rangesMax[6],
  )
  // X: what the address that is meant lies behind the source.
  const ofTarget = [load(opcode.constantToX, ip6.target - ip6.source), ahead(1)]
  const ofSource = [load(opcode.constantToX, 0)]
  const fromNone = [0, 4, 8, 12].flatMap((at) => [
    load(opcode.loadWord, ip6.source + at),
    // Any octet that is not zero: the source is an address.
    jump(opcode.jumpEqual, 0, 1, 0),
    ahead(3 * (3 - at / 4) + ofTarget.length),
  ])
  return [
    load(opcode.loadByte, ip6.next),
    ...require(icmp6.protocol),
    load(opcode.loadByte, ip6.hops),
    ...require(255),
    load(opcode.loadByte, ip6.type),
    jump(opcode.jumpEqual, icmp6.advertisement, 0, 1),
    ahead(2 + fromNone.length),
    ...require(icmp6.solicitation),
    ...fromNone,
    ...ofTarget,
    ...ofSource,
    load(opcode.loadWordIndexed, ip6.source + 12),
    ...search(words, [load(opcode.loadWordIndexed, ip6.source), ...search(networks, onHit)]),
  ]
}

/**
 * The socket of an interface is shown the frames of other VLANs of its trunk as well. Where a VLAN interface lies above it,
 * they are that one's; without one the kernel takes the tag away, and says that they are for another host.
 */
const arrivesHere = (on: number): readonly Instruction[] => [
  load(opcode.loadWord, packetType),
  jump(opcode.jumpEqual, packetOtherHost, 0, 1),
  drop,
  load(opcode.loadWord, packetInterface),
  ...require(on),
  pass,
]

/** VLAN 0 is none: the tag says a priority. */
const leavesUntagged: readonly Instruction[] = [
  load(opcode.loadWord, tagPresent),
  jump(opcode.jumpEqual, 0, 3, 0),
  load(opcode.loadWord, tagOctets),
  jump(opcode.jumpAnySet, vlanId, 0, 1),
  drop,
  pass,
]

const ahead = (instructions: number): Instruction => load(opcode.jumpAlways, instructions)

const wordAt = (octets: Uint8Array, at: number): number =>
  new DataView(octets.buffer, octets.byteOffset).getUint32(at)

type Range = { readonly low: number; readonly high: number }

/** Sorted; neighbours joined, and if there are too many, as many more as must be, those with the smallest gaps between them. */
function rangesOf(words: readonly number[], most: number): readonly Range[] {
  const sorted = [...new Set(words)].sort((a, b) => a - b)
  const gaps = sorted.slice(1).map((word, i) => word - (sorted[i] ?? 0))
  const widest = [...gaps.keys()]
    .filter((i) => gaps[i] !== 1)
    .sort((one, other) => (gaps[other] ?? 0) - (gaps[one] ?? 0))
  const parted = new Set(widest.slice(0, most - 1))
  const ranges: { low: number; high: number }[] = []
  for (const [i, word] of sorted.entries()) {
    const last = ranges.at(-1)
    if (last !== undefined && !parted.has(i - 1)) last.high = word
    else ranges.push({ low: word, high: word })
  }
  return ranges
}

/** A binary search for A. A hit goes on with `then`. */
function search(ranges: readonly Range[], then: readonly Instruction[]): readonly Instruction[] {
  const tree = branch(ranges)
  // Behind the tree stand a drop, where every miss ends, and what a hit leads to.
  const code = tree.flatMap((one, i): Instruction[] => {
    if (one === 'hit') return [ahead(tree.length - i)]
    if (one === 'miss') return [ahead(tree.length - i - 1)]
    return [one]
  })
  return [...code, drop, ...then]
}

type Mark = Instruction | 'hit' | 'miss'

function branch(ranges: readonly Range[]): readonly Mark[] {
  const middle = ranges.length >> 1
  const pivot = ranges[middle]
  if (pivot === undefined) return ['miss']
  if (middle === 0) return leaf(pivot)
  const above = branch(ranges.slice(middle))
  const below = branch(ranges.slice(0, middle))
  return [jump(opcode.jumpGreaterOrEqual, pivot.low, 1, 0), ahead(above.length), ...above, ...below]
}

const leaf = ({ low, high }: Range): readonly Mark[] =>
  low === high
    ? [jump(opcode.jumpEqual, low, 0, 1), 'hit', 'miss']
    : [
        jump(opcode.jumpGreaterOrEqual, low, 1, 0),
        'miss',
        ...(high === 0xffff_ffff
          ? []
          : [jump(opcode.jumpGreaterOrEqual, high + 1, 0, 1), 'miss' as const]),
        'hit',
      ]
