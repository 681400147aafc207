/**
 * Which announcement frames go out, how often and from when on. A set of announcements is one plan: every address once,
 * then all again. Where a gap is configured its frames carry a pace, and the engine keeps them apart.
 */
import type { Family } from '../base/ip.ts'
import { type Us, us } from '../base/time.ts'
import type { Pace, Plan, Repeat, Step } from './order.ts'

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
}

/** vrrp_garp_interval, vrrp_gna_interval, garp_group: what spaces the announcements of that family on an interface. */
export type PaceFacts = {
  readonly family: Family
  readonly ifindex: number
  readonly pace: Pace
}

export const paceOf = (paces: readonly PaceFacts[], family: Family, ifindex: number): Pace | null =>
  paces.find((it) => it.family === family && it.ifindex === ifindex)?.pace ?? null

/** One frame that announces one address. */
export type Announcement = Step & { readonly kind: 'frame' }

/** A set of announcements, each `count` times. */
export const announce = (frames: readonly Announcement[], count: number): Plan =>
  Array.from({ length: count }, () => frames).flat()

/** The same set once more after a delay; delay 0: never. */
export function announceLater(
  key: string,
  frames: readonly Announcement[],
  count: number,
  delayUs: Us,
): readonly Repeat[] {
  const plan = announce(frames, count)
  if (plan.length === 0 || delayUs === 0) return []
  return [{ key, firstAfterUs: delayUs, everyUs: us(0), times: 1, plan }]
}

/** How often, how many times each, and how long before the first period begins. */
export type Recurrence = { readonly everyUs: Us; readonly count: number; readonly afterUs?: Us }

/** garp_master_refresh, garp_extra_if: the frames for as long as the lead stands. */
export function announceEvery(
  key: string,
  frames: readonly Announcement[],
  { everyUs, count, afterUs = us(0) }: Recurrence,
): readonly Repeat[] {
  const plan = announce(frames, count)
  if (plan.length === 0 || everyUs === 0) return []
  return [{ key, firstAfterUs: us(afterUs + everyUs), everyUs, plan }]
}
