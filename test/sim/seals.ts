/** How the adverts of a run are signed, and what an outside observer reads from a signed one. */
import { viewOf } from '../../src/base/bytes.ts'
import type { LinkSpec } from '../../src/engine/contract.ts'
import { ahBytes } from '../../src/wire/vrrp.ts'

/** `auth_hmac`, or `auth_type AH`. */
export type Sealing = 'trailer' | 'ah'

/** An advert as it is on the wire: what lies before its PDU, if that is signed too, and the rest. */
export type Signed = {
  readonly bytes: Uint8Array
  /** AH: the IP header and the authentication header. */
  readonly header?: Uint8Array
}

const ipBytes = 20
const ttlAt = 8
/** In the authentication header (RFC 2402 section 2). */
const headerSequenceAt = ipBytes + 8
/** Of a trailer, from its end: the sequence, in front of a MAC of 16 octets. */
const trailerSequenceFromEnd = 24

/** What the engine gives to a socket: of AH a whole packet, from the IP header on. */
export function signedOf(sent: Uint8Array, { ah }: Pick<LinkSpec, 'ah'>): Signed {
  if (ah !== true) return { bytes: sent }
  const headers = ipBytes + ahBytes
  return { bytes: sent.subarray(headers), header: sent.subarray(0, headers) }
}

export const ttlOf = ({ header }: Signed, otherwise: number): number => header?.[ttlAt] ?? otherwise

export const sequenceOf = ({ bytes, header }: Signed): bigint =>
  header === undefined
    ? viewOf(bytes).getBigUint64(bytes.length - trailerSequenceFromEnd)
    : BigInt(viewOf(header).getUint32(headerSequenceAt))

/** As if it were signed so many seconds, or of AH so many adverts, later: what signs it does not cover that. */
export function altered<T extends Signed>(signed: T, by: number): T {
  const later = (octets: Uint8Array, at: number): Uint8Array => {
    const copy = Uint8Array.from(octets)
    const view = viewOf(copy)
    view.setUint32(at, view.getUint32(at) + by)
    return copy
  }
  const { bytes, header } = signed
  return header === undefined
    ? { ...signed, bytes: later(bytes, bytes.length - trailerSequenceFromEnd) }
    : { ...signed, header: later(header, headerSequenceAt) }
}
