/**
 * How a delivery of events reaches the daemon. An order must say truthfully which of the engine's own changes
 * (a deadline, late, lapsed) its author knew of, or an order that crossed such a change is taken for an
 * answer to it. So a batch is cut before such a change if the same slot has an earlier event in the batch:
 * whatever is ordered on account of the earlier one is then seen to have crossed.
 */
import type { EngineEvent, SlotId } from './contract.ts'

/** Cuts a delivery into batches, in order. A mass take-over stays one batch. */
export function* batches(events: readonly EngineEvent[]): Generator<readonly EngineEvent[]> {
  let batch: EngineEvent[] = []
  let mentioned = new Set<SlotId>()
  for (const event of events) {
    const slot = 'slot' in event ? event.slot : null
    if (slot !== null && isOwnChange(event) && mentioned.has(slot)) {
      yield batch
      batch = []
      mentioned = new Set()
    }
    batch.push(event)
    if (slot !== null) mentioned.add(slot)
  }
  if (batch.length > 0) yield batch
}

const isOwnChange = ({ kind }: EngineEvent): boolean =>
  kind === 'expired' || kind === 'late' || kind === 'lapsed'
