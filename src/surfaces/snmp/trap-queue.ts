/**
 * Notifications on their way: held while the master agent is away, as long as they are news. A restart of snmpd loses none;
 * one that is away for longer would otherwise send stale ones, which have no time of their own.
 */
import type { Binding } from '../../wire/agentx-parts.ts'

type Held = { readonly bindings: readonly Binding[]; readonly at: number }

const heldMax = 1_024
const newsMs = 60_000

export class TrapQueue {
  #held: Held[] = []
  #lost = 0

  push(bindings: readonly Binding[], now: number): void {
    this.#held.push({ bindings, at: now })
    if (this.#held.length > heldMax) {
      this.#held.shift()
      this.lose()
    }
  }

  /** One that never came so far. */
  lose(): void {
    this.#lost += 1
  }

  /** The oldest that is still news; it stays until `sent`. */
  first(now: number): readonly Binding[] | null {
    const fresh = this.#held.filter(({ at }) => now - at <= newsMs)
    this.#lost += this.#held.length - fresh.length
    this.#held = fresh
    return fresh[0]?.bindings ?? null
  }

  sent(): void {
    this.#held.shift()
  }

  /** How many have been lost since this was asked last. */
  takeLost(): number {
    const lost = this.#lost
    this.#lost = 0
    return lost
  }
}
