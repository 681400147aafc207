/** What is remembered of other machines that claim an address, and when it is written. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Us, us } from '../../../src/base/time.ts'
import type { Claimant } from '../../../src/router/claims/claimant.ts'
import { PastClaims } from '../../../src/router/claims/past-claims.ts'
import { ip } from './facts.ts'

const second = 1_000_000
const bootMs = Date.parse('2026-11-28T03:00:00.000Z')
const at = (seconds: number): Us => us(Math.round(seconds * second))
const clock = (seconds: number, aheadMs = 0) => ({
  now: at(seconds),
  wallMs: bootMs + seconds * 1_000 + aheadMs,
})
const wall = (seconds: number) => new Date(bootMs + seconds * 1_000).toISOString()

const claimant = (last: number, seconds: number, more: Partial<Claimant> = {}): Claimant => ({
  ...{ address: ip('172.16.80.100'), mac: `02:00:00:00:00:${String(last).padStart(2, '0')}` },
  ...{ how: 'used', interface: 'eth0', sameMac: false, count: 1 },
  ...{ firstAt: at(seconds), lastAt: at(seconds) },
  ...more,
})

test('one entry for a machine that is silent for up to an hour, with its count, first and last frame', () => {
  const past = new PastClaims()
  past.claimed(claimant(1, 10), true, null, clock(11))
  past.more(claimant(1, 70), 4)
  // A minute of silence: told of again.
  past.claimed(claimant(1, 600, { how: 'announced' }), true, null, clock(601))
  past.announced('172.16.80.100', '02:00:00:00:00:01')
  const [entry, ...others] = past.at(clock(700))
  assert.deepEqual(others, [])
  assert.deepEqual(entry, {
    ...{ at: wall(11), firstAt: wall(10), lastAt: wall(600), address: '172.16.80.100' },
    ...{ interface: 'eth0', mac: '02:00:00:00:00:01', how: 'announced', sameMac: false },
    ...{ count: 6, announced: 1, takeOver: null },
  })
  past.claimed(claimant(1, 4_300), true, null, clock(4_301))
  assert.deepEqual(
    past.at(clock(4_400)).map(({ count }) => count),
    [6, 1],
    'after an hour it is another entry',
  )
  past.more(claimant(1, 4_310), 1)
  assert.deepEqual(
    past.at(clock(4_400)).map(({ count }) => count),
    [6, 2],
  )
})

test('what became of a take-over stays known, whatever the machine does to the lead after it', () => {
  const past = new PastClaims()
  past.claimed(claimant(1, 10), true, 'put-off', clock(11))
  past.more(claimant(1, 12), 1, 'went-on')
  past.claimed(claimant(1, 20), true, null, clock(21))
  assert.deepEqual(
    past.at(clock(30)).map(({ takeOver, count }) => [takeOver, count]),
    [['went-on', 3]],
  )
})

test('written at once, then ever more rarely, and as the lead ends; nothing where nothing is new', () => {
  const past = new PastClaims()
  const written: (readonly [number, number])[] = []
  const take = (seconds: number) => {
    for (const { count } of past.take(clock(seconds))) written.push([seconds, count])
  }
  assert.equal(past.due, null)
  past.claimed(claimant(1, 0), true, null, clock(0))
  assert.equal(past.due, at(0))
  for (let seconds = 0; seconds < 4 * 3_600; seconds += 1) {
    if (seconds > 0) past.more(claimant(1, seconds), 1)
    take(seconds)
  }
  assert.deepEqual(
    written.map(([seconds]) => seconds),
    [0, 60, 180, 420, 900, 1_860, 3_780, 7_380, 10_980],
  )
  past.newState(at(4 * 3_600))
  take(4 * 3_600)
  assert.deepEqual(written.at(-1), [4 * 3_600, 4 * 3_600])
  past.newState(at(4 * 3_600 + 1))
  assert.deepEqual([past.due, past.take(clock(5 * 3_600))], [null, []])
})

test('a storm: some are named, all others are one entry that is counted', () => {
  const past = new PastClaims()
  let writes = 0
  for (let i = 0; i < 30_000; i += 1) {
    const seconds = i / 10
    const one = claimant(0, seconds, { mac: `02:00:00:01:${i >> 8}:${i & 255}` })
    past.claimed(one, i % 100 === 0, null, clock(seconds))
    writes += past.take(clock(seconds)).length
  }
  const told = past.at(clock(3_000))
  assert.equal(told.length, 16)
  const many = told.filter(({ mac }) => mac === null)
  assert.equal(many.length, 1)
  assert.ok(writes < 60, `${writes} lines in 50 minutes`)
  assert.equal(
    told.reduce((sum, { count }) => sum + count, 0),
    30_000,
    'each frame is in one entry',
  )
})

test('it goes on in another process, and the clock of the wall may be set meanwhile', () => {
  const before = new PastClaims()
  before.claimed(claimant(1, 10), true, null, clock(11))
  before.take(clock(11))
  before.more(claimant(1, 20), 1)
  const after = new PastClaims()
  after.adopt(before.snapshot())
  after.more(claimant(1, 30), 1)
  after.newState(at(40))
  const [entry] = after.take(clock(40, 3_600_000))
  assert.deepEqual(
    [entry?.at, entry?.firstAt, entry?.lastAt, entry?.count],
    [wall(11), wall(10), wall(30 + 3_600), 3],
    'its name stays, so that it takes the place of what is written',
  )
})
