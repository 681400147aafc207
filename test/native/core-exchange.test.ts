/**
 * How the slots of one core become another's: what is told and taken up, whose they are at each step, and what becomes of
 * a page that is not what was written. The engines' threads take the same turns (native/engine/engine_exchange.cc).
 */
import assert from 'node:assert/strict'
import { openSync, readSync, writeSync } from 'node:fs'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { loadAddon } from '../../src/addon/load.ts'
import { us } from '../../src/base/time.ts'
import type { Lead, Order } from '../../src/engine/contract.ts'
import {
  type CoreHarness,
  exchangeState,
  makeCore,
  makeExchange,
  mayAct,
  type Outcome,
} from '../../src/engine/core-harness.ts'
import { type ExchangeHandle, openExchange } from '../../src/engine/exchange.ts'
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
  request,
  second,
  vrid,
} from './core-bench.ts'
import type { Wanted } from './exchange-word-thread.ts'

const addon = loadAddon() as {
  exchangeDescriptors(exchange: ExchangeHandle): readonly [number, number, number]
}
const ms = 1_000
const slots = { first: 1, second: 7 }

/** Two cores, of which the second is held; neither knows the other's slot number. */
class Two {
  readonly exchange = makeExchange()
  readonly first = this.#core(slots.first)
  readonly second = this.#core(slots.second)

  constructor() {
    this.second.exchange.hold(this.exchange)
  }

  #core(slot: number): CoreHarness {
    const core = makeCore(us(0), us(0))
    core.addLink(link)
    core.addSlot(slot, link, vrid)
    return core
  }

  order(order: Order, at: number): void {
    this.first.order([{ slot: slots.first, generation: 1, order }], us(at))
    this.first.tickBefore(us(at))
  }

  /** By a state that was made at `at`, what is offered as that attempt: `order` says the same to the second. */
  offer(order: Order, at: number, attempt = 1): void {
    this.first.exchange.offer(this.exchange, attempt, us(at))
    this.second.order([{ slot: slots.second, generation: 1, order }], us(at))
    this.second.exchange.ready(attempt, new Map([[slots.first, slots.second]]))
    this.second.exchange.sayReady()
  }

  give(at: number): number {
    const until = this.first.exchange.give(us(at), us(at))
    assert.ok(until !== null, 'nothing was given')
    return until
  }

  take(): void {
    assert.ok(this.second.exchange.takeUp() && this.second.exchange.take(), 'nothing was taken')
  }

  get state(): string {
    return exchangeState(this.exchange)
  }
}

/** A lead that goes on, as the state's order says it: nothing at once, and about in phase. */
const goingOn = (over: Partial<Lead> = {}): Order => lead({ now: [], ...over })

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

/** Brings an exchange to each of its steps. */
const steps: Readonly<Record<string, (two: Two) => void>> = {
  preparing: () => undefined,
  ready: (two) => two.offer(goingOn(), 0),
  given: (two) => {
    two.offer(goingOn(), 0)
    two.give(10)
  },
  'taken up': (two) => {
    two.offer(goingOn(), 0)
    two.give(10)
    assert.ok(two.second.exchange.takeUp())
  },
  'given again': (two) => {
    two.offer(goingOn(), 0)
    assert.equal(two.first.exchange.lookGiven(us(two.give(10))), 'back')
    two.give(second / 2)
  },
  taken: (two) => {
    two.offer(goingOn(), 0)
    two.give(10)
    two.take()
  },
  void: (two) => {
    two.offer(goingOn(), 0)
    two.first.exchange.withdraw(true)
  },
}

test('of two wardens that both have to act, exactly one may, whichever asks first and at whichever step', () => {
  for (const [step, bring] of Object.entries(steps)) {
    for (const order of [
      [false, true],
      [true, false],
    ]) {
      const two = new Two()
      two.order(lead(), 0)
      bring(two)
      const may = new Map(order.map((it) => [it, mayAct(two.exchange, it)]))
      assert.equal(may.get(true), step === 'taken', `${step}: the second one's`)
      assert.equal(may.get(false), step !== 'taken', `${step}: the first one's`)
      assert.equal(two.state, step === 'taken' ? 'taken' : 'void')
    }
  }
})

test('two threads that ask at the same moment: exactly one of them may act', async () => {
  const rounds = 200
  const exchanges = Array.from({ length: rounds }, () => makeExchange())
  const there = new Int32Array(new SharedArrayBuffer(4 * rounds))
  const ask = (second: boolean): Promise<readonly boolean[]> => {
    const descriptors = exchanges.map(descriptorsOf)
    const workerData: Wanted = { there, second, descriptors }
    const worker = new Worker(new URL('./exchange-word-thread.js', import.meta.url), { workerData })
    return new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject))
  }
  const [first, other] = await Promise.all([ask(false), ask(true)])
  assert.equal(first.length, rounds)
  // None has been taken: it is the first one's warden, whichever asks earlier.
  assert.deepEqual([...new Set(first)], [true])
  assert.deepEqual([...new Set(other)], [false])
  for (const exchange of exchanges) assert.equal(exchangeState(exchange), 'void')
})

test('once a warden has been allowed to act, the slots change hands no more', () => {
  for (const asks of [false, true]) {
    const two = new Two()
    two.order(lead(), 0)
    two.offer(goingOn(), 0)
    const until = two.give(10)
    assert.ok(two.second.exchange.takeUp())
    mayAct(two.exchange, asks)
    assert.equal(two.second.exchange.take(), false)
    assert.equal(two.first.exchange.lookGiven(us(11)), 'back')
    assert.equal(two.first.exchange.lookGiven(us(until)), 'back')
    assert.match(two.first.exchange.over() ?? '', /a warden has acted/)
    assert.equal(two.first.exchange.over(), null, 'it is told twice')
    assert.equal(two.first.exchange.give(us(20), us(20)), null)
  }
})

/** Octets of the memory: where they lie is the business of native/base/exchange.h. */
function alter(exchange: ExchangeHandle, at: number): void {
  const [memory] = addon.exchangeDescriptors(exchange)
  const octet = Buffer.alloc(1)
  readSync(memory, octet, 0, 1, at)
  octet[0] = (octet[0] ?? 0) ^ 0x10
  writeSync(memory, octet, 0, 1, at)
}
const entriesAt = 4_096
const entryOctets = 56

test('entries that are not what was written are refused with the reason, and the first goes on', () => {
  for (const at of [0, 4, 8, 16, 24, entryOctets, 2 * entryOctets + 8]) {
    const two = new Two()
    two.order(lead(), 0)
    two.first.tick(us(0))
    two.offer(goingOn(), 0)
    const until = two.give(10)
    alter(two.exchange, entriesAt + at)
    assert.equal(two.second.exchange.takeUp(), false, `octet ${at}`)
    assert.equal(two.state, 'void')
    assert.equal(two.first.exchange.lookGiven(us(until - 1)), 'back')
    assert.match(two.first.exchange.over() ?? '', /shared memory is damaged/)
    assert.deepEqual(marks(two.first.tick(us(second))), ['datagram 1'])
  }
})

test('a head that is not what was written is refused as well', () => {
  // Until when packets were read and how many entries there are; their digest.
  const octets = [...Array.from({ length: 12 }, (_, i) => 24 + i), ...[40, 43, 47]]
  for (const at of octets) {
    const two = new Two()
    two.order(lead(), 0)
    two.offer(goingOn(), 0)
    two.give(10)
    alter(two.exchange, at)
    const taken = two.second.exchange.takeUp()
    assert.equal(taken, false, `octet ${at}`)
    assert.match(two.first.exchange.over() ?? '', /damaged/)
  }
})

test('an instance that stands otherwise is refused with the reason', () => {
  const others: readonly (readonly [Order, Order])[] = [
    [lead(), followUntil(3 * second)],
    [followUntil(3 * second), goingOn()],
    [lead(), { kind: 'idle', now: [] }],
    [followUntil(3 * second), { kind: 'idle', now: [] }],
  ]
  for (const [of, to] of others) {
    const two = new Two()
    two.order(of, 0)
    two.offer(to, 0)
    two.give(10)
    assert.equal(two.second.exchange.takeUp(), false)
    assert.match(two.first.exchange.over() ?? '', /an instance stands otherwise/)
  }
})

/** Closed by who opens the exchange. */
const descriptorsOf = (exchange: ExchangeHandle): [number, number, number] => {
  const [memory, ...events] = addon.exchangeDescriptors(exchange)
  const copy = (fd: number) => openSync(`/proc/self/fd/${fd}`, 'r+')
  return [copy(memory), ...(events.map(() => openSync('/dev/null', 'r+')) as [number, number])]
}

test('memory of another layout, or that is none, is refused when it is opened', () => {
  assert.equal(openExchange(descriptorsOf(makeExchange())) instanceof Error, false)
  for (const at of [0, 7, 8]) {
    const other = makeExchange()
    alter(other, at)
    assert.match(String(openExchange(descriptorsOf(other))), /exchange: EPROTO/, `octet ${at}`)
  }
  const none = () => openSync('/dev/null', 'r+')
  assert.match(String(openExchange([none(), none(), none()])), /exchange: EPROTO/)
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
