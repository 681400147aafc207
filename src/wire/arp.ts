/**
 * Gratuitous ARP over Ethernet: the broadcast request in which an address asks for itself, so that every
 * host and switch learns the MAC behind it (RFC 826; RFC 5944 section 4.6).
 */
import { assert } from '../base/assert.ts'
import { concatBytes, equalBytes, viewOf } from '../base/bytes.ts'
import { type Ip, ipBytes, ipFromBytes } from '../base/ip.ts'
import { accept, type Decoded, reject } from './decoded.ts'

const etherTypeArp = 0x0806
/** Hardware type Ethernet, protocol IPv4, lengths 6 and 4. */
const ethernetIpv4 = [0, 1, 8, 0, 6, 4]
const frameBytes = 42
const broadcastMac = new Uint8Array(6).fill(0xff)

export type Arp = {
  readonly operation: 'request' | 'reply'
  readonly senderMac: Uint8Array
  readonly sender: Ip
  readonly target: Ip
}

/** The whole Ethernet frame. `mac` is the 6 octets of the interface, `address` an IPv4 address. */
export function encodeGratuitousArp(mac: Uint8Array, address: Ip): Uint8Array {
  const ip = ipBytes(address)
  assert(mac.length === 6 && ip.length === 4, 'gratuitous ARP is for IPv4 over Ethernet')
  return concatBytes([
    broadcastMac,
    mac,
    Uint8Array.of(etherTypeArp >> 8, etherTypeArp & 0xff, ...ethernetIpv4, 0, 1),
    mac,
    ip,
    broadcastMac,
    ip,
  ])
}

/**
 * The whole frame of a probe (RFC 5227 section 2.1.1): who has the address? It is asked in the name of none, so that no
 * host learns anything from it. `mac`: 6 octets, of the interface that asks.
 */
export function encodeArpProbe(mac: Uint8Array, address: Ip): Uint8Array {
  const ip = ipBytes(address)
  assert(mac.length === 6 && ip.length === 4, 'an ARP probe is for IPv4 over Ethernet')
  return concatBytes([
    broadcastMac,
    mac,
    Uint8Array.of(etherTypeArp >> 8, etherTypeArp & 0xff, ...ethernetIpv4, 0, 1),
    mac,
    new Uint8Array(4 + 6),
    ip,
  ])
}

const noRejects = { 'too-short': 0, 'not-arp': 0, 'bad-operation': 0 }
type ArpReject = keyof typeof noRejects
/** @codec */
export const emptyArpRejects = (): Record<ArpReject, number> => ({ ...noRejects })

/**
 * Any ARP request or reply for IPv4 over Ethernet, gratuitous or not. Trailing padding is ignored.
 * @codec
 */
export function decodeArp(frame: Uint8Array): Decoded<Arp, ArpReject> {
  if (frame.length < frameBytes) return reject('too-short')
  const view = viewOf(frame)
  if (view.getUint16(12) !== etherTypeArp) return reject('not-arp')
  if (!equalBytes(frame.subarray(14, 20), Uint8Array.from(ethernetIpv4))) return reject('not-arp')
  const operation = view.getUint16(20)
  if (operation !== 1 && operation !== 2) return reject('bad-operation')
  return accept({
    operation: operation === 1 ? 'request' : 'reply',
    senderMac: frame.slice(22, 28),
    sender: ipFromBytes(frame.subarray(28, 32)),
    target: ipFromBytes(frame.subarray(38, 42)),
  })
}
