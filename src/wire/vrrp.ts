/**
 * VRRP advertisements, versions 2 and 3, both families: the payload of IP protocol 112. Version 2 is
 * RFC 3768 with the authentication of RFC 2338, whose eight octets are always there; version 3 is RFC 9568, but for
 * the IPv4 checksum that is sent: see `ChecksumForm`.
 *
 * ```
 *   0              1              2              3
 *   version | type VRID           priority       address count
 *   v2: auth type  interval in s  checksum
 *   v3: 4 reserved bits, 12 bits interval in cs  checksum
 *   addresses, 4 or 16 octets each; v2 over IPv4: 8 octets of authentication data
 * ```
 *
 * Version 2 over IPv6 is keepalived's own: no authentication data, and the pseudo-header in the checksum that
 * version 2 over IPv4 leaves out.
 */
import { assert } from '../base/assert.ts'
import { concatBytes, equalBytesConstantTime, viewOf } from '../base/bytes.ts'
import { type Family, type Ip, ipBytes, ipFromBytes } from '../base/ip.ts'
import { centisecondsToUs, secondsToUs, type Us } from '../base/time.ts'
import { checksum, pseudoHeaderSum } from './checksum.ts'
import { accept, type Decoded, reject } from './decoded.ts'

export const vrrpProtocol = 112
/** The authentication header (RFC 2402) in front of adverts with `auth_type AH`, and its octets with HMAC-MD5-96. */
export const ahProtocol = 51
export const ahBytes = 24
/** TTL or hop limit of every multicast advert, RFC 9568 sections 5.1.1.3 and 5.1.2.3. */
export const advertTtl = 255
/** A master that stops says so with this priority, RFC 9568 section 5.2.4. */
export const priorityResign = 0

const headerBytes = 8
const authBytes = 8
const typeAdvertisement = 1
const authNone = 0
const authPass = 1
const authHeader = 2
const offset = { vrid: 1, priority: 2, count: 3, auth: 4, seconds: 5, centiseconds: 4, checksum: 6 }
/** Ethernet pads an IPv4 packet to 46 octets; 20 of them are its header. */
const paddedPayloadBytes = 26

type Version = 2 | 3

/**
 * What the checksum of version 3 over IPv4 covers. RFC 9568 section 5.2.8: the message alone. RFC 5798 could be read as
 * asking for the pseudo-header too, which is what keepalived and most routers send, and so do we by default. Both are
 * accepted: a peer that is not believed is a second master.
 */
export type ChecksumForm = 'pseudo-header' | 'message'

/** What is sent. */
export type AdvertFields = {
  readonly version: Version
  readonly family: Family
  readonly vrid: number
  /** 0..255; 0 resigns. */
  readonly priority: number
  /** Rounded to whole seconds (1..255) in version 2, to centiseconds (1..4095) in version 3. */
  readonly intervalUs: Us
  /** In the order of the configuration; all of `family`; at most 255. */
  readonly addresses: readonly Ip[]
  /** 8 octets for PASS; version 2 over IPv4 only, ignored elsewhere. */
  readonly password: Uint8Array | null
  /** An authentication header lies in front (AH); then there is no password. Version 2 over IPv4 only. */
  readonly ah?: boolean
  readonly source: Ip
  readonly destination: Ip
  /** Version 3 over IPv4: the message alone, as RFC 9568 section 5.2.8 has it. */
  readonly checksumAsV2: boolean
}

export function encodeAdvert(fields: AdvertFields): Uint8Array {
  const { version, addresses } = fields
  assert(addresses.length <= 255, 'an advert carries at most 255 addresses')
  const pdu = concatBytes([
    new Uint8Array(headerBytes),
    ...addresses.map(ipBytes),
    new Uint8Array(trailerBytes(version, fields.family)),
  ])
  const view = viewOf(pdu)
  view.setUint8(0, (version << 4) | typeAdvertisement)
  view.setUint8(offset.vrid, fields.vrid)
  view.setUint8(offset.priority, fields.priority)
  view.setUint8(offset.count, addresses.length)
  if (version === 2) {
    const password = passwordOf(fields)
    view.setUint8(offset.auth, authTypeOf(fields))
    view.setUint8(offset.seconds, toSeconds(fields.intervalUs))
    if (password !== null) pdu.set(password, pdu.length - authBytes)
  } else {
    view.setUint16(offset.centiseconds, clamp(Math.round(fields.intervalUs / 10_000), 1, 0xfff))
  }
  view.setUint16(offset.checksum, checksum(pdu, leadingSum(pdu.length, fields)))
  return pdu
}

/** A packet as the socket gave it: the payload after the IP header. */
export type Received = {
  readonly payload: Uint8Array
  readonly source: Ip
  readonly destination: Ip
  readonly ttl: number
  /** An authentication trailer that the engine has verified lies behind the message. */
  readonly trailer?: 'verified' | 'none'
  /** An authentication header that the engine has verified lay in front of the message. */
  readonly header?: 'verified' | 'none'
}

/** Octets of an authentication trailer (draft-cassen-vrrp-auth-hmac). */
const sealBytes = 28

/** What one instance accepts. Fixed by its configuration. */
export type Expectation = {
  readonly version: Version
  readonly family: Family
  readonly vrid: number
  /** Multicast demands TTL 255; unicast demands what `peers` say. */
  readonly mode: 'multicast' | 'unicast'
  /** 8 octets for PASS, null for no authentication; version 2 over IPv4 only, ignored elsewhere. */
  readonly password: Uint8Array | null
  /** An authentication header is required (AH), and then no password. */
  readonly ah?: boolean
  /** Version 2 requires the peer's to be equal. */
  readonly intervalUs: Us
  /** We advertise no address ourselves (no_virtual_ipaddress): then a peer need not either. */
  readonly mayBeEmpty: boolean
  /** Nothing may lie behind the message but a trailer: what is left of one is no excess. */
  readonly exact?: boolean
  /** Who may send, and from how far; null: any. Bounds are inclusive. */
  readonly peers:
    | readonly {
        readonly address: Ip
        readonly minTtl: number
        readonly maxTtl: number
      }[]
    | null
}

/** What a valid advertisement says. */
export type Advertisement = {
  readonly vrid: number
  readonly priority: number
  readonly intervalUs: Us
  /** As sent. That it differs from ours is no reason to reject: compare with `sameAddresses`. */
  readonly addresses: readonly Ip[]
  /** Of version 3 over IPv4 there are two; elsewhere it is the one that the version and the family prescribe. */
  readonly checksum: ChecksumForm
  /** Octets behind the message, ignored. */
  readonly excessBytes: number
}

const noRejects = {
  'too-short': 0,
  'bad-vrid': 0,
  'bad-length': 0,
  'bad-ttl': 0,
  'bad-version': 0,
  'bad-auth-type': 0,
  'auth-mismatch': 0,
  'auth-failed': 0,
  'interval-mismatch': 0,
  'bad-interval': 0,
  'bad-type': 0,
  'bad-checksum': 0,
  'no-addresses': 0,
  'unknown-source': 0,
}

/** Why an advertisement was not accepted. Keys of the counters in `status` and metrics. */
export type Reject = keyof typeof noRejects

export const emptyRejects = (): Record<Reject, number> => ({ ...noRejects })

/**
 * The checks of RFC 9568 section 7.1 in keepalived's order; the first that fails names the reject. A peer
 * with another version is reported as that and not as a wrong length, because that is what its operator
 * has to change.
 */
export function decodeAdvert(
  packet: Received,
  expect: Expectation,
): Decoded<Advertisement, Reject> {
  const { payload } = packet
  if (payload.length < headerBytes) return reject('too-short')
  const view = viewOf(payload)
  if (view.getUint8(offset.vrid) !== expect.vrid) return reject('bad-vrid')
  const length = pduLength(view, expect.family)
  if (payload.length < length) return reject('bad-length')
  const pdu = payload.subarray(0, length)
  const sealed = packet.trailer === 'verified' ? sealBytes : 0
  const excessBytes = excessOf(payload.length, length + sealed, expect.family)
  if (expect.exact === true && excessBytes > 0) return reject('bad-length')
  const why =
    rejectHeader(view, packet.ttl, expect) ??
    (expect.version === 2 ? rejectV2(pdu, packet, expect) : rejectV3(view)) ??
    ((view.getUint8(0) & 0xf) === typeAdvertisement ? null : 'bad-type')
  if (why !== null) return reject(why)
  const form = checksumForm(pdu, packet, expect)
  if (form === null) return reject('bad-checksum')
  const last = rejectSender(pdu, packet, expect)
  if (last !== null) return reject(last)
  return accept({
    vrid: expect.vrid,
    priority: view.getUint8(offset.priority),
    intervalUs: readInterval(view, expect.version),
    addresses: readAddresses(pdu, view.getUint8(offset.count), expect.family),
    checksum: form,
    excessBytes,
  })
}

/** Equal as sets, which is how far two ends of a pair have to agree; the order is each one's own. */
export function sameAddresses(a: readonly Ip[], b: readonly Ip[]): boolean {
  const mine = new Set(a)
  const theirs = new Set(b)
  return mine.size === theirs.size && b.every((ip) => mine.has(ip))
}

function rejectHeader(view: DataView, ttl: number, expect: Expectation): Reject | null {
  if (expect.mode === 'multicast' && ttl !== advertTtl) return 'bad-ttl'
  return view.getUint8(0) >> 4 === expect.version ? null : 'bad-version'
}

/** RFC 2338 section 5.3.6 and 10; RFC 3768 section 7.1. */
function rejectV2(pdu: Uint8Array, packet: Received, expect: Expectation): Reject | null {
  const view = viewOf(pdu)
  const auth = view.getUint8(offset.auth)
  if (auth > authHeader) return 'bad-auth-type'
  const password = passwordOf(expect)
  if (auth !== authTypeOf(expect)) return 'auth-mismatch'
  if (auth === authHeader && packet.header !== 'verified') return 'auth-failed'
  const data = pdu.subarray(pdu.length - authBytes)
  if (password !== null && !equalBytesConstantTime(data, password)) return 'auth-failed'
  return view.getUint8(offset.seconds) === toSeconds(expect.intervalUs) ? null : 'interval-mismatch'
}

/** The interval may differ from ours in version 3; 0 would make our down interval 0 and is refused. */
function rejectV3(view: DataView): Reject | null {
  return (view.getUint16(offset.centiseconds) & 0xfff) === 0 ? 'bad-interval' : null
}

function rejectSender(pdu: Uint8Array, packet: Received, expect: Expectation): Reject | null {
  // RFC 9568 section 5.2.5: a count of 0 MUST be ignored.
  if (pdu[offset.count] === 0 && !expect.mayBeEmpty) return 'no-addresses'
  if (expect.peers === null) return null
  const peer = expect.peers.find((p) => p.address === packet.source)
  if (peer === undefined) return 'unknown-source'
  return packet.ttl < peer.minTtl || packet.ttl > peer.maxTtl ? 'bad-ttl' : null
}

/**
 * The form by which the checksum is right; null: by none. What lies behind the message may be covered or not: a sender that
 * leaves the sum to its kernel (IPV6_CHECKSUM) covers all that it sends.
 */
function checksumForm(pdu: Uint8Array, packet: Received, expect: Expectation): ChecksumForm | null {
  const { version, family } = expect
  const { source, destination, payload } = packet
  const extents = payload.length === pdu.length ? [pdu] : [pdu, payload]
  const holds = (checksumAsV2: boolean): boolean => {
    const fields = { version, family, source, destination, checksumAsV2 }
    return extents.some((octets) => checksum(octets, leadingSum(octets.length, fields)) === 0)
  }
  const bare = family === 4 && version === 2
  if (holds(false)) return bare ? 'message' : 'pseudo-header'
  return family === 4 && version === 3 && holds(true) ? 'message' : null
}

/** What is summed before the PDU: the pseudo-header, or nothing. */
function leadingSum(
  length: number,
  fields: Pick<AdvertFields, 'version' | 'family' | 'source' | 'destination' | 'checksumAsV2'>,
): number {
  const bare = fields.family === 4 && (fields.version === 2 || fields.checksumAsV2)
  return bare ? 0 : pseudoHeaderSum(fields.source, fields.destination, vrrpProtocol, length)
}

/** By the packet's own version and count. */
function pduLength(view: DataView, family: Family): number {
  const addresses = view.getUint8(offset.count) * (family === 4 ? 4 : 16)
  return headerBytes + addresses + trailerBytes(view.getUint8(0) >> 4, family)
}

const trailerBytes = (version: number, family: Family): number =>
  version === 2 && family === 4 ? authBytes : 0

const passwordOf = (of: Pick<Expectation, 'family' | 'password'>): Uint8Array | null =>
  of.family === 4 ? of.password : null

/** RFC 2338 section 5.3.6. */
function authTypeOf(of: Pick<Expectation, 'family' | 'password' | 'ah'>): number {
  if (of.family === 4 && of.ah === true) return authHeader
  return passwordOf(of) === null ? authNone : authPass
}

/** Octets behind the complete message, which section 7.1 does not forbid; Ethernet's padding of IPv4 is none. */
const excessOf = (actual: number, wanted: number, family: Family): number =>
  family === 4 && actual <= paddedPayloadBytes ? 0 : actual - wanted

function readInterval(view: DataView, version: Version): Us {
  return version === 2
    ? secondsToUs(view.getUint8(offset.seconds))
    : centisecondsToUs(view.getUint16(offset.centiseconds) & 0xfff)
}

/** The interval that a packet states, believed or not, by the version that it states; 0: none. */
export function statedIntervalUs(payload: Uint8Array): Us {
  if (payload.length < headerBytes) return secondsToUs(0)
  const view = viewOf(payload)
  return readInterval(view, view.getUint8(0) >> 4 === 2 ? 2 : 3)
}

function readAddresses(pdu: Uint8Array, count: number, family: Family): readonly Ip[] {
  const size = family === 4 ? 4 : 16
  return Array.from({ length: count }, (_, i) => {
    const at = headerBytes + i * size
    return ipFromBytes(pdu.subarray(at, at + size))
  })
}

const toSeconds = (interval: Us): number => clamp(Math.round(interval / 1_000_000), 1, 255)

const clamp = (n: number, low: number, high: number): number => Math.min(Math.max(n, low), high)
