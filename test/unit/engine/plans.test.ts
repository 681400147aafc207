/** Plans: what is in them, decoded with our own decoders; in which order; and when it repeats. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex } from '../../../src/base/bytes.ts'
import { type Ip, parseIp } from '../../../src/base/ip.ts'
import { secondsToUs, us } from '../../../src/base/time.ts'
import type { Machine, Params, State } from '../../../src/election/types.ts'
import type { Lead, Order, Plan, Repeat, Step } from '../../../src/engine/contract.ts'
import {
  planAdvert,
  planAnnounceSource,
  planIdle,
  planLease,
  planOrder,
  planReannounce,
} from '../../../src/engine/plans.ts'
import {
  type AddressFacts,
  planCarriers,
  planHold,
  planPacedAgain,
  planRestore,
  planReturn,
  planWithdraw,
  type SlotFacts,
} from '../../../src/engine/plans-addresses.ts'

import { decodeArp } from '../../../src/wire/arp.ts'
import { decodeNote } from '../../../src/wire/lease-note.ts'
import { decodeNa } from '../../../src/wire/ndp.ts'
import { decodeMessages } from '../../../src/wire/rtnetlink.ts'
import { decodeAdvert } from '../../../src/wire/vrrp.ts'
import { fromHex } from '../../hex.ts'

const ip = (text: string): Ip => {
  const parsed = parseIp(text)
  assert(parsed !== null, text)
  return parsed
}

const mac = fromHex('42:c9:b0:ad:e1:62')
const second = secondsToUs(1)

const address = (text: string, more: Partial<AddressFacts> = {}): AddressFacts => ({
  address: ip(text),
  prefixLength: 24,
  ifindex: 3,
  announceOn: more.ifindex ?? 3,
  mac,
  askMac: mac,
  broadcast: null,
  label: null,
  scope: 0,
  peer: null,
  home: false,
  nodad: true,
  mngtmpaddr: false,
  noprefixroute: false,
  autojoin: false,
  preferredSeconds: null,
  router: text.includes(':'),
  advertised: true,
  interface: 'eth0',
  foreign: false,
  ...more,
})

const facts: SlotFacts = {
  vrid: 51,
  version: 3,
  family: 4,
  source: ip('10.0.0.1'),
  link: 7,
  destinations: [ip('224.0.0.18')],
  password: null,
  ah: false,
  advertIntervalUs: second,
  checksumAsV2: false,
  advertMac: null,
  sealOctets: 0,
  carriers: [],
  addresses: [
    address('10.0.0.100', { label: 'eth0:1' }),
    address('10.0.0.101', { mac: null }),
    address('fd00::1', { advertised: false, ifindex: 4, prefixLength: 64 }),
  ],
  takenAlong: [],
  extra: { everyUs: us(0), on: [] },
  entries: [],
  garp: {
    masterDelayUs: secondsToUs(5),
    masterRepeat: 3,
    masterRefreshUs: us(0),
    masterRefreshRepeat: 1,
    lowerPrioDelayUs: secondsToUs(5),
    lowerPrioRepeat: 2,
  },
  paces: [],
  router: true,
  peersDownUs: us(3_003_906),
  lifetimeSeconds: null,
  lease: null,
  asks: null,
}

const params: Params = {
  name: 'VI_1',
  version: 3,
  basePriority: 100,
  advertIntervalUs: second,
  downTimerAdverts: 3,
  preempt: true,
  preemptDelayUs: us(0),
  lowerPrioNoAdvert: false,
  higherPrioSendAdvert: false,
  ownerIgnoreAdverts: false,
  resignOnDemotion: false,
  maxIntervalRatio: 10,
  source: facts.source,
}

const machine = (state: State): Machine => ({ state, effective: 100 })
const master = machine({ kind: 'master', since: us(0), rival: null })
const backup = machine({
  kind: 'backup',
  master: { address: ip('10.0.0.2'), priority: 150, intervalUs: secondsToUs(0.5) },
  masterDownAt: us(12_345_678),
  preemptAt: null,
  countdown: { kind: 'restarts' },
  wantsMaster: false,
  damping: null,
})

/** A step in one short line: what a decoder makes of its bytes. */
function read(step: Step, of: SlotFacts = facts): string {
  if (step.kind === 'netlink') return readRequest(step)
  if (step.kind === 'frame') return readFrame(step)
  const note = decodeNote(step.head ?? new Uint8Array(), step.bytes)
  if (note !== null) return `note ${note.note} ${step.link} ${note.id.join('')}`
  const { version, family, vrid, password, checksumAsV2, advertIntervalUs: intervalUs } = of
  const mode = 'multicast'
  const expectation = { version, family, vrid, password, intervalUs, checksumAsV2, peers: null }
  const packet = { payload: step.bytes, source: of.source, destination: step.to, ttl: 255 } as const
  const decoded = decodeAdvert(packet, { ...expectation, mode, mayBeEmpty: true })
  assert(decoded.ok, JSON.stringify(decoded))
  assert.equal(decoded.value.intervalUs, of.advertIntervalUs)
  const { priority, addresses } = decoded.value
  return `advert ${step.link} ${step.to} ${priority} [${addresses.join(' ')}]`
}

function readRequest(step: Step & { kind: 'netlink' }): string {
  const [message] = decodeMessages(step.bytes)
  assert(message?.kind === 'newaddr' || message?.kind === 'deladdr')
  const { address: what, prefixLength, ifindex, validSeconds } = message.address
  const verb = message.kind === 'newaddr' ? 'add' : 'delete'
  const life = validSeconds === null ? '' : ` for ${validSeconds}`
  return `${verb} ${what}/${prefixLength} on ${ifindex}${life} ~${step.tolerate.join(',')}`
}

function readFrame(step: Step & { kind: 'frame' }): string {
  const note = decodeNote(step.bytes.subarray(0, 14), step.bytes.subarray(14))
  if (note !== null) return `note ${note.note} on ${step.ifindex}`
  const arp = decodeArp(step.bytes)
  if (arp.ok) return `arp ${arp.value.target} on ${step.ifindex}`
  const na = decodeNa(step.bytes)
  assert(na.ok, 'neither ARP nor NA')
  assert(na.value.router && na.value.override)
  return `na ${na.value.target} on ${step.ifindex}`
}

const readAll = (plan: Plan, of: SlotFacts = facts): readonly string[] =>
  plan.map((step) => read(step, of))

function leadOf(order: Order): Lead {
  assert(order.kind === 'lead')
  return order
}

const repeat = (lead: Lead, key: string): Repeat => {
  const found = lead.repeats.find((r) => r.key === key)
  assert(found !== undefined, `${key} among ${lead.repeats.map((r) => r.key).join(', ')}`)
  return found
}

const advert = 'advert 7 224.0.0.18 100 [10.0.0.100 10.0.0.101]'
const resign = 'advert 7 224.0.0.18 0 [10.0.0.100 10.0.0.101]'
const adds = ['add 10.0.0.100/24 on 3 ~17', 'add 10.0.0.101/24 on 3 ~17', 'add fd00::1/64 on 4 ~17']
const deletes = [
  'delete 10.0.0.100/24 on 3 ~99,19',
  'delete 10.0.0.101/24 on 3 ~99,19',
  'delete fd00::1/64 on 4 ~99,19',
]
const announced = ['arp 10.0.0.100 on 3', 'na fd00::1 on 4']

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

test('a gap is a pace of the frames of that family on that interface, in every set', () => {
  const pace = { key: '4 3', gapUs: us(100_000) }
  const garp = { ...facts.garp, masterRefreshUs: secondsToUs(60) }
  const paced: SlotFacts = {
    ...facts,
    garp,
    paces: [{ family: 4, ifindex: 3, pace }],
    extra: { everyUs: secondsToUs(10), on: [3] },
    addresses: [address('10.0.0.1'), address('10.0.0.3', { ifindex: 4 }), address('fd00::1')],
  }
  const lead = leadOf(planOrder(paced, params, master, { entering: true, reannounce: 'c' }))
  const plans = [lead.now, planReannounce(paced), planRestore(paced, address('10.0.0.1'))]
  const own = planAnnounceSource(paced, { ifindex: 3, mac })
  const all = [...plans, own, ...lead.repeats.map(({ plan }) => plan)].flat()
  const frames = all.filter((step) => step.kind === 'frame')
  for (const frame of frames) {
    const expected = /^arp .* on 3$/.test(readFrame(frame)) ? pace : undefined
    assert.deepEqual(frame.pace, expected, readFrame(frame))
  }
  const of = (text: string) => frames.filter((frame) => readFrame(frame) === text).length
  // Taking over 3, second 3, refresh 1, extra 1, contact 2 and its second 2, restored 3.
  assert.equal(of('arp 10.0.0.1 on 3'), 15 + own.length)
  assert.equal(of('na fd00::1 on 3'), 11)
  // Nothing is staggered: what is announced is told to the engine as a whole.
  assert.deepEqual(readAll(lead.now).slice(-9), [
    ...['arp 10.0.0.1 on 3', 'arp 10.0.0.3 on 4', 'na fd00::1 on 3'],
    ...['arp 10.0.0.1 on 3', 'arp 10.0.0.3 on 4', 'na fd00::1 on 3'],
    ...['arp 10.0.0.1 on 3', 'arp 10.0.0.3 on 4', 'na fd00::1 on 3'],
  ])
})

test('what may wait for its turn and holds no longer is withdrawn; what holds is not', () => {
  const pace = { key: '4 3', gapUs: us(100_000) }
  const paces = [{ family: 4 as const, ifindex: 3, pace }]
  const before = { ...facts, paces, addresses: [address('10.0.0.1'), address('10.0.0.2')] }
  const less = { ...before, addresses: [address('10.0.0.2')] }
  const [gone, ...others] = planWithdraw(before, less)
  assert(gone?.kind === 'frame' && others.length === 0)
  assert.equal(readFrame(gone), 'arp 10.0.0.1 on 3')
  assert.deepEqual(gone.pace, { ...pace, withdrawn: true })
  const other = Uint8Array.of(2, 0, 0, 0, 0, 9)
  const moved = { ...before, addresses: before.addresses.map((it) => ({ ...it, mac: other })) }
  assert.equal(planWithdraw(before, moved).length, 2)
  assert.deepEqual(planWithdraw(before, { ...before, paces: [] }), [], 'another gap')
  assert.deepEqual(planWithdraw({ ...before, paces: [] }, less), [], 'nothing waits')
})

test('other sockets, or another process, announce once more what was paced', () => {
  const paces = [{ family: 4 as const, ifindex: 3, pace: { key: '4 3', gapUs: us(1_000) } }]
  assert.deepEqual(readAll(planPacedAgain({ ...facts, paces })), ['arp 10.0.0.100 on 3'])
  assert.deepEqual(planPacedAgain(facts), [])
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

const carrier = { ifindex: 9, name: 'vrrp.51', mac: '00:00:5e:00:01:33' }
const onVmac: SlotFacts = {
  ...facts,
  advertMac: fromHex('00:00:5e:00:01:33'),
  carriers: [carrier],
  addresses: [
    address('10.0.0.100', {
      ifindex: 9,
      announceOn: 3,
      mac: fromHex('00:00:5e:00:01:33'),
      interface: 'vrrp.51',
    }),
  ],
}

/** 'on 9', 'off 9', 'add 9', 'remove 9' of each request, frames and adverts by name. */
const named = (plan: Plan): readonly string[] =>
  plan.map((step) => {
    if (step.kind === 'datagram') return step.head === undefined ? 'advert' : 'framed advert'
    if (step.kind === 'frame') return `frame ${step.ifindex}`
    const view = new DataView(step.bytes.buffer, step.bytes.byteOffset)
    const type = view.getUint16(4, true)
    if (type === 16)
      return `${(view.getUint32(24, true) & 1) === 1 ? 'on' : 'off'} ${view.getInt32(20, true)}`
    return `${type === 20 ? 'add' : 'remove'} ${view.getInt32(20, true)}`
  })

test('a virtual link is switched on before its addresses are set, and off after they are away', () => {
  const once = { ...onVmac, garp: { ...onVmac.garp, masterRepeat: 1, masterDelayUs: us(0) } }
  const lead = planOrder(once, params, master, { entering: true })
  assert.equal(lead.kind, 'lead')
  if (lead.kind !== 'lead') return
  assert.deepEqual(named(lead.now), ['framed advert', 'on 9', 'add 9', 'frame 3'])
  assert.deepEqual(named(lead.resign), ['framed advert', 'framed advert', 'remove 9', 'off 9'])
  assert.deepEqual(named(planHold(once)), ['on 9', 'add 9'])
})

test('an advert as a frame: the header says its length, a seal included', () => {
  const [plain] = planAdvert(onVmac, 100)
  const [sealed] = planAdvert({ ...onVmac, sealOctets: 28 }, 100)
  assert(plain?.kind === 'datagram' && sealed?.kind === 'datagram')
  const length = (head: Uint8Array | undefined) => ((head?.[16] ?? 0) << 8) | (head?.[17] ?? 0)
  assert.equal(length(plain.head), 20 + plain.bytes.length)
  assert.equal(length(sealed.head), 20 + plain.bytes.length + 28)
  assert.equal(
    toHex((plain.head ?? new Uint8Array(0)).subarray(0, 14)),
    '01005e00001200005e0001330800',
  )
})

test('a link that takes the place of another with its MAC address waits for that to be off', () => {
  const other = { ifindex: 11, name: 'v0', mac: '02:00:00:00:00:11' }
  const again = { ...carrier, ifindex: 10 }
  const { first, last } = planCarriers([carrier, other], [again])
  assert.deepEqual([named(first), named(last)], [['off 9', 'on 10'], ['off 11']])
  assert.deepEqual(planCarriers([carrier], [carrier]), { first: [], last: [] })
})
