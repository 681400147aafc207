/** What the kernel permits this process: a router that cannot set its addresses must not take the lead. */
import { readFileSync } from 'node:fs'
import { OpError } from '../base/errors.ts'
import type { Config } from '../config/types.ts'

/** CAP_NET_ADMIN, of linux/capability.h. */
const netAdminBit = 12n

/** Of /proc/PID/status. */
export function mayAdministerNetwork(status: string): boolean {
  const [, effective] = /^CapEff:\s*([0-9a-f]+)$/m.exec(status) ?? []
  // Where it cannot be told, the kernel has the last word.
  return effective === undefined || (BigInt(`0x${effective}`) & (1n << netAdminBit)) !== 0n
}

/** Why these instances cannot run here; null: they can. An instance without addresses notifies, and needs nothing. */
export function lacksNetAdmin(
  { instances, statics }: Pick<Config, 'instances' | 'statics'>,
  status = readFileSync('/proc/self/status', 'utf8'),
): string | null {
  const first = instances.find((it) => it.addresses.length + it.excluded.length > 0)
  const { addresses, routes, rules } = statics
  const who =
    addresses.length + routes.length + rules.length > 0
      ? 'there are static entries'
      : first && `${first.name} has addresses`
  if (who === undefined || mayAdministerNetwork(status)) return null
  return `${who} to set, which takes CAP_NET_ADMIN`
}

/** Throws OpError: EPERM. */
export function requireNetAdmin(config: Config): void {
  const why = lacksNetAdmin(config)
  if (why !== null) throw new OpError('capabilities', 'EPERM', why)
}
