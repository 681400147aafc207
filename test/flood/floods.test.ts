/**
 * A pair under floods: it keeps its master through everything that is not a valid advert of higher priority, and what
 * it does in return is bounded. The bounds are those of docs/faults.md, a second or so of each flood.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type Flood, type FloodKind, startFlood } from '../../src/lab/floods.ts'
import { type Figures, Trial, type TrialOptions, trialVrid } from '../../src/lab/trial.ts'
import type { Vipd } from '../../src/lab/vipd.ts'

const floodMs = 1_200
const advertInt = 0.2
/** Take-overs are counted beside it. The client starves with the rest of a busy machine: what a flood costs it is bench:faults' to say. */
const bounds = { announcements: 20, logLines: 20, clientGapMs: 2_000, residentMb: 150 }

async function withTrial(
  options: Omit<TrialOptions, 'kind'>,
  body: (trial: Trial, flood: (kind: FloodKind, rate: number) => Flood) => Promise<void>,
): Promise<void> {
  const { family = 4, version = 3 } = options
  const trial = await Trial.open({ kind: 'vipd', advertInt, ...options })
  const { sources: pair, vip } = trial
  const advertIntervalMs = (options.advertInt ?? advertInt) * 1_000
  const fixed = { family, version, vrid: trialVrid, pair, vip, advertIntervalMs, link: 'eth0' }
  try {
    await body(trial, (kind, rate) => ({ ...fixed, kind, rate }))
  } finally {
    await trial.close()
  }
}

async function under(trial: Trial, flood: Flood): Promise<Figures> {
  return trial.during(async () => {
    const flooding = await startFlood(trial.attacker, flood)
    await delay(floodMs)
    await flooding.stop(5_000)
    assert.match(flooding.text, /[1-9]\d+ packets\/s/)
  })
}

function assertBounded(kind: FloodKind, seen: Figures): void {
  const { announcements, logLines, clientGapMs, seconds } = seen
  const text = `${kind}: ${JSON.stringify(seen)}`
  assert.ok(announcements <= bounds.announcements, `announcements under ${text}`)
  assert.ok(logLines <= bounds.logLines, `log lines under ${text}`)
  assert.ok(clientGapMs <= bounds.clientGapMs, `client gap under ${text}`)
  assert.ok(Math.max(...seen.residentMb) <= bounds.residentMb, `memory under ${text}`)
  // Beside the regular ones, an answer now and then.
  assert.ok(seen.adverts <= seconds / advertInt + 2 + 5 + 2 * seconds, `adverts under ${text}`)
}

async function keepsItsMaster(trial: Trial, flood: Flood): Promise<void> {
  const seen = await under(trial, flood)
  assertBounded(flood.kind, seen)
  const { twoHoldersMs, noHolderMs, takeOvers } = seen
  assert.deepEqual(
    { twoHoldersMs, noHolderMs, takeOvers },
    { twoHoldersMs: 0, noHolderMs: 0, takeOvers: 0 },
    flood.kind,
  )
  assert.deepEqual(await trial.holders(), ['one'], flood.kind)
}

const kinds: readonly FloodKind[] = [
  'invalid',
  'lower',
  'garbage',
  'forged',
  'replayed',
  'misshapen',
  'vrids',
]

describe('floods', { concurrency: 1 }, () => {
  for (const family of [4, 6] as const) {
    test(`IPv${family}: the master stays, and little is said`, () =>
      withTrial({ family }, async (trial, flood) => {
        for (const kind of kinds) await keepsItsMaster(trial, flood(kind, 20_000))
        const counted = Object.keys(await trial.daemons[1].errors())
        const first = family === 6 ? ['first-address'] : []
        const expected = [
          'too-short',
          'bad-length',
          'bad-ttl',
          'bad-checksum',
          ...first,
          'excess-octets',
        ]
        assert.deepEqual(
          counted,
          expected.map((reason) => `VI_1/${reason}`),
        )
      }))
  }

  test('a better master that comes and goes: yielded to, reported, damped, and got over', () =>
    withTrial({ advertInt: 0.1 }, async (trial, flood) => {
      const [one] = trial.daemons
      const seen = await under(trial, flood('flapping', 2_000))
      assert.ok(seen.announcements <= 20 && seen.logLines <= 60, JSON.stringify(seen))
      assert.equal(seen.twoHoldersMs, 0)
      await one.reaches('VI_1', 'MASTER', 20_000)
      const { announcements, takeOvers, logLines } = await under(trial, flood('intermittent', 20))
      const text = JSON.stringify({ announcements, takeOvers, logLines })
      assert.ok(takeOvers <= 3 && announcements <= 30 && logLines <= 60, text)
      for (const daemon of trial.daemons) {
        const { warnings } = await (daemon as Vipd).status()
        assert.match(
          warnings.join(),
          /VI_1: 172\.16\.80\.20 \(priority 254\) came \d+ times .* and left again/,
        )
      }
      await one.reaches('VI_1', 'MASTER', 20_000)
      await trial.daemons[1].reaches('VI_1', 'BACKUP', 20_000)
      await trial.daemons[1].host.awaitAddress(trial.vip, false, 5_000)
      assert.deepEqual(await trial.holders(), ['one'])
    }))

  test('wrong passwords are counted and never act', () =>
    withTrial(
      { version: 2, advertInt: 1, more: 'authentication {\n auth_type PASS\n auth_pass 1111\n }' },
      async (trial, flood) => {
        await keepsItsMaster(trial, flood('passwords', 20_000))
        for (const daemon of trial.daemons) {
          const { 'VI_1/auth-failed': refused = 0, ...others } = await daemon.errors()
          assert.ok(refused >= 50, `${refused} wrong passwords counted`)
          assert.deepEqual(others, {})
        }
      },
    ))
})
