/**
 * Who holds which routes and rules at present: two instances may list the same one, and the first that leaves must not
 * take it from the other. What the engine and the warden give up on their own accord is taken without this book; where
 * another holds it, it is put back as after any other removal.
 */
import type { EntryFacts } from '../../engine/plans-entries.ts'

export type EntryHolder = number | 'static'

export class SharedEntries {
  readonly #held = new Map<EntryHolder, ReadonlySet<string>>()

  hold(holder: EntryHolder, entries: readonly Pick<EntryFacts, 'identity'>[]): void {
    if (entries.length === 0) this.#held.delete(holder)
    else this.#held.set(holder, new Set(entries.map(({ identity }) => identity)))
  }

  /** By identity: what others than this one hold. */
  heldBeside(holder: EntryHolder): ReadonlySet<string> {
    if (this.#held.size === 0 || (this.#held.size === 1 && this.#held.has(holder))) return new Set()
    const others = [...this.#held].filter(([other]) => other !== holder)
    return new Set(others.flatMap(([, identities]) => [...identities]))
  }
}
