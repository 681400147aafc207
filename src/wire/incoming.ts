/** Whose advert a packet is and how it was sent: from its IP header on, as a packet socket shows it. */
import { type Family, type Ip, ipFromBytes } from '../base/ip.ts'
import { ahBytes, ahProtocol, vrrpProtocol } from './vrrp.ts'

export type Incoming = {
  readonly family: Family
  readonly vrid: number
  readonly from: Ip
  readonly by: 'multicast' | 'unicast'
  /** Behind an authentication header. */
  readonly ah: boolean
}

/** Where the message of an IPv4 packet begins; null: it is no VRRP. */
export function messageAt(
  packet: Uint8Array,
): { readonly at: number; readonly ah: boolean } | null {
  const header = ((packet[0] ?? 0) & 0xf) * 4
  if (packet[9] === vrrpProtocol) return { at: header, ah: false }
  const ah = packet[9] === ahProtocol && packet[header] === vrrpProtocol
  return ah ? { at: header + ahBytes, ah } : null
}

/** null: no advert, or cut short. */
export function readIncoming(packet: Uint8Array): Incoming | null {
  const version = (packet[0] ?? 0) >> 4
  if (version === 4) {
    const message = messageAt(packet)
    const vrid = message === null ? undefined : packet[message.at + 1]
    if (message === null || vrid === undefined) return null
    const multicast = ((packet[16] ?? 0) & 0xf0) === 0xe0
    const from = ipFromBytes(packet.subarray(12, 16))
    return { family: 4, vrid, from, by: multicast ? 'multicast' : 'unicast', ah: message.ah }
  }
  const vrid = packet[41]
  if (version !== 6 || packet[6] !== vrrpProtocol || vrid === undefined) return null
  const from = ipFromBytes(packet.subarray(8, 24))
  return { family: 6, vrid, from, by: packet[24] === 0xff ? 'multicast' : 'unicast', ah: false }
}
