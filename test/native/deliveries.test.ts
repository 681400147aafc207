/** The TypeScript side of the engine that needs no thread: cutting deliveries, and what crosses the edge. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errnoName } from '../../src/addon/errno.ts'
import { OpError } from '../../src/base/errors.ts'
import type { Ip } from '../../src/base/ip.ts'
import { us } from '../../src/base/time.ts'
import type { EngineEvent } from '../../src/engine/contract.ts'
import { batches } from '../../src/engine/deliveries.ts'
import { native } from '../../src/engine/edge.ts'
import { Routes } from '../../src/engine/routes.ts'

const about = (slot: number) => ({ slot, generation: 1, at: us(0) })
const lapsed = (slot: number): EngineEvent => ({ kind: 'lapsed', ...about(slot) })
const late = (slot: number): EngineEvent => ({ kind: 'late', ...about(slot), lateUs: us(1) })
const failed = (slot: number): EngineEvent => ({
  kind: 'failed',
  request: null,
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

test('a VRID of a link belongs to one slot, or to several that share no peer', () => {
  const routes = new Routes()
  const [one, two] = ['10.0.0.1' as Ip, '10.0.0.2' as Ip]
  routes.add(1, 1, 51, [])
  assert.throws(() => routes.add(2, 1, 51, []), /taken/)
  assert.throws(() => routes.add(2, 1, 51, [one]), /taken/)
  assert.throws(() => routes.add(1, 2, 51, []), /exists/)
  assert.throws(() => routes.add(3, 1, 0, []), RangeError)
  routes.add(2, 2, 51, [one])
  routes.add(3, 2, 51, [two])
  assert.throws(() => routes.add(4, 2, 51, [two]), /taken/)
  assert.throws(() => routes.setPeers(3, [one]), /taken/)
  routes.setPeers(3, ['10.0.0.3' as Ip])
  routes.remove(3)
  routes.forgetLink(1)
  assert.ok(!routes.has(1) && routes.has(2) && !routes.has(3))
  routes.add(1, 1, 51, [])
})
