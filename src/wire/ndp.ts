/**
 * The unsolicited neighbour advertisement of RFC 4861 section 7.2.6: how an IPv6 address tells all nodes
 * of a link that it lives behind another MAC now. A whole Ethernet frame, because the sender's address
 * has to be the VIP itself. And what others advertise and solicit.
 */
import { assert } from '../base/assert.ts'
import { concatBytes, viewOf } from '../base/bytes.ts'
import { type Ip, ipBytes, ipFromBytes } from '../base/ip.ts'
import { checksum, pseudoHeaderSum } from './checksum.ts'
import { accept, type Decoded, reject } from './decoded.ts'

const etherTypeIpv6 = 0x86dd
const protocolIcmpv6 = 58
const typeNeighbourSolicitation = 135
const typeNeighbourAdvertisement = 136
const optionSourceLinkAddress = 1
const optionTargetLinkAddress = 2
const hopLimit = 255
const ethernetBytes = 14
const ipHeaderBytes = 40
const icmpAt = ethernetBytes + ipHeaderBytes
/** The advertisement itself and the target link-layer address option. */
const icmpBytes = 24 + 8
const flag = { router: 0x80, solicited: 0x40, override: 0x20 }

export const allNodes = ipFromBytes(Uint8Array.of(0xff, 2, ...new Array<number>(13).fill(0), 1))
const unspecified = ipFromBytes(new Uint8Array(16))
const allNodesMac = Uint8Array.of(0x33, 0x33, 0, 0, 0, 1)

type NeighbourAdvertisement = {
  readonly source: Ip
  readonly destination: Ip
  readonly target: Ip
  readonly router: boolean
  readonly solicited: boolean
  readonly override: boolean
  /** null: the option is absent. */
  readonly mac: Uint8Array | null
}

/**
 * The whole frame, to all nodes, override flag set. `router` sets the R flag: a forwarding host must, or
 * its neighbours drop it from their default routers.
 */
export function encodeUnsolicitedNa(mac: Uint8Array, address: Ip, router: boolean): Uint8Array {
  const ip = ipBytes(address)
  assert(
    mac.length === 6 && ip.length === 16,
    'a neighbour advertisement is for IPv6 over Ethernet',
  )
  const icmp = concatBytes([
    Uint8Array.of(typeNeighbourAdvertisement, 0, 0, 0),
    Uint8Array.of(flag.override | (router ? flag.router : 0), 0, 0, 0),
    ip,
    Uint8Array.of(optionTargetLinkAddress, 1),
    mac,
  ])
  const sum = pseudoHeaderSum(address, allNodes, protocolIcmpv6, icmp.length)
  viewOf(icmp).setUint16(2, checksum(icmp, sum))
  return concatBytes([
    allNodesMac,
    mac,
    Uint8Array.of(etherTypeIpv6 >> 8, etherTypeIpv6 & 0xff),
    Uint8Array.of(0x60, 0, 0, 0, 0, icmp.length, protocolIcmpv6, hopLimit),
    ip,
    ipBytes(allNodes),
    icmp,
  ])
}

/**
 * The whole frame of a solicitation as duplicate address detection sends it (RFC 4862 section 5.4.2): who has the
 * address? From no address, to the address's solicited-node group.
 */
export function encodeProbeNs(mac: Uint8Array, address: Ip): Uint8Array {
  const ip = ipBytes(address)
  assert(mac.length === 6 && ip.length === 16, 'a solicitation is for IPv6 over Ethernet')
  const low = ip.subarray(13)
  const group = concatBytes([
    Uint8Array.of(0xff, 2),
    new Uint8Array(9),
    Uint8Array.of(1, 0xff),
    low,
  ])
  const icmp = concatBytes([Uint8Array.of(typeNeighbourSolicitation), new Uint8Array(7), ip])
  const to = ipFromBytes(group)
  const sum = pseudoHeaderSum(unspecified, to, protocolIcmpv6, icmp.length)
  viewOf(icmp).setUint16(2, checksum(icmp, sum))
  return concatBytes([
    Uint8Array.of(0x33, 0x33, 0xff, ...low),
    mac,
    Uint8Array.of(etherTypeIpv6 >> 8, etherTypeIpv6 & 0xff),
    Uint8Array.of(0x60, 0, 0, 0, 0, icmp.length, protocolIcmpv6, hopLimit),
    new Uint8Array(16),
    group,
    icmp,
  ])
}

const noRejects = {
  'too-short': 0,
  'not-neighbour-advertisement': 0,
  'bad-length': 0,
  'bad-hop-limit': 0,
  'bad-checksum': 0,
  'bad-option': 0,
}
type NaReject = keyof typeof noRejects
/** @codec */
export const emptyNaRejects = (): Record<NaReject, number> => ({ ...noRejects })

type NeighbourSolicitation = {
  /** '::' of duplicate address detection. */
  readonly source: Ip
  readonly target: Ip
  /** null: the option is absent, as it is of duplicate address detection. */
  readonly mac: Uint8Array | null
}

/**
 * Validates as RFC 4861 section 7.1.2 asks. Extension headers are not looked behind.
 * @codec
 */
export function decodeNa(frame: Uint8Array): Decoded<NeighbourAdvertisement, NaReject> {
  const checked = checkedMessage(frame, typeNeighbourAdvertisement)
  if (!checked.ok) return checked
  const { source, destination, icmp } = checked.value
  const mac = linkAddress(icmp, optionTargetLinkAddress)
  if (mac === 'bad-option') return reject(mac)
  const flags = icmp[4] ?? 0
  return accept({
    source,
    destination,
    target: ipFromBytes(icmp.subarray(8, 24)),
    router: (flags & flag.router) !== 0,
    solicited: (flags & flag.solicited) !== 0,
    override: (flags & flag.override) !== 0,
    mac,
  })
}

/** The same for section 7.1.1. */
export function decodeNs(frame: Uint8Array): Decoded<NeighbourSolicitation, NaReject> {
  const checked = checkedMessage(frame, typeNeighbourSolicitation)
  if (!checked.ok) return checked
  const { source, icmp } = checked.value
  const mac = linkAddress(icmp, optionSourceLinkAddress)
  if (mac === 'bad-option') return reject(mac)
  return accept({ source, target: ipFromBytes(icmp.subarray(8, 24)), mac })
}

type Checked = { readonly source: Ip; readonly destination: Ip; readonly icmp: Uint8Array }

function checkedMessage(frame: Uint8Array, type: number): Decoded<Checked, NaReject> {
  if (frame.length < icmpAt + 24) return reject('too-short')
  const view = viewOf(frame)
  if (!isMessage(view, type)) return reject('not-neighbour-advertisement')
  const length = view.getUint16(ethernetBytes + 4)
  if (length < 24 || icmpAt + length > frame.length) return reject('bad-length')
  if (view.getUint8(ethernetBytes + 7) !== hopLimit) return reject('bad-hop-limit')
  const source = ipFromBytes(frame.subarray(ethernetBytes + 8, ethernetBytes + 24))
  const destination = ipFromBytes(frame.subarray(ethernetBytes + 24, icmpAt))
  const icmp = frame.subarray(icmpAt, icmpAt + length)
  const sum = pseudoHeaderSum(source, destination, protocolIcmpv6, length)
  return checksum(icmp, sum) === 0 ? accept({ source, destination, icmp }) : reject('bad-checksum')
}

const isMessage = (view: DataView, type: number): boolean =>
  view.getUint16(12) === etherTypeIpv6 &&
  view.getUint8(ethernetBytes) >> 4 === 6 &&
  view.getUint8(ethernetBytes + 6) === protocolIcmpv6 &&
  view.getUint8(icmpAt) === type &&
  view.getUint8(icmpAt + 1) === 0

/** Walks the options; a length of 0 or one beyond the end makes the whole packet invalid (section 7.1.2). */
function linkAddress(icmp: Uint8Array, option: number): Uint8Array | null | 'bad-option' {
  let mac: Uint8Array | null = null
  for (let at = icmpBytes - 8; at < icmp.length; ) {
    const length = (icmp[at + 1] ?? 0) * 8
    if (length === 0 || at + length > icmp.length) return 'bad-option'
    if (icmp[at] === option) mac = icmp.slice(at + 2, at + 8)
    at += length
  }
  return mac
}
