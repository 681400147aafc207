/** Plans of a master that stands: what is refreshed, put back, announced again. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secondsToUs, us } from '../../../src/base/time.ts'
import { planAnnounceSource, planOrder, planReannounce } from '../../../src/engine/plans.ts'
import { planRestore, planReturn, type SlotFacts } from '../../../src/engine/plans-addresses.ts'
import {
  address,
  adds,
  announced,
  facts,
  leadOf,
  mac,
  master,
  params,
  readAll,
  repeat,
} from './plan-words.ts'

test('garp_extra_if: the first address of each other interface, after the second set and so often', () => {
  const addresses = [
    address('10.0.0.1'),
    address('10.7.0.1', { ifindex: 7 }),
    address('10.7.0.2', { ifindex: 7 }),
    address('10.8.0.1', { ifindex: 8 }),
    address('10.9.0.1', { ifindex: 9, mac: null }),
  ]
  const extra = { everyUs: secondsToUs(2), on: [7, 8, 9] }
  const one = { ...facts, addresses, extra }
  const lead = leadOf(planOrder(one, params, master, { entering: true }))
  const again = repeat(lead, 'garp-extra')
  const { masterDelayUs } = facts.garp
  assert.deepEqual(
    [again.firstAfterUs, again.everyUs, again.times],
    [masterDelayUs + 2_000_000, 2_000_000, undefined],
  )
  assert.deepEqual(readAll(again.plan), ['arp 10.7.0.1 on 7', 'arp 10.8.0.1 on 8'])
  const none = leadOf(
    planOrder({ ...one, extra: { ...extra, on: [] } }, params, master, { entering: true }),
  )
  assert.equal(
    none.repeats.some(({ key }) => key.startsWith('garp-extra')),
    false,
  )
})

test('an interface that returned: everything is set again, and one address of each announced', () => {
  const addresses = [
    address('10.0.0.1'),
    address('10.0.0.2'),
    address('10.7.0.1', { ifindex: 7 }),
    address('10.8.0.1', { ifindex: 8, mac: null }),
  ]
  const said = readAll(planReturn({ ...facts, addresses }))
  assert.equal(said.filter((it) => it.startsWith('add ')).length, 4)
  assert.deepEqual(said.slice(4).sort(), ['arp 10.0.0.1 on 3', 'arp 10.7.0.1 on 7'])
})

test('refresh and lease', () => {
  const garp = {
    ...facts.garp,
    masterDelayUs: us(0),
    masterRefreshUs: secondsToUs(60),
    masterRefreshRepeat: 2,
  }
  const leased = { ...facts, garp, lifetimeSeconds: 9 }
  const lead = leadOf(planOrder(leased, params, master, { entering: true }))
  assert.deepEqual(
    lead.repeats.map((r) => r.key),
    ['advert', 'lease', 'garp-refresh'],
  )
  const refresh = repeat(lead, 'garp-refresh')
  assert.deepEqual(
    [refresh.firstAfterUs, refresh.everyUs, refresh.times],
    [60_000_000, 60_000_000, undefined],
  )
  assert.deepEqual(readAll(refresh.plan), [...announced, ...announced])
  const lease = repeat(lead, 'lease')
  assert.deepEqual([lease.firstAfterUs, lease.everyUs], [3_000_000, 3_000_000])
  assert.deepEqual(
    readAll(lease.plan),
    adds.map((line) => line.replace(' ~', ' for 9 ~')),
  )
  assert.deepEqual(readAll(lead.now).slice(1, 4), readAll(lease.plan))
})

test('a competitor: announced again at once, and once more after the delay', () => {
  assert.deepEqual(readAll(planReannounce(facts)), [...announced, ...announced])
  const lead = leadOf(planOrder(facts, params, master, { entering: false, reannounce: 'c1' }))
  const again = repeat(lead, 'garp-again-second c1')
  assert.deepEqual([again.firstAfterUs, again.everyUs, again.times], [5_000_000, 0, 1])
  assert.deepEqual(readAll(again.plan), [...announced, ...announced])
  const none = { ...facts, garp: { ...facts.garp, lowerPrioRepeat: 0 } }
  assert.deepEqual(planReannounce(none), [])
  const quiet = leadOf(planOrder(none, params, master, { entering: false, reannounce: 'c1' }))
  assert.deepEqual(
    quiet.repeats.map((r) => r.key),
    ['advert', 'garp-second'],
  )
})

test('a deleted address is put back with its lifetime, and announced', () => {
  const leased = { ...facts, lifetimeSeconds: 9 }
  const [first, silent] = facts.addresses
  assert(first !== undefined && silent !== undefined)
  const arp = 'arp 10.0.0.100 on 3'
  assert.deepEqual(readAll(planRestore(leased, first)), [
    'add 10.0.0.100/24 on 3 for 9 ~17',
    arp,
    arp,
    arp,
  ])
  assert.deepEqual(readAll(planRestore(facts, silent)), ['add 10.0.0.101/24 on 3 ~17'])
})

test('our own source, for unicast peers', () => {
  const own = 'arp 10.0.0.1 on 5'
  assert.deepEqual(readAll(planAnnounceSource(facts, { ifindex: 5, mac })), [own, own, own])
  assert.deepEqual(planAnnounceSource(facts, { ifindex: 5, mac: null }), [])
})

test('no addresses at all: adverts only', () => {
  const bare: SlotFacts = { ...facts, addresses: [], lifetimeSeconds: 9 }
  const lead = leadOf(planOrder(bare, params, master, { entering: true }))
  assert.deepEqual(readAll(lead.now, bare), ['advert 7 224.0.0.18 100 []'])
  assert.deepEqual(
    lead.repeats.map((r) => r.key),
    ['advert'],
  )
})
