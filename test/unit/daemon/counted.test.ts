/** What is counted of the daemon as a whole, over an upgrade in place. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Counts } from '../../../src/daemon/counted.ts'
import { RunCounts } from '../../../src/notify/run-counts.ts'

const links = (...throttled: number[]) => ({
  engine: {
    linkCounters: (id: number) => ({
      ...{ received: 0, throttled: throttled[id] ?? 0, coalesced: 1, unclaimed: 2 },
    }),
  },
  dispatcher: () => ({ links: { ids: throttled.map((_, id) => id) } }),
  wardenLost: () => 1,
})
const counts = (...throttled: number[]) =>
  new Counts(links(...throttled) as unknown as ConstructorParameters<typeof Counts>[0])

test('packets of all links and losses of the warden', () => {
  const first = counts(3, 4)
  assert.deepEqual(first.total, { throttled: 7, coalesced: 2, unclaimed: 4, wardenLost: 1 })
  const second = counts(0)
  second.adopt(first.total)
  second.adopt(JSON.parse(JSON.stringify(first.total)))
  assert.deepEqual(second.total, { throttled: 7, coalesced: 3, unclaimed: 6, wardenLost: 2 })
})

test('programs and mails that were run', () => {
  const first = new RunCounts()
  first.begin()({ kind: 'mail', failure: null })
  first.begin()({ kind: 'mail', failure: 'refused' })
  first.drop(3)
  const second = new RunCounts()
  second.continueFrom(JSON.parse(JSON.stringify(first.figures)))
  assert.deepEqual(second.figures, first.figures)
  second.begin()({ kind: 'lost' })
  const { started, succeeded, failed, lost, dropped } = second.figures
  assert.deepEqual([started, succeeded, failed, lost, dropped], [3, 1, 1, 1, 3])
  assert.equal(second.figures.took.at(-1)?.count, 2)
})
