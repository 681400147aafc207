/** Contributions, clamping and faults of trackers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assess, standingBy, type Tracker } from '../../../src/election/priority.ts'

type Verdict = 'good' | 'bad' | 'unknown'
type Over = { readonly name?: string; readonly detail?: string } & Partial<
  Pick<Tracker, 'weight' | 'reverse' | 'holds'>
>

const check = ({
  name = 'chk',
  verdict = 'good',
  detail = '',
  ...over
}: Over & { readonly verdict?: Verdict }): Tracker => ({
  key: { kind: 'script', name },
  reading:
    verdict === 'unknown'
      ? { kind: 'unknown' }
      : { kind: 'verdict', good: verdict === 'good', detail },
  weight: 0,
  reverse: false,
  holds: true,
  ...over,
})
const link = ({
  verdict = 'up',
  ...over
}: Over & { readonly verdict?: 'up' | 'down' | 'missing' }): Tracker => ({
  key: { kind: 'interface', name: 'eth2' },
  reading: { kind: 'verdict', good: verdict === 'up', detail: verdict },
  weight: 0,
  reverse: false,
  holds: false,
  ...over,
})

test('a positive weight rewards good, a negative one punishes bad, reverse turns the sign', () => {
  const table: readonly (readonly [number, boolean, Verdict, number])[] = [
    [20, false, 'good', 120],
    [20, false, 'bad', 100],
    [20, false, 'unknown', 100],
    [-20, false, 'good', 100],
    [-20, false, 'bad', 80],
    [-20, false, 'unknown', 100],
    [20, true, 'good', 80],
    [20, true, 'bad', 100],
    [-20, true, 'good', 100],
    [-20, true, 'bad', 120],
    [-20, true, 'unknown', 100],
  ]
  for (const [weight, reverse, verdict, effective] of table) {
    const got = assess(100, [check({ weight, reverse, verdict })])
    assert.equal(got.effective, effective, `${weight} ${reverse} ${verdict}`)
    assert.deepEqual(got.faults, [], 'a weighted tracker is never a fault')
  }
})

test('interfaces count as scripts do; a missing one is down', () => {
  const weight = -30
  assert.equal(assess(100, [link({ weight })]).effective, 100)
  assert.equal(assess(100, [link({ weight, verdict: 'down' })]).effective, 70)
  assert.equal(assess(100, [link({ weight, verdict: 'missing' })]).effective, 70)
  assert.equal(assess(100, [link({ weight: 30 })]).effective, 130)
})

test('the sum is limited to 1..254, and the arithmetic says so', () => {
  const high = assess(250, [check({ weight: 100 })])
  assert.equal(high.effective, 254)
  assert.equal(high.arithmetic, '250 + 100 (chk) = 350, limited to 254')
  const low = assess(10, [check({ weight: -253, verdict: 'bad' })])
  assert.equal(low.effective, 1)
})

test('the limit applies to the sum, not on the way to it', () => {
  const trackers = [
    check({ weight: 253 }),
    check({ weight: -253, verdict: 'bad', name: 'b', detail: 'exit 1' }),
    link({ weight: -10, verdict: 'down' }),
  ]
  const got = assess(100, trackers)
  assert.equal(got.effective, 90)
  assert.equal(got.arithmetic, '100 + 253 (chk) - 253 (b) - 10 (link eth2) = 90')
})

test('an owner keeps 255 whatever its weights say; its faults count', () => {
  const got = assess(255, [check({ weight: -50, verdict: 'bad' }), link({ verdict: 'down' })])
  assert.equal(got.effective, 255)
  assert.equal(got.arithmetic, '255 (address owner: weights do not count)')
  assert.deepEqual(got.faults, [{ kind: 'link', interface: 'eth2', why: 'down' }])
})

test('weight 0: bad is a fault, reverse: good is one', () => {
  const faults = (t: Tracker) => assess(100, [t]).faults
  assert.deepEqual(faults(check({})), [])
  assert.deepEqual(faults(check({ verdict: 'bad', detail: 'exit 2' })), [
    { kind: 'check', name: 'chk', detail: 'exit 2' },
  ])
  assert.deepEqual(faults(check({ reverse: true, verdict: 'bad' })), [])
  assert.deepEqual(faults(check({ reverse: true })), [
    { kind: 'check', name: 'chk', detail: 'reverse: it succeeds' },
  ])
  assert.deepEqual(faults(link({ verdict: 'missing' })), [
    { kind: 'link', interface: 'eth2', why: 'missing' },
  ])
  assert.deepEqual(faults(link({ reverse: true })), [
    { kind: 'link', interface: 'eth2', why: 'up' },
  ])
  assert.deepEqual(faults(link({ reverse: true, verdict: 'down' })), [])
})

test('weight 0 without a result holds the instance at start, and not when a reload added it', () => {
  assert.deepEqual(assess(100, [check({ verdict: 'unknown' })]).faults, [
    { kind: 'check-pending', name: 'chk' },
  ])
  assert.deepEqual(assess(100, [check({ verdict: 'unknown', holds: false })]).faults, [])
})

test('without trackers the priority is the base', () => {
  assert.deepEqual(assess(100, []), {
    effective: 100,
    faults: [],
    arithmetic: '100',
    standsBy: null,
  })
})

test('who stands by says the least priority, keeps its faults, and tells what it would be; an owner is an owner', () => {
  const assessed = assess(100, [check({ verdict: 'bad' }), link({ weight: 20 })])
  const waiting = standingBy(assessed, 'drain')
  assert.equal(waiting.effective, 1)
  assert.deepEqual(waiting.faults, assessed.faults)
  assert.equal(waiting.arithmetic, '1 (stands by; else 100 + 20 (link eth2) = 120)')
  assert.equal(standingBy(assess(255, []), 'drain').effective, 255)
})

test('a file adds its number times the weight; too low is a fault, and without a weight any number but 0', () => {
  const file = (value: number | null, weight: number, reverse = false): Tracker => ({
    key: { kind: 'file', name: 'file/f' },
    reading: value === null ? { kind: 'unknown' } : { kind: 'value', value },
    weight,
    reverse,
    holds: true,
  })
  const table: readonly (readonly [number | null, number, boolean, number, number])[] = [
    [0, 1, false, 100, 0],
    [30, 1, false, 130, 0],
    [-30, 2, false, 40, 0],
    [30, 1, true, 70, 0],
    [1_000, 1, false, 254, 0],
    [-253, 1, false, 1, 0],
    [-254, 1, false, 1, 1],
    [null, 5, false, 100, 0],
    [0, 0, false, 100, 0],
    [3, 0, false, 100, 1],
    [3, 0, true, 100, 0],
    [0, 0, true, 100, 1],
  ]
  for (const [value, weight, reverse, effective, faults] of table) {
    const got = assess(100, [file(value, weight, reverse)])
    const what = `${value} × ${weight} ${reverse}`
    assert.deepEqual([got.effective, got.faults.length], [effective, faults], what)
  }
  assert.deepEqual(assess(100, [file(null, 0)]).faults, [{ kind: 'check-pending', name: 'file/f' }])
  assert.deepEqual(assess(100, [file(-300, 1)]).faults, [
    { kind: 'check', name: 'file/f', detail: 'it holds -300, times 1' },
  ])
})
