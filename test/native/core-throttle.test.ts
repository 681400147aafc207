/** How much of what is heard reaches TypeScript: floods are bounded, and no source drowns another. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../src/base/time.ts'
import { makeCore } from '../../src/engine/core-harness.ts'
import type { Order } from '../../src/engine/order.ts'
import { Bench, expected, followUntil, ip, lead, link, peer, second, vrid } from './core-bench.ts'

test('distinct unexpected packets pass a token bucket per source', () => {
  const b = new Bench()
  b.order(lead({ repeats: [] }), 0)
  const distinct = (i: number) => Uint8Array.of(0x31, vrid, i & 255, i >> 8)
  for (let i = 0; i < 500; i++) b.hear(second, distinct(i))
  b.hear(second, expected, ip('10.0.0.9'))
  const first = b.tick(second).events
  assert.equal(first.length, 59, 'a burst of 50, 8 of the slot, and another source is not held up')
  assert.equal(b.core.linkCounters(link).throttled, 442)
  for (let i = 0; i < 500; i++) b.hear(2 * second, distinct(i))
  assert.equal(b.tick(2 * second).events.length, 58, 'credit does not grow beyond the burst')
  for (let i = 0; i < 1000; i++) b.hear(3 * second + i * 1000, distinct(i))
  const sustained = b.tick(4 * second).events.length
  assert.ok(
    sustained > 250 && sustained < 275,
    `200 a second and the burst, 8 of the slot, not ${sustained}`,
  )
})

test('hundreds of masters that are heard for the first time are no flood', () => {
  const core = makeCore(us(0), us(0))
  core.addLink(link)
  const slots = Array.from({ length: 255 }, (_, i) => i + 1)
  for (const slot of slots) {
    core.addSlot(slot, link, slot)
    core.order([{ slot, generation: 1, order: followUntil(second) }], us(0))
  }
  for (const slot of slots)
    core.packet({ link, from: peer, ttl: 255, payload: Uint8Array.of(0x31, slot, 150) }, us(1))
  const heard = core.tick(us(2)).events.filter((event) => event.kind === 'packet')
  assert.deepEqual(
    heard.map((event) => event.slot),
    slots,
  )
})

test("a forger of the master's address cannot drown what was expected last", () => {
  const b = new Bench()
  b.order(followUntil(3 * second), 0)
  // A lower advert in the master's name: nothing is expected any more, but the deadline stands.
  b.order({ ...followUntil(3 * second), expect: null } as Order, 0)
  for (let i = 0; i < 5_000; i++) b.hear(1, Uint8Array.from([0x31, vrid, i & 0xff, i >> 8]))
  b.hear(1)
  const heard = b.tick(1).events.filter((e) => e.kind === 'packet')
  assert.deepEqual(heard.at(-1)?.payload, expected)
  let raised = 0
  for (let i = 0; i < 1_000; i++) {
    b.hear(2)
    raised += b.tick(2).events.length
  }
  assert.equal(raised, 49, 'a credit of its own, which is bounded too')
})

test('sources without end neither grow the table nor the queue', () => {
  const b = new Bench()
  b.order(followUntil(3 * second), 0)
  for (let i = 0; i < 100_000; i++)
    b.hear(
      second + i,
      Uint8Array.of(0x31, vrid, 1),
      ip(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`),
    )
  const { events } = b.tick(1.2 * second)
  assert.ok(events.length <= 360, `${events.length}: 250 at once and 1000 a second`)
  assert.equal(b.core.linkCounters(link).throttled, 100_000 - events.length)
  b.hear(2 * second)
  b.tick(2 * second)
  assert.equal(b.core.nextDeadline(), 5 * second, 'the expected advert passes as ever')
})
