/** What repeats of a lead that another process began. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../../src/base/time.ts'
import { resumeLead } from '../../../src/engine/resume-lead.ts'

const second = 1_000_000
const again = {
  key: 'garp-again-second 10.0.0.2 7',
  firstAfterUs: us(5 * second),
  everyUs: us(0),
  slackUs: us(0),
  times: 1,
  plan: [],
}
const lead = {
  kind: 'lead',
  now: [],
  repeats: [again],
  resign: [],
  lateUs: us(0),
  wardenLateUs: us(0),
} as const

/** When the second announcement is due; null: it is done. `contactS`: after the lead began; it was taken over after 100 s. */
function dueIn(contactS: number): number | null {
  const before = { now: us(100 * second), since: us(0), sentAt: null }
  const { repeats } = resumeLead(lead, { ...before, contact: { at: us(contactS * second) } })
  return repeats[0] === undefined ? null : repeats[0].firstAfterUs / second
}

test('a competitor of before the exchange is answered when it was to be, one of after it in its own time', () => {
  assert.equal(dueIn(97), 2)
  assert.equal(dueIn(90), null)
  assert.equal(dueIn(270), 5)
})
