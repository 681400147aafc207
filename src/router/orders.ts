/**
 * Orders gathered while one batch of events is worked on and handed over in one call, so that what
 * becomes due together goes out together (some tens at a time: the engine takes up more in slices). A later order for a slot follows the earlier one; none is lost.
 */
import type { Engine } from '../engine/contract.ts'
import type { Order, OrderFor, SlotId } from '../engine/order.ts'

export class OrderQueue {
  #waiting: OrderFor[] = []
  /** Where the last order of each slot waits. */
  readonly #lastOf = new Map<SlotId, number>()
  readonly #engine: Pick<Engine, 'order'>

  constructor(engine: Pick<Engine, 'order'>) {
    this.#engine = engine
  }

  /** A standing order that only replaces one of its kind takes the place of one that waits and does nothing else. */
  add(slot: SlotId, generation: number, order: Order): void {
    const at = this.#lastOf.get(slot)
    const last = at === undefined ? undefined : this.#waiting[at]?.order
    if (at !== undefined && last !== undefined && supersedes(order, last)) {
      this.#waiting[at] = { slot, generation, order }
      return
    }
    this.#lastOf.set(slot, this.#waiting.length)
    this.#waiting.push({ slot, generation, order })
  }

  /** Hands over what waits; to be called at the end of every batch of events. */
  submit(): void {
    if (this.#waiting.length === 0) return
    const orders = this.#waiting
    this.#waiting = []
    this.#lastOf.clear()
    this.#engine.order(orders)
  }
}

/** Both are carried out at no deadline but their own, and the later one says all that the earlier one said. */
function supersedes(order: Order, last: Order): boolean {
  if (order.kind !== last.kind || order.kind === 'once' || order.kind === 'idle') return false
  return last.now.length === 0 && order.now.length === 0
}
