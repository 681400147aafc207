/**
 * What a frame says of who has an address: ARP over Ethernet for IPv4 (RFC 826, RFC 5227), neighbour discovery for IPv6
 * (RFC 4861, RFC 4862). Nothing else is looked at.
 */
import { toHex, viewOf } from '../base/bytes.ts'
import type { Family, Ip } from '../base/ip.ts'
import { type MacText, macText } from '../base/mac.ts'
import { type Arp, decodeArp } from './arp.ts'
import { accept, type Decoded, reject } from './decoded.ts'
import { decodeNa, decodeNs } from './ndp.ts'

export const etherTypes = { 4: 0x0806, 6: 0x86dd } as const

export type Claim = {
  readonly address: Ip
  /** Of the machine that has the address, as the frame says. */
  readonly mac: MacText
  /**
   * announced: to all machines of the segment, unasked. used: the machine asks for another address in the name of this one. answered: to
   * one that has asked. probed: the machine asks whether the address is free, to have it.
   */
  readonly how: 'announced' | 'used' | 'answered' | 'probed'
}

type ClaimReject = 'no-claim' | 'malformed'

const none = '0.0.0.0'
const noMac = '00:00:00:00:00:00'

export const decodeClaim = (family: Family, frame: Uint8Array): Decoded<Claim, ClaimReject> =>
  family === 4 ? arpClaim(frame) : ndClaim(frame)

function arpClaim(frame: Uint8Array): Decoded<Claim, ClaimReject> {
  const decoded = decodeArp(frame)
  if (!decoded.ok) return reject('malformed')
  const { operation, senderMac, sender, target } = decoded.value
  const mac = macText(senderMac)
  if (mac === noMac) return reject('malformed')
  if (sender === none)
    return operation === 'request'
      ? accept({ address: target, mac, how: 'probed' })
      : reject('no-claim')
  return accept({ address: sender, mac, how: howSaid(decoded.value, isGroup(frame)) })
}

/** A router that answers ARP for others answers an announcement too: to its sender alone. */
function howSaid(
  { operation, sender, target }: Pick<Arp, 'operation' | 'sender' | 'target'>,
  toGroup: boolean,
): Claim['how'] {
  if (operation === 'request' && sender !== target) return 'used'
  return toGroup ? 'announced' : 'answered'
}

function ndClaim(frame: Uint8Array): Decoded<Claim, ClaimReject> {
  const from = macText(frame.subarray(6, 12))
  const advertised = decodeNa(frame)
  if (advertised.ok) {
    const { target, mac, solicited } = advertised.value
    const how = solicited ? 'answered' : 'announced'
    return accept({ address: target, mac: mac === null ? from : macText(mac), how })
  }
  if (advertised.why !== 'not-neighbour-advertisement') return reject('malformed')
  const asked = decodeNs(frame)
  if (!asked.ok) return reject('malformed')
  const { source, target, mac } = asked.value
  if (source === '::') return accept({ address: target, mac: from, how: 'probed' })
  return accept({ address: source, mac: mac === null ? from : macText(mac), how: 'used' })
}

/**
 * What two copies of a frame have in common, the destination of the Ethernet header and what is padded left out; of a frame
 * that `decodeClaim` has accepted.
 */
export function frameMark(family: Family, frame: Uint8Array): string {
  const payload = viewOf(frame).getUint16(18)
  const octets = family === 4 ? arpOctets : ip6Octets + payload
  return toHex(frame.subarray(6, octets))
}

/** Ethernet and ARP; Ethernet and the header of IPv6. */
const arpOctets = 42
const ip6Octets = 54

/** The Ethernet destination is a group, as the broadcast address is. */
export const isGroup = (frame: Uint8Array): boolean => ((frame[0] ?? 0) & 1) === 1
