/** Of the two processes' wardens one may act, by the word that both share, and then the slots change hands no more. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { us } from '../../src/base/time.ts'
import { exchangeState, makeExchange, mayAct } from '../../src/engine/core-harness.ts'
import { lead, second } from './core-bench.ts'
import { copiesOf, goingOn, Two } from './exchange-bench.ts'
import type { Wanted } from './exchange-word-thread.ts'

/** Brings an exchange to each of its steps. */
const steps: Readonly<Record<string, (two: Two) => void>> = {
  preparing: () => undefined,
  ready: (two) => two.offer(goingOn(), 0),
  given: (two) => {
    two.offer(goingOn(), 0)
    two.give(10)
  },
  'taken up': (two) => {
    two.offer(goingOn(), 0)
    two.give(10)
    assert.ok(two.second.exchange.takeUp())
  },
  'given again': (two) => {
    two.offer(goingOn(), 0)
    assert.equal(two.first.exchange.lookGiven(us(two.give(10))), 'back')
    two.give(second / 2)
  },
  taken: (two) => {
    two.offer(goingOn(), 0)
    two.give(10)
    two.take()
  },
  void: (two) => {
    two.offer(goingOn(), 0)
    two.first.exchange.withdraw(true)
  },
}

test('of two wardens that both have to act, exactly one may, whichever asks first and at whichever step', () => {
  for (const [step, bring] of Object.entries(steps)) {
    for (const order of [
      [false, true],
      [true, false],
    ]) {
      const two = new Two()
      two.order(lead(), 0)
      bring(two)
      const may = new Map(order.map((it) => [it, mayAct(two.exchange, it)]))
      assert.equal(may.get(true), step === 'taken', `${step}: the second one's`)
      assert.equal(may.get(false), step !== 'taken', `${step}: the first one's`)
      assert.equal(two.state, step === 'taken' ? 'taken' : 'void')
    }
  }
})

test('two threads that ask at the same moment: exactly one of them may act', async () => {
  const rounds = 200
  const exchanges = Array.from({ length: rounds }, () => makeExchange())
  const there = new Int32Array(new SharedArrayBuffer(4 * rounds))
  const ask = (second: boolean): Promise<readonly boolean[]> => {
    const descriptors = exchanges.map(copiesOf)
    const workerData: Wanted = { there, second, descriptors }
    const worker = new Worker(new URL('./exchange-word-thread.js', import.meta.url), { workerData })
    return new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject))
  }
  const [first, other] = await Promise.all([ask(false), ask(true)])
  assert.equal(first.length, rounds)
  // None has been taken: it is the first one's warden, whichever asks earlier.
  assert.deepEqual([...new Set(first)], [true])
  assert.deepEqual([...new Set(other)], [false])
  for (const exchange of exchanges) assert.equal(exchangeState(exchange), 'void')
})

test('once a warden has been allowed to act, the slots change hands no more', () => {
  for (const asks of [false, true]) {
    const two = new Two()
    two.order(lead(), 0)
    two.offer(goingOn(), 0)
    const until = two.give(10)
    assert.ok(two.second.exchange.takeUp())
    mayAct(two.exchange, asks)
    assert.equal(two.second.exchange.take(), false)
    assert.equal(two.first.exchange.lookGiven(us(11)), 'back')
    assert.equal(two.first.exchange.lookGiven(us(until)), 'back')
    assert.match(two.first.exchange.over() ?? '', /a warden has acted/)
    assert.equal(two.first.exchange.over(), null, 'it is told twice')
    assert.equal(two.first.exchange.give(us(20), us(20)), null)
  }
})
