/** Reading the kernel anew when the host is out of descriptors: what was known stays, and it is tried again. */
import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { OpError } from '../../../src/base/errors.ts'
import { Kernel, type KernelChange } from '../../../src/kernel/mirror.ts'
import { KernelReader } from '../../../src/kernel/reader.ts'
import { encodeAddressDelete, encodeAddressReplace } from '../../../src/wire/rtnetlink-address.ts'
import { SimKernel } from '../../sim/kernel.ts'
import { ip } from '../router/facts.ts'
import { plainAddress } from '../wire/plain-address.ts'

/** Of the first device that the simulated kernel has. */
const ifindex = 2
const source = ip('172.16.80.2')
const sourceHeld = { address: source, prefixLength: 24, peer: null }
const vip = ip('172.16.80.100')
const vipHeld = { address: vip, prefixLength: 32, peer: null }
const held = encodeAddressReplace(plainAddress(vip, { ifindex, prefixLength: 32 }))

const removed = encodeAddressDelete({
  ifindex,
  address: vip,
  prefixLength: 32,
  peer: null,
  scope: 0,
})

/** A mirror of a simulated kernel that answers when it is told to, or refuses. */
function setUp() {
  const sim = new SimKernel(1, [source], () => undefined)
  const lines: string[] = []
  const changes: KernelChange[] = []
  const asked: (() => void)[] = []
  const state = { refusedFrom: Number.POSITIVE_INFINITY, requests: 0 }
  const kernel = new Kernel()
  const say = (line: string) => void lines.push(line)
  const reader = new KernelReader({
    kernel,
    engine: {
      request: (bytes, done) => {
        state.requests += 1
        const refused = state.requests >= state.refusedFrom
        const answer = refused ? new OpError('socket', 'EMFILE') : sim.request(bytes)
        asked.push(() => done(answer))
      },
    },
    log: { debug: say, info: say, warn: say, error: say, flush: () => Promise.resolve() },
    onChanges: (found) => changes.push(...found),
  })
  const answer = () => {
    for (const each of asked.splice(0)) each()
  }
  reader.read()
  answer()
  return { sim, lines, changes, asked, state, kernel, reader, answer }
}

test('a dump that fails leaves the mirror as it was, is said once and is tried again', () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  const { sim, lines, changes, state, kernel, reader, answer } = setUp()
  assert.equal(kernel.holds(ifindex, sourceHeld), true)
  sim.carryOut(held)
  // The links can still be read, the addresses cannot.
  state.refusedFrom = state.requests + 2
  reader.read()
  answer()
  const known = [kernel.linkByName('eth0')?.ifindex, kernel.holds(ifindex, sourceHeld)]
  assert.deepEqual(known, [ifindex, true])
  for (let i = 0; i < 5; i++) {
    mock.timers.tick(1_000)
    answer()
  }
  assert.equal(lines.filter((line) => line.includes('EMFILE')).length, 1)
  assert.equal(changes.length, 0)

  state.refusedFrom = Number.POSITIVE_INFINITY
  mock.timers.tick(10_000)
  answer()
  assert.deepEqual(
    changes.map((change) => change.kind === 'address' && [change.held.address, change.present]),
    [[vip, true]],
  )
  const done = state.requests
  mock.timers.tick(100_000)
  assert.equal(state.requests, done, 'read once')
  mock.timers.reset()
})

test('what is notified between a dump and its answer is neither lost nor set back', () => {
  const { sim, changes, kernel, reader, answer } = setUp()
  reader.read()
  // After the kernel was read: the answer does not show it.
  assert.equal(reader.heard(held).length, 1)
  answer()
  assert.equal(kernel.holds(ifindex, vipHeld), true)
  assert.deepEqual(changes, [], 'it was told when it was notified')

  // Set and removed before the kernel was read, set again after: notified in that order.
  sim.carryOut(held)
  reader.read()
  for (const news of [removed, held, removed, held]) reader.heard(news)
  answer()
  assert.equal(kernel.holds(ifindex, vipHeld), true)
  assert.deepEqual(changes, [])
})

test('a reading that an overrun has made useless does not count', () => {
  const { sim, changes, asked, kernel, reader, answer } = setUp()
  reader.read()
  const useless = asked.splice(0)
  sim.carryOut(held)
  reader.read()
  for (const each of useless) each()
  assert.deepEqual([kernel.holds(ifindex, vipHeld), changes.length], [false, 0])
  answer()
  assert.deepEqual([kernel.holds(ifindex, vipHeld), changes.length], [true, 1])
})
