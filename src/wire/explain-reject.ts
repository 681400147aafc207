/**
 * Why an advert is not believed, in the operator's words, and what would mend it where that is known: two routers that
 * ignore each other are two masters, and the reason alone (`auth-mismatch`) does not say which of them to change.
 */
import { unreachable } from '../base/assert.ts'
import { viewOf } from '../base/bytes.ts'
import type { Expectation, Received, Reject } from './vrrp.ts'

/** OpenBSD's CARP shares protocol 112: version 2, type 1, and 7 where VRRP counts its addresses. */
const carp = { bytes: 36, count: 7 }

/** One clause, 'it speaks version 2, this instance version 3'. */
export function explainReject(
  why: Reject,
  packet: Pick<Received, 'payload' | 'ttl'>,
  expect: Expectation,
) {
  const { payload, ttl } = packet
  const view = viewOf(payload)
  const at = (offset: number): number => (offset < payload.length ? view.getUint8(offset) : 0)
  switch (why) {
    case 'bad-version':
      return `it speaks version ${at(0) >> 4}, this instance version ${expect.version}: write the same \`version\` on both`
    case 'bad-auth-type':
      return `authentication type ${at(4)} is none of VRRP's`
    case 'auth-mismatch':
      return `its authentication is ${authName(at(4))}, ours ${ourAuth(expect)}: write the same \`authentication\` on both`
    case 'auth-failed':
      return 'its password is not ours: write the same `auth_pass` on both (8 characters count)'
    case 'interval-mismatch':
      return `its advert_int is ${at(5)} s, ours ${Math.round(expect.intervalUs / 1_000_000)} s, and version 2 asks for the same on both`
    case 'bad-interval':
      return 'its interval is 0'
    case 'bad-length':
    case 'too-short':
      return payload.length === carp.bytes && at(3) === carp.count
        ? `its ${carp.bytes} octets are CARP, not VRRP: give one of the two another VRID`
        : `${payload.length} octets are no complete advert of ${at(3)} addresses`
    case 'bad-ttl':
      return expect.mode === 'multicast'
        ? `its TTL is ${ttl} and must be 255: it was routed, or is no VRRP`
        : `its TTL is ${ttl}, outside what unicast_peer allows`
    case 'bad-checksum':
      return 'its checksum is right in none of the known forms: damaged on the way, or its addresses were translated'
    case 'bad-type':
      return `type ${at(0) & 0xf} is no advertisement`
    case 'bad-vrid':
      return `its VRID is ${at(1)}`
    case 'no-addresses':
      return 'it carries no address'
    case 'unknown-source':
      return 'it is none of unicast_peer, and check_unicast_src is on'
    default:
      return unreachable(why)
  }
}

const ourAuth = ({ password, ah }: Expectation): string => {
  if (ah === true) return 'AH'
  return password === null ? 'none' : 'PASS'
}

const authName = (type: number): string => ['none', 'PASS', 'AH'][type] ?? String(type)
