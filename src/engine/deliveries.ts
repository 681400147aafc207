/**
 * How a delivery of events reaches the daemon. An order must say truthfully which of the engine's own changes
 * (a deadline, late, lapsed) its author knew of, or an order that crossed such a change is taken for an
 * answer to it. So a batch is cut before such a change if the same slot has an earlier event in the batch:
 * whatever is ordered on account of the earlier one is then seen to have crossed.
 */
import type { EngineEvent } from './contract.ts'
import type { SlotId } from './order.ts'

/** Cuts a delivery into batches, in order, each slot's packets by their arrival. A mass take-over stays one batch. */
export function* batches(events: readonly EngineEvent[]): Generator<readonly EngineEvent[]> {
  let batch: EngineEvent[] = []
  let mentioned = new Set<SlotId>()
  for (const event of events) {
    const slot = 'slot' in event ? event.slot : null
    if (slot !== null && isOwnChange(event) && mentioned.has(slot)) {
      yield inOrderOfArrival(batch)
      batch = []
      mentioned = new Set()
    }
    batch.push(event)
    if (slot !== null) mentioned.add(slot)
  }
  if (batch.length > 0) yield inOrderOfArrival(batch)
}

/**
 * A packet that came again while it waited is told once, with its last arrival: what came between the two must not be the
 * last word. An advert, the master's resignation and the same advert once more would take the lead of a living master.
 */
function inOrderOfArrival(batch: readonly EngineEvent[]): readonly EngineEvent[] {
  const places = new Map<SlotId, number[]>()
  let ordered = true
  const lastAt = new Map<SlotId, number>()
  for (const [place, event] of batch.entries()) {
    if (event.kind !== 'packet') continue
    const { slot, at } = event
    ordered &&= (lastAt.get(slot) ?? at) <= at
    lastAt.set(slot, at)
    const own = places.get(slot)
    if (own === undefined) places.set(slot, [place])
    else own.push(place)
  }
  if (ordered) return batch
  const out = [...batch]
  for (const own of places.values()) {
    const packets = own.flatMap((place) => {
      const event = batch[place]
      return event?.kind === 'packet' ? [event] : []
    })
    packets.sort((a, b) => a.at - b.at)
    for (const [i, place] of own.entries()) {
      const packet = packets[i]
      if (packet !== undefined) out[place] = packet
    }
  }
  return out
}

const isOwnChange = ({ kind }: EngineEvent): boolean =>
  kind === 'expired' || kind === 'late' || kind === 'lapsed'
