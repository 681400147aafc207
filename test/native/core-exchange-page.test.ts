/** What becomes of a page that is not what was written, or is written for a process that stands otherwise. */
import assert from 'node:assert/strict'
import { openSync, readSync, writeSync } from 'node:fs'
import { test } from 'node:test'
import { us } from '../../src/base/time.ts'
import { makeExchange } from '../../src/engine/core-harness.ts'
import { openExchange } from '../../src/engine/exchange.ts'
import type { Order } from '../../src/engine/order.ts'
import type { ExchangeHandle } from '../../src/engine/succession-contract.ts'
import { followUntil, lead, marks, second } from './core-bench.ts'
import { copiesOf, descriptorsOf, goingOn, Two } from './exchange-bench.ts'

/** Octets of the memory: where they lie is the business of native/base/exchange.h. */
function alter(exchange: ExchangeHandle, at: number): void {
  const [memory] = descriptorsOf(exchange)
  const octet = Buffer.alloc(1)
  readSync(memory, octet, 0, 1, at)
  octet[0] = (octet[0] ?? 0) ^ 0x10
  writeSync(memory, octet, 0, 1, at)
}
const entriesAt = 4_096
const entryOctets = 56

test('entries that are not what was written are refused with the reason, and the first goes on', () => {
  for (const at of [0, 4, 8, 16, 24, entryOctets, 2 * entryOctets + 8]) {
    const two = new Two()
    two.order(lead(), 0)
    two.first.tick(us(0))
    two.offer(goingOn(), 0)
    const until = two.give(10)
    alter(two.exchange, entriesAt + at)
    assert.equal(two.second.exchange.takeUp(), false, `octet ${at}`)
    assert.equal(two.state, 'void')
    assert.equal(two.first.exchange.lookGiven(us(until - 1)), 'back')
    assert.match(two.first.exchange.over() ?? '', /shared memory is damaged/)
    assert.deepEqual(marks(two.first.tick(us(second))), ['datagram 1'])
  }
})

test('a head that is not what was written is refused as well', () => {
  // Until when packets were read and how many entries there are; their digest.
  const octets = [...Array.from({ length: 12 }, (_, i) => 24 + i), ...[40, 43, 47]]
  for (const at of octets) {
    const two = new Two()
    two.order(lead(), 0)
    two.offer(goingOn(), 0)
    two.give(10)
    alter(two.exchange, at)
    const taken = two.second.exchange.takeUp()
    assert.equal(taken, false, `octet ${at}`)
    assert.match(two.first.exchange.over() ?? '', /damaged/)
  }
})

test('an instance that stands otherwise is refused with the reason', () => {
  const others: readonly (readonly [Order, Order])[] = [
    [lead(), followUntil(3 * second)],
    [followUntil(3 * second), goingOn()],
    [lead(), { kind: 'idle', now: [] }],
    [followUntil(3 * second), { kind: 'idle', now: [] }],
  ]
  for (const [of, to] of others) {
    const two = new Two()
    two.order(of, 0)
    two.offer(to, 0)
    two.give(10)
    assert.equal(two.second.exchange.takeUp(), false)
    assert.match(two.first.exchange.over() ?? '', /an instance stands otherwise/)
  }
})

test('memory of another layout, or that is none, is refused when it is opened', () => {
  assert.equal(openExchange(copiesOf(makeExchange())) instanceof Error, false)
  for (const at of [0, 7, 8]) {
    const other = makeExchange()
    alter(other, at)
    assert.match(String(openExchange(copiesOf(other))), /exchange: EPROTO/, `octet ${at}`)
  }
  const none = () => openSync('/dev/null', 'r+')
  assert.match(String(openExchange([none(), none(), none()])), /exchange: EPROTO/)
})
