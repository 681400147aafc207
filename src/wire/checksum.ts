/**
 * The Internet checksum of RFC 1071 and the pseudo-headers that VRRPv3 and ICMPv6 put in front of it.
 * Sums stay unfolded until the end: a JavaScript number has room for any packet.
 */
import { type Ip, ipBytes } from '../base/ip.ts'

/**
 * The checksum of `bytes`, continuing from an unfolded `sum` (a pseudo-header's). With the field zeroed it
 * is the value to store; over a packet that carries a correct one it is 0.
 */
export function checksum(bytes: Uint8Array, sum = 0): number {
  let total = sum + wordSum(bytes)
  while (total > 0xffff) total = Math.floor(total / 0x10000) + (total & 0xffff)
  return ~total & 0xffff
}

/**
 * Unfolded sum of the pseudo-header: RFC 768 for IPv4, RFC 8200 section 8.1 for IPv6. Both come to the two
 * addresses, the upper-layer length and the protocol, since zeros add nothing.
 */
export function pseudoHeaderSum(
  source: Ip,
  destination: Ip,
  protocol: number,
  length: number,
): number {
  return wordSum(ipBytes(source)) + wordSum(ipBytes(destination)) + protocol + length
}

/** Big-endian 16-bit words; an odd last octet is the high half of a word. */
function wordSum(bytes: Uint8Array): number {
  let sum = 0
  for (let at = 0; at < bytes.length; at += 2) {
    sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
  }
  return sum
}
