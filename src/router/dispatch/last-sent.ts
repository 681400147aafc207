/**
 * When the last advert of an instance left, as far as it is known here: other sockets may have sent it, or another
 * process.
 */
import type { Us } from '../../base/time.ts'
import type { Engine } from '../../engine/contract.ts'
import type { SlotId } from '../../engine/order.ts'
import type { SocketBinding } from '../binding/socket-binding.ts'

export class LastSent {
  readonly #slot: SlotId
  readonly #engine: Pick<Engine, 'counters'>
  readonly #binding: SocketBinding
  #at: Us | null = null

  constructor(slot: SlotId, engine: Pick<Engine, 'counters'>, binding: SocketBinding) {
    this.#slot = slot
    this.#engine = engine
    this.#binding = binding
  }

  /** As of the last `keep`; null: none is known. */
  get at(): Us | null {
    return this.#at
  }

  /** Before the sockets change: the engine forgets then what it counted. */
  keep(): void {
    if (this.#binding.link === null) return
    this.#at = this.#engine.counters(this.#slot).lastSentUs ?? this.#at
  }

  adopt(at: Us | null): void {
    this.#at = at
  }
}
