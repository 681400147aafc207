/** Which addresses the kernel refused to a master, and when that is a fault. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../../src/base/time.ts'
import { noStatics } from '../../../src/config/statics.ts'
import { lacksNetAdmin, mayAdministerNetwork } from '../../../src/daemon/capabilities.ts'
import { addressFacts } from '../../../src/router/binding/interface-resolution.ts'
import { RefusedAddresses } from '../../../src/router/dispatch/refused-addresses.ts'
import { encodeAddressReplace } from '../../../src/wire/rtnetlink-address.ts'
import { address, instance, kernelOf, link, virtualAddress } from './facts.ts'

const eth0 = link(2, 'eth0')
const cfg = instance({ addresses: [virtualAddress('10.0.0.1'), virtualAddress('10.0.0.2')] })
const second = 1_000_000

function refusing(held: Parameters<typeof kernelOf>[1] = []) {
  const kernel = kernelOf([eth0], held)
  const wanted = addressFacts(cfg, eth0, kernel)
  const refusals = new RefusedAddresses(kernel)
  const refuse = (index: number, at: number) => {
    const facts = wanted[index]
    assert(facts !== undefined)
    const request = encodeAddressReplace({ ...facts, validSeconds: null })
    const all = { addresses: wanted, carriers: [] }
    return refusals.note(request, 'RTM_NEWADDR: EPERM', all, us(at))
  }
  return { refusals, wanted, refuse }
}

test('one of two is a description, both are a fault', () => {
  const { refusals, wanted, refuse } = refusing()
  assert.equal(refuse(0, 0), false)
  assert.deepEqual(refusals.describe(wanted), [
    'the kernel refuses 10.0.0.1 on eth0: RTM_NEWADDR: EPERM',
  ])
  assert.deepEqual([refusals.faults, refusals.retryAt], [[], null])
  assert.equal(refuse(1, 0), true)
  assert.deepEqual(refusals.faults, [{ kind: 'addresses', why: 'RTM_NEWADDR: EPERM' }])
})

test('an address that is there although its renewal failed serves its clients', () => {
  const { refusals, wanted, refuse } = refusing([
    address(2, '10.0.0.1', { prefixLength: 32, ours: true }),
  ])
  assert.deepEqual([refuse(0, 0), refuse(1, 0)], [false, false])
  assert.deepEqual(refusals.describe(wanted).length, 1)
})

test('the address of another program is neither refused nor missed', () => {
  const { refuse } = refusing([address(2, '10.0.0.1', { prefixLength: 32, ours: false })])
  assert.equal(refuse(1, 0), true)
})

test('the fault is lifted ever later, and soon again after a long calm', () => {
  const { refusals, refuse } = refusing()
  const waits: number[] = []
  let at = 0
  const attempt = () => {
    refusals.forget()
    refuse(0, at)
    assert.equal(refuse(1, at), true)
    const { retryAt } = refusals
    assert(retryAt !== null)
    assert.equal(refusals.lift(us(retryAt - 1)), false)
    assert.equal(refusals.lift(retryAt), true)
    waits.push((retryAt - at) / second)
    at = retryAt
  }
  for (let i = 0; i < 8; i++) attempt()
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 60, 60])
  at += 61 * second
  attempt()
  assert.equal(waits.at(-1), 1)
})

test('CAP_NET_ADMIN is wanted where an address is to be set', () => {
  const none = 'CapPrm:\t000001ffffffffff\nCapEff:\t0000000000002000\n'
  const all = 'CapEff:\t000001ffffffffff\n'
  assert.deepEqual([none, all, ''].map(mayAdministerNetwork), [false, true, true])
  const bare = instance({ addresses: [] })
  assert.equal(lacksNetAdmin({ instances: [bare], statics: noStatics }, none), null)
  assert.equal(lacksNetAdmin({ instances: [bare, cfg], statics: noStatics }, all), null)
  assert.match(
    lacksNetAdmin({ instances: [bare, cfg], statics: noStatics }, none) ?? '',
    /^HA_1 has addresses to set/,
  )
})
