/** The engine’s core, and the adverts that it hears: expected, missing, unexpected, counted. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ip } from '../../src/base/ip.ts'
import { us } from '../../src/base/time.ts'
import type { Order } from '../../src/engine/order.ts'
import {
  Bench,
  expected,
  followUntil,
  ip,
  lead,
  link,
  only,
  peer,
  second,
  vrid,
} from './core-bench.ts'

test('an expected advert restarts the deadline and raises nothing', () => {
  const b = new Bench()
  b.order(followUntil(3 * second), 0)
  for (let at = second; at <= 100 * second; at += second) {
    b.hear(at)
    assert.deepEqual(b.tick(at), { effects: [], events: [] })
    assert.equal(b.core.nextDeadline(), at + 3 * second)
  }
  const counters = b.core.counters(1)
  assert.equal(counters.received, 100)
  assert.equal(counters.lastExpectedUs, 100 * second)
})

function followEvery(intervalUs: number, atUs = 0): Order {
  const order = followUntil(atUs + 3 * second)
  assert(order.kind === 'follow')
  return { ...order, intervalUs: us(intervalUs) }
}

test('adverts that are missing are counted by windows and since the start, for every reader', () => {
  const b = new Bench()
  b.order(followEvery(second), 0)
  const lost = new Set([20, 21, 300, 400])
  for (let i = 1; i <= 600; i++) {
    if (!lost.has(i)) b.hear(i * second)
    b.tick(i * second)
  }
  for (let reader = 0; reader < 2; reader++) {
    const { heard, missed, windows } = b.core.gaps(1)
    assert.deepEqual([heard, missed], [595, 4])
    assert.deepEqual(
      windows.toSorted((x, y) => x.startUs - y.startUs),
      [
        { startUs: 0, heard: 296, missed: 2, longestUs: 3 * second },
        { startUs: 300 * second, heard: 298, missed: 2, longestUs: 2 * second },
        { startUs: 600 * second, heard: 1, missed: 0, longestUs: second },
      ],
    )
  }
})

test('the silence that ended in a take-over is the longest, but no advert of a dead master was lost', () => {
  const b = new Bench()
  b.order(followEvery(second), 0)
  b.hear(second)
  b.hear(2 * second)
  b.tick(2 * second)
  only(b.tick(5 * second).events, 'expired')
  const { heard, missed, windows } = b.core.gaps(1)
  assert.deepEqual([heard, missed, windows[0]?.longestUs], [1, 0, 3 * second])
})

test('the time in which it led is no silence of its master', () => {
  const b = new Bench()
  b.order(followEvery(second), 0)
  b.hear(second)
  b.order(lead(), second)
  b.tick(second)
  for (let i = 2; i < 100; i++) b.tick(i * second)
  b.order(followEvery(second, 100 * second), 100 * second)
  b.hear(101 * second)
  b.hear(102 * second)
  const { heard, missed, windows } = b.core.gaps(1)
  assert.deepEqual([heard, missed, windows[0]?.longestUs], [1, 0, second])
})

test('with another interval the pauses are counted anew; no count is ever negative', () => {
  const b = new Bench()
  b.order(followEvery(second), 0)
  for (let i = 1; i <= 20; i++) b.hear(i * second)
  b.order(followEvery(second / 10, 20 * second), 20 * second)
  for (let i = 1; i <= 5; i++) b.hear(20 * second + (i * second) / 10)
  const { histogram, heard, missed } = b.core.gaps(1)
  assert.equal(
    histogram.reduce((sum, count) => sum + count, 0),
    5,
  )
  assert.deepEqual([heard, missed], [24, 0])
  assert.ok(histogram.every((count) => count >= 0))
})

test('packets before deadlines: an advert that waits beats a deadline that has passed', () => {
  const b = new Bench()
  b.order(followUntil(3 * second), 0)
  b.hear(4 * second)
  assert.deepEqual(b.tick(4 * second), { effects: [], events: [] })
  assert.equal(b.core.nextDeadline(), 7 * second)
})

test('source, TTL and every payload byte decide what is expected', () => {
  const other = Uint8Array.from([...expected.slice(0, 3), 2])
  const longer = Uint8Array.from([...expected, 0])
  const cases: readonly [Uint8Array, Ip, number][] = [
    [other, peer, 255],
    [longer, peer, 255],
    [expected.slice(0, 3), peer, 255],
    [expected, ip('10.0.0.3'), 255],
    [expected, peer, 254],
  ]
  for (const [payload, from, ttl] of cases) {
    const b = new Bench()
    const generation = b.order(followUntil(3 * second), 0)
    b.hear(second, payload, from, ttl)
    const heard = only(b.tick(second).events, 'packet')
    assert.deepEqual(heard, {
      kind: 'packet',
      link,
      slot: 1,
      generation,
      from,
      ttl,
      payload,
      at: second,
      count: 1,
    })
    assert.equal(b.core.nextDeadline(), 3 * second, 'the deadline stands')
  }
})

test('equal unexpected packets become one event with a count', () => {
  const b = new Bench()
  b.order(lead(), 0)
  const other = Uint8Array.of(0x31, vrid, 200, 1)
  for (let i = 0; i < 1000; i++) b.hear(i, expected)
  for (let i = 0; i < 3; i++) b.hear(i, other)
  const { events } = b.tick(1000)
  assert.deepEqual(
    events.map((e) => e.kind === 'packet' && [e.count, e.payload[2]]),
    [
      [1000, 100],
      [3, 200],
    ],
  )
  assert.equal(b.core.linkCounters(link).coalesced, 999 + 2)
  assert.equal(b.core.counters(1).received, 1003)
  b.hear(2000)
  assert.equal(only(b.tick(2000).events, 'packet').count, 1, 'delivered ones count no more')
})

test('a VRID of no slot is told once; too short packets and those of an idle slot are not raised', () => {
  const b = new Bench()
  b.hear(1)
  b.order(followUntil(3 * second), 2)
  b.hear(3, Uint8Array.of(0x31, 52, 1))
  b.hear(4, Uint8Array.of(0x31, 52, 2))
  b.hear(4, Uint8Array.of(0x31))
  const { events } = b.tick(5)
  assert.deepEqual(events, [
    { kind: 'stranger', link, vrid: 52, from: only(events, 'stranger').from },
  ])
  const { received, unclaimed } = b.core.linkCounters(link)
  assert.deepEqual({ received, unclaimed }, { received: 4, unclaimed: 3 })
})

test('the pauses between adverts are counted by length, and the unusual ones kept with their instants', () => {
  const b = new Bench()
  b.order(followUntil(10 * second), 0)
  const missing = new Set([21, 22, 40])
  for (let i = 1; i <= 100; i++) {
    if (!missing.has(i)) b.hear(i * second)
    b.tick(i * second)
  }
  const { histogram, long } = b.core.gaps(1)
  const bucket = (us: number) => {
    const octave = Math.floor(Math.log2(us))
    return 4 * (octave - 10) + Math.floor((us / 2 ** octave - 1) * 4)
  }
  const counted = histogram.flatMap((count, i) => (count > 0 ? [[i, count]] : []))
  assert.deepEqual(counted, [
    [bucket(second), 94],
    [bucket(2 * second), 1],
    [bucket(3 * second), 1],
  ])
  assert.deepEqual(long, [
    { atUs: 23 * second, gapUs: 3 * second },
    { atUs: 41 * second, gapUs: 2 * second },
  ])
})

test('another interval is not a row of unusual pauses for ever, and the record is bounded', () => {
  const b = new Bench()
  b.order(followUntil(100 * second), 0)
  for (let i = 1; i <= 50; i++) b.hear((i * second) / 10)
  for (let i = 1; i <= 200; i++) b.hear((5 + i) * second)
  const at = 205 * second
  b.tick(at)
  const { long } = b.core.gaps(1)
  assert.ok(long.length <= 32)
  assert.ok(
    (long.at(-1)?.atUs ?? 0) < at - 100 * second,
    'the new interval has become the usual one',
  )
})
