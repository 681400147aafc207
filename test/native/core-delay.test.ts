/** The kernel answers later, as it does while another program holds its rtnl lock: what waits, and for how long. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../src/base/time.ts'
import type { Plan, Step } from '../../src/engine/order.ts'
import {
  advert,
  Bench,
  datagram,
  followUntil,
  frame,
  kinds,
  lead,
  marks,
  only,
  request,
  second,
} from './core-bench.ts'

/** RTM_DELADDR. */
function removal(mark: number): Step {
  const step = request(mark)
  step.bytes[4] = 21
  return step
}

const takeOver: Plan = [datagram(10), request(1), frame(1), frame(1)]
const resign: Plan = [datagram(0), removal(9)]

test('adverts wait for no answer; the first frame follows it', () => {
  const b = new Bench()
  b.order(followUntil(3 * second, { now: takeOver, resign }), 0)
  assert.deepEqual(marks(b.core.tickBefore(us(3 * second))), ['datagram 10'])
  assert.deepEqual(marks(b.core.tickBefore(us(4 * second))), ['datagram 1'])
  assert.equal(b.core.waits(), true)
  const out = b.core.answer(us(4.5 * second))
  assert.deepEqual(marks(out), ['netlink 1', 'frame 1', 'frame 1'])
  const { deadlineUs, at, doneAt } = only(out.events, 'expired')
  assert.deepEqual([deadlineUs, at, doneAt], [3 * second, 3 * second, 4.5 * second])
  assert.equal(b.core.waits(), false)
  assert.equal(b.core.counters(1).lastSentUs, 4 * second, 'not set back by the batch that waited')
})

test('a lead that is over adds and announces nothing any more; what takes away is carried out', () => {
  const b = new Bench()
  b.order(lead({ now: [...takeOver, removal(2)], resign }), 0)
  b.core.tickBefore(us(0))
  b.order({ kind: 'once', now: [request(3), frame(3)] }, 1)
  b.core.tickBefore(us(1))
  b.order({ kind: 'idle', now: resign }, 2)
  assert.deepEqual(marks(b.core.tickBefore(us(2))), ['datagram 0'])
  assert.deepEqual(marks(b.core.answer(us(3))), ['netlink 2', 'netlink 9'])
})

for (const [how, end] of [
  ['late', (b: Bench) => b.core.tickBefore(us(9 * second))],
  ['preempted by the warden', (b: Bench) => b.core.preemptedByWarden(us(3.5 * second))],
] as const)
  test(`${how} while its take-over is under way: told in that order, and nothing of it follows`, () => {
    const b = new Bench()
    b.order(followUntil(3 * second, { now: takeOver, resign }), 0)
    b.core.tickBefore(us(3 * second))
    const first = end(b)
    const out = b.core.tickBefore(us(9 * second))
    const events = [...(first?.events ?? []), ...out.events]
    assert.deepEqual(kinds(events), ['expired', 'late'])
    const answered = b.core.answer(us(10 * second))
    assert.deepEqual([marks(answered), kinds(answered.events)], [['netlink 9'], []])
  })

test('a lead that replaces a lead leaves what waits as it is', () => {
  const b = new Bench()
  b.order(lead({ now: takeOver, resign }), 0)
  b.core.tickBefore(us(0))
  b.order(lead({ now: [], repeats: [advert(second, 2)], resign }), 1)
  b.core.tickBefore(us(1))
  assert.deepEqual(marks(b.core.answer(us(2))), ['netlink 1', 'frame 1', 'frame 1'])
})

test('a lead after a rest is another one: its requests stand', () => {
  const b = new Bench()
  b.order(lead({ now: [request(1)], resign }), 0)
  b.core.tickBefore(us(0))
  b.order({ kind: 'idle', now: [removal(9)] }, 1)
  b.order(lead({ now: [request(2)], resign }), 2)
  b.core.tickBefore(us(2))
  assert.deepEqual(marks(b.core.answer(us(3))), ['netlink 9', 'netlink 2'])
})
