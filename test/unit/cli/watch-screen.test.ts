/** The rows of `vipd watch` for any screen, and its keys. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Keys } from '../../../src/cli/watch-keys.ts'
import { type WatchState, watchRows } from '../../../src/cli/watch-screen.ts'
import type { DaemonEvent } from '../../../src/report/event.ts'
import type { Status } from '../../../src/report/status.ts'
import { aStatus } from './a-status.ts'

const event: DaemonEvent = {
  ...{ kind: 'transition', at: new Date(0).toISOString(), number: 7, instance: 'VI_web' },
  ...{ from: 'MASTER', to: 'FAULT', why: 'link eth0 down', cause: 'faults' },
}

const state: WatchState = {
  ...{ status: aStatus, statusAt: 0, askedAt: null, away: null, events: [event] },
  ...{ order: 'configured', onlyUnwell: false, scrolled: 0 },
}

test('the rows fit every screen, and what is not well is left when only that is wanted', () => {
  for (let rows = 1; rows <= 40; rows += 3)
    for (const columns of [1, 20, 40, 80, 200]) {
      const shown = watchRows(state, { columns, rows }, 1_000, false)
      assert.ok(shown.length <= rows, `${shown.length} rows of ${rows}`)
      for (const row of shown) assert.ok(row.length <= columns, row)
    }
  const all = watchRows(state, { columns: 100, rows: 40 }, 1_000, false).join('\n')
  assert.ok(!all.includes('\u001b'))
  const well = { ...aStatus.instances[0], warnings: [], standsBy: null, name: 'VI_well' }
  const status = { ...aStatus, instances: [well as Status['instances'][number]] }
  const only = watchRows(
    { ...state, status, onlyUnwell: true },
    { columns: 100, rows: 40 },
    0,
    false,
  )
  assert.doesNotMatch(only.join('\n'), /^VI_well/m)
})

test('an answer that does not come is missed before the question is given up', () => {
  const top = (what: Partial<WatchState>, now: number) =>
    watchRows({ ...state, ...what }, { columns: 200, rows: 24 }, now, false)[0] ?? ''
  assert.match(top({ statusAt: 0, askedAt: 1_000 }, 2_900), /^vipd /)
  assert.match(top({ statusAt: 0, askedAt: 1_000 }, 3_100), /^NO ANSWER for 3\.1s; below is what/)
  assert.match(top({ away: 'no answer within 5 s' }, 6_000), /^NO ANSWER for 6\.0s; .*within 5 s$/)
  assert.match(top({ status: null, askedAt: 0 }, 9_000), /^NO ANSWER$/)
})

test('keys that a line has joined or torn; an Esc alone is one', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const pressed: string[] = []
  const keys = new Keys((key) => pressed.push(key))
  const after = (...chunks: string[]) => {
    pressed.length = 0
    for (const chunk of chunks) keys.take(chunk)
    return [...pressed]
  }
  assert.deepEqual(after('fsq'), ['f', 's', 'q'])
  assert.deepEqual(after('\u001b[A\u001bOBq'), ['\u001b[A', '\u001bOB', 'q'])
  assert.deepEqual(after('\u001b', '[', '5', '~f'), ['\u001b[5~', 'f'])
  assert.deepEqual(after('\u001bO', 'A'), ['\u001bOA'])
  // Another key behind it: no longer one begins so.
  assert.deepEqual(after('\u001bq'), ['\u001b', 'q'])
  assert.deepEqual(after('\u001b'), [])
  t.mock.timers.tick(99)
  assert.deepEqual(pressed, [])
  t.mock.timers.tick(1)
  assert.deepEqual(pressed, ['\u001b'])
  assert.deepEqual(after('\u001b\u001b'), ['\u001b'])
  t.mock.timers.tick(100)
  assert.deepEqual(pressed, ['\u001b', '\u001b'])
})
