/**
 * The engine counts the pauses between adverts for as long as a slot lives; those of another advert_int say nothing about
 * the present one.
 */
import type { AdvertGaps, Engine, SlotId } from '../engine/contract.ts'
import type { RunningInstance } from './instance.ts'

export class GapBaselines {
  readonly #engine: Engine
  readonly #bases = new Map<SlotId, AdvertGaps>()
  #intervals = new Map<SlotId, number>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** The configuration may have changed. */
  look(instances: readonly RunningInstance[]): void {
    const before = this.#intervals
    this.#intervals = new Map(instances.map(({ slot, cfg }) => [slot, cfg.advertIntervalUs]))
    for (const [slot, intervalUs] of this.#intervals) {
      const known = before.get(slot)
      if (known !== undefined && known !== intervalUs)
        this.#bases.set(slot, this.#engine.gaps(slot))
    }
    for (const slot of this.#bases.keys()) if (!this.#intervals.has(slot)) this.#bases.delete(slot)
  }

  gaps(slot: SlotId): AdvertGaps {
    const now = this.#engine.gaps(slot)
    const base = this.#bases.get(slot)
    if (base === undefined) return now
    const last = base.long.at(-1)?.atUs ?? 0
    return {
      histogram: now.histogram.map((count, i) => count - (base.histogram[i] ?? 0)),
      long: now.long.filter(({ atUs }) => atUs > last),
    }
  }
}
