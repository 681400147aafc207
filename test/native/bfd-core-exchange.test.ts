/** How the BFD sessions of one core become another's, in virtual time: in phase, with what nothing has judged yet. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ip } from '../../src/base/ip.ts'
import { us } from '../../src/base/time.ts'
import type { BfdStanding } from '../../src/engine/bfd-contract.ts'
import { type BfdState, encodeBfd } from '../../src/wire/bfd.ts'
import { type BfdCoreHarness, makeBfdCore } from './bfd-core-harness.ts'

const peer = '10.0.0.2' as Ip
const local = '10.0.0.1' as Ip
const every = 10_000
const detection = 3 * every

const packet = (state: BfdState, mine: number, yours: number): Uint8Array =>
  encodeBfd({
    ...{ state, diagnostic: 0, poll: false, final: false, demand: false, multiplier: 3 },
    ...{ myDiscriminator: mine, yourDiscriminator: yours },
    ...{ desiredMinTxUs: us(every), requiredMinRxUs: us(every) },
  })
const theirs = packet('Up', 2, 1)
const saysDown = packet('Down', 1, 0)
const repeat = (bytes: Uint8Array) => ({
  ...{ bytes, everyUs: us(every), shorter: { least: 0, most: 0 } },
})

const standing = (takeover: readonly number[], over: Partial<BfdStanding> = {}): BfdStanding => ({
  ...{ repeat: repeat(packet('Up', 1, 2)), answer: packet('Up', 1, 2), expect: theirs },
  ...{ detectionUs: us(detection), onExpiry: repeat(saysDown), polling: false },
  ...{ heardAt: null, expiries: 0, takeover, ...over },
})

/** Ordered at `at`: the session as TypeScript has it there. */
function core(session: number, order: BfdStanding, at: number): BfdCoreHarness {
  const made = makeBfdCore(1)
  const spec = { session, discriminator: 1, peer, local, ifindex: 0, port: 3784 }
  made.add({ ...spec, ttl: 255, minTtl: 255, multihop: false, inherits: null })
  made.order(session, order, us(at))
  return made
}

const hear = (it: BfdCoreHarness, bytes: Uint8Array, at: number): boolean =>
  it.packet({ from: peer, to: local, ttl: 255, bytes, at: us(at) })

/** Session 1 of the first is session 9 of the second, which is ordered at 12 ms and takes it at 14. */
function passed(before: (first: BfdCoreHarness) => void, order = standing([70])) {
  const first = core(1, standing([7]), 0)
  // Sent at 0 and 10 ms; heard at 3 ms.
  first.tick(us(0))
  hear(first, theirs, 3_000)
  first.tick(us(10_000))
  first.offer()
  const second = core(9, order, 12_000)
  before(first)
  const end = first.nextDeadline()
  second.takeFrom(first, [[1, 9]], us(14_000))
  return { first, second, end }
}

test('it sends when the first would have, and waits until when that would have waited', () => {
  const { first, second } = passed(() => undefined)
  assert.equal(second.nextDeadline(), 20_000)
  assert.deepEqual(second.counters(9), first.counters(1))
  assert.equal(second.counters(9).received, 1)
  second.tick(us(20_000))
  second.tick(us(30_000))
  const { events, lost } = second.tick(us(33_000))
  assert.deepEqual(
    events.map(({ kind, session, at }) => [kind, session, at]),
    [['expired', 9, 33_000]],
  )
  assert.deepEqual(lost, [{ master: peer, slots: [70] }])
})

test('what the first raised and did not judge is raised here, by its number', () => {
  const changed = packet('Down', 2, 1)
  const { second } = passed((first) => {
    hear(first, changed, 12_500)
    first.tick(us(12_600))
  })
  const { events } = second.tick(us(14_000))
  const [event] = events
  assert.equal(events.length, 1)
  assert.ok(event?.kind === 'packet')
  assert.deepEqual([event.session, event.at, event.expiries], [9, 12_500, 0])
  assert.deepEqual([...event.packet], [...changed])
})

test('what was judged by the time of the state is not raised again', () => {
  const first = core(1, standing([7]), 0)
  hear(first, packet('Down', 2, 1), 1_000)
  first.tick(us(1_000))
  first.offer()
  const second = core(9, standing([70]), 2_000)
  second.takeFrom(first, [[1, 9]], us(3_000))
  assert.deepEqual(second.tick(us(3_000)).events, [])
})

test('a session that the first lost meanwhile is lost here: by the slots of this process, and it says so', () => {
  const { second } = passed((first) => {
    for (const at of [20_000, 30_000, 33_000]) first.tick(us(at))
  })
  const { events, lost, sends } = second.tick(us(34_000))
  assert.deepEqual(
    events.map(({ kind, expiries }) => [kind, expiries]),
    [['expired', 1]],
  )
  assert.deepEqual(lost, [{ master: peer, slots: [70] }])
  // The order that was made of the state says Up; it is older than the loss.
  second.order(9, standing([70]), us(34_100))
  const later = second.tick(us(45_000))
  assert.deepEqual(
    [...sends, ...later.sends].map(({ bytes }) => (bytes[1] ?? 0) >> 6),
    [1],
  )
  // An order that was made with it in mind is carried out.
  const init = { repeat: repeat(packet('Init', 1, 2)), detectionUs: null, expiries: 1 }
  second.order(9, standing([], init), us(46_000))
  assert.equal((second.tick(us(60_000)).sends[0]?.bytes[1] ?? 0) >> 6, 2)
})

test('one that was away takes nothing over afterwards either', () => {
  const { second } = passed((first) => {
    // It missed two turns of its own.
    first.tick(us(31_000))
  })
  const { lost, events } = second.tick(us(34_000))
  assert.deepEqual([lost.length, events.length], [0, 1])
})

test('of a first that gives nothing: it sends at once, and waits for a whole detection time', () => {
  const second = core(9, standing([70]), 2_000)
  second.takeFrom(null, [], us(50_000))
  assert.equal(second.nextDeadline(), 50_000)
  assert.equal(second.tick(us(50_000)).sends.length, 1)
  for (const at of [60_000, 70_000]) second.tick(us(at))
  assert.deepEqual(second.tick(us(79_999)).events, [])
  const { events, lost } = second.tick(us(80_000))
  assert.deepEqual([events.length, lost.length], [1, 0])
})

test('of a first that gives nothing: it may have been away, so nothing is taken over before the peer is heard again', () => {
  for (const heard of [false, true]) {
    const second = core(9, standing([70]), 2_000)
    second.takeFrom(null, [], us(50_000))
    second.tick(us(50_000))
    if (heard) hear(second, theirs, 55_000)
    const turns = [60_000, 70_000, 80_000, 85_000].map((at) => second.tick(us(at)))
    const expiries = turns.flatMap(({ events }) => events.map(({ kind, at }) => [kind, at]))
    assert.deepEqual(expiries, [['expired', heard ? 85_000 : 80_000]])
    assert.deepEqual(
      turns.flatMap(({ lost }) => lost),
      heard ? [{ master: peer, slots: [70] }] : [],
    )
  }
})

/** A session that says nothing of its own accord is passed at 14 ms, and polled at 20. */
function silentOne(over: Partial<BfdStanding>, heard: boolean, given: boolean) {
  const order = standing([], { repeat: null, ...over })
  const first = core(1, order, 0)
  if (heard) hear(first, theirs, 3_000)
  first.offer()
  const second = core(9, order, 12_000)
  second.takeFrom(given ? first : null, [[1, 9]], us(14_000))
  const deadline = second.nextDeadline()
  const unasked = second.tick(us(14_000)).sends.length
  hear(second, theirs.with(1, (theirs[1] ?? 0) | 0x20), 20_000)
  const { sends, events } = second.tick(us(20_000))
  return { deadline, unasked, answers: sends.length, events: events.length }
}

test('a passive session that was never spoken to stays silent, given or not, and what it hears is news', () => {
  const never = { answer: null, expect: null, detectionUs: null, onExpiry: null }
  for (const given of [true, false])
    assert.deepEqual(silentOne(never, false, given), {
      ...{ deadline: null, unasked: 0, answers: 0, events: 1 },
    })
})

test('a session whose neighbour demands silence stays silent, given or not, waits for it, and answers its poll', () => {
  for (const [given, from] of [
    [true, 3_000],
    [false, 14_000],
  ] as const)
    assert.deepEqual(silentOne({}, true, given), {
      ...{ deadline: from + detection, unasked: 0, answers: 1, events: 0 },
    })
})

test('a session that is new here begins here; one that is gone here is dropped', () => {
  const first = core(1, standing([7]), 0)
  first.offer()
  hear(first, packet('Down', 2, 1), 1_000)
  first.tick(us(1_000))
  const second = core(9, standing([70]), 2_000)
  second.takeFrom(first, [[1, 8]], us(50_000))
  assert.equal(second.nextDeadline(), 50_000)
  assert.deepEqual(second.tick(us(50_000)).events, [])
  assert.equal(second.counters(9).received, 0)
})

test('a first whose sessions are not taken goes on as if nothing had been offered', () => {
  const alone = core(1, standing([7]), 0)
  const offered = core(1, standing([7]), 0)
  for (const it of [alone, offered]) {
    it.tick(us(0))
    hear(it, theirs, 5_000)
  }
  offered.offer()
  core(9, standing([70]), 6_000)
  for (const at of [10_000, 20_000, 30_000, 35_000])
    assert.deepEqual(offered.tick(us(at)), alone.tick(us(at)))
  assert.deepEqual(offered.counters(1), alone.counters(1))
})
