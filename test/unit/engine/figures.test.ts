/** Figures over several processes of one daemon: none goes back, whatever the new engine begins with. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../../src/base/time.ts'
import type { AdvertGaps, SlotCounters } from '../../../src/engine/counters.ts'
import { FiguresBefore, figuresFor } from '../../../src/engine/figures.ts'
import type { SlotId } from '../../../src/engine/order.ts'

const slot = (n: number) => n as SlotId
const seals = (n: number): SlotCounters['seals'] => ({
  ...{ verified: n, missing: 0, malformed: 0, stale: 0, 'unknown-key': 0, invalid: n },
  ...{ replayed: 0, 'unknown-sender': 0, unsigned: 1 },
})
const counters = (n: number): SlotCounters => ({
  ...{ received: n, sent: n, lastReceivedUs: null, lastExpectedUs: null, lastSentUs: null },
  seals: seals(n),
})
const hourUs = 3_600_000_000
const gaps = (n: number, startUs: number): AdvertGaps => ({
  ...{ heard: n, missed: 1 },
  windows: [{ startUs: us(startUs), heard: n, missed: 1, longestUs: us(7) }],
  histogram: [n, 0, 1],
  long: Array.from({ length: 20 }, (_, i) => ({ atUs: us(startUs + i), gapUs: us(5) })),
})
const wakeups = (n: number) => ({ untilUs: [10, 100], counts: [n, 1, 0], sumUs: n })
const passed = {
  wakeups: wakeups(5),
  slots: [[slot(3), { seals: seals(4), gaps: gaps(40, 1_000), intervalUs: us(100) }]] as const,
}

test('what was counted before is added, by slot of the new process', () => {
  const it = new FiguresBefore()
  it.set(figuresFor(new Map([[slot(3), slot(8)]]), JSON.parse(JSON.stringify(passed))))
  assert.deepEqual(it.counters(slot(8), counters(2)).seals, { ...seals(6), unsigned: 2 })
  assert.equal(it.counters(slot(8), counters(2)).sent, 2, 'the exchange itself passes these')
  const now = it.gaps(slot(8), gaps(2, 5_000), us(10_000))
  assert.deepEqual([now.heard, now.missed, now.histogram], [42, 2, [42, 0, 2]])
  assert.deepEqual(
    now.windows.map(({ startUs }) => startUs),
    [1_000, 5_000],
  )
  assert.equal(now.long.length, 32)
  assert.equal(now.long.at(-1)?.atUs, 5_019, 'the oldest ones go')
  assert.deepEqual(it.wakeups(wakeups(2)), { untilUs: [10, 100], counts: [7, 2, 0], sumUs: 7 })
  assert.deepEqual(it.counters(slot(3), counters(2)), counters(2), 'not a slot of this process')
})

test('windows of more than an hour ago, and bounds of another version, are left out', () => {
  const it = new FiguresBefore()
  it.set(passed)
  const now = us(hourUs + 1_000)
  assert.equal(it.gaps(slot(3), gaps(2, 5_000), now).windows.length, 1)
  const other = { untilUs: [10, 200], counts: [1, 1, 0], sumUs: 3 }
  assert.deepEqual(it.wakeups(other), other)
})

test('with another interval gaps are counted anew, and with the same they go on', () => {
  const it = new FiguresBefore()
  it.set(passed)
  it.follows(slot(3), us(100))
  assert.equal(it.gaps(slot(3), gaps(2, 5_000), us(0)).histogram[0], 42)
  it.follows(slot(3), us(200))
  const anew = it.gaps(slot(3), gaps(2, 5_000), us(0))
  assert.deepEqual([anew.histogram[0], anew.long.length, anew.heard], [2, 20, 42])
  assert.equal(it.intervalOf(slot(3)), 200)
  it.forget(slot(3))
  assert.equal(it.gaps(slot(3), gaps(2, 5_000), us(0)).heard, 2)
})
