/**
 * IPv6 addresses of a master that duplicate address detection has found in use by another host. The kernel keeps such an
 * address unusable, or removes it when it has a lifetime: the next renewal then tries it again.
 */
import type { Ip } from '../../base/ip.ts'
import { type Us, us } from '../../base/time.ts'

/** Detection takes about a second, and a renewal comes at the latest after the lifetime. */
const shortestUs = 10_000_000

export class Duplicates {
  readonly #seen = new Map<Ip, Us>()

  note(address: Ip, now: Us): void {
    this.#seen.set(address, now)
  }

  /** The lead has ended. */
  end(): void {
    this.#seen.clear()
  }

  snapshot() {
    return [...this.#seen]
  }

  adopt(seen: ReturnType<Duplicates['snapshot']>): void {
    for (const [address, at] of seen) this.#seen.set(address, at)
  }

  /** Those of the last attempts; with lifetime 0 there is one attempt. */
  at(now: Us, lifetimeSeconds: number): readonly Ip[] {
    const span = us(Math.max(shortestUs, 2 * lifetimeSeconds * 1_000_000))
    return [...this.#seen].flatMap(([address, at]) =>
      lifetimeSeconds === 0 || now - at <= span ? [address] : [],
    )
  }
}

export const describeDuplicate = (address: Ip): string =>
  `${address} is used by another host as well (IPv6 duplicate address detection failed) and serves no client here`
