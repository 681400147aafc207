/** The engine's core under virtual time: every rule of the contract, without a socket or a clock. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ip } from '../../src/base/ip.ts'
import { us } from '../../src/base/time.ts'
import { makeCore } from '../../src/engine/core-harness.ts'
import type { Order, Plan, Repeat, Step } from '../../src/engine/order.ts'
import {
  advert,
  Bench,
  datagram,
  followUntil,
  frame,
  ip,
  lead,
  link,
  marks,
  only,
  peer,
  request,
  second,
  vrid,
} from './core-bench.ts'

test('a follow becomes its lead at the deadline, and says so with its own generation', () => {
  const b = new Bench()
  const generation = b.order(followUntil(3 * second), 0)
  assert.equal(b.core.nextDeadline(), 3 * second)
  assert.deepEqual(b.tick(3 * second - 1), { effects: [], events: [] })
  const out = b.tick(3 * second + 5)
  assert.deepEqual(marks(out), ['datagram 10'])
  const at = us(3 * second + 5)
  assert.deepEqual(only(out.events, 'expired'), {
    kind: 'expired',
    slot: 1,
    generation,
    deadlineUs: 3 * second,
    at,
    doneAt: at,
  })
  assert.equal(b.core.nextDeadline(), 4 * second + 5)
  assert.deepEqual(marks(b.tick(4 * second + 5)), ['datagram 1'])
})

test('expiry is told even when the prepared plan is empty', () => {
  const b = new Bench()
  b.order(followUntil(second, { now: [], repeats: [], resign: [] }), 0)
  const out = b.tick(second)
  assert.deepEqual(out.effects, [])
  assert.equal(only(out.events, 'expired').at, second)
  assert.equal(b.core.nextDeadline(), null)
})

test('woken too late, a lead resigns instead of sending, and idles', () => {
  const b = new Bench()
  const generation = b.order(lead(), 0)
  b.tick(0)
  assert.deepEqual(marks(b.tick(3 * second)), ['datagram 1'], 'late by exactly lateUs')
  const out = b.tick(6 * second + 1)
  assert.deepEqual(marks(out), ['datagram 0'])
  assert.deepEqual(only(out.events, 'late'), {
    kind: 'late',
    slot: 1,
    generation,
    lateUs: 2 * second + 1,
    at: 6 * second + 1,
  })
  b.hear(7 * second)
  assert.deepEqual(b.tick(60 * second), { effects: [], events: [] })
  assert.equal(b.core.nextDeadline(), null)
})

test('adverts further apart than the kernel lease: the kernel may have refused the later one, so the lead resigns', () => {
  const b = new Bench()
  const generation = b.order(lead({ leaseUs: us(2 * second), resign: [datagram(0)] }), 0)
  b.tick(0)
  for (const at of [1, 2, 4])
    assert.deepEqual(
      marks(b.tick(at * second)),
      ['datagram 1'],
      `${at} s: not longer than the lease`,
    )
  const out = b.tick(6 * second + 1)
  assert.deepEqual(
    marks(out),
    ['datagram 1', 'datagram 0'],
    'not so late that it would not be sent',
  )
  const late = { kind: 'late', slot: 1, generation, lateUs: 1, at: 6 * second + 1 }
  assert.deepEqual(only(out.events, 'late'), late)
  assert.deepEqual(b.tick(60 * second), { effects: [], events: [] })
})

test('a note is no advert: neither sealed nor counted, and its instant is not that of the last advert', () => {
  const b = new Bench()
  const head = new Uint8Array(14)
  const note = { kind: 'datagram', link, to: ip('0.0.0.0'), head, bytes: Uint8Array.of(9) } as const
  b.order({ kind: 'idle', now: [note, datagram(1)] }, 0)
  assert.deepEqual(marks(b.tick(0)), ['datagram 9', 'datagram 1'])
  assert.equal(b.core.counters(1).sent, 1)
  b.order({ kind: 'idle', now: [note] }, second)
  b.tick(second)
  const { sent, lastSentUs } = b.core.counters(1)
  assert.deepEqual([sent, lastSentUs], [1, 0])
})

test('preempted by the warden: no word as master, the addresses go, the slot idles', () => {
  const b = new Bench()
  const generation = b.order(lead({ resign: [datagram(0), datagram(0), request(7)] }), 0)
  b.tick(0)
  b.core.preemptedByWarden(us(9 * second))
  const out = b.tick(9 * second)
  assert.deepEqual(marks(out), ['netlink 7'])
  const late = { kind: 'late', slot: 1, generation, lateUs: 8 * second, at: 9 * second }
  assert.deepEqual(only(out.events, 'late'), late)
  assert.deepEqual(b.tick(60 * second), { effects: [], events: [] })
  b.order(followUntil(63 * second), 60 * second)
  b.core.preemptedByWarden(us(61 * second))
  assert.deepEqual(b.tick(61 * second).events, [], 'who follows has nothing to lose')
})

test('missed repeats are not made up for: the next one is in phase', () => {
  const b = new Bench()
  b.order(lead(), 0)
  b.tick(0)
  assert.equal(b.tick(2.5 * second).effects.length, 1)
  assert.equal(b.core.nextDeadline(), 3 * second)
})

test('a lead that replaces a lead keeps phase and count of what has the same key and period', () => {
  const b = new Bench()
  const burst = (key: string): Repeat => ({ ...advert(300_000, 7), key, times: 3 })
  b.order(lead({ repeats: [advert(), burst('garp')] }), 0)
  b.tick(0)
  b.tick(300_000)
  b.order(lead({ now: [], repeats: [advert(second, 2), burst('garp')] }), 500_000)
  b.tick(500_000)
  assert.equal(b.core.nextDeadline(), 600_000)
  assert.deepEqual(marks(b.tick(600_000)), ['datagram 7'])
  assert.deepEqual(marks(b.tick(900_000)), ['datagram 7'])
  assert.deepEqual(marks(b.tick(second)), ['datagram 2'], 'the new plan at the old time')
  b.order(lead({ now: [], repeats: [advert(second, 3), burst('garp')] }), second)
  assert.equal(b.core.nextDeadline(), 2 * second, 'a burst that is over does not start again')
  b.order(lead({ now: [], repeats: [advert(500_000, 4), burst('again')] }), 1.1 * second)
  assert.equal(b.core.nextDeadline(), 1.4 * second, 'another key starts')
  b.tick(1.4 * second)
  assert.deepEqual(marks(b.tick(1.6 * second)), ['datagram 4'], 'another period starts')
})

test('a lead after a rest starts anew', () => {
  const b = new Bench()
  b.order(lead(), 0)
  b.order({ kind: 'idle', now: [datagram(0)] }, 400_000)
  b.order(lead(), 500_000)
  assert.deepEqual(marks(b.tick(500_000)), ['datagram 10', 'datagram 0', 'datagram 10'])
  assert.equal(b.core.nextDeadline(), 1.5 * second)
})

test('a single delayed run', () => {
  const b = new Bench()
  const once: Repeat = {
    key: 'later',
    firstAfterUs: us(5),
    everyUs: us(0),
    times: 1,
    plan: [frame(9)],
  }
  b.order(lead({ repeats: [once] }), 0)
  b.tick(0)
  assert.deepEqual(marks(b.tick(5)), ['frame 9'])
  assert.equal(b.core.nextDeadline(), null)
})

test('repeats that are due almost now go out in company and stay together', () => {
  const core = makeCore(us(0), us(0))
  core.addLink(link)
  const slack = { ...advert(), slackUs: us(20_000) }
  const order = (slot: number, repeat: Repeat, nowUs: number) => {
    core.addSlot(slot, link, slot)
    core.order([{ slot, generation: 1, order: lead({ now: [], repeats: [repeat] }) }], us(nowUs))
  }
  const sent = (nowUs: number) => core.tick(us(nowUs)).effects.map((e) => e.slot)
  order(1, slack, 0)
  order(2, slack, 20_000)
  order(3, slack, 20_001)
  order(4, advert(), 20_000)
  assert.deepEqual(sent(second), [1, 2], 'as early as its slack allows, and only what allows it')
  assert.equal(core.nextDeadline(), second + 20_000)
  assert.deepEqual(sent(second + 20_001), [4, 3])
  assert.deepEqual(sent(2 * second), [1, 2], 'in one phase from now on')
  assert.equal(core.nextDeadline(), 2 * second + 20_000)
})

test('also is carried out once, beside the standing order', () => {
  const b = new Bench()
  b.order(lead(), 0)
  b.tick(0)
  const generation = b.order({ kind: 'once', now: [request(5)] }, 100)
  const out = b.tick(100)
  assert.deepEqual(marks(out), ['netlink 5'])
  assert.equal(out.effects[0]?.generation, generation)
  assert.equal(b.core.nextDeadline(), second)
  assert.deepEqual(marks(b.tick(second)), ['datagram 1'])
})

test('a batch: all adverts, then addresses, then the first frame of each, then the rest', () => {
  const core = makeCore(us(0), us(0))
  core.addLink(1)
  core.addLink(2)
  const orders = [1, 2, 3].map((slot) => {
    core.addSlot(slot, slot === 2 ? 2 : 1, slot)
    const a = frame(10 * slot)
    const b = frame(10 * slot + 1)
    const on: Step = {
      ...(datagram(slot) as Step & { kind: 'datagram' }),
      link: slot === 2 ? 2 : 1,
    }
    const now: Plan = [a, a, request(slot), b, b, on]
    return { slot, generation: 1, order: lead({ now, repeats: [] }) }
  })
  core.order(orders, us(0))
  assert.deepEqual(marks(core.tick(us(0))), [
    'datagram 1',
    'datagram 3',
    'datagram 2',
    ...['netlink 1', 'netlink 2', 'netlink 3'],
    ...['frame 10', 'frame 11', 'frame 20', 'frame 21', 'frame 30', 'frame 31'],
    ...['frame 10', 'frame 11', 'frame 20', 'frame 21', 'frame 30', 'frame 31'],
  ])
})

test('many slots due together go out in one batch', () => {
  const core = makeCore(us(0), us(0))
  for (let slot = 0; slot < 4000; slot++) {
    const on = 1 + Math.floor(slot / 255)
    if (slot % 255 === 0) core.addLink(on)
    core.addSlot(slot, on, 1 + (slot % 255))
    const order = followUntil(second + (slot % 7), { now: [datagram(1), request(1), frame(1)] })
    core.order([{ slot, generation: 1, order }], us(0))
  }
  core.tick(us(0))
  const { effects, events } = core.tick(us(second + 7))
  assert.equal(events.length, 4000)
  const stages = effects.map((e) => e.step.kind)
  assert.deepEqual([stages.lastIndexOf('datagram'), stages.lastIndexOf('netlink')], [3999, 7999])
})

test('a repeat that keeps failing is told once, and again after it has worked', () => {
  const b = new Bench()
  b.order(lead({ now: [] }), 0)
  const run = (at: number, errno: number): readonly string[] =>
    b.core.tick(us(at * second), () => errno).events.map((e) => (e.kind === 'failed' ? e.code : ''))
  assert.deepEqual(run(1, 100), ['ENETDOWN'])
  assert.deepEqual(run(2, 100), [])
  assert.deepEqual(run(3, 105), ['ENOBUFS'])
  assert.deepEqual(run(4, 0), [])
  assert.deepEqual(run(5, 105), ['ENOBUFS'])
  assert.equal(b.core.counters(1).sent, 1)
  assert.equal(b.core.counters(1).lastSentUs, 4 * second)
})

test('several slots of one VRID: the peer decides, a slot alone is raised whatever the source', () => {
  const core = makeCore(us(0), us(0))
  core.addLink(link)
  const [one, two, stranger] = [ip('10.0.0.1'), ip('10.0.0.2'), ip('10.0.0.9')]
  const payload = Uint8Array.of(0x31, vrid, 100)
  const heardBy = (from: Ip, nowUs: number): readonly number[] => {
    core.packet({ link, from, ttl: 255, payload }, us(nowUs))
    return core.tick(us(nowUs)).events.flatMap((e) => (e.kind === 'packet' ? [e.slot] : []))
  }
  const follow = (slot: number, peers: readonly Ip[]) => {
    core.addSlot(slot, link, vrid, peers)
    core.order([{ slot, generation: 1, order: followUntil(99 * second) }], us(0))
  }
  follow(1, [one])
  assert.deepEqual(heardBy(stranger, 1), [1])
  follow(2, [two])
  assert.deepEqual(heardBy(one, 2), [1])
  assert.deepEqual(heardBy(two, 3), [2])
  assert.deepEqual(heardBy(stranger, 4), [])
  assert.equal(core.linkCounters(link).unclaimed, 1)
  assert.throws(() => core.addSlot(3, link, vrid, [stranger, two]), /taken/)
  assert.throws(() => core.addSlot(3, link, vrid), /taken/)
  assert.throws(() => core.setPeers(1, [two]), /taken/)
  core.setPeers(1, [stranger])
  assert.deepEqual(heardBy(stranger, 5), [1])
  assert.deepEqual(heardBy(one, 6), [])
  core.removeSlot(1)
  assert.deepEqual(heardBy(one, 7), [2])
})

test('the bound of the lease can be changed while slots lead; the change renews it', () => {
  const core = makeCore(us(second), us(0))
  core.addLink(link)
  core.addSlot(1, link, vrid)
  core.order([{ slot: 1, generation: 1, order: lead({ repeats: [] }) }], us(0))
  core.setLiveness(us(20 * second), us(second / 2))
  assert.deepEqual(core.tick(us(20 * second)).events, [])
  core.setLiveness(us(0), us(20 * second))
  assert.deepEqual(core.tick(us(900 * second)).events, [])
  core.setLiveness(us(second), us(900 * second))
  assert.equal(core.nextDeadline(), 901 * second)
  assert.deepEqual(
    core.tick(us(901 * second)).events.map((e) => e.kind),
    ['lapsed'],
  )
})

test('a removed slot is forgotten, and its pair free again', () => {
  const b = new Bench()
  b.order(followUntil(second), 0)
  assert.throws(() => b.core.addSlot(2, link, vrid), /taken/)
  b.core.removeSlot(1)
  b.core.addSlot(2, link, vrid)
  b.hear(1)
  assert.deepEqual(b.tick(2 * second), { effects: [], events: [] })
  assert.equal(b.core.nextDeadline(), null)
})

test('values of the wrong shape are refused', () => {
  const b = new Bench()
  const bad = (order: unknown) => () => b.order(order as Order, 0)
  assert.throws(bad({ kind: 'dance' }), TypeError)
  assert.throws(bad({ kind: 'idle', now: [{ kind: 'frame', ifindex: 1, bytes: 'x' }] }), TypeError)
  assert.throws(bad(lead({ repeats: [{ ...advert(), everyUs: us(0) }] })), /no period/)
  assert.throws(bad(lead({ repeats: [{ ...advert(), slackUs: us(second) }] })), /slack/)
  const short: Step = { kind: 'netlink', bytes: new Uint8Array(4), tolerate: [] }
  assert.throws(bad({ kind: 'idle', now: [short] }), RangeError)
})

const asks = (deadlineUs: number, beforeUs: number): Order => {
  const order = followUntil(deadlineUs)
  assert(order.kind === 'follow')
  return { ...order, ask: { beforeUs: us(beforeUs), plan: [frame(7)] } }
}

test('a follow asks once before its deadline, once more when that was set anew, and takes over all the same', () => {
  const b = new Bench()
  b.order(asks(3 * second, 20_000), 0)
  assert.equal(b.core.nextDeadline(), 3 * second - 20_000)
  assert.deepEqual(marks(b.tick(3 * second - 20_001)), [])
  assert.deepEqual(marks(b.tick(3 * second - 20_000)), ['frame 7'])
  assert.equal(b.core.nextDeadline(), 3 * second)
  assert.deepEqual(marks(b.tick(3 * second - 1)), [])
  b.hear(3 * second - 1)
  b.tick(3 * second - 1)
  const deadline = 6 * second - 1
  assert.equal(b.core.nextDeadline(), deadline - 20_000)
  assert.deepEqual(marks(b.tick(deadline - 10_000)), ['frame 7'], 'late, and still before it')
  assert.deepEqual(marks(b.tick(deadline)), ['datagram 10'])
  assert.deepEqual(marks(b.tick(deadline + second)), ['datagram 1'], 'a lead asks nothing')
})

test('a follow whose deadline is nearer asks at once; one that comes too late for it does not ask', () => {
  const b = new Bench()
  b.order(asks(5_000, 20_000), 0)
  assert.deepEqual(marks(b.tick(0)), ['frame 7'])
  b.order(asks(2 * second, 20_000), 1_000)
  assert.deepEqual(marks(b.tick(2 * second + 1)), ['datagram 10'])
  const other = new Bench()
  other.order(asks(second, 20_000), 0)
  other.order({ kind: 'idle', now: [] }, 10)
  assert.deepEqual(marks(other.tick(2 * second)), [])
  assert.equal(other.core.nextDeadline(), null)
})

test('a follow that is woken late and listens once more asks before that deadline, in the same turn if it is as near', () => {
  const b = new Bench()
  b.order(asks(second, 4 * second), 0)
  assert.deepEqual(marks(b.tick(0)), ['frame 7'])
  assert.deepEqual(marks(b.tick(5 * second)), ['frame 7'], 'once more, and no take-over')
  assert.equal(b.core.nextDeadline(), 8 * second, 'nothing is left that was due')
  assert.deepEqual(marks(b.tick(8 * second)), ['datagram 10'])
})

test('a follow that waits past its deadline for a judgement asks nothing, not at the time of an older deadline either', () => {
  const b = new Bench(9 * second)
  b.order(asks(3 * second, 20_000), 0)
  b.hear(900_000, Uint8Array.from([0x31, vrid, 150, 1]))
  b.core.loseMaster(1, peer, us(second))
  assert.deepEqual(marks(b.tick(second)), [], 'the advert may be the master’s')
  assert.deepEqual(marks(b.tick(3 * second - 20_000)), [])
})
