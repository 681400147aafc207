/** What a status says of upgrades, over several processes of one daemon. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../../src/base/time.ts'
import { UpgradeRecord } from '../../../src/daemon/upgrade-record.ts'
import { eventText, type Happening } from '../../../src/report/event.ts'

function processes() {
  const told: Happening[] = []
  const clock = { us: 0 }
  const start = (version: string) =>
    new UpgradeRecord({
      version,
      now: () => us(clock.us),
      wallMs: () => clock.us / 1_000,
      happened: (what) => void told.push(what),
    })
  return { clock, start, told }
}

test('one that is under way, one that is refused, and two that are done', () => {
  const { clock, start, told } = processes()
  const first = start('1.0')
  assert.deepEqual(first.status, {
    ...{ done: 0, refused: 0, running: null, last: null, lastRefusal: null },
  })
  clock.us = 1_000_000
  first.begin()
  first.started(4711)
  first.pass(1)
  clock.us = 3_000_000
  assert.deepEqual(first.status.running, { sinceMs: 2_000, pid: 4711, attempts: 1 })
  first.refused('it has ended')
  assert.equal(first.status.running, null)
  assert.deepEqual(first.status.lastRefusal, {
    at: '1970-01-01T00:00:03.000Z',
    why: 'it has ended',
  })
  assert.deepEqual(told, [{ kind: 'upgrade', ok: false, text: 'it has ended' }])
  assert.equal(told[0] && eventText(told[0] as never), 'upgrade REFUSED  it has ended')

  let before = first
  for (const [version, done] of [
    ['1.1', 1],
    ['1.2', 2],
  ] as const) {
    const next = start(version)
    before.begin()
    // Something happened in between: the state is passed again.
    next.adopt(JSON.parse(JSON.stringify(before.pass(1))))
    next.adopt(JSON.parse(JSON.stringify(before.pass(2))))
    assert.equal(next.status.last, null, 'not before the slots are taken')
    clock.us += 500_000
    next.took()
    const { at: _, ...last } = next.status.last ?? { at: '' }
    assert.deepEqual(last, {
      from: { pid: process.pid, version: done === 1 ? '1.0' : '1.1' },
      ...{ tookMs: 500, attempts: 2 },
    })
    const { done: soFar, refused, lastRefusal } = next.status
    assert.deepEqual(
      { soFar, refused, lastRefusal },
      { ...{ soFar: done, refused: 1 }, lastRefusal: first.status.lastRefusal },
    )
    assert.equal(next.startedMs, 0, 'the daemon was started with the first process')
    before = next
  }
  assert.deepEqual(
    told.map((it) => it.kind === 'upgrade' && it.ok),
    [false, true, true],
  )
})
