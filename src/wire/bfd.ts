/** BFD control packets (RFC 5880 section 4.1), without authentication: 24 octets of a UDP datagram. */
import { assert } from '../base/assert.ts'
import { viewOf } from '../base/bytes.ts'
import { type Us, us } from '../base/time.ts'
import { accept, type Decoded, reject } from './decoded.ts'

/** In the order of their numbers on the wire. */
export const bfdStates = ['AdminDown', 'Down', 'Init', 'Up'] as const
export type BfdState = (typeof bfdStates)[number]

/** The diagnostics that a system without echo, concatenation or forwarding-plane resets sends or understands. */
export const bfdDiagnostic = {
  none: 0,
  detectionTimeExpired: 1,
  neighborSignaledDown: 3,
  pathDown: 5,
  administrativelyDown: 7,
} as const

/** Ports of single-hop (RFC 5881 section 4) and multihop (RFC 5883 section 5) sessions. */
export const bfdPort = { singleHop: 3784, multihop: 4784 } as const

export type BfdPacket = {
  readonly state: BfdState
  /** 0 to 31, RFC 5880 section 4.1. */
  readonly diagnostic: number
  readonly poll: boolean
  readonly final: boolean
  readonly demand: boolean
  /** 1 to 255. */
  readonly multiplier: number
  /** Not 0. */
  readonly myDiscriminator: number
  /** 0: not known yet. */
  readonly yourDiscriminator: number
  readonly desiredMinTxUs: Us
  readonly requiredMinRxUs: Us
}

const packetBytes = 24
const version = 1
const bit = { poll: 0x20, final: 0x10, authentication: 0x04, demand: 0x02, multipoint: 0x01 }
/** No echo: its interval is 0. Intervals of up to 4,294 s. */
export function encodeBfd(packet: BfdPacket): Uint8Array {
  assert(packet.myDiscriminator !== 0, 'a BFD session has a discriminator')
  assert(!(packet.poll && packet.final), 'poll and final are two packets (RFC 5880 section 6.8.7)')
  const bytes = new Uint8Array(packetBytes)
  const view = viewOf(bytes)
  const flags =
    (packet.poll ? bit.poll : 0) | (packet.final ? bit.final : 0) | (packet.demand ? bit.demand : 0)
  bytes[0] = (version << 5) | packet.diagnostic
  bytes[1] = (bfdStates.indexOf(packet.state) << 6) | flags
  bytes[2] = packet.multiplier
  bytes[3] = packetBytes
  view.setUint32(4, packet.myDiscriminator)
  view.setUint32(8, packet.yourDiscriminator)
  view.setUint32(12, packet.desiredMinTxUs)
  view.setUint32(16, packet.requiredMinRxUs)
  return bytes
}

const noRejects = {
  'too-short': 0,
  'bad-version': 0,
  'bad-length': 0,
  'zero-multiplier': 0,
  multipoint: 0,
  authenticated: 0,
  'zero-discriminator': 0,
  'no-discriminator': 0,
}
export type BfdReject = keyof typeof noRejects
export const emptyBfdRejects = (): Record<BfdReject, number> => ({ ...noRejects })

/**
 * What RFC 5880 section 6.8.6 asks before a session is looked for. Octets behind the packet's own length are ignored.
 */
export function decodeBfd(bytes: Uint8Array): Decoded<BfdPacket, BfdReject> {
  if (bytes.length < packetBytes) return reject('too-short')
  const [first = 0, flags = 0, multiplier = 0, length = 0] = bytes
  if (first >> 5 !== version) return reject('bad-version')
  if (length < packetBytes || length > bytes.length) return reject('bad-length')
  if (multiplier === 0) return reject('zero-multiplier')
  if ((flags & bit.multipoint) !== 0) return reject('multipoint')
  if ((flags & bit.authentication) !== 0) return reject('authenticated')
  const view = viewOf(bytes)
  const packet: BfdPacket = {
    state: bfdStates[flags >> 6] ?? 'AdminDown',
    diagnostic: first & 0x1f,
    poll: (flags & bit.poll) !== 0,
    final: (flags & bit.final) !== 0,
    demand: (flags & bit.demand) !== 0,
    multiplier,
    myDiscriminator: view.getUint32(4),
    yourDiscriminator: view.getUint32(8),
    desiredMinTxUs: us(view.getUint32(12)),
    requiredMinRxUs: us(view.getUint32(16)),
  }
  if (packet.myDiscriminator === 0) return reject('zero-discriminator')
  const starting = packet.state === 'Down' || packet.state === 'AdminDown'
  if (packet.yourDiscriminator === 0 && !starting) return reject('no-discriminator')
  return accept(packet)
}
