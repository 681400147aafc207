/**
 * What stands before an advert that leaves as a whole frame, with another source MAC address than that of the interface:
 * the Ethernet and the IP header (RFC 9568 sections 5.1 and 7.3). The octets are those that the kernel's raw socket makes.
 */
import { concatBytes, viewOf } from '../base/bytes.ts'
import { type Ip, ipBytes, ipFamily } from '../base/ip.ts'
import { checksum } from './checksum.ts'

const etherType = { 4: 0x0800, 6: 0x86dd } as const
const vrrp = 112
const hopLimit = 255
/** IPv4: must not be fragmented, and so needs no identification (RFC 6864). */
const dontFragment = 0x40

/** The MAC address of a multicast group: RFC 1112 section 6.4, RFC 2464 section 7. */
const groupMac = (group: Ip): Uint8Array => {
  const octets = ipBytes(group)
  if (octets.length === 4)
    return Uint8Array.of(1, 0, 0x5e, (octets[1] ?? 0) & 0x7f, octets[2] ?? 0, octets[3] ?? 0)
  return Uint8Array.of(0x33, 0x33, ...octets.subarray(12))
}

export type AdvertHead = {
  readonly mac: Uint8Array
  readonly source: Ip
  readonly group: Ip
  /** TOS or traffic class. */
  readonly trafficClass: number
  /** Octets of what follows. The engine sets the length, and the checksum of IPv4, anew when it adds to that. */
  readonly payloadOctets: number
}

export function encodeAdvertHead(head: AdvertHead): Uint8Array {
  const { mac, source, group } = head
  const family = ipFamily(source)
  const ethernet = Uint8Array.of(etherType[family] >> 8, etherType[family] & 0xff)
  return concatBytes([groupMac(group), mac, ethernet, family === 4 ? header4(head) : header6(head)])
}

function header4({ source, group, trafficClass, payloadOctets }: AdvertHead): Uint8Array {
  const header = concatBytes([
    Uint8Array.of(0x45, trafficClass, 0, 0, 0, 0, dontFragment, 0, hopLimit, vrrp, 0, 0),
    ipBytes(source),
    ipBytes(group),
  ])
  const view = viewOf(header)
  view.setUint16(2, header.length + payloadOctets)
  view.setUint16(10, checksum(header))
  return header
}

function header6({ source, group, trafficClass, payloadOctets }: AdvertHead): Uint8Array {
  const start = new Uint8Array(8)
  const view = viewOf(start)
  view.setUint32(0, (6 << 28) | (trafficClass << 20))
  view.setUint16(4, payloadOctets)
  view.setUint8(6, vrrp)
  view.setUint8(7, hopLimit)
  return concatBytes([start, ipBytes(source), ipBytes(group)])
}
