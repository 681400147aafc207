/** Long silence, with rare faults or none: ten thousand hours together. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Profile } from './scenario.ts'
import { seedsOf } from './seeds.ts'
import { type RunResult, run } from './simulation.ts'

function whole(profile: Profile, count: number): readonly RunResult[] {
  return seedsOf(profile, count).map((seed) => {
    const result = run(seed)
    const { broken } = result
    assert.equal(broken, null, `SEED=${seed}: ${broken?.what}\n${broken?.trace.join('\n')}`)
    return result
  })
}

const hours = (results: readonly RunResult[]): number =>
  results.reduce((sum, r) => sum + r.hours, 0)

test('calm: no fault, so nothing changes hands once a master is there; 6,300 hours', () => {
  const results = whole('calm', 9)
  assert.ok(hours(results) > 6_000, `${hours(results)} h`)
  for (const { faults, transitions, seed } of results) {
    assert.equal(faults, 0)
    assert.ok(transitions > 0, `SEED=${seed}: no host led`)
  }
})

test('quiet: faults hours apart; 3,000 hours', () => {
  const results = whole('quiet', 15)
  assert.ok(hours(results) > 2_800, `${hours(results)} h`)
  assert.ok(results.every(({ faults }) => faults > 0))
})
