/**
 * Which arrivals of signed adverts count as heard, by the packets alone, whatever the wire doubles and reorders. Of trailers
 * each sequence of a sender once, and none behind a later one. Of AH the same, of all routers together: they share one
 * sequence, which a router raises as it speaks too, and which an instance that is taken out forgets.
 */
import type { SlotId } from '../../src/engine/order.ts'
import { slotOf } from './cluster.ts'
import type { Packet } from './lan.ts'
import type { Process } from './process.ts'
import { type Signed, sequenceOf } from './seals.ts'

type Mark = {
  readonly slot: SlotId | null
  readonly sequence: bigint
  /** The router's own: another may send the same in the same moment. */
  readonly own: boolean
}

export class Believed {
  /** By VRID, and sender where each has its own, the latest sequence. */
  readonly #latest = new WeakMap<Process, Map<string, Mark>>()

  counts(process: Process, vrid: number, packet: Packet): boolean {
    const latest = this.#of(process)
    const shared = packet.header !== undefined
    const slot = shared ? slotOf(process, vrid) : null
    // Without the instance there is nothing that would remember.
    if (shared && slot === null) return false
    const key = shared ? `${vrid}` : `${vrid} ${packet.from}`
    const before = latest.get(key)
    const sequence = sequenceOf(packet)
    const known = before !== undefined && before.slot === slot ? before : null
    const crossed = known?.own === true && sequence === known.sequence
    if (known !== null && sequence <= known.sequence && !crossed) return false
    latest.set(key, { slot, sequence, own: false })
    return true
  }

  /** An advert with an authentication header leaves: what is wrong with its sequence, or null. `first`: what it may begin with. */
  speaks(process: Process, slot: SlotId, signed: Signed, first: bigint): string | null {
    const latest = this.#of(process)
    const key = `${signed.bytes[1]}`
    const before = latest.get(key)
    const sequence = sequenceOf(signed)
    latest.set(key, { slot, sequence, own: true })
    const known = before !== undefined && before.slot === slot
    const expected = known ? before.sequence + 1n : first
    return sequence === expected ? null : `sequence ${sequence} instead of ${expected}`
  }

  /** What one process has heard the next one knows. */
  passOn(before: Process, after: Process): void {
    const passed = new Map<string, Mark>()
    for (const [key, mark] of this.#of(before)) {
      const slot = mark.slot === null ? null : slotOf(after, Number(key))
      if (mark.slot === null || slotOf(before, Number(key)) === mark.slot)
        passed.set(key, { ...mark, slot, own: false })
    }
    this.#latest.set(after, passed)
  }

  #of(process: Process): Map<string, Mark> {
    const latest = this.#latest.get(process) ?? new Map<string, Mark>()
    this.#latest.set(process, latest)
    return latest
  }
}
