/** A check that took its worker down: each of its turns fails, and it comes back when its time is over and that worker has gone. */
import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { holdBack } from '../../../src/checks/pool/hold-back.ts'

function hold(hangs: number) {
  let failures = 0
  let released = 0
  let go = () => undefined as unknown
  const gone = new Promise<void>((resolve) => {
    go = resolve
  })
  const forget = holdBack({
    intervalMs: 1_000,
    hangs,
    gone,
    failed: () => failures++,
    released: () => released++,
  })
  const seen = async () => {
    await Promise.resolve()
    return [failures, released]
  }
  return { seen, forget, go: () => go() }
}

test('time is over, and the worker has gone: in either order', async (t) => {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  t.after(() => mock.timers.reset())
  const early = hold(0)
  early.go()
  assert.deepEqual(await early.seen(), [1, 0], 'the loss itself is the first failure')
  mock.timers.tick(4_999)
  assert.deepEqual(await early.seen(), [5, 0])
  mock.timers.tick(1)
  assert.equal((await early.seen())[1], 1)

  const late = hold(1)
  mock.timers.tick(20_000)
  assert.deepEqual(await late.seen(), [21, 0], 'as long as it hangs, every turn is a failure')
  late.go()
  assert.deepEqual(await late.seen(), [21, 1])
  mock.timers.tick(10_000)
  assert.deepEqual(await late.seen(), [21, 1], 'its turns are the next worker’s')

  const removed = hold(0)
  removed.go()
  removed.forget()
  mock.timers.tick(60_000)
  assert.deepEqual(await removed.seen(), [1, 0])
})
