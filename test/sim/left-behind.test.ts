/** What a dead daemon left and the next one cannot give back: until when the rules excuse it, and when no longer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ip } from '../../src/base/ip.ts'
import { plainFile, roamingAddress } from './host-file.ts'
import { answerUs } from './latency.ts'
import { leads, Pair, second } from './pair.ts'
import type { HostPlan, Scenario } from './scenario.ts'
import { makeWorld, run } from './simulation.ts'

const vip = '10.0.0.101' as Ip
const lifetimeUs = 9 * second
const violation = /holds, but does not lead/

/** Killed with its warden, and the peer leads. */
function killed(a: Partial<HostPlan> = {}, more: Partial<Scenario> = {}): Pair {
  const pair = new Pair(makeWorld, { warden: false, ...a }, {}, more)
  pair.disturb()
  pair.a.crash()
  pair.until(() => leads(pair.b), 4 * second)
  assert.ok(pair.a.kernel.holds(vip))
  return pair
}

/** With all rules looked at. */
function live(pair: Pair, spanUs: number): void {
  for (let left = spanUs; left > 0; left -= second / 10) {
    pair.pass(second / 10)
    pair.world.invariants.check()
  }
}

for (const [how, more] of [
  ['', {}],
  [', with a kernel lease', { lease: { tickUs: 1_000 } }],
] as const)
  test(`started again without descriptors: the address goes with the first sockets${how}`, () => {
    const pair = killed({}, more)
    pair.a.opens = false
    pair.a.start()
    live(pair, 2 * second)
    assert.ok(pair.a.kernel.holds(vip))
    pair.a.opens = true
    pair.a.reload()
    pair.world.invariants.disturb(0, 'descriptors', pair.a)
    pair.until(() => !pair.a.kernel.holds(vip), answerUs)
    live(pair, 2 * lifetimeUs)
  })

test('started again without descriptors, and without them for long: the address goes with its lifetime', () => {
  const pair = killed()
  pair.a.opens = false
  pair.a.start()
  live(pair, lifetimeUs)
  assert.equal(pair.a.kernel.holds(vip), false)
})

test('an address that the file does not name any more goes with its lifetime', () => {
  const roaming = roamingAddress(4)
  const pair = killed({ file: { ...plainFile(3 * second), roaming: 'VI_1' } })
  assert.ok(pair.a.kernel.holds(roaming))
  pair.a.plan.file = { ...pair.a.plan.file, roaming: null }
  pair.a.start()
  live(pair, second)
  assert.ok(pair.a.kernel.holds(roaming))
  live(pair, lifetimeUs)
  assert.equal(pair.a.kernel.holds(roaming), false)
})

test('what outlasts its lifetime is a violation, and so is what was set since the start', () => {
  const longer = killed()
  longer.a.kernel.alter(vip, 60)
  longer.a.opens = false
  longer.a.start()
  assert.throws(() => live(longer, lifetimeUs), violation)

  const later = killed()
  later.a.opens = false
  later.a.start()
  live(later, second)
  later.a.kernel.alter(vip, 8)
  assert.throws(() => live(later, second), violation)
})

test('a crash, and a start while no descriptors are free, is a life without a violation', () => {
  const { broken } = run(85, 'life')
  assert.equal(broken, null, `SEED=85: ${broken?.what}\n${broken?.trace.join('\n')}`)
})
