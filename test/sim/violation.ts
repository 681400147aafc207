import type { Host } from './host.ts'

/** A rule was broken. The message names the rule, the instant and the host. */
class Violation extends Error {}

export function violate(nowUs: number, host: Host | null, what: string): never {
  throw new Violation(`${host?.name ?? 'cluster'} at ${(nowUs / 1_000_000).toFixed(6)} s: ${what}`)
}
