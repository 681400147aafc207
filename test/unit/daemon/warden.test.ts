/** When a warden is replaced, and what `status` says meanwhile. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Log } from '../../../src/base/log.ts'
import { Warden } from '../../../src/daemon/warden.ts'

/** A guard whose warden lives, stands still, or cannot be got rid of, as the test says. */
class FakeGuard {
  started = 0
  ended = 0
  /** How often `endWarden` still finds the killed process there. */
  lingers = 0
  beating = true
  #beats = 0

  startWarden(): void {
    this.started += 1
    this.beating = true
  }

  endWarden(): boolean {
    this.ended += 1
    this.lingers -= 1
    return this.lingers < 0
  }

  beats(): number {
    if (this.beating) this.#beats += 1
    return this.#beats
  }
}

function start(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  const lines: string[] = []
  const note = (text: string) => void lines.push(text)
  const log: Log = { debug: note, info: note, warn: note, error: note, flush: async () => {} }
  const guard = new FakeGuard()
  const warden = new Warden(guard, { runDir: '/run/x', logForm: 'json' }, log)
  warden.start()
  const pass = (ms: number) => {
    for (let at = 0; at < ms; at += 1_000) t.mock.timers.tick(1_000)
  }
  return { guard, warden, lines, pass }
}

test('one that gives signs of life is left alone', (t) => {
  const { guard, warden, lines, pass } = start(t)
  pass(3_600_000)
  assert.deepEqual([guard.started, guard.ended, lines, warden.warnings], [1, 1, [], []])
})

test('one that stands still is said, killed and replaced; status is well again when the new one has lived', (t) => {
  const { guard, warden, lines, pass } = start(t)
  pass(5_000)
  guard.beating = false
  pass(3_000)
  assert.equal(guard.ended, 1, 'three silent looks are no proof')
  pass(2_000)
  assert.ok(guard.ended > 1)
  assert.match(lines.join('\n'), /The warden has not answered for 4 s: ending it/)
  assert.deepEqual(warden.warnings, ['the warden does not answer and is being replaced'])
  // What its end makes the engine say.
  warden.lost()
  assert.match(warden.warnings.join('\n'), /^no warden/)
  pass(1_000)
  assert.equal(guard.started, 2)
  assert.deepEqual(warden.warnings, ['the warden was lost once'])
  pass(61_000)
  assert.deepEqual(warden.warnings, [])
})

test('no other is started while the killed one may still act', (t) => {
  const { guard, warden } = start(t)
  guard.lingers = 5
  warden.lost()
  t.mock.timers.tick(0)
  assert.equal(guard.started, 1)
  for (let looks = 0; looks < 3; looks++) t.mock.timers.tick(20)
  assert.equal(guard.started, 1)
  for (let looks = 0; looks < 3; looks++) t.mock.timers.tick(20)
  assert.equal(guard.started, 2)
})

test('one that dies again and again is replaced ever later', (t) => {
  const { guard, warden, pass } = start(t)
  for (const startedBy of [2, 3]) {
    warden.lost()
    pass(1_000)
    assert.equal(guard.started, startedBy)
  }
  warden.lost()
  pass(1_000)
  assert.equal(guard.started, 3)
  pass(1_000)
  assert.equal(guard.started, 4)
  assert.deepEqual(warden.warnings, ['the warden was lost 3 times'])
})

test('stopped, it starts nothing more', (t) => {
  const { guard, warden, pass } = start(t)
  guard.beating = false
  warden.lost()
  warden.stop()
  pass(100_000)
  assert.equal(guard.started, 1)
})
