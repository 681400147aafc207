import assert from 'node:assert/strict'
import { test } from 'node:test'
import { summarise } from '../../../src/base/statistics.ts'
import type { Case } from '../../../src/bench/failover.ts'
import {
  failoverPage,
  failoverTable,
  outagePictures,
  tableText,
} from '../../../src/bench/report.ts'

const trial = { floorMs: 361, advertMs: 0.2, arpMs: 0.3, answerMs: 0.5, outageMs: 362 }
const one: Case = { daemon: 'vipd', cause: 'cut', advertInt: 0.1, trials: [trial, trial], early: 1 }

test('percentiles are values that were seen', () => {
  const values = Array.from({ length: 200 }, (_, i) => 200 - i)
  assert.deepEqual(summarise(values), { n: 200, min: 1, p50: 100, p99: 198, max: 200 })
  assert.deepEqual(summarise([7]), { n: 1, min: 7, p50: 7, p99: 7, max: 7 })
  assert.equal(summarise([]), null)
})

test('what never came counts as the patience, and is counted', () => {
  const lost = { ...trial, arpMs: null, answerMs: null, outageMs: null }
  const [row = []] = failoverTable([{ ...one, trials: [trial, lost, lost] }]).rows
  const { head } = failoverTable([])
  const cell = (name: string) => row[head.indexOf(name)]
  assert.deepEqual([cell('n'), cell('early'), cell('never')], ['3', '1', '2'])
  assert.equal(cell('answer p50'), '10000.00')
  assert.equal(cell('advert p50'), '0.20')
})

test('a case without a trial is a row of dashes, and the page is whole all the same', () => {
  const none: Case = { ...one, daemon: 'other', trials: [] }
  const text = tableText(failoverTable([one, none]))
  assert.match(text, /\| other {2}\| 0 |\| other/)
  assert.equal(new Set(text.split('\n').map((line) => line.length)).size, 1, 'columns are straight')
  assert.match(failoverPage([one, none], { words: 'two processors' }), /two processors/)
  assert.equal(outagePictures([one, none]).length, 1)
})
