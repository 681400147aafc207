/**
 * What the engine of a process before this one has counted, to be told together with what this one's has: over an upgrade in
 * place no figure begins anew. They are those of the moment in which the state was passed: of what came between that and the
 * exchange, some milliseconds, only the adverts sent and received are exact (native/engine/core_exchange.cc).
 */
import type { Us } from '../base/time.ts'
import type { AdvertGaps, SlotCounters, Wakeups } from './counters.ts'
import type { SlotId } from './order.ts'

export type SlotFigures = {
  readonly seals: SlotCounters['seals']
  readonly gaps: AdvertGaps
  /** That `gaps.histogram` and `gaps.long` are of; null: no follow has had one. */
  readonly intervalUs: Us | null
}

export type EngineFigures = {
  readonly wakeups: Wakeups
  readonly slots: readonly (readonly [SlotId, SlotFigures])[]
}

/** The same by slot of another process. */
export const figuresFor = (
  slots: ReadonlyMap<SlotId, SlotId>,
  { wakeups, slots: all }: EngineFigures,
): EngineFigures => ({
  wakeups,
  slots: all.flatMap(([slot, figures]) => {
    const own = slots.get(slot)
    return own === undefined ? [] : [[own, figures] as const]
  }),
})

/** Windows of adverts are kept for so long. */
const windowsUs = 3_600_000_000
/** Long gaps that are kept (native/engine/gaps.h). */
const longMax = 32

export const addSeals = (a: SlotCounters['seals'], b: SlotCounters['seals']): typeof a => {
  const keys = Object.keys(a) as (keyof typeof a)[]
  return Object.fromEntries(keys.map((key) => [key, a[key] + b[key]])) as typeof a
}

export const addGaps = (before: AdvertGaps, now: AdvertGaps, nowUs: Us): AdvertGaps => ({
  heard: before.heard + now.heard,
  missed: before.missed + now.missed,
  windows: [...before.windows.filter(({ startUs }) => startUs > nowUs - windowsUs), ...now.windows],
  histogram: now.histogram.map((count, i) => count + (before.histogram[i] ?? 0)),
  long: [...before.long, ...now.long].slice(-longMax),
})

/** Of an engine with other bounds nothing can be added. */
export function addWakeups(before: Wakeups, now: Wakeups): Wakeups {
  if (before.untilUs.join() !== now.untilUs.join()) return now
  return {
    untilUs: now.untilUs,
    counts: now.counts.map((count, i) => count + (before.counts[i] ?? 0)),
    sumUs: before.sumUs + now.sumUs,
  }
}

/** What the process before counted, by slot of this one, and by which interval its gaps were judged. */
export class FiguresBefore {
  #wakeups: Wakeups | null = null
  #slots = new Map<SlotId, SlotFigures>()
  readonly #intervals = new Map<SlotId, Us>()

  /** Those of an earlier call are out of date. */
  set({ wakeups, slots }: EngineFigures): void {
    this.#wakeups = wakeups
    this.#slots = new Map(slots)
    this.#intervals.clear()
    for (const [slot, { intervalUs }] of slots)
      if (intervalUs !== null) this.#intervals.set(slot, intervalUs)
  }

  /** The slot follows adverts of that interval: with another one its gaps are counted anew. */
  follows(slot: SlotId, intervalUs: Us): void {
    const last = this.#intervals.get(slot)
    this.#intervals.set(slot, intervalUs)
    const before = this.#slots.get(slot)
    if (before === undefined || last === undefined || last === intervalUs) return
    this.#slots.set(slot, { ...before, gaps: { ...before.gaps, histogram: [], long: [] } })
  }

  forget(slot: SlotId): void {
    this.#slots.delete(slot)
    this.#intervals.delete(slot)
  }

  intervalOf(slot: SlotId): Us | null {
    return this.#intervals.get(slot) ?? null
  }

  counters(slot: SlotId, now: SlotCounters): SlotCounters {
    const before = this.#slots.get(slot)
    return before === undefined ? now : { ...now, seals: addSeals(before.seals, now.seals) }
  }

  gaps(slot: SlotId, now: AdvertGaps, nowUs: Us): AdvertGaps {
    const before = this.#slots.get(slot)
    return before === undefined ? now : addGaps(before.gaps, now, nowUs)
  }

  wakeups(now: Wakeups): Wakeups {
    return this.#wakeups === null ? now : addWakeups(this.#wakeups, now)
  }
}
