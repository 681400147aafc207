/** Whether what the kernel tells of an address is what vipd has asked for: other programs can alter it while it stands. */
import { ipFamily } from '../../base/ip.ts'
import type { AddressFacts } from '../../engine/plans-addresses.ts'
import type { AddressTerms } from '../../kernel/address-table.ts'

/** Each lifetime is cut to whole seconds on its own. */
const roundingSeconds = 1

/** `lifetimeSeconds`: as it is set and renewed; null: for ever. */
export function isAltered(
  wanted: Pick<AddressFacts, 'address' | 'preferredSeconds' | 'noprefixroute'>,
  lifetimeSeconds: number | null,
  terms: AddressTerms,
): boolean {
  if (terms.unmarked) return true
  // Of an IPv4 address that stands it cannot be altered.
  if (ipFamily(wanted.address) === 6 && wanted.noprefixroute !== terms.noprefixroute) return true
  const whole = lifetimeSeconds ?? Number.POSITIVE_INFINITY
  const valid = terms.validSeconds ?? Number.POSITIVE_INFINITY
  const preferred = terms.preferredSeconds ?? Number.POSITIVE_INFINITY
  // It may have been told long after it was set; a third is left when it is renewed late.
  if (valid > whole || valid < whole / 3) return true
  const first = Math.min(wanted.preferredSeconds ?? Number.POSITIVE_INFINITY, whole)
  if (preferred > first) return true
  if (lifetimeSeconds === null) return first === Number.POSITIVE_INFINITY && preferred < first
  // Both run from the same instant.
  return Math.abs(Math.max(0, first - (whole - valid)) - preferred) > roundingSeconds
}
