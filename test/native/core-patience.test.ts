/** When a core may not lead, or not yet: the lease, lateness, adverts that wait to be judged, orders that cross. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../src/base/time.ts'
import { batches } from '../../src/engine/deliveries.ts'
import type { Order } from '../../src/engine/order.ts'
import {
  advert,
  Bench,
  datagram,
  followUntil,
  ip,
  kinds,
  lead,
  marks,
  only,
  peer,
  request,
  second,
  vrid,
} from './core-bench.ts'

test('the lease: every lead resigns when the main thread is silent for too long', () => {
  const b = new Bench(3 * second)
  const generation = b.order(lead(), 0)
  for (let at = second; at <= 3 * second; at += second) {
    b.core.renew(us(at))
    assert.deepEqual(marks(b.tick(at)).slice(-1), ['datagram 1'])
  }
  b.tick(4 * second)
  b.tick(5 * second)
  assert.equal(b.core.nextDeadline(), 6 * second)
  const out = b.tick(6 * second)
  assert.deepEqual(marks(out), ['datagram 1', 'datagram 0'])
  assert.deepEqual(only(out.events, 'lapsed'), {
    kind: 'lapsed',
    slot: 1,
    generation,
    at: 6 * second,
  })
  assert.deepEqual(b.tick(60 * second), { effects: [], events: [] })
})

test('while the lease is lapsed a follow stays silent; on renewal it listens once more', () => {
  const b = new Bench(3 * second)
  b.order(followUntil(4 * second), 0)
  assert.deepEqual(b.tick(4 * second), { effects: [], events: [] })
  assert.equal(b.core.nextDeadline(), null)
  b.core.renew(us(9 * second))
  assert.equal(b.core.nextDeadline(), 12 * second)
  b.core.renew(us(11 * second))
  assert.equal(only(b.tick(12 * second).events, 'expired').deadlineUs, 12 * second)
})

test('an expected advert counts for a follow that waits for the lease', () => {
  const b = new Bench(3 * second)
  b.order(followUntil(4 * second), 0)
  b.tick(4 * second)
  b.hear(5 * second)
  assert.equal(b.core.nextDeadline(), 8 * second)
  b.core.renew(us(6 * second))
  assert.equal(b.core.nextDeadline(), 8 * second)
})

const other = Uint8Array.from([0x31, vrid, 150, 1])

test('an advert, a resignation and the same advert while nothing is worked off: the last word is the advert', () => {
  const b = new Bench(3 * second)
  b.order(followUntil(9 * second), 0)
  const resignation = Uint8Array.from([0x31, vrid, 0, 1])
  b.hear(100, other)
  b.hear(200, resignation)
  b.hear(300, other)
  b.hear(400, other, ip('10.0.0.9'))
  const told = [...batches(b.tick(500).events)].flat()
  const heard = told.map((event) => (event.kind === 'packet' ? [event.at, event.payload[2]] : null))
  assert.deepEqual(heard, [
    [200, 0],
    [300, 150],
    [400, 150],
  ])
})

test('an advert that has not been looked at holds the deadline until it is acknowledged', () => {
  const b = new Bench(3 * second)
  b.order(followUntil(2 * second), 0)
  b.hear(1_900_000, other)
  assert.deepEqual(kinds(b.tick(1_900_000).events), ['packet'])
  assert.deepEqual(b.tick(2 * second), { effects: [], events: [] })
  assert.equal(b.core.nextDeadline(), 3 * second, 'the end of the lease')
  b.core.acknowledge(us(2_500_000), 0)
  assert.equal(b.core.nextDeadline(), 3 * second, 'this one is not acknowledged yet')
  b.core.acknowledge(us(2_600_000))
  assert.equal(only(b.tick(2_600_000).events, 'expired').deadlineUs, 2_600_000)
})

test('an advert that was acknowledged, or comes after the deadline, holds nothing', () => {
  const b = new Bench(9 * second)
  b.order(followUntil(2 * second), 0)
  b.hear(1_000_000, other)
  b.tick(1_000_000)
  b.core.acknowledge(us(1_000_500))
  assert.deepEqual(kinds(b.tick(2 * second).events), ['expired'])
  const c = new Bench(9 * second)
  c.order(followUntil(2 * second), 0)
  c.hear(1_000_000, other)
  c.tick(2 * second)
  c.hear(2_100_000, Uint8Array.from([0x31, vrid, 151, 1]))
  c.tick(2_100_000)
  c.core.acknowledge(us(2_200_000), 1)
  assert.deepEqual(kinds(c.tick(2_200_000).events), ['expired'], 'a flood puts nothing off')
})

test('what comes of the advert that was waited for stands: another order, or the expected advert', () => {
  const b = new Bench(9 * second)
  b.order(followUntil(2 * second), 0)
  b.hear(1_900_000, other)
  b.tick(2 * second)
  b.order(followUntil(4_900_000), 2_500_000)
  b.core.acknowledge(us(2_500_000))
  assert.deepEqual(b.tick(2_500_000), { effects: [], events: [] })
  assert.equal(b.core.nextDeadline(), 4_900_000)
  const c = new Bench(9 * second)
  c.order(followUntil(2 * second), 0)
  c.hear(1_900_000, other)
  c.tick(2 * second)
  c.hear(2_400_000)
  c.core.acknowledge(us(2_500_000))
  assert.equal(c.core.nextDeadline(), 5_400_000)
})

test('the wait for a main thread ends with its lease, and without one after an interval of silence', () => {
  const b = new Bench(3 * second)
  b.order(followUntil(2 * second), 0)
  b.hear(1_900_000, other)
  b.tick(2 * second)
  assert.deepEqual(b.tick(3 * second), { effects: [], events: [] })
  assert.equal(b.core.nextDeadline(), null, 'lapsed: silent until it is renewed')
  b.core.renew(us(5 * second))
  assert.equal(b.core.nextDeadline(), 8 * second)
  const c = new Bench()
  c.order(followUntil(2 * second), 0)
  c.hear(1_900_000, other)
  c.tick(2 * second)
  assert.equal(c.core.nextDeadline(), 4_900_000, 'from when a packet was heard')
  c.hear(4 * second, other)
  assert.deepEqual(kinds(c.tick(4_900_000).events), ['packet'], 'a sender is still there')
  assert.equal(c.core.nextDeadline(), 7 * second)
  assert.deepEqual(kinds(c.tick(7 * second).events), ['expired'])
})

test('a follow woken after its deadline listens once more; only once, unless it was away for a whole interval', () => {
  const b = new Bench()
  b.order(followUntil(3 * second), 0)
  assert.deepEqual(b.tick(10 * second), { effects: [], events: [] })
  assert.equal(b.core.nextDeadline(), 13 * second)
  assert.deepEqual(b.tick(20 * second), { effects: [], events: [] }, 'away again')
  assert.equal(b.core.nextDeadline(), 23 * second)
  assert.equal(only(b.tick(26 * second).events, 'expired').deadlineUs, 23 * second)
  const c = new Bench()
  c.order(followUntil(3 * second), 50 * second)
  assert.deepEqual(kinds(c.tick(50 * second).events), ['expired'], 'ordered for the past: at once')
})

test('an order with a deadline that has passed does not end listening once more', () => {
  const b = new Bench()
  b.order(followUntil(3 * second), 0)
  b.tick(10 * second)
  b.order(followUntil(3 * second), 10 * second)
  assert.deepEqual(b.tick(10 * second), { effects: [], events: [] })
  assert.equal(b.core.nextDeadline(), 13 * second)
  b.order(followUntil(10 * second + 500), 10 * second + 100)
  assert.equal(b.core.nextDeadline(), 10 * second + 500, 'a resignation since then counts')
  const c = new Bench(3 * second)
  c.order(followUntil(4 * second), 0)
  c.tick(4 * second)
  c.order(followUntil(4 * second), 9 * second)
  assert.equal(c.core.nextDeadline(), 12 * second, 'nor does the order that renews the lease')
  c.core.renew(us(11 * second))
  assert.deepEqual(kinds(c.tick(12 * second).events), ['expired'])
})

test('a follow that crossed with a take-over and its end listens, whatever its deadline', () => {
  const b = new Bench(3 * second)
  b.order(followUntil(second), 0)
  b.tick(second)
  assert.deepEqual(kinds(b.tick(3 * second).events), ['lapsed'])
  b.order(followUntil(second), 4 * second, 0)
  assert.deepEqual(b.tick(4 * second).events, [])
  assert.equal(b.core.nextDeadline(), 7 * second)
})

/**
 * Orders that crossed with a change of the engine's own. `acknowledged` 0: their author had not acknowledged the
 * event that tells of it.
 */
test('a follow that crossed with the take-over: the lead resigns first', () => {
  const b = new Bench()
  b.order(followUntil(second), 0)
  b.tick(second)
  b.order(followUntil(9 * second), second + 1, 0)
  assert.deepEqual(marks(b.tick(second + 1)), ['datagram 0'])
  assert.equal(b.core.nextDeadline(), 9 * second)
})

test('a follow whose author knew of the take-over: nothing but its own plan', () => {
  const b = new Bench()
  b.order(followUntil(second), 0)
  b.tick(second)
  b.order(followUntil(9 * second, {}, [request(6)]), second + 1)
  assert.deepEqual(marks(b.tick(second + 1)), ['netlink 6'])
})

test('a refreshed lead that crossed with resigning is not taken up, and the event comes again', () => {
  const b = new Bench(3 * second)
  b.order(lead(), 0)
  b.tick(3 * second)
  const generation = b.order(lead({ now: [] }), 4 * second, 0)
  const out = b.tick(4 * second)
  assert.deepEqual(out.effects, [])
  assert.equal(only(out.events, 'lapsed').generation, generation)
  assert.equal(b.core.nextDeadline(), null)
  b.order(lead(), 5 * second)
  assert.deepEqual(marks(b.tick(5 * second)), ['datagram 10'], 'the next one knows')
})

test('a refreshed lead does not save one that is late', () => {
  const b = new Bench()
  b.order(lead(), 0)
  b.tick(0)
  const generation = b.order(lead({ now: [datagram(11)], resign: [datagram(12)] }), 9 * second)
  const out = b.tick(9 * second)
  assert.deepEqual(marks(out), ['datagram 0'], 'what was held is given back')
  assert.equal(only(out.events, 'late').generation, generation)
})

test('an address is not put back on a host that has resigned meanwhile', () => {
  const b = new Bench()
  b.order(lead(), 0)
  b.tick(0)
  b.tick(9 * second)
  b.order({ kind: 'once', now: [request(5)] }, 9 * second + 1, 0)
  assert.deepEqual(b.tick(9 * second + 1).effects, [])
})

const better = Uint8Array.from([0x31, vrid, 200, 1])

/** Takes over at 4 s; what is ordered then does not know of it. */
function tookOver(): Bench {
  const b = new Bench()
  b.order(followUntil(4 * second), 0)
  only(b.tick(4 * second).events, 'expired')
  return b
}

test('a follow that crossed with the take-over, and with what was heard after it, listens before it leads', () => {
  const b = tookOver()
  b.hear(5 * second, better)
  only(b.tick(5 * second).events, 'packet')
  // Its author knew neither of the take-over nor of the better master: a reload, say, after a stall.
  b.order(followUntil(4 * second), 6 * second, 0)
  assert.deepEqual(marks(b.tick(6 * second)), ['datagram 0'])
  assert.equal(b.core.nextDeadline(), 9 * second)
})

test('a follow that crossed with the take-over and would lead by now as well: the lead goes on', () => {
  const b = tookOver()
  assert.deepEqual(marks(b.tick(5 * second)), ['datagram 1'])
  const raised = { now: [datagram(20)], repeats: [advert(second, 21)] }
  const generation = b.order(followUntil(4 * second, raised), 5_000_500, 0)
  const out = b.tick(5_000_500)
  assert.deepEqual(marks(out), ['datagram 20'], 'no resignation, no second one')
  const told = only(out.events, 'expired')
  assert.equal(told.generation, generation, 'its author is told')
  assert.equal(told.deadlineUs, 4 * second)
  assert.equal(b.core.nextDeadline(), 6 * second, 'in phase')
  assert.deepEqual(marks(b.tick(6 * second)), ['datagram 21'])
})

test('what it says as it resigns may be another: only what is given back must be the same', () => {
  const b = tookOver()
  b.order(followUntil(4 * second, { resign: [datagram(0), datagram(7)] }), 4_000_500, 0)
  assert.deepEqual(marks(b.tick(4_000_500)), ['datagram 10'])
})

test('a follow that gives back something else in the end, or leads with nothing: the lead resigns first', () => {
  for (const then of [{ resign: [datagram(0), request(5)] }, { repeats: [] }]) {
    const b = tookOver()
    b.order(followUntil(4 * second, then), 4_000_500, 0)
    assert.deepEqual(marks(b.tick(4_000_500)), ['datagram 0', 'datagram 10'])
  }
  const b = tookOver()
  b.order(followUntil(4 * second, {}, [request(6)]), 4_000_500, 0)
  assert.deepEqual(marks(b.tick(4_000_500)), ['datagram 0', 'datagram 10', 'netlink 6'])
})

test('a follow that crossed with the take-over of a slot that is late by now listens', () => {
  const b = tookOver()
  b.order(followUntil(4 * second), 8 * second, 0)
  assert.deepEqual(marks(b.tick(8 * second)), ['datagram 0'])
  assert.equal(b.core.nextDeadline(), 11 * second)
})

test('a slot that comes back on other sockets has resigned all the same, until that is acknowledged', () => {
  const moved = (acknowledged: boolean) => {
    const b = new Bench()
    b.order(lead(), 0)
    b.tick(0)
    assert.deepEqual(kinds(b.tick(9 * second).events), ['late'])
    if (acknowledged) b.core.acknowledge(us(9 * second))
    b.core.removeSlot(1)
    b.core.addSlot(1, 1, vrid)
    const seen = acknowledged ? 1 : 0
    b.core.order([{ slot: 1, generation: 7, order: lead() }], us(9 * second), seen)
    return b.tick(9 * second)
  }
  const { effects, events } = moved(false)
  assert.deepEqual([effects, kinds(events)], [[], ['late']], 'the event again, and no advert')
  assert.notDeepEqual(moved(true).effects, [])
})

test('the path to the master is dead: a follow of this very master leads at once, no other does', () => {
  const b = new Bench(9 * second)
  b.order(followUntil(3 * second), 0)
  b.core.loseMaster(1, ip('10.0.0.3'), us(second))
  assert.deepEqual(b.tick(second), { effects: [], events: [] })
  b.core.loseMaster(1, peer, us(second))
  assert.equal(only(b.tick(second).events, 'expired').deadlineUs, second)
})

test('a lower master that is to be taken over from is taken over from when the path to it is dead', () => {
  const b = new Bench(9 * second)
  const lower = { ...followUntil(3 * second), expect: null, overruled: ip('10.0.0.3') } as Order
  b.order(lower, 0)
  b.core.loseMaster(1, peer, us(second))
  assert.deepEqual(b.tick(second), { effects: [], events: [] })
  b.core.loseMaster(1, ip('10.0.0.3'), us(second))
  assert.equal(only(b.tick(second).events, 'expired').deadlineUs, second)
  const c = new Bench(9 * second)
  c.order(lower, 0)
  c.order(followUntil(3 * second), 0)
  c.core.loseMaster(1, ip('10.0.0.3'), us(second))
  assert.deepEqual(c.tick(second), { effects: [], events: [] }, 'another order, another master')
})

test('a dead path does not hurry what waits: an advert to be judged, a lapsed lease, a lead', () => {
  const b = new Bench(9 * second)
  b.order(followUntil(3 * second), 0)
  b.hear(900_000, other)
  b.tick(900_000)
  b.core.loseMaster(1, peer, us(second))
  assert.deepEqual(b.tick(second), { effects: [], events: [] }, 'it may be the master’s')
  const c = new Bench(second)
  c.order(followUntil(5 * second), 0)
  c.core.loseMaster(1, peer, us(2 * second))
  assert.deepEqual(c.tick(2 * second), { effects: [], events: [] })
  c.core.renew(us(3 * second))
  assert.equal(c.core.nextDeadline(), 6 * second, 'it listens for a whole interval')
  const d = new Bench()
  d.order(lead(), 0)
  d.tick(0)
  d.core.loseMaster(1, peer, us(1_000))
  assert.deepEqual(d.tick(1_000), { effects: [], events: [] })
})
