/** The TypeScript side of the engine that needs no thread: cutting deliveries, and what crosses the edge. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OpError } from '../../src/base/errors.ts'
import { us } from '../../src/base/time.ts'
import type { EngineEvent } from '../../src/engine/contract.ts'
import { batches } from '../../src/engine/deliveries.ts'
import { errnoName, native } from '../../src/engine/edge.ts'
import { Routes } from '../../src/engine/routes.ts'

const about = (slot: number) => ({ slot, generation: 1, at: us(0) })
const lapsed = (slot: number): EngineEvent => ({ kind: 'lapsed', ...about(slot) })
const late = (slot: number): EngineEvent => ({ kind: 'late', ...about(slot), lateUs: us(1) })
const failed = (slot: number): EngineEvent => ({
  kind: 'failed',
  ...about(slot),
  step: 0,
  stepKind: 'frame',
  call: 'sendmmsg',
  code: 'ENXIO',
  detail: '',
})
const overrun: EngineEvent = { kind: 'overrun' }

test('a delivery is cut before a change of a slot that was mentioned before', () => {
  const cases: readonly [readonly EngineEvent[], readonly number[]][] = [
    [[], []],
    [[overrun, overrun], [2]],
    [[lapsed(1), late(2), lapsed(3)], [3]],
    [[failed(1), failed(1)], [2]],
    [
      [failed(1), late(1)],
      [1, 1],
    ],
    [[late(1), failed(1)], [2]],
    [
      [failed(2), late(1), failed(1), lapsed(2), late(1), overrun],
      [3, 3],
    ],
  ]
  for (const [events, sizes] of cases) {
    const cut = [...batches(events)]
    assert.deepEqual(
      cut.map((batch) => batch.length),
      sizes,
    )
    assert.deepEqual(cut.flat(), events)
  }
})

test('errnos have names, and a native failure becomes an OpError', () => {
  assert.equal(errnoName(99), 'EADDRNOTAVAIL')
  assert.equal(errnoName(12345), 'errno 12345')
  const failing = () => {
    throw Object.assign(new Error(), { op: 'bind', errno: 19, detail: 'why' })
  }
  assert.throws(() => native(failing), new OpError('bind', 'ENODEV', 'why'))
  const bug = () => {
    throw new TypeError('bug')
  }
  assert.throws(() => native(bug), TypeError)
})

test('a pair belongs to one slot', () => {
  const routes = new Routes()
  routes.add(1, 1, 51)
  assert.throws(() => routes.add(2, 1, 51), /taken/)
  assert.throws(() => routes.add(1, 2, 51), /exists/)
  assert.throws(() => routes.add(3, 1, 0), RangeError)
  routes.add(2, 2, 51)
  routes.forgetLink(1)
  assert.ok(!routes.has(1) && routes.has(2))
  routes.add(1, 1, 51)
})
