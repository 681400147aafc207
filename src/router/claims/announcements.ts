/**
 * When a master announces an address again because another machine has claimed it. Once for each machine, or again and
 * again while it goes on, at most once in ten seconds and ever more rarely (RFC 5227 section 2.4 (c), DEFEND_INTERVAL):
 * two routers that defend one address against each other must not make a storm of it.
 */
import type { Ip } from '../../base/ip.ts'
import type { MacText } from '../../base/mac.ts'
import { type Us, us } from '../../base/time.ts'
import type { Claim } from '../../wire/claim.ts'
import { TokenBucket, type TokenBucketState } from '../token-bucket.ts'

/** never, once for each machine, or as long as it goes on. */
export type Announcing = 'never' | 'once' | 'always'

type Due = { readonly address: Ip; readonly by: MacText }

type Machine = {
  /** Of the announcement before; 0: there was none. */
  gapUs: number
  doneAt: Us | null
  /** It has claimed the address since then. */
  owed: boolean
  lastAt: Us
}

/** DEFEND_INTERVAL, and up to what the gap doubles. */
const defendUs = { first: 10_000_000, longest: 300_000_000 }
/** Silent for so long, a machine is another one: longer than any gap. */
const forgottenUs = 2 * defendUs.longest
/** Of one address, whatever number of machines claims it: two at once, then one in DEFEND_INTERVAL. */
const ofAddress = { burst: 2, perSecond: 0.1 }
const machinesMax = 64
/** Addresses that reloads took away may be among them. */
const bucketsMax = 1_024

export class Announcements {
  readonly #machines = new Map<string, Machine & Due>()
  readonly #buckets = new Map<Ip, TokenBucket>()

  /** What is only asked or answered has misled no client. */
  provoked(
    { address, mac, how }: Pick<Claim, 'address' | 'mac' | 'how'>,
    announcing: Announcing,
    at: Us,
  ): void {
    if (announcing === 'never' || how === 'probed' || how === 'answered') return
    const key = `${address} ${mac}`
    const known = this.#machines.get(key)
    const forgotten = known !== undefined && at - known.lastAt > forgottenUs
    if (known !== undefined && !forgotten) {
      known.lastAt = at
      if (announcing === 'always') known.owed = true
      return
    }
    if (known === undefined && !this.#makeRoom(at)) return
    const fresh = { gapUs: 0, doneAt: null, owed: true, lastAt: at }
    this.#machines.set(key, { address, by: mac, ...fresh })
  }

  /** What is to be announced now; it is then taken as done. */
  take(now: Us): readonly Due[] {
    const due: Due[] = []
    for (const machine of this.#machines.values()) {
      const at = this.#availableAt(machine, now)
      if (at === null || at > now) continue
      this.#bucket(machine.address).take(now)
      machine.gapUs = Math.min(Math.max(2 * machine.gapUs, defendUs.first), defendUs.longest)
      machine.doneAt = now
      machine.owed = false
      due.push({ address: machine.address, by: machine.by })
    }
    return due
  }

  /** When `take` has something to give; null: never. */
  due(now: Us): Us | null {
    let earliest: Us | null = null
    for (const machine of this.#machines.values()) {
      const at = this.#availableAt(machine, now)
      if (at !== null && (earliest === null || at < earliest)) earliest = at
    }
    return earliest
  }

  /** The lead has ended: nothing is owed, and what was done still counts. */
  end(): void {
    for (const machine of this.#machines.values()) machine.owed = false
  }

  snapshot() {
    return {
      machines: [...this.#machines].map(([key, machine]) => [key, { ...machine }] as const),
      buckets: [...this.#buckets].map(([address, it]) => [address, it.snapshot()] as const),
    }
  }

  adopt({ machines, buckets }: AnnouncementsState): void {
    for (const [key, machine] of machines) this.#machines.set(key, { ...machine })
    for (const [address, state] of buckets) this.#bucket(address).adopt(state)
  }

  #availableAt({ owed, doneAt, gapUs, address }: Machine & Due, now: Us): Us | null {
    if (!owed) return null
    const at = us(Math.max(now, (doneAt ?? 0) + gapUs))
    return us(Math.max(at, this.#bucket(address).availableAt(now)))
  }

  #bucket(address: Ip): TokenBucket {
    const known = this.#buckets.get(address)
    if (known !== undefined) return known
    if (this.#buckets.size >= bucketsMax) this.#buckets.clear()
    const bucket = new TokenBucket(ofAddress.burst, ofAddress.perSecond)
    this.#buckets.set(address, bucket)
    return bucket
  }

  #makeRoom(at: Us): boolean {
    if (this.#machines.size < machinesMax) return true
    for (const [key, machine] of this.#machines) {
      if (machine.owed || at - machine.lastAt <= forgottenUs) continue
      this.#machines.delete(key)
      return true
    }
    return false
  }
}

export type AnnouncementsState = {
  readonly machines: readonly (readonly [string, Machine & Due])[]
  readonly buckets: readonly (readonly [Ip, TokenBucketState])[]
}
