/** Which slots of a simulated engine lead, with what, and how much of that the run has been told. */
import type { EngineEvent } from '../../src/engine/contract.ts'
import type { Lead, Order, SlotId } from '../../src/engine/order.ts'

type Slot = { lead: Lead | null; leading: boolean; generation: number }

export class Standings {
  readonly #told: (slot: SlotId, leading: boolean) => void
  readonly #slots = new Map<SlotId, Slot>()
  /** Slots that lead, as far as that has been told. */
  readonly #reported = new Set<SlotId>()

  /** `told`: the standing of that slot changed. */
  constructor(told: (slot: SlotId, leading: boolean) => void) {
    this.#told = told
  }

  add(slot: SlotId): void {
    this.#slots.set(slot, { lead: null, leading: false, generation: 0 })
  }

  remove(slot: SlotId): void {
    this.#slots.delete(slot)
  }

  has(slot: SlotId): boolean {
    return this.#slots.has(slot)
  }

  leads(slot: SlotId): boolean {
    return this.#slots.get(slot)?.leading ?? false
  }

  /** What leads, in the order in which the slots came. */
  get leading(): readonly (readonly [SlotId, Lead])[] {
    return [...this.#slots].flatMap(([slot, { lead, leading }]) =>
      leading && lead !== null ? [[slot, lead] as const] : [],
    )
  }

  /** It may speak: it leads, or did until this very wake-up, whose last words may be an advert. */
  speaks(id: SlotId): boolean {
    return this.leads(id) || this.#reported.has(id)
  }

  ordered(slot: SlotId, generation: number, order: Order): void {
    const ordered = this.#slots.get(slot)
    if (ordered !== undefined) ordered.generation = generation
    if (order.kind === 'lead') this.#stand(slot, order, true)
    else if (order.kind === 'follow') this.#stand(slot, order.onExpiry, false)
    else if (order.kind === 'idle') this.#stand(slot, null, false)
  }

  note(event: EngineEvent): void {
    // A lead that was refused may have been followed by another order in the same hand-over.
    const stale = 'slot' in event && event.generation !== this.#slots.get(event.slot)?.generation
    if (stale) return
    if (event.kind === 'expired') {
      this.#stand(event.slot, this.#slots.get(event.slot)?.lead ?? null, true)
    } else if (event.kind === 'late' || event.kind === 'lapsed') {
      this.#stand(event.slot, null, false)
    }
  }

  /** Once the wake-up is over: what began and ended within one turn, or moved to other sockets, was nothing. */
  report(): void {
    for (const id of new Set([...this.#reported, ...this.#slots.keys()])) {
      const leading = this.leads(id)
      if (leading === this.#reported.has(id)) continue
      if (leading) this.#reported.add(id)
      else this.#reported.delete(id)
      this.#told(id, leading)
    }
  }

  /** Taken over from another process: what leads is no news. */
  adopted(): void {
    for (const [id, { leading }] of this.#slots) if (leading) this.#reported.add(id)
  }

  /** A lead that says nothing (a member that its group holds back) is none. */
  #stand(id: SlotId, lead: Lead | null, leads: boolean): void {
    const slot = this.#slots.get(id)
    if (slot === undefined) return
    slot.lead = lead
    slot.leading = leads && lead !== null && lead.repeats.length > 0
  }
}
