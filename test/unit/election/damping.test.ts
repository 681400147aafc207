/** A better master that comes and goes: yielded to each time, and taken over from ever later. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../../src/base/time.ts'
import { dampingOf, withNow } from '../../../src/election/damping.ts'
import { nextDeadline, refreshed } from '../../../src/election/step.ts'
import { advert, Host, params } from './host.ts'

const second = 1_000_000

/** Loses the lead `times` times, once in 100 ms from `at` seconds on. */
function flap(host: Host, times: number, at: number): Host {
  for (let i = 0; i < times; i++)
    host.feed({ kind: 'expired' }, at + i / 10).feed(advert(200), at + i / 10 + 0.05)
  return host
}

test('five times in ten seconds cost nothing, from then on each costs more', () => {
  const extra = (times: number) => flap(new Host().start(), times, 1).as('backup').damping?.extraUs
  assert.deepEqual(
    [1, 5, 6, 7, 8, 9, 10, 30].map(extra),
    [undefined, 0, 1, 2, 4, 8, 8, 8].map((s) => s && s * second),
  )
})

test('seldom is not often', () => {
  const host = new Host().start()
  for (let i = 1; i <= 20; i++) flap(host, 1, 3 * i)
  assert.equal(host.as('backup').damping?.extraUs, 0)
  for (let i = 1; i <= 20; i++) flap(host, 1, 100 + 11 * i)
  assert.equal(host.as('backup').damping, null)
})

test('the wait is longer after silence and after a resignation, and yielding stays immediate', () => {
  const skew = Math.floor((156 / 256) * second)
  const host = flap(new Host().start(), 6, 1)
  const since = host.now
  assert.equal(host.as('backup').masterDownAt, since + 3 * second + skew + second)
  host.feed(advert(200), 2)
  assert.equal(host.as('backup').masterDownAt, 2 * second + 3 * second + skew + second)
  const heard = refreshed(params(), host.last.machine, us(3 * second))
  assert.ok(heard.state.kind === 'backup')
  assert.equal(heard.state.masterDownAt, 3 * second + 3 * second + skew + second)
  host.feed(advert(0), 4)
  assert.equal(host.as('backup').masterDownAt, 4 * second + skew + second)
  host.feed({ kind: 'expired' }, 6).feed(advert(200), 6.1)
  assert.equal(host.state.kind, 'backup')
})

test('of resignations the first five in ten seconds are believed', () => {
  const host = new Host().start().feed(advert(200), 1)
  const skew = Math.floor((156 / 256) * second)
  for (let i = 1; i <= 5; i++) {
    host.feed(advert(200), 1 + i / 10).feed(advert(0), 1.05 + i / 10)
    assert.equal(host.remaining, skew)
  }
  host.feed(advert(200), 1.6).feed(advert(0), 1.65)
  assert.equal(host.as('backup').masterDownAt, 1.6 * second + 3 * second + skew)
  assert.equal(host.as('backup').countdown.kind, 'restarts')
  host.feed(advert(200), 20).feed(advert(0), 20.1)
  assert.equal(host.remaining, skew)
})

test('faster pairs are measured by their own pace', () => {
  const fast = { ...params(), advertIntervalUs: us(10_000) }
  const yields = [0, 1, 2, 3, 4, 5].map((n) => us(n * 10_000))
  assert.deepEqual(dampingOf(fast, yields, us(50_000)), {
    extraUs: 10_000,
    until: 150_000,
    yields: 6,
    windowUs: 100_000,
  })
  assert.deepEqual(withNow(fast, yields, us(140_000)), [50_000, 140_000])
})

test('ten seconds later it is forgotten', () => {
  const host = flap(new Host().start(), 6, 1)
  const { damping } = host.as('backup')
  assert.ok(damping !== null)
  assert.equal(nextDeadline(host.state), damping.until)
  const until = damping.until / second
  host.feed(advert(200), until - 0.5).feed({ kind: 'tick' }, until - 0.1)
  assert.notEqual(host.as('backup').damping, null)
  const before = host.as('backup').masterDownAt
  host.feed({ kind: 'tick' }, until)
  assert.equal(host.as('backup').damping, null)
  assert.equal(host.as('backup').masterDownAt, before - second)
  assert.ok(host.last.effects.some((e) => e.kind === 'reorder'))
  flap(host, 1, until + 1)
  assert.equal(host.as('backup').damping, null)
})
