/**
 * The signatures of what one instance hears (`auth_hmac`, `auth_type AH`). The engine judges and counts them; here each
 * kind is said once until the state or the master changes, in keepalived's words, so that what watches its log finds them
 * here too.
 */
import type { Ip } from '../../base/ip.ts'
import type { Instance } from '../../config/types.ts'
import type { Packet } from '../../engine/contract.ts'
import type { SealVerdict, SlotCounters } from '../../engine/counters.ts'

/** Why an advert is not believed, beside the reasons of the decoder: keys of `rejects` in `status` and metrics. */
export type SealReject = `hmac-${Exclude<SealVerdict, 'verified'>}` | AhReject
type AhReject = 'ah-malformed' | 'ah-invalid' | 'ah-replayed'

/** null: it may be what it says, and the decoder judges. */
export function sealReject(cfg: Instance, { seal }: Packet): SealReject | null {
  if (seal === undefined || seal.verdict === 'verified') return null
  if (cfg.ahKey !== null) return ahReject(seal.verdict)
  if (seal.verdict === 'missing' && cfg.hmac?.mode !== 'enforce') return null
  return `hmac-${seal.verdict}`
}

/** The engine has no other verdict on a header. */
function ahReject(verdict: SealVerdict): AhReject {
  if (verdict === 'replayed' || verdict === 'invalid') return `ah-${verdict}`
  return 'ah-malformed'
}

/** Of all that was heard. */
export function sealRejects(
  cfg: Instance,
  seals: SlotCounters['seals'] | null,
): Readonly<Record<SealReject, number>> {
  const of = (verdict: SealVerdict): number => (cfg.hmac === null ? 0 : (seals?.[verdict] ?? 0))
  const ofHeader = (verdict: SealVerdict): number =>
    cfg.ahKey === null ? 0 : (seals?.[verdict] ?? 0)
  return {
    'hmac-missing': of('missing'),
    'hmac-malformed': of('malformed'),
    'hmac-stale': of('stale'),
    'hmac-unknown-key': of('unknown-key'),
    'hmac-invalid': of('invalid'),
    'hmac-replayed': of('replayed'),
    'hmac-unknown-sender': of('unknown-sender'),
    'ah-malformed': ofHeader('malformed'),
    'ah-invalid': ofHeader('invalid'),
    'ah-replayed': ofHeader('replayed'),
  }
}

/** Of the trailer, from the end of the packet. */
const keyIdFromEnd = 27

/** As keepalived writes it; what would mend it follows in `sealRemedy`. */
export function describeSealReject(why: SealReject, packet: Packet, windowSeconds: number): string {
  const { from, payload, seal } = packet
  switch (why) {
    case 'hmac-missing':
      return `missing authentication trailer from ${from}`
    case 'hmac-malformed':
      return `malformed authentication trailer from ${from}`
    case 'hmac-stale':
      return `stale authentication trailer from ${from}, clock skew ${Math.abs(seal?.skewSeconds ?? 0)} sec exceeds window ${windowSeconds} sec`
    case 'hmac-unknown-key':
      return `unknown authentication key id ${payload.at(-keyIdFromEnd) ?? 0} from ${from}`
    case 'hmac-invalid':
      return `invalid authentication HMAC from ${from}`
    case 'hmac-replayed':
      return `replayed authentication trailer from ${from}`
    case 'hmac-unknown-sender':
      return `signed advert from ${from}, which is none of unicast_peer`
    case 'ah-malformed':
      return `IPSEC-AH : invalid authentication header from ${from}`
    case 'ah-invalid':
      return `IPSEC-AH : invalid IPSEC HMAC-MD5 value from ${from}`
    case 'ah-replayed':
      return `IPSEC-AH : sequence number already processed, from ${from}`
  }
}

export const sealRemedy: Readonly<Record<SealReject, string>> = {
  'hmac-missing':
    'it does not sign, and mode enforce accepts nothing else: write the same `auth_hmac` on both',
  'hmac-malformed': 'it is of another kind, or of a version of keepalived before 2.4.2',
  'hmac-stale':
    'set the clocks of both hosts right (NTP), or write `anti_replay monotonic` on both',
  'hmac-unknown-key': 'write that key on both before one of them signs with it',
  'hmac-invalid': 'the key of that id is not the same on both, or the advert was altered or forged',
  'hmac-replayed':
    'a recorded advert was sent again, or its clock was set back; from our own address: the segment brings back what we send',
  'hmac-unknown-sender': 'write its address into unicast_peer',
  'ah-malformed': 'it is no authentication header of VRRP, or its SPI is not its source address',
  'ah-invalid':
    'write the same `auth_pass` on both (8 characters count); or the advert was altered or forged',
  'ah-replayed':
    'a recorded advert was sent again; once: it was overtaken on its way; again and again: that router was started again and has not heard this one',
}

export const describeSkew = (from: Ip, skewSeconds: number, windowSeconds: number): string =>
  `authentication clock skew ${Math.abs(skewSeconds)} sec from ${from} approaching window ${windowSeconds} sec`
