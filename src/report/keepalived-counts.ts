/** The counters that keepalived has, from those of a status. */
import type { DumpCounts } from './dump.ts'
import type { StatusInstance } from './status.ts'

export function keepalivedCounts(it: StatusInstance): DumpCounts {
  const rejected = (...reasons: readonly string[]): number =>
    reasons.reduce((sum, reason) => sum + (it.rejects[reason] ?? 0), 0)
  const became = (wanted: (from: string, to: string) => boolean): number =>
    it.transitionCounts.reduce(
      (sum, { from, to, count }) => sum + (wanted(from, to) ? count : 0),
      0,
    )
  return {
    received: it.adverts.received,
    sent: it.adverts.sent,
    becameMaster: became((_from, to) => to === 'MASTER'),
    releasedMaster: became((from) => from === 'MASTER'),
    lengthErrors: rejected('too-short', 'bad-length'),
    ttlErrors: rejected('bad-ttl'),
    typeErrors: rejected('bad-type'),
    intervalErrors: rejected('bad-interval', 'interval-mismatch'),
    addressListErrors: rejected('address-list'),
    authTypeErrors: rejected('bad-auth-type'),
    authMismatches: rejected('auth-mismatch'),
    authFailures: rejected('auth-failed', 'ah-invalid', 'ah-malformed', 'ah-replayed'),
    zeroReceived: it.priorityZero.received,
    zeroSent: it.priorityZero.sent,
  }
}
