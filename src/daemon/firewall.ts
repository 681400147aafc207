/**
 * no_accept: packets to and from the virtual addresses are dropped unless the instance owns them
 * (RFC 9568 section 6.1, Accept_Mode). The rules depend on the configuration only, not on the
 * state: an address that is not on this host attracts no packets. So they are installed once, at load, by
 * nft, and the take-over path never waits for them.
 */
import { spawnSync } from 'node:child_process'
import { OpError } from '../base/errors.ts'
import { ipFamily } from '../base/ip.ts'
import type { Instance } from '../config/types.ts'

const guarded = (instances: readonly Instance[]): readonly Instance[] =>
  instances.filter((it) => !it.accept && it.priority < 255)

export const needsRules = (instances: readonly Instance[]): boolean => guarded(instances).length > 0

/** The ruleset that replaces ours; deterministic in its arguments. Empty instances remove the table. */
export function acceptRules(table: string, instances: readonly Instance[]): string {
  const all = guarded(instances).flatMap((it) =>
    [...it.addresses, ...it.excluded].map((a) => a.address),
  )
  const remove = `add table inet ${table}\ndelete table inet ${table}\n`
  if (all.length === 0) return remove
  const four = [...new Set(all.filter((a) => ipFamily(a) === 4))]
  const six = [...new Set(all.filter((a) => ipFamily(a) === 6))]
  const nd = 'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept'
  const input = [...(six.length > 0 ? [nd] : []), ...drops('daddr', four, six)]
  const output = [...(six.length > 0 ? [nd] : []), ...drops('saddr', four, six)]
  return `${remove}table inet ${table} {
  chain input { type filter hook input priority -1; policy accept;
    ${input.join('\n    ')}
  }
  chain output { type filter hook output priority -1; policy accept;
    ${output.join('\n    ')}
  }
}
`
}

function drops(
  field: 'saddr' | 'daddr',
  four: readonly string[],
  six: readonly string[],
): string[] {
  const rule = (family: string, set: readonly string[]) =>
    set.length === 0 ? [] : [`${family} ${field} { ${set.join(', ')} } drop`]
  return [...rule('ip', four), ...rule('ip6', six)]
}

/** Feeds a ruleset to nft, atomically. Throws OpError('nft', …) with what nft said. */
export function applyRules(rules: string): void {
  const done = spawnSync('nft', ['-f', '-'], { input: rules, encoding: 'utf8', timeout: 5_000 })
  if (done.error !== undefined)
    throw new OpError('nft', errnoOf(done.error), 'is nftables installed?')
  if (done.status !== 0) throw new OpError('nft', `EXIT_${done.status}`, done.stderr.trim())
}

const errnoOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : error.name
