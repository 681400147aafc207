/** The formulas, held against the scheduler, the verdict and the engine's core that they speak of. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { falseTakeOvers } from '../../../src/base/advert-chance.ts'
import { seeded } from '../../../src/base/seeded.ts'
import { us } from '../../../src/base/time.ts'
import type { Order } from '../../../src/engine/order.ts'
import type { Adverts, Timing } from '../../../src/report/observation.ts'
import {
  detection,
  falseAlarms,
  handOver,
  hostDetection,
  pauseBorne,
  recovery,
  type Span,
  skew,
} from '../../../src/tune/formulas.ts'
import { Bench, followUntil } from '../../native/core-bench.ts'
import { fc } from '../../property.ts'
import { verdicts } from './simulate.ts'

const quickMs = 0.2

const arbitraryTiming: fc.Arbitrary<Timing> = fc
  .record({
    intervalMs: fc.integer({ min: 20, max: 2_000 }),
    fast: fc.option(fc.double({ min: 0.05, max: 1, noNaN: true })),
    down: fc.option(fc.double({ min: 0.2, max: 4, noNaN: true })),
    timeout: fc.double({ min: 0.05, max: 1, noNaN: true }),
    rise: fc.integer({ min: 1, max: 4 }),
    fall: fc.integer({ min: 1, max: 5 }),
  })
  .map(({ intervalMs, fast, down, timeout, rise, fall }) => ({
    intervalMs,
    fastIntervalMs: fast === null ? null : Math.ceil(intervalMs * fast),
    downIntervalMs: down === null ? null : Math.ceil(intervalMs * down),
    // Never a whole number of turns: at such a tie rounding decides.
    timeoutMs: Math.floor(intervalMs * timeout) + 0.5,
    rise,
    fall,
  }))

/** Changes at so many instants spread evenly over an interval, and how long each took to be seen. */
function measure(timing: Timing, bad: boolean, tookMs: number): Span {
  const instants = 60
  const turnMs = bad ? timing.intervalMs : (timing.downIntervalMs ?? timing.intervalMs)
  const delays = Array.from({ length: instants }, (_, k) => {
    // Late enough for the verdict before the change to be settled, and the pace with it.
    const settledMs = 50 * Math.max(timing.intervalMs, turnMs)
    const changeMs = settledMs + ((k + 0.5) / instants) * turnMs
    const good = { ok: true, tookMs: quickMs }
    const failed = { ok: false, tookMs }
    const seen = verdicts(timing, (start) => (start < changeMs === bad ? good : failed))
    for (const { atMs, good: verdict } of seen)
      if (atMs > changeMs && verdict !== bad) return atMs - changeMs
    return Number.NaN
  })
  const mean = delays.reduce((sum, delay) => sum + delay, 0) / instants
  return { best: Math.min(...delays), mean, worst: Math.max(...delays) }
}

function agree(measured: Span, predicted: Span, turnMs: number, what: string): void {
  // An evenly spread sample comes this near to the ends, and the mean nearer.
  const slack = turnMs / 30 + 1e-6
  for (const key of ['best', 'mean', 'worst'] as const) {
    const differs = Math.abs(measured[key] - predicted[key])
    assert.ok(differs <= slack, `${what} ${key}: ${measured[key]}, predicted ${predicted[key]}`)
  }
}

test('detection: the wait, fall − 1 more runs, and the last result', () => {
  fc.assert(
    fc.property(arbitraryTiming, fc.boolean(), (timing, hangs) => {
      const tookMs = hangs ? timing.timeoutMs : quickMs
      agree(measure(timing, true, tookMs), detection(timing, tookMs), timing.intervalMs, 'bad')
    }),
    { numRuns: 150 },
  )
})

test('recovery: the wait at the pace of a service that is down, and rise results', () => {
  fc.assert(
    fc.property(arbitraryTiming, (timing) => {
      const turnMs = timing.downIntervalMs ?? timing.intervalMs
      agree(measure(timing, false, quickMs), recovery(timing, quickMs), turnMs, 'good')
    }),
    { numRuns: 60 },
  )
})

test('false alarms: as often as the formula says', () => {
  const table: readonly (readonly [p: number, fall: number])[] = [
    [0.02, 1],
    [0.1, 2],
    [0.3, 3],
    [0.4, 4],
  ]
  for (const [p, fall] of table) {
    const timing = {
      ...{ intervalMs: 100, fastIntervalMs: null, downIntervalMs: null, timeoutMs: 100 },
      ...{ rise: 1, fall },
    }
    const chance = seeded(fall)
    const untilMs = 100 * 400_000
    let alarms = 0
    for (const { atMs, good } of verdicts(timing, () => ({ ok: chance() >= p, tookMs: quickMs }))) {
      if (atMs > untilMs) break
      if (!good) alarms += 1
    }
    const expected = falseAlarms(timing, p, p) * (untilMs / 1_000)
    const deviations = Math.abs(alarms - expected) / Math.sqrt(expected)
    assert.ok(deviations < 4, `p ${p}, fall ${fall}: ${alarms} alarms, predicted ${expected}`)
  }
})

const adverts = (more: Partial<Adverts> = {}): Adverts => ({
  version: 3,
  advertMs: 100,
  downTimerAdverts: 3,
  heirPriority: 100,
  ...more,
})

/** The engine's core as a backup: adverts that come or not, and when its deadline fires. */
function expiries(setting: Adverts, comes: (i: number) => boolean, count: number): number[] {
  const b = new Bench()
  const downMs = setting.downTimerAdverts * setting.advertMs + skew(setting)
  const restart = Math.round(1_000 * downMs)
  const found: number[] = []
  const follow = (deadlineUs: number): Order => {
    const order = followUntil(deadlineUs)
    return order.kind === 'follow' ? { ...order, restartUs: us(restart) } : order
  }
  b.order(follow(restart), 0)
  for (let i = 1; i <= count; i++) {
    const at = Math.round(i * setting.advertMs * 1_000)
    for (const event of b.tick(at - 1).events) {
      if (event.kind !== 'expired') continue
      found.push(event.deadlineUs / 1_000)
      b.order(follow(at + restart), at - 1)
    }
    if (comes(i)) b.hear(at)
    b.tick(at)
  }
  return found
}

test('a host that dies: between N − 1 and N intervals and a skew after the cut', () => {
  for (const setting of [
    adverts(),
    adverts({ advertMs: 20, downTimerAdverts: 7 }),
    adverts({ heirPriority: 254 }),
  ]) {
    const { best, worst, mean } = hostDetection(setting)
    const lastAdvert = 10 * setting.advertMs
    const [at] = expiries(setting, (i) => i <= 10, 30 + setting.downTimerAdverts)
    assert.ok(at !== undefined)
    // The cut lies anywhere between the last advert and the next that would have come.
    assert.ok(Math.abs(at - lastAdvert - worst) < 0.01)
    assert.ok(Math.abs(at - (lastAdvert + setting.advertMs) - best) < 0.01)
    assert.equal(mean, (best + worst) / 2)
    assert.equal(pauseBorne(setting), best)
  }
  assert.equal(skew(adverts({ version: 2, advertMs: 2_000 })), 609.375)
  assert.equal(handOver(adverts(), true).worst, skew(adverts()))
  assert.deepEqual(handOver(adverts(), false), hostDetection(adverts()))
})

test('false take-overs: as often as the formula says', () => {
  const table: readonly (readonly [loss: number, downTimerAdverts: number])[] = [
    [0.1, 2],
    [0.3, 3],
    [0.5, 5],
  ]
  for (const [loss, downTimerAdverts] of table) {
    const setting = adverts({ downTimerAdverts })
    const chance = seeded(downTimerAdverts)
    const count = 60_000
    const found = expiries(setting, () => chance() >= loss, count).length
    const expected = falseTakeOvers(setting, loss) * ((count * setting.advertMs) / 1_000)
    const deviations = Math.abs(found - expected) / Math.sqrt(expected)
    assert.ok(
      deviations < 4,
      `loss ${loss}, N ${downTimerAdverts}: ${found}, predicted ${expected}`,
    )
  }
})
