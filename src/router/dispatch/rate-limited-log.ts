/**
 * What the election remarks about somebody else's adverts, bounded: a flood repeats one remark with other numbers in
 * it. Each kind of remark has a budget of its own; the last of those that were not written is written later,
 * with their number.
 */

import type { Log } from '../../base/log.ts'
import type { Us } from '../../base/time.ts'
import type { Effect } from '../../election/types.ts'
import { Budget } from './token-bucket.ts'

/** Of one kind: five at once, then one in ten seconds. */
const allowed = { burst: 5, perSecond: 0.1 }
/** A sentence of the election's own; there are about ten. */
const kindsMax = 64

type Remark = Effect & { readonly kind: 'log' }
type Kind = { readonly budget: Budget; held: number; last: Remark | null }

export class Remarks {
  readonly #log: Log
  readonly #kinds = new Map<string, Kind>()

  constructor(log: Log) {
    this.#log = log
  }

  say(instance: string, remark: Remark, now: Us): void {
    const kind = this.#kindOf(remark.text)
    if (kind.budget.take(now)) return this.#write(instance, kind, remark)
    kind.held += 1
    kind.last = remark
  }

  /** Writes what was held back, as far as the budgets allow. */
  flush(instance: string, now: Us): void {
    for (const kind of this.#kinds.values()) {
      const { last } = kind
      if (last === null || !kind.budget.take(now)) continue
      kind.held -= 1
      this.#write(instance, kind, last)
    }
  }

  #write(instance: string, kind: Kind, { level, text }: Remark): void {
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
    const kind = { budget: new Budget(allowed.burst, allowed.perSecond), held: 0, last: null }
    this.#kinds.set(shape, kind)
    return kind
  }
}
