/** Which slot a (link, VRID) pair belongs to: at most one, and a slot has one pair. */
import type { LinkId, SlotId } from './contract.ts'

export class Routes {
  readonly #links = new Map<SlotId, LinkId>()
  readonly #keys = new Map<SlotId, string>()
  readonly #taken = new Set<string>()

  /** Throws Error when the slot exists or the pair is taken, RangeError for a VRID outside 1..255. */
  add(slot: SlotId, link: LinkId, vrid: number): void {
    if (!Number.isInteger(vrid) || vrid < 1 || vrid > 255)
      throw new RangeError(`a VRID is 1..255, not ${vrid}`)
    const key = `${link}/${vrid}`
    if (this.#keys.has(slot)) throw new Error(`slot ${slot} exists`)
    if (this.#taken.has(key)) throw new Error(`VRID ${vrid} is taken on link ${link}`)
    this.#keys.set(slot, key)
    this.#links.set(slot, link)
    this.#taken.add(key)
  }

  has(slot: SlotId): boolean {
    return this.#keys.has(slot)
  }

  remove(slot: SlotId): void {
    const key = this.#keys.get(slot)
    if (key !== undefined) this.#taken.delete(key)
    this.#keys.delete(slot)
    this.#links.delete(slot)
  }

  /** The slots of a link go with it. */
  forgetLink(link: LinkId): void {
    for (const [slot, on] of [...this.#links]) if (on === link) this.remove(slot)
  }
}
