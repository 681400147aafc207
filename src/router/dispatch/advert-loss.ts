/** The adverts that a backup expected and did not hear, and whether their loss is worth a warning. */
import { enough, falseTakeOvers } from '../../base/advert-chance.ts'
import { type Us, us } from '../../base/time.ts'
import type { AdvertGaps } from '../../engine/counters.ts'

const hourUs = 3_600_000_000
/** Once a month, for a pair that is to run for years. */
const tooOftenPerSecond = 1 / (30 * 86_400)

export type AdvertLoss = {
  /** Since the sockets were opened. */
  readonly heard: number
  readonly missed: number
  /** The latest windows of five minutes that together are enough to judge by, at most an hour. */
  readonly recent: { readonly heard: number; readonly missed: number }
  /** Within the last hour. */
  readonly longestUs: Us
}

export function advertLoss(gaps: AdvertGaps, now: Us): AdvertLoss {
  const windows = gaps.windows
    .filter(({ startUs }) => now - startUs <= hourUs)
    .toSorted((a, b) => b.startUs - a.startUs)
  const recent = { heard: 0, missed: 0 }
  for (const { heard, missed } of windows) {
    if (enough(recent.heard + recent.missed)) break
    recent.heard += heard
    recent.missed += missed
  }
  const longestUs = us(Math.max(0, ...windows.map((window) => window.longestUs)))
  return { heard: gaps.heard, missed: gaps.missed, recent, longestUs }
}

export type Waits = { readonly intervalUs: Us; readonly downTimerAdverts: number }

/**
 * By `vipd tune`'s own arithmetic; null while false take-overs are rarer than once a month, or too little was heard.
 * '6 of 300 adverts were lost: a take-over …'
 */
export function lossWarning({ recent }: AdvertLoss, waits: Waits): string | null {
  const { heard, missed } = recent
  const expected = heard + missed
  if (missed === 0 || !enough(expected)) return null
  const adverts = {
    advertMs: waits.intervalUs / 1_000,
    downTimerAdverts: waits.downTimerAdverts,
  }
  const perSecond = falseTakeOvers(adverts, missed / expected)
  if (perSecond < tooOftenPerSecond) return null
  return `${missed} of the last ${expected} adverts were missing: ${often(perSecond)} it would take over from a living master (vipd tune says what helps)`
}

function often(perSecond: number): string {
  const seconds = 1 / perSecond
  if (seconds < 3_600) return `every ${Math.max(1, Math.round(seconds / 60))} minutes`
  if (seconds < 2 * 86_400) return `every ${Math.round(seconds / 3_600)} hours`
  return `every ${Math.round(seconds / 86_400)} days`
}
