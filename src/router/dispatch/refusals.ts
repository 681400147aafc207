/** What the kernel refused and why, by key: asked for again after a second, then ever later. */
import { type Us, us } from '../../base/time.ts'

const againUs = { first: 1_000_000, longest: 60_000_000 }

export class Refusals {
  readonly #why = new Map<string, string>()
  #times = 0
  #againAt: Us | null = null

  /** True when that is new. */
  refused(key: string, why: string, now: Us): boolean {
    const known = this.#why.get(key) === why
    this.#why.set(key, why)
    if (this.#againAt !== null) return !known
    this.#againAt = us(now + Math.min(againUs.first * 2 ** this.#times, againUs.longest))
    this.#times += 1
    return !known
  }

  accepted(key: string): void {
    this.#why.delete(key)
    if (this.#why.size === 0) this.end()
  }

  /** Only these are wanted still. */
  keep(keys: ReadonlySet<string>): void {
    for (const key of [...this.#why.keys()]) if (!keys.has(key)) this.accepted(key)
  }

  /** Nothing is wanted any more. */
  end(): void {
    this.#why.clear()
    this.#times = 0
    this.#againAt = null
  }

  /** When `take` has something to give; null: never. */
  get againAt(): Us | null {
    return this.#againAt
  }

  /** What to ask for again now. */
  take(now: Us): ReadonlySet<string> {
    if (this.#againAt === null || this.#againAt > now) return new Set()
    this.#againAt = null
    return new Set(this.#why.keys())
  }

  whyOf(key: string): string | null {
    return this.#why.get(key) ?? null
  }

  snapshot() {
    return { why: [...this.#why], times: this.#times, againAt: this.#againAt }
  }

  adopt({ why, times, againAt }: ReturnType<Refusals['snapshot']>): void {
    for (const [key, text] of why) this.#why.set(key, text)
    this.#times = times
    this.#againAt = againAt
  }
}
