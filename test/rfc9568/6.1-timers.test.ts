/** RFC 9568 section 6.1, RFC 3768 section 6.1: skew and down interval, to the microsecond. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secondsToUs, us } from '../../src/base/time.ts'
import { downIntervalUs, skewUs } from '../../src/base/vrrp-timing.ts'
import * as print from '../../src/config/explain/print-arithmetic.ts'
import { skew } from '../../src/tune/formulas.ts'
import { advert, Host } from '../unit/election/host.ts'
import { instance } from '../unit/router/facts.ts'

const s = secondsToUs

test('6.1: version 3 skew is ((256 - priority) * Active_Adver_Interval) / 256, cut to whole microseconds', () => {
  const cases: readonly (readonly [number, number, number])[] = [
    [100, 1_000_000, 609_375],
    [254, 1_000_000, 7_812],
    [255, 1_000_000, 3_906],
    [1, 1_000_000, 996_093],
    [100, 10_000, 6_093],
    [255, 10_000, 39],
    [100, 40_950_000, 24_953_906],
  ]
  for (const [priority, interval, expected] of cases)
    assert.equal(skewUs(3, priority, us(interval)), expected, `${priority} at ${interval} us`)
})

test('RFC 3768 6.1: version 2 skew is (256 - priority) / 256 seconds, whatever the interval', () => {
  for (const interval of [1, 10, 255]) {
    assert.equal(skewUs(2, 100, s(interval)), 609_375)
    assert.equal(skewUs(2, 255, s(interval)), 3_906)
  }
})

test('6.1: a higher priority never waits longer', () => {
  for (let priority = 2; priority <= 255; priority++)
    assert.ok(skewUs(3, priority, s(1)) < skewUs(3, priority - 1, s(1)))
})

test('6.1: down interval is three adverts and the skew; the number of adverts is configurable', () => {
  const p = { version: 3 as const, downTimerAdverts: 3, effectivePriority: 100, intervalUs: s(1) }
  assert.equal(downIntervalUs(p), 3_609_375)
  assert.equal(downIntervalUs({ ...p, downTimerAdverts: 1 }), 1_609_375)
  assert.equal(downIntervalUs({ ...p, intervalUs: us(10_000) }), 36_093)
  assert.equal(downIntervalUs({ ...p, version: 2, intervalUs: s(10) }), 30_609_375)
})

test('6.1: an owner that has fallen back waits with 255', () => {
  const owner = new Host({ basePriority: 255 }).start()
  owner.feed({ kind: 'resigned', why: 'late', lateUs: us(1) }, 1)
  assert.equal(owner.remaining, 3_003_906)
})

test('6.1: the skew of a backup is that of the interval it has learned, in version 3 only', () => {
  for (const [version, down] of [
    [3, 3 * 200_000 + 121_875],
    [2, 3_609_375],
  ] as const) {
    const host = new Host({ version }).start().feed(advert(200, '10.0.0.2', us(200_000)), 1)
    assert.equal(host.remaining, down)
  }
})

test('6.1: `check`, `tune` and the election count the same, to the microsecond', () => {
  for (const version of [2, 3] as const)
    for (const intervalUs of [10_000, 30_000, 100_000, 1_000_000, 40_950_000].map(us))
      for (let priority = 1; priority <= 255; priority += 1) {
        const one = instance({ version, advertIntervalUs: intervalUs })
        const adverts = { version, advertMs: intervalUs / 1_000, downTimerAdverts: 3 }
        const counted = skewUs(version, priority, intervalUs)
        assert.equal(print.skewUs(one, priority), counted)
        assert.equal(skew({ ...adverts, heirPriority: priority }), counted / 1_000)
        const down = downIntervalUs({
          version,
          downTimerAdverts: 3,
          effectivePriority: priority,
          intervalUs,
        })
        assert.equal(print.downIntervalUs(one, priority), down)
      }
})
