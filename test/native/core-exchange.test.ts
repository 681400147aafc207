/**
 * What one core tells of its slots and another takes up: it goes on as the first would have, with what that alone knew. The
 * engines' threads take the same turns (native/engine/engine_exchange.cc).
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../src/base/time.ts'
import type { CoreHarness, Outcome } from '../../src/engine/core-harness.ts'
import type { Order } from '../../src/engine/order.ts'
import { enginePolicy } from '../../src/engine/policy.ts'
import {
  advert,
  Bench,
  expected,
  followUntil,
  frame,
  kinds,
  lead,
  leadOf,
  link,
  marks,
  peer,
  second,
  vrid,
} from './core-bench.ts'
import { goingOn, ms, slots, Two } from './exchange-bench.ts'

test('a lead goes on in its phase, and sends nothing of its own accord', () => {
  const two = new Two()
  two.order(lead(), 0)
  two.first.tick(us(0))
  two.first.tick(us(second))
  two.offer(goingOn(), 1.3 * second)
  two.give(1.4 * second)
  two.take()
  assert.equal(two.state, 'taken')
  assert.equal(two.first.exchange.lookGiven(us(1.4 * second)), 'taken')
  assert.equal(two.second.nextDeadline(), 2 * second)
  assert.deepEqual(marks(two.second.tick(us(1.5 * second))), [])
  assert.deepEqual(marks(two.second.tick(us(2 * second))), ['datagram 1'])
  const { sent, lastSentUs } = two.second.counters(slots.second)
  assert.deepEqual({ sent, lastSentUs }, { sent: 3, lastSentUs: 2 * second })
})

test('what is to be done a few times goes on where it was, and is over where it was over', () => {
  const burst = { key: 'garp', firstAfterUs: us(0), everyUs: us(100 * ms), times: 3 }
  const repeats = [advert(), { ...burst, plan: [frame(5)] }]
  const two = new Two()
  two.order(lead({ repeats }), 0)
  two.first.tick(us(0))
  two.first.tick(us(100 * ms))
  two.offer(goingOn({ repeats }), 120 * ms)
  two.give(130 * ms)
  two.take()
  assert.deepEqual(marks(two.second.tick(us(199 * ms))), [])
  assert.deepEqual(marks(two.second.tick(us(200 * ms))), ['frame 5'])
  assert.deepEqual(marks(two.second.tick(us(900 * ms))), [])
})

test('a repeat that fails as it did before is told by neither core again', () => {
  const two = new Two()
  const refused = () => 100
  two.order(lead({ now: [] }), 0)
  assert.deepEqual(kinds(two.first.tick(us(second), refused).events), ['failed'])
  two.offer(goingOn(), 1.2 * second)
  two.give(1.3 * second)
  two.take()
  assert.deepEqual(kinds(two.second.tick(us(2 * second), refused).events), [])
})

test('a lead that could not be sure of its kernel lease gives itself up, also after an exchange', () => {
  const leased = { leaseUs: us(2.5 * second), lateUs: us(5 * second), wardenLateUs: us(4 * second) }
  const two = new Two()
  two.order(lead(leased), 0)
  two.first.tick(us(second))
  two.offer(goingOn(leased), 1.2 * second)
  two.give(1.3 * second)
  two.take()
  assert.deepEqual(kinds(two.second.tick(us(4 * second)).events), ['late'])
})

test('a follow waits until the very deadline that it had', () => {
  const two = new Two()
  two.order(followUntil(3.6 * second), 0)
  two.first.packet({ link, from: peer, ttl: 255, payload: expected }, us(second))
  two.offer(followUntil(3.6 * second), 1.1 * second)
  // It comes after the state was made, and makes it no other.
  two.first.packet({ link, from: peer, ttl: 255, payload: expected }, us(1.2 * second))
  two.give(1.3 * second)
  two.take()
  assert.equal(two.second.nextDeadline(), 4.2 * second)
  const { received, lastExpectedUs } = two.second.counters(slots.second)
  assert.deepEqual({ received, lastExpectedUs }, { received: 2, lastExpectedUs: 1.2 * second })
  assert.deepEqual(kinds(two.second.tick(us(4.2 * second)).events), ['expired'])
})

/** What is asked before the deadline goes out once for it. */
const asking = (deadline: number): Order => ({
  ...(followUntil(deadline) as Extract<Order, { kind: 'follow' }>),
  ask: { beforeUs: us(20 * ms), plan: [frame(9)] },
})

test('what is asked before a deadline is asked at its time, and once', () => {
  const put = new Two()
  put.order(asking(3 * second), 0)
  put.offer(asking(3 * second), 0.5 * second)
  put.first.packet({ link, from: peer, ttl: 255, payload: expected }, us(second))
  put.give(1.1 * second)
  put.take()
  assert.equal(put.second.nextDeadline(), 4 * second - 20 * ms)

  const asked = new Two()
  asked.order(asking(3 * second), 0)
  assert.deepEqual(marks(asked.first.tick(us(2.99 * second))), ['frame 9'])
  asked.offer(asking(3 * second), 2.99 * second)
  asked.give(2.991 * second)
  asked.take()
  assert.equal(asked.second.nextDeadline(), 3 * second)
})

test('a follow that has listened once more on account of a late wake-up does not do so again', () => {
  const two = new Two()
  two.order(followUntil(second), 0)
  assert.deepEqual(kinds(two.first.tick(us(2.2 * second)).events), [])
  two.offer(followUntil(second), 2.3 * second)
  two.give(2.4 * second)
  two.take()
  assert.equal(two.second.nextDeadline(), 5.2 * second)
  assert.deepEqual(kinds(two.second.tick(us(6.4 * second)).events), ['expired'])
})

/**
 * The main thread works off what it was waited for just as the slots are given: due at once, and not to be put off again by
 * what comes after.
 */
test('a follow that has waited for a judgement does not wait for what comes afterwards', () => {
  const saying = (priority: number) => Uint8Array.of(0x31, vrid, priority, 1)
  const hear = (core: CoreHarness, priority: number, at: number) =>
    core.packet({ link, from: peer, ttl: 255, payload: saying(priority) }, us(at))
  const worked = 1.5 * second
  const follow = (first: CoreHarness) => {
    first.order([{ slot: slots.first, generation: 1, order: followUntil(second) }], us(0))
    hear(first, 150, 0.9 * second)
    assert.deepEqual(kinds(first.tick(us(0.9 * second)).events), ['packet'])
    assert.deepEqual(kinds(first.tick(us(second)).events), [], 'it is waited for')
  }
  const told = (core: CoreHarness) => {
    hear(core, 160, worked + 10)
    return kinds(core.tick(us(worked + 10)).events)
  }
  const alone = new Bench()
  const two = new Two()
  for (const first of [alone.core, two.first]) follow(first)
  alone.core.acknowledge(us(worked))
  two.offer(followUntil(second), 1.1 * second)
  assert.equal(two.first.exchange.give(us(worked), us(worked)), null, 'it is not judged')
  two.first.acknowledge(us(worked))
  two.give(worked)
  two.take()
  assert.deepEqual(told(two.second), ['packet', 'expired'])
  assert.deepEqual(told(alone.core), ['packet', 'expired'])
})

test('what was heard meanwhile is heard, once, and what was read before by the first is not', () => {
  const two = new Two()
  two.order(followUntil(3.6 * second), 0)
  two.offer(followUntil(3.6 * second), second)
  const hear = (core: CoreHarness, at: number) =>
    core.packet({ link, from: peer, ttl: 255, payload: expected }, us(at))
  for (const at of [1.1, 1.2]) hear(two.second, at * second)
  hear(two.first, 1.1 * second)
  // Both engines have it, and the first has not read its own.
  assert.notEqual(two.first.exchange.give(us(1.15 * second), us(1.3 * second)), null)
  two.take()
  assert.equal(two.second.counters(slots.second).received, 2)
  assert.equal(two.second.nextDeadline(), 4.2 * second)
})

test('packets are kept for as long as the policy says, and no more of them than fit', () => {
  const heard = (arrive: (two: Two) => void) => {
    const two = new Two()
    two.order(followUntil(60 * second), 0)
    two.offer(followUntil(60 * second), 0)
    arrive(two)
    assert.notEqual(two.first.exchange.give(us(0), us(10 * second)), null)
    two.take()
    return two.second.linkCounters(link).received
  }
  const keep = (two: Two, at: number) =>
    two.second.packet({ link, from: peer, ttl: 255, payload: expected }, us(at))
  const kept = enginePolicy.exchangeUs.kept
  assert.equal(
    heard((two) => {
      for (const at of [0, 1, 2 + kept]) keep(two, at)
    }),
    1,
  )
  assert.equal(
    heard((two) => {
      for (let i = 0; i < 10_500; i++) keep(two, i)
    }),
    10_000,
  )
})

test('a state that is adopted again after a while is not late, and nothing comes of it', () => {
  const two = new Two()
  two.order(lead(), 0)
  two.offer(goingOn(), 0)
  two.first.tick(us(second))
  two.first.exchange.withdraw(false)
  for (const at of [2, 3, 4, 5, 6, 7, 8]) two.first.tick(us(at * second))
  two.offer(goingOn(), 8.5 * second, 2)
  two.give(8.6 * second)
  two.take()
  assert.deepEqual(two.second.tick(us(8.7 * second)), { effects: [], events: [] })
  assert.deepEqual(marks(two.second.tick(us(9 * second))), ['datagram 1'])
})

/** The same with every order, in C++: test/native/fuzz/twins.cc. */
test('a core that takes the slots goes on as the one before would have, whenever that is', () => {
  for (let at = 5; at < 400; at += 13) goOn(at)
})

function goOn(at: number): void {
  const repeats = [advert(70 * ms), { ...advert(33 * ms, 3), key: 'garp', times: 9 }]
  const order: Order = { kind: 'lead', ...leadOf({ repeats }) }
  const outcomeOf = ({ effects, events }: Outcome) => [marks({ effects, events }), kinds(events)]
  const alone = new Bench()
  alone.order(order, 0)
  alone.tick(0)
  const two = new Two()
  two.order(order, 0)
  for (let now = 1; now < 500; now++) {
    const core = two.state === 'taken' ? two.second : two.first
    assert.deepEqual(outcomeOf(core.tick(us(now * ms))), outcomeOf(alone.tick(now * ms)))
    if (now === at) two.offer(goingOn({ repeats }), now * ms)
    if (two.state === 'ready' && two.first.exchange.give(us(now * ms), us(now * ms)) !== null)
      two.take()
  }
  assert.equal(two.state, 'taken')
}
