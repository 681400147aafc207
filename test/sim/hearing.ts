/** What reached each process for each virtual router: of the slot that it has now. */
import type { SlotId } from '../../src/engine/order.ts'
import { slotOf } from './cluster.ts'
import type { Host } from './host.ts'
import { Listening } from './listening.ts'
import type { Process } from './process.ts'

type Heard = { readonly slot: SlotId; readonly listening: Listening }

export class Hearing {
  readonly #listening = new WeakMap<Process, Map<number, Heard>>()

  of(host: Host, vrid: number): Listening | null {
    const { process } = host
    const slot = process === null ? null : slotOf(process, vrid)
    if (process === null || slot === null) return null
    const all = this.#listening.get(process) ?? new Map<number, Heard>()
    this.#listening.set(process, all)
    const known = all.get(vrid)
    if (known !== undefined && known.slot === slot) return known.listening
    const listening = new Listening(host.now())
    all.set(vrid, { slot, listening })
    return listening
  }

  /** Another process goes on with what the one before has heard. */
  passOn(before: Process, after: Process): void {
    const heard = new Map<number, Heard>()
    for (const [vrid, { listening }] of this.#listening.get(before) ?? []) {
      const slot = slotOf(after, vrid)
      if (slot !== null) heard.set(vrid, { slot, listening })
    }
    this.#listening.set(after, heard)
  }
}
