/**
 * How much of something that others provoke is done: at once the first time, then at a bounded rate, so that no peer and
 * no program can use us as an amplifier. What is put off is done later (`Deferred`), or is made good by something else
 * that the caller names. Instants are given by the caller.
 */
import { type Us, us } from '../base/time.ts'

export type TokenBucketState = ReturnType<TokenBucket['snapshot']>

/** A token bucket. */
export class TokenBucket {
  #tokens: number
  #at: Us | null = null
  readonly #burst: number
  readonly #perSecond: number

  constructor(burst: number, perSecond: number) {
    this.#burst = burst
    this.#perSecond = perSecond
    this.#tokens = burst
  }

  /** When one may be done next: `now`, or an instant to come. */
  availableAt(now: Us): Us {
    const elapsed = this.#at === null ? 0 : now - this.#at
    const tokens = this.#tokens + (elapsed * this.#perSecond) / 1_000_000
    return tokens >= 1 ? now : us(now + Math.ceil(((1 - tokens) * 1_000_000) / this.#perSecond))
  }

  /** True when one may be done now; it is then taken as done. */
  take(now: Us): boolean {
    const elapsed = this.#at === null ? 0 : now - this.#at
    this.#at = now
    this.#tokens = Math.min(this.#burst, this.#tokens + (elapsed * this.#perSecond) / 1_000_000)
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }

  snapshot() {
    return { tokens: this.#tokens, at: this.#at }
  }

  adopt({ tokens, at }: TokenBucketState): void {
    this.#tokens = tokens
    this.#at = at
  }
}

/**
 * A bucket that forgets nothing: what it cannot afford waits, one item for each key (the latest), and is taken when the
 * bucket allows. Items that wait come first, the oldest before the others.
 */
export class Deferred<Key, Item> {
  readonly #bucket: TokenBucket
  readonly #waiting = new Map<Key, Item>()

  constructor(bucket: TokenBucket) {
    this.#bucket = bucket
  }

  /** To be followed by `take`. */
  add(key: Key, item: Item): void {
    this.#waiting.set(key, item)
  }

  /** What may be done now; it is then taken as done. */
  take(now: Us): Item[] {
    const items: Item[] = []
    for (const [key, item] of this.#waiting) {
      if (!this.#bucket.take(now)) break
      this.#waiting.delete(key)
      items.push(item)
    }
    return items
  }

  /** When `take` has something to give; null while nothing waits. */
  due(now: Us): Us | null {
    return this.#waiting.size === 0 ? null : this.#bucket.availableAt(now)
  }

  clear(): void {
    this.#waiting.clear()
  }

  snapshot() {
    return { bucket: this.#bucket.snapshot(), waiting: [...this.#waiting] }
  }

  adopt({ bucket, waiting }: ReturnType<Deferred<Key, Item>['snapshot']>): void {
    this.#bucket.adopt(bucket)
    this.#waiting.clear()
    for (const [key, item] of waiting) this.#waiting.set(key, item)
  }
}

/**
 * The same for what is worth repeating to a new competitor and worth nothing to one that goes on: at once, and then
 * after gaps that double. After a silence the next one is new again: two partitions in a row are two competitors.
 */
export class Backoff {
  readonly #firstGapUs: number
  readonly #lastGapUs: number
  #gapUs = 0
  #doneAt: Us | null = null
  #askedAt: Us | null = null

  /** Microseconds, both above 0. */
  constructor(firstGapUs: Us, lastGapUs: Us) {
    this.#firstGapUs = firstGapUs
    this.#lastGapUs = lastGapUs
  }

  /** True when it may be done now; it is then taken as done. Not asked for longer than `silenceUs`: it is new. */
  take(now: Us, silenceUs: Us): boolean {
    const fresh = this.#askedAt === null || now - this.#askedAt > silenceUs
    this.#askedAt = now
    if (fresh) this.#gapUs = 0
    else if (this.#doneAt !== null && now - this.#doneAt < this.#gapUs) return false
    this.#gapUs = Math.min(Math.max(2 * this.#gapUs, this.#firstGapUs), this.#lastGapUs)
    this.#doneAt = now
    return true
  }

  snapshot() {
    return { gapUs: this.#gapUs, doneAt: this.#doneAt, askedAt: this.#askedAt }
  }

  adopt({ gapUs, doneAt, askedAt }: ReturnType<Backoff['snapshot']>): void {
    this.#gapUs = gapUs
    this.#doneAt = doneAt
    this.#askedAt = askedAt
  }
}
