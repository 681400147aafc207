/** Faults upon faults: every seed must end with all invariants whole. A failing one is said with its trace. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seedsOf } from './seeds.ts'
import { run } from './simulation.ts'

test('storms: thirty runs in which faults overlap', () => {
  let faults = 0
  for (const seed of seedsOf('storm', 30)) {
    const result = run(seed)
    faults += result.faults
    const { broken } = result
    assert.equal(broken, null, `SEED=${seed}: ${broken?.what}\n${broken?.trace.join('\n')}`)
  }
  assert.ok(faults > 2_600, `only ${faults} faults`)
})
