import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../../src/base/time.ts'
import type { AdvertGaps, AdvertWindow } from '../../../src/engine/counters.ts'
import { advertLoss, lossWarning } from '../../../src/router/dispatch/advert-loss.ts'

const minute = 60_000_000
const window = (atMinutes: number, heard: number, missed: number, longestUs = 0): AdvertWindow => ({
  startUs: us(atMinutes * minute),
  heard,
  missed,
  longestUs: us(longestUs),
})
const gaps = (windows: readonly AdvertWindow[]): AdvertGaps => ({
  histogram: [],
  long: [],
  heard: 10_000,
  missed: 7,
  windows,
})
const waits = { intervalUs: us(1_000_000), downTimerAdverts: 3 }

test('lately: as many windows as it takes to judge by, the latest first, none older than an hour', () => {
  const windows = [
    window(5, 9_000, 900, 9_000_000),
    window(100, 250, 0, 1),
    window(105, 100, 3, 5_000_000),
    window(95, 5_000, 500, 7_000_000),
  ]
  const loss = advertLoss(gaps(windows), us(106 * minute))
  assert.deepEqual(loss.recent, { heard: 350, missed: 3 })
  assert.equal(loss.longestUs, 7_000_000, 'of the hour, not of what is judged by')
  assert.deepEqual([loss.heard, loss.missed], [10_000, 7])
  assert.equal(advertLoss(gaps(windows), us(400 * minute)).longestUs, 0)
})

const warned = (heard: number, missed: number, over: Partial<typeof waits> = {}) =>
  lossWarning(advertLoss(gaps([window(0, heard, missed)]), us(minute)), { ...waits, ...over })

test('ten of a hundred adverts lost: a warning, with how often it is wrong', () => {
  assert.match(
    warned(270, 30) ?? '',
    /^30 of the last 300 adverts were missing: every 19 minutes it would take over/,
  )
  assert.equal(warned(269, 30), null, 'too few to judge by')
  assert.equal(warned(300, 0), null)
  // 0.1 %: once in 32 years at one second, in 4 months at ten milliseconds.
  assert.equal(warned(9_990, 10), null)
  assert.equal(warned(9_990, 10, { intervalUs: us(10_000) }), null)
  assert.match(warned(9_900, 100) ?? '', /every 12 days/)
  assert.equal(warned(9_900, 100, { downTimerAdverts: 5 }), null)
})
