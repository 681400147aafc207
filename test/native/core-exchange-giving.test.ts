/** When a core gives its slots to another, for how long, and what it takes back: whose they are at each turn. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../src/base/time.ts'
import { enginePolicy } from '../../src/engine/policy.ts'
import {
  advert,
  followUntil,
  kinds,
  lead,
  link,
  marks,
  peer,
  request,
  second,
  vrid,
} from './core-bench.ts'
import { goingOn, ms, slots, Two } from './exchange-bench.ts'

test('what is given is taken back when it is not taken, and given again', () => {
  const two = new Two()
  two.order(lead(), 0)
  two.first.tick(us(second))
  two.offer(goingOn(), 1.2 * second)
  const until = two.give(1.3 * second)
  assert.equal(until, 1.3 * second + enginePolicy.exchangeUs.takenMost)
  assert.ok(two.second.exchange.takeUp())
  assert.equal(two.first.exchange.lookGiven(us(until - 1)), 'given')
  assert.equal(two.first.exchange.lookGiven(us(until)), 'back')
  assert.equal(two.second.exchange.take(), false, 'taken too late')
  assert.equal(two.second.exchange.takeUp(), false)
  assert.deepEqual(marks(two.first.tick(us(2 * second))), ['datagram 1'])
  two.give(2.1 * second)
  assert.equal(two.second.exchange.take(), false, 'taken by what was read before')
  two.take()
  assert.equal(two.second.nextDeadline(), 3 * second)
})

test('a giving lasts until the next advert, or as long as the policy says', () => {
  const { takenMost, room } = enginePolicy.exchangeUs
  const span = (everyUs: number, beforeDue: number) => {
    const two = new Two()
    const repeats = [advert(everyUs)]
    two.order(lead({ repeats }), 0)
    two.first.tick(us(0))
    two.offer(goingOn({ repeats }), 0)
    const at = everyUs - beforeDue
    return (two.first.exchange.give(us(at), us(at)) ?? assert.fail()) - at
  }
  assert.equal(span(second, 900 * ms), takenMost)
  assert.equal(span(second, 50 * ms), 50 * ms)
  assert.equal(span(10 * ms, room), room)
})

test('nothing is given while an advert is about to be sent, unless one always is', () => {
  const { room, roomPatience } = enginePolicy.exchangeUs
  const two = new Two()
  two.order(lead(), 0)
  two.offer(goingOn(), second - room - 10)
  const give = (at: number) => two.first.exchange.give(us(at), us(at))
  assert.equal(give(second - room + 1), null)
  assert.equal(two.state, 'ready')
  const busy = new Two()
  busy.order(lead({ repeats: [advert(room / 2)] }), 0)
  busy.offer(goingOn({ repeats: [advert(room / 2)] }), 0)
  assert.equal(busy.first.exchange.give(us(roomPatience - 1), us(roomPatience - 1)), null)
  const until = busy.first.exchange.give(us(roomPatience), us(roomPatience))
  assert.equal(until, roomPatience + enginePolicy.exchangeUs.takenLeast)
})

test('nothing is given that has been told since, or not yet judged', () => {
  const two = new Two()
  two.order(followUntil(3.6 * second), 0)
  two.offer(followUntil(3.6 * second), 0)
  two.first.packet({ link, from: peer, ttl: 255, payload: Uint8Array.of(0x31, vrid, 9) }, us(5))
  assert.equal(two.first.exchange.give(us(10), us(10)), null, 'it waits')
  assert.deepEqual(kinds(two.first.tick(us(10)).events), ['packet'])
  assert.equal(two.first.exchange.give(us(20), us(20)), null, 'the state is older')
  two.first.exchange.withdraw(false)
  two.offer(followUntil(3.6 * second), 20, 2)
  two.give(30)
  two.take()
})

test('nothing is given in the middle of a change, nor while something waits for the kernel', () => {
  const two = new Two()
  two.order({ kind: 'idle', now: [request(5)] }, 0)
  two.offer({ kind: 'idle', now: [] }, 2)
  assert.equal(two.first.exchange.give(us(3), us(3)), null)
  two.first.answer(us(4))
  two.give(5)

  const expiring = new Two()
  expiring.order(followUntil(second, { now: [request(5)] }), 0)
  assert.deepEqual(kinds(expiring.first.tickBefore(us(second)).events), [])
  expiring.offer(goingOn(), second)
  assert.equal(expiring.first.exchange.give(us(second + 1), us(second + 1)), null)
})

test('only the state that is offered is given to one that is ready with it', () => {
  const two = new Two()
  two.order(lead(), 0)
  two.offer(goingOn(), 0, 1)
  two.first.exchange.withdraw(false)
  assert.equal(two.state, 'preparing')
  assert.equal(two.first.exchange.give(us(10), us(10)), null, 'it is withdrawn')
  two.first.exchange.offer(two.exchange, 2, us(20))
  // The second is late with the first one.
  two.second.exchange.ready(1, new Map([[slots.first, slots.second]]))
  two.second.exchange.sayReady()
  assert.equal(two.state, 'ready')
  assert.equal(two.first.exchange.give(us(30), us(30)), null, 'it is ready with another')
  two.second.exchange.ready(2, new Map([[slots.first, slots.second]]))
  two.second.exchange.sayReady()
  two.give(40)
})

test('after a withdrawal for good nothing is given or taken', () => {
  const two = new Two()
  two.order(lead(), 0)
  two.offer(goingOn(), 0)
  two.first.exchange.withdraw(true)
  assert.equal(two.state, 'void')
  assert.equal(two.first.exchange.give(us(10), us(10)), null)
  assert.equal(two.second.exchange.takeUp(), false)
  assert.equal(two.first.exchange.over(), null, 'its own word is no news')
})
