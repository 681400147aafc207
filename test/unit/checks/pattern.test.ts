/** What bounds a pattern: the processor time that it takes, not what else runs on the host. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matches } from '../../../src/checks/verdict/pattern.ts'

/** Backtracks for longer than any bound. */
const endless = ['^(a+)+$', `${'a'.repeat(40)}!`] as const

test('a pattern that takes for ever is a wrong answer, and the thread goes on', () => {
  assert.throws(() => matches(...endless), /takes longer than 50 ms/)
  assert.equal(matches('^ok$', 'ok'), true)
  assert.equal(matches('^ok$', 'no'), false)
})

test('what had no processor is tried again, and not for ever', () => {
  let readings = 0
  const idle = () => {
    readings += 1
    return 0
  }
  assert.throws(() => matches(...endless, idle), /takes longer than 50 ms/)
  assert.equal(readings, 16, 'eight further attempts')
  readings = 0
  const busy = () => {
    readings += 1
    return readings * 50
  }
  assert.throws(() => matches(...endless, busy))
  assert.equal(readings, 2, 'one that had the processor is the last')
  assert.throws(() => matches(...endless, () => null))
})
