/**
 * When which announcement frame goes out. Without a configured gap a set of announcements is one plan: every
 * address once, then all again. With a gap, frames of one family on one interface are a queue of its own
 * that starts with the first address at once and lets the others follow at the gap's distance, as repeats
 * with staggered first times. The gap holds within one instance, not between several on one interface.
 */
import type { Family } from '../base/ip.ts'
import { type Us, us } from '../base/time.ts'
import type { Plan, Repeat, Step } from './contract.ts'

/** garp_* of the configuration. Spans in µs. */
export type GarpFacts = {
  /** Delay of the second set after taking over; 0: there is none. */
  readonly masterDelayUs: Us
  readonly masterRepeat: number
  /** Period of the refresh; 0: none. */
  readonly masterRefreshUs: Us
  readonly masterRefreshRepeat: number
  /** Delay of the second set after contact with a competitor; 0: there is none. */
  readonly lowerPrioDelayUs: Us
  /** 0: a competitor provokes no announcement. */
  readonly lowerPrioRepeat: number
  /** Smallest distance of two frames on an interface; 0: none. */
  readonly arpIntervalUs: Us
  readonly naIntervalUs: Us
}

/** One frame that announces one address. */
export type Announcement = {
  readonly family: Family
  readonly step: Step & { readonly kind: 'frame' }
}

/** A set of announcements, each `count` times: what goes out at once, and the rest of it that is paced. */
export function announce(
  key: string,
  frames: readonly Announcement[],
  garp: GarpFacts,
  count: number,
): { readonly now: Plan; readonly later: readonly Repeat[] } {
  if (count < 1) return { now: [], later: [] }
  const { free, queues } = sort(frames, garp)
  return {
    now: [...free, ...queues.flatMap((q) => q.steps.slice(0, 1)), ...rounds(free, count - 1)],
    later: queues.flatMap((queue) => drain(key, queue, count, 0)),
  }
}

/** The same set once more after a delay, but not before a paced first set is through; delay 0: never. */
export function announceLater(
  key: string,
  frames: readonly Announcement[],
  garp: GarpFacts,
  count: number,
  delayUs: Us,
): readonly Repeat[] {
  if (count < 1 || delayUs === 0) return []
  const { free, queues } = sort(frames, garp)
  const plan = rounds(free, count)
  const once: Repeat = { key, firstAfterUs: delayUs, everyUs: us(0), times: 1, plan }
  return [
    ...(plan.length === 0 ? [] : [once]),
    ...queues.flatMap((queue) => drain(key, queue, count, Math.max(delayUs, span(queue, count)))),
  ]
}

/** How often, how many times each, and how long before the first period begins. */
export type Pace = { readonly everyUs: Us; readonly count: number; readonly afterUs?: Us }

/**
 * garp_master_refresh, garp_extra_if: the frames for as long as the lead stands. A queue too long for the period
 * stretches it.
 */
export function announceEvery(
  key: string,
  frames: readonly Announcement[],
  garp: GarpFacts,
  pace: Pace = { everyUs: garp.masterRefreshUs, count: garp.masterRefreshRepeat },
): readonly Repeat[] {
  const { everyUs, count, afterUs = us(0) } = pace
  if (count < 1 || everyUs === 0) return []
  const { free, queues } = sort(frames, garp)
  const plan = rounds(free, count)
  const firstAfterUs = us(afterUs + everyUs)
  return [
    ...(plan.length === 0 ? [] : [{ key, firstAfterUs, everyUs, plan }]),
    ...queues.flatMap((queue) => circulate(key, queue, count, everyUs, afterUs)),
  ]
}

/** Frames that share a gap. */
type Queue = {
  readonly name: string
  readonly gapUs: Us
  readonly steps: readonly Announcement['step'][]
}

function sort(
  frames: readonly Announcement[],
  garp: GarpFacts,
): { readonly free: Plan; readonly queues: readonly Queue[] } {
  const free: Step[] = []
  const paced = new Map<string, { name: string; gapUs: Us; steps: Announcement['step'][] }>()
  for (const { family, step } of frames) {
    const gapUs = family === 4 ? garp.arpIntervalUs : garp.naIntervalUs
    if (gapUs === 0) {
      free.push(step)
      continue
    }
    const name = `${family}/${step.ifindex}`
    const queue = paced.get(name) ?? { name, gapUs, steps: [] }
    queue.steps.push(step)
    paced.set(name, queue)
  }
  return { free, queues: [...paced.values()] }
}

const rounds = (steps: Plan, count: number): Plan =>
  Array.from({ length: count }, () => steps).flat()

const span = (queue: Queue, count: number): number => queue.gapUs * queue.steps.length * count

/** Each frame `count` times, round robin. With `startUs` 0 the very first one has gone out already. */
function drain(
  key: string,
  { name, gapUs, steps }: Queue,
  count: number,
  startUs: number,
): readonly Repeat[] {
  const everyUs = us(gapUs * steps.length)
  return steps.flatMap((step, i): readonly Repeat[] => {
    const sent = startUs === 0 && i === 0 ? 1 : 0
    const firstAfterUs = us(startUs + i * gapUs + sent * everyUs)
    const times = count - sent
    return times === 0
      ? []
      : [{ key: `${key} ${name}/${i}`, firstAfterUs, everyUs, times, plan: [step] }]
  })
}

/** The rounds of each period one gap after the other, period after period. */
function circulate(
  key: string,
  queue: Queue,
  count: number,
  periodUs: Us,
  afterUs: Us,
): readonly Repeat[] {
  const everyUs = us(Math.max(periodUs, span(queue, count)))
  return rounds(queue.steps, count).map((step, i) => ({
    key: `${key} ${queue.name}/${i}`,
    firstAfterUs: us(afterUs + everyUs + i * queue.gapUs),
    everyUs,
    plan: [step],
  }))
}
