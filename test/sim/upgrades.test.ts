/** Upgrades upon upgrades, with processes that are killed and stopped at each step: every seed must end whole. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeWorld } from './simulation.ts'
import { upgrades } from './upgrades.ts'

test('upgrades: six worlds in which nothing is missed, announced or left behind', () => {
  for (let seed = 1; seed <= 6; seed++) {
    const broken = upgrades(seed, makeWorld)
    assert.equal(broken, null, `SEED=${seed}: ${broken?.what}\n${broken?.trace.join('\n')}`)
  }
})
