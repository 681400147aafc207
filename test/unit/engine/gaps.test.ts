/** The engine counts pauses by buckets whose bounds TypeScript prints: two languages, one table. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../../src/base/time.ts'
import { makeCore } from '../../../src/engine/core-harness.ts'
import { gapBucketFromUs } from '../../../src/engine/gaps.ts'
import { expected, followUntil, link, peer, vrid } from '../../native/core-bench.ts'

/** The bucket in which the core counts a pause of that length. */
function bucketOf(gapUs: number): number {
  const core = makeCore(us(0), us(0))
  core.addLink(link)
  core.addSlot(1, link, vrid)
  core.order([{ slot: 1, generation: 1, order: followUntil(2 ** 40) }], us(0))
  for (const at of [1, 1 + gapUs])
    core.packet({ link, from: peer, ttl: 255, payload: expected }, us(at))
  return core.gaps(1).histogram.indexOf(1)
}

test('every bucket begins where the core begins it', () => {
  const { length } = emptyHistogram()
  assert.ok(length >= 64)
  for (let i = 1; i < length; i++) {
    const from = Math.ceil(gapBucketFromUs(i))
    assert.deepEqual([bucketOf(from - 1), bucketOf(from)], [i - 1, i], `bucket ${i} at ${from} µs`)
  }
  assert.deepEqual([bucketOf(1), bucketOf(2 ** 30)], [0, length - 1], 'shorter and longer ones')
})

function emptyHistogram(): readonly number[] {
  const core = makeCore(us(0), us(0))
  core.addLink(link)
  core.addSlot(1, link, vrid)
  return core.gaps(1).histogram
}
