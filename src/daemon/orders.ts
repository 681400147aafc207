/**
 * Orders gathered while one batch of events is worked on and handed over in one call, so that what
 * becomes due together goes out together (some tens at a time: the engine takes up more in slices). A later order for a slot follows the earlier one; none is lost.
 */
import type { Engine, Order, OrderFor, SlotId } from '../engine/contract.ts'

export class OrderQueue {
  #waiting: OrderFor[] = []
  readonly #engine: Pick<Engine, 'order'>

  constructor(engine: Pick<Engine, 'order'>) {
    this.#engine = engine
  }

  add(slot: SlotId, generation: number, order: Order): void {
    this.#waiting.push({ slot, generation, order })
  }

  /** Hands over what waits; to be called at the end of every batch of events. */
  hand(): void {
    if (this.#waiting.length === 0) return
    const orders = this.#waiting
    this.#waiting = []
    this.#engine.order(orders)
  }
}
