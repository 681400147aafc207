/**
 * Log lines about the adverts of others, at a bounded rate: a flood repeats one line with other numbers in it. Each kind
 * of line has a token bucket of its own; the last of those that were not written is written later, with their number.
 */

import type { Log } from '../../base/log.ts'
import type { Us } from '../../base/time.ts'
import type { Effect } from '../../election/types.ts'
import { TokenBucket } from '../token-bucket.ts'

/** Of one kind: five at once, then one in ten seconds. */
const allowed = { burst: 5, perSecond: 0.1 }
/** A sentence of the election's own; there are about ten. */
const kindsMax = 64

type Line = Effect & { readonly kind: 'log' }
type Kind = { readonly bucket: TokenBucket; held: number; last: Line | null }

export class RateLimitedLog {
  readonly #log: Log
  readonly #kinds = new Map<string, Kind>()

  constructor(log: Log) {
    this.#log = log
  }

  write(instance: string, line: Line, now: Us): void {
    const kind = this.#kindOf(line.text)
    if (kind.bucket.take(now)) return this.#put(instance, kind, line)
    kind.held += 1
    kind.last = line
  }

  /** Writes what was held back, as far as the token buckets allow. */
  flush(instance: string, now: Us): void {
    for (const kind of this.#kinds.values()) {
      const { last } = kind
      if (last === null || !kind.bucket.take(now)) continue
      kind.held -= 1
      this.#put(instance, kind, last)
    }
  }

  #put(instance: string, kind: Kind, { level, text }: Line): void {
    const fields = kind.held === 0 ? { instance } : { instance, repeated: kind.held }
    kind.held = 0
    kind.last = null
    if (level === 'info') this.#log.info(text, fields)
    else this.#log.warn(text, fields)
  }

  /** Numbers and addresses are what a flood can vary. */
  #kindOf(text: string): Kind {
    const shape = text.replace(/[0-9a-f:.]*[0-9][0-9a-f:.]*/g, '#')
    const known = this.#kinds.get(shape)
    if (known !== undefined) return known
    if (this.#kinds.size >= kindsMax) this.#kinds.clear()
    const kind = { bucket: new TokenBucket(allowed.burst, allowed.perSecond), held: 0, last: null }
    this.#kinds.set(shape, kind)
    return kind
  }
}
