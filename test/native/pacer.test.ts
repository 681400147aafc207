/** Frames that keep their distance, under virtual time: one queue for each pace, whatever slots it serves. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../src/base/time.ts'
import type { Pace, Plan, Step } from '../../src/engine/order.ts'
import { Bench, datagram, frame, lead, link, marks, request, second } from './core-bench.ts'

const gap = 100_000
const paced = (mark: number, pace: Partial<Pace> = {}): Step => ({
  ...(frame(mark) as Step & { kind: 'frame' }),
  pace: { key: '4 3', gapUs: us(gap), ...pace },
})
const withdrawn = (mark: number): Step => paced(mark, { withdrawn: true })

/** A lead that announces at once; its adverts come every ten seconds, so that they are not in the way. */
const announcing = (now: Plan) =>
  lead({ now, repeats: [], resign: [datagram(0)], lateUs: us(60 * second) })

/** What leaves, with its instant, as the core asks to be woken. */
function run(b: Bench, until: number): string[] {
  const out: string[] = []
  for (let at = b.core.nextDeadline(); at !== null && at <= until; at = b.core.nextDeadline())
    for (const mark of marks(b.tick(at))) out.push(`${at} ${mark}`)
  return out
}

/** The slot `id` beside slot 1. */
function other(b: Bench, id: number) {
  b.core.addSlot(id, link, 50 + id)
  return (now: Plan, at: number) =>
    b.core.order([{ slot: id, generation: 1, order: announcing(now) }], us(at))
}

test('adverts, requests and the first frame leave at once, the others one gap apart', () => {
  const b = new Bench()
  const set = [paced(1), paced(2), paced(1), paced(2)]
  b.order(announcing([datagram(10), request(7), ...set, frame(9)]), 0)
  assert.deepEqual(marks(b.tick(0)), ['datagram 10', 'netlink 7', 'frame 9', 'frame 1'])
  assert.deepEqual(run(b, second), ['100000 frame 2', '200000 frame 1', '300000 frame 2'])
  assert.equal(b.core.nextDeadline(), null)
})

test('no frame leaves before the requests that it follows are answered', () => {
  const b = new Bench()
  b.order(announcing([request(7), paced(1)]), 0)
  assert.deepEqual(marks(b.core.tickBefore(us(0))), [])
  assert.deepEqual(marks(b.core.answer(us(50))), ['netlink 7', 'frame 1'])
})

test('the first announcements of one slot go before the repeats of another', () => {
  const b = new Bench()
  const two = other(b, 2)
  b.order(announcing([1, 1, 1, 1].map((mark) => paced(mark))), 0)
  assert.deepEqual(marks(b.tick(0)), ['frame 1'])
  two([paced(5), paced(6), paced(5), paced(6)], 150_000)
  assert.deepEqual(marks(b.tick(150_000)), ['frame 5'])
  assert.deepEqual(run(b, second), [
    ...['250000 frame 6', '350000 frame 1', '450000 frame 5', '550000 frame 6'],
    ...['650000 frame 1', '750000 frame 1'],
  ])
})

test('a slot that moves alone, when the gap is over, announces at once', () => {
  const b = new Bench()
  const two = other(b, 2)
  b.order(announcing([paced(1)]), 0)
  b.tick(0)
  two([paced(5)], gap)
  assert.deepEqual(marks(b.tick(gap)), ['frame 5'])
})

test('paces with other keys do not wait for each other', () => {
  const b = new Bench()
  const set = [
    paced(1),
    paced(2),
    paced(3, { key: '6 3' }),
    paced(4, { key: '6 3', gapUs: us(10) }),
  ]
  b.order(announcing(set), 0)
  assert.deepEqual(marks(b.tick(0)), ['frame 1', 'frame 3'])
  assert.deepEqual(run(b, second), ['10 frame 4', '100000 frame 2'])
})

test('what waits is dropped when its lead is over', async (t) => {
  const ends: Readonly<Record<string, (b: Bench) => void>> = {
    'a resignation': (b) => b.order({ kind: 'idle', now: [datagram(0)] }, 50_000),
    'a slot that is removed': (b) => b.core.removeSlot(1),
    'the warden': (b) => b.core.preemptedByWarden(us(50_000)),
  }
  for (const [name, end] of Object.entries(ends))
    await t.test(name, () => {
      const b = new Bench()
      const two = other(b, 2)
      b.order(announcing([paced(1), paced(2), paced(3)]), 0)
      b.tick(0)
      end(b)
      assert.ok(!marks(b.tick(50_000)).some((mark) => mark.startsWith('frame')))
      // What is dropped takes no turn.
      two([paced(5)], 60_000)
      b.tick(60_000)
      assert.deepEqual(run(b, second), ['100000 frame 5'])
    })
})

test('a lead that is late announces nothing more', () => {
  const b = new Bench()
  const advert = {
    key: 'advert',
    firstAfterUs: us(second),
    everyUs: us(second),
    plan: [datagram(1)],
  }
  const now = [paced(1), paced(2), paced(3)]
  b.order(lead({ now, repeats: [advert], resign: [datagram(0)], lateUs: us(second) }), 0)
  b.tick(0)
  assert.deepEqual(marks(b.tick(10 * second)), ['datagram 0'])
})

test('a lead whose main thread stands still goes on announcing until its lease lapses', () => {
  const b = new Bench(3 * second)
  b.order(announcing(Array.from({ length: 50 }, (_, i) => paced(i + 1))), 0)
  assert.deepEqual(marks(b.tick(0)), ['frame 1'])
  const sent = run(b, 10 * second)
  assert.equal(sent.at(-1), '3000000 datagram 0')
  assert.equal(sent.length, 30)
})

test('a lead that replaces a lead drops nothing, and the gap that was given last counts', () => {
  const b = new Bench()
  b.order(announcing([paced(1), paced(2), paced(3)]), 0)
  b.tick(0)
  b.order(announcing([paced(4, { gapUs: us(10_000) })]), 20_000)
  b.tick(20_000)
  assert.deepEqual(run(b, second), ['100000 frame 2', '110000 frame 3', '120000 frame 4'])
})

test('equal frames of a slot that wait already are not added; those of a lead before are replaced', () => {
  const b = new Bench()
  const set = [paced(1), paced(2), paced(1), paced(2)]
  b.order(announcing(set), 0)
  b.tick(0)
  for (let i = 0; i < 1_000; i++) b.order({ kind: 'once', now: set }, 10_000)
  b.tick(10_000)
  const all = ['100000 frame 2', '200000 frame 1', '300000 frame 1', '400000 frame 2']
  assert.deepEqual(run(b, second).sort(), all.sort())
  b.order(announcing(set), second)
  b.tick(second)
  b.order({ kind: 'idle', now: [] }, 1_010_000)
  b.order(announcing(set), 1_020_000)
  b.tick(1_020_000)
  assert.equal(run(b, 2 * second).length, 4)
})

test('what is withdrawn leaves no more, in the batch that announced it or in a later one', () => {
  for (const at of [0, 50_000]) {
    const b = new Bench()
    b.order(announcing([paced(1), paced(2), paced(1), paced(2), paced(3)]), 0)
    if (at > 0) b.tick(0)
    b.order({ kind: 'once', now: [withdrawn(2)] }, at)
    b.tick(at)
    const left = run(b, second).map((text) => text.split(' ')[2])
    assert.deepEqual(left, ['3', '1'], `at ${at}`)
  }
})

test('a pace without a gap is refused', () => {
  const order = announcing([paced(1, { gapUs: us(0) })])
  assert.throws(() => new Bench().order(order, 0), { name: 'RangeError', message: /no gap/ })
})
