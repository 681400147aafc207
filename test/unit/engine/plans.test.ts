/** Plans: what is in them, decoded with our own decoders; in which order; and when it repeats. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex } from '../../../src/base/bytes.ts'
import { secondsToUs, us } from '../../../src/base/time.ts'
import type { Plan } from '../../../src/engine/order.ts'
import { planAdvert, planIdle, planLease, planOrder } from '../../../src/engine/plans.ts'
import type { SlotFacts } from '../../../src/engine/plans-addresses.ts'
import { fromHex } from '../../hex.ts'
import { ip } from '../election/host.ts'
import {
  address,
  adds,
  advert,
  announced,
  facts,
  leadOf,
  mac,
  machine,
  master,
  params,
  readAll,
  repeat,
  second,
} from './plan-words.ts'

const backup = machine({
  kind: 'backup',
  master: { address: ip('10.0.0.2'), priority: 150, intervalUs: secondsToUs(0.5) },
  masterDownAt: us(12_345_678),
  preemptAt: null,
  countdown: { kind: 'restarts' },
  wantsMaster: false,
  damping: null,
})

const resign = 'advert 7 224.0.0.18 0 [10.0.0.100 10.0.0.101]'

const deletes = [
  'delete 10.0.0.100/24 on 3 ~99,19',
  'delete 10.0.0.101/24 on 3 ~99,19',
  'delete fd00::1/64 on 4 ~99,19',
]

test('with a kernel lease: opened ahead of the first advert, muted before the addresses go, ended behind them', () => {
  const lease = { id: Uint8Array.of(1, 2, 3, 4, 5, 6), ifindex: 3, leastUs: us(2_500_000) }
  const leased = { ...facts, lease }
  const [open, mute, end] = ['note open 7 123456', 'note mute 7 123456', 'note end on 3']
  const lead = leadOf(planOrder(leased, params, master, { entering: true }))
  const bursts = [...announced, ...announced, ...announced]
  assert.deepEqual(readAll(lead.now), [open, advert, ...adds, ...bursts])
  assert.deepEqual(readAll(repeat(lead, 'advert').plan), [advert], 'a repeat opens nothing')
  assert.deepEqual(readAll(lead.resign), [resign, resign, ...deletes, end], 'priority 0 mutes')
  assert.deepEqual([lead.lateUs, lead.leaseUs], [1_500_000, 2_500_000])
  const goesOn = leadOf(planOrder(leased, params, master, { entering: false }))
  assert.deepEqual(goesOn.now, [])
  const yields = planOrder(leased, params, backup, { entering: true })
  assert(yields.kind === 'follow')
  assert.deepEqual(readAll(yields.now), [mute, ...deletes, end])
  assert.deepEqual(readAll(yields.onExpiry.now).slice(0, 2), [open, advert])
  assert.deepEqual(
    readAll(planLease(leased, 100)),
    [open, advert],
    'under a lead, an advert at once',
  )
  assert.deepEqual(planLease(facts, 100), [])
  const long = { ...facts, lease: { ...lease, leastUs: us(9_000_000) } }
  assert.equal(leadOf(planOrder(long, params, master, { entering: true })).lateUs, 2_003_906)
})

test('taking over: advert, addresses, every address announced once, then the rest of the burst', () => {
  const lead = leadOf(planOrder(facts, params, master, { entering: true }))
  assert.deepEqual(readAll(lead.now), [advert, ...adds, ...announced, ...announced, ...announced])
  assert.deepEqual(readAll(lead.resign), [resign, resign, ...deletes])
  assert.equal(lead.lateUs, 2_003_906)
  assert.deepEqual(
    lead.repeats.map(({ key, firstAfterUs, everyUs, times }) => [
      key,
      firstAfterUs,
      everyUs,
      times,
    ]),
    [
      ['advert', second, second, undefined],
      ['garp-second', secondsToUs(5), 0, 1],
    ],
  )
  assert.deepEqual(readAll(repeat(lead, 'advert').plan), [advert])
  assert.deepEqual(
    readAll(repeat(lead, 'garp-second').plan),
    [announced, announced, announced].flat(),
  )
})

test('a lead that replaces a lead does nothing again, and repeats under the same keys', () => {
  const first = leadOf(planOrder(facts, params, master, { entering: true }))
  const raised = { ...master, effective: 120 }
  const next = leadOf(planOrder(facts, params, raised, { entering: false }))
  assert.deepEqual(next.now, [])
  assert.deepEqual(
    next.repeats.map((r) => [r.key, r.firstAfterUs, r.everyUs, r.times]),
    first.repeats.map((r) => [r.key, r.firstAfterUs, r.everyUs, r.times]),
  )
  assert.deepEqual(readAll(repeat(next, 'advert').plan), [advert.replace(' 100 ', ' 120 ')])
})

test('each distinct frame is encoded once, for all orders of the facts', () => {
  const first = leadOf(planOrder(facts, params, master, { entering: true }))
  const next = leadOf(planOrder(facts, params, { ...master, effective: 1 }, { entering: true }))
  const frames = [first, next]
    .flatMap((lead) => [...lead.now, ...repeat(lead, 'garp-second').plan])
    .filter((step) => step.kind === 'frame')
  assert.equal(frames.length, 24)
  assert.equal(new Set(frames.map((step) => step.bytes)).size, 2)
  const requests = [...first.now, ...next.now].filter((step) => step.kind === 'netlink')
  assert.equal(new Set(requests.map((step) => step.bytes)).size, 3)
  assert.strictEqual(repeat(first, 'advert').plan[0]?.bytes, first.now[0]?.bytes)
})

test('backup: expects the expected advert, restarts by its master, and has the take-over ready', () => {
  const expected = { from: ip('10.0.0.2'), ttl: 255, payload: fromHex('31') }
  const order = planOrder(facts, params, backup, { entering: false, expected })
  assert(order.kind === 'follow')
  assert.deepEqual(order.now, [])
  assert.strictEqual(order.expect, expected)
  assert.equal(order.deadlineUs, 12_345_678)
  // Three adverts of the master at half a second, and 156/256 of half a second.
  assert.equal(order.restartUs, 1_804_687)
  const lead = leadOf(planOrder(facts, params, master, { entering: true }))
  assert.deepEqual(readAll(order.onExpiry.now), readAll(lead.now))
  assert.deepEqual(readAll(order.onExpiry.resign), readAll(lead.resign))
})

test('backup: deletes on entering; an expected advert that no longer restarts is not expected', () => {
  const expected = { from: ip('10.0.0.2'), ttl: 255, payload: fromHex('31') }
  assert(backup.state.kind === 'backup')
  for (const countdown of [
    { kind: 'silence' },
    { kind: 'resigned', from: expected.from },
    { kind: 'overruled', from: expected.from, priority: 90 },
  ] as const) {
    const lower = { address: expected.from, priority: 90, intervalUs: secondsToUs(0.5) }
    const state = { ...backup.state, master: lower, countdown }
    const order = planOrder(facts, params, machine(state), { entering: true, expected })
    assert(order.kind === 'follow')
    assert.deepEqual(readAll(order.now), deletes)
    assert.equal(order.expect, null, countdown.kind)
  }
  const overruled = { kind: 'overruled', from: expected.from, priority: 90 } as const
  const state = { ...backup.state, countdown: overruled }
  const kept = planOrder(facts, params, machine(state), { entering: true, expected })
  assert(kept.kind === 'follow')
  assert.deepEqual(kept.expect, expected, 'a lower advert in the name of the master, who is at 150')
  const unheard = planOrder(facts, params, backup, { entering: true })
  assert(unheard.kind === 'follow' && unheard.expect === null)
})

test('who loses the lead again and again announces once when it takes over; the second set stays', () => {
  assert(backup.state.kind === 'backup')
  const damping = { extraUs: us(0), until: us(9) }
  const usual = planOrder(facts, params, backup, { entering: true })
  const brief = planOrder(facts, params, machine({ ...backup.state, damping }), { entering: true })
  assert(usual.kind === 'follow' && brief.kind === 'follow')
  const frames = (plan: Plan) => plan.filter(({ kind }) => kind === 'frame')
  const each = frames(brief.onExpiry.now)
  assert.equal(new Set(each.map(({ bytes }) => `${bytes}`)).size, each.length)
  assert.equal(frames(usual.onExpiry.now).length, facts.garp.masterRepeat * each.length)
  assert.deepEqual(brief.onExpiry.repeats, usual.onExpiry.repeats)
})

test('held by its sync group, a backup has nothing to carry out at its deadline', () => {
  const order = planOrder(facts, params, backup, { entering: false, held: true })
  assert(order.kind === 'follow')
  assert.deepEqual(
    [order.onExpiry.now, order.onExpiry.repeats, order.onExpiry.resign],
    [[], [], []],
  )
})

test('rest: addresses go; a master that leaves says so first, twice', () => {
  for (const state of [
    { kind: 'init' },
    { kind: 'stopped' },
    { kind: 'fault', faults: [], silent: false },
  ] as const) {
    const silent = planOrder(facts, params, machine(state), { entering: true })
    assert(silent.kind === 'idle')
    assert.deepEqual(readAll(silent.now), deletes, state.kind)
    const said = planOrder(facts, params, machine(state), { entering: true, resign: true })
    assert.deepEqual(readAll(said.now), [resign, resign, ...deletes], state.kind)
  }
  assert.deepEqual(readAll(planIdle(facts, {})), deletes)
})

test('unicast: one advert for each peer, its own checksum where the destination counts', () => {
  const peers = [ip('10.0.0.2'), ip('10.0.0.3')]
  const three = { ...facts, destinations: peers }
  const plan = planAdvert(three, 99)
  assert.deepEqual(readAll(plan, three), [
    'advert 7 10.0.0.2 99 [10.0.0.100 10.0.0.101]',
    'advert 7 10.0.0.3 99 [10.0.0.100 10.0.0.101]',
  ])
  assert.notEqual(toHex(plan[0]?.bytes ?? mac), toHex(plan[1]?.bytes ?? mac))
  const two: SlotFacts = { ...three, version: 2, password: fromHex('3131313100000000') }
  const same = planAdvert(two, 99)
  assert.equal(readAll(same, two).length, 2)
  assert.strictEqual(same[0]?.bytes, same[1]?.bytes)
})

test('IPv6: link-local adverts, neighbour advertisements', () => {
  const six: SlotFacts = {
    ...facts,
    family: 6,
    source: ip('fe80::1'),
    destinations: [ip('ff02::12')],
    addresses: [address('fe80::100'), address('fd00::100')],
  }
  const lead = leadOf(planOrder(six, params, master, { entering: true }))
  assert.deepEqual(readAll(lead.now, six).slice(0, 5), [
    'advert 7 ff02::12 100 [fe80::100 fd00::100]',
    'add fe80::100/24 on 3 ~17',
    'add fd00::100/24 on 3 ~17',
    'na fe80::100 on 3',
    'na fd00::100 on 3',
  ])
})
