/** What one process passes on: the state as a plain value, and a dispatcher that goes on where another one ended. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../../src/base/time.ts'
import type { Hmac } from '../../../src/config/hmac.ts'
import type { SyncGroup } from '../../../src/config/types.ts'
import type { Lead } from '../../../src/engine/order.ts'
import { resumeLead } from '../../../src/engine/resume-lead.ts'
import { stateVersion } from '../../../src/router/dispatch/router-state.ts'
import { address, instance, ip, silent, virtualAddress } from './facts.ts'
import { config, Stage } from './reload/stage.ts'

const one = instance({ name: 'V1', vrid: 51 })
const two = instance({ name: 'V2', vrid: 52, addresses: [virtualAddress('10.5.0.2')] })
const group: SyncGroup = {
  name: 'G',
  members: ['V1', 'V2'],
  trackInterfaces: [],
  trackChecks: [],
  trackingWeight: false,
  notify: silent,
  place: one.place,
}

/** What was passed on, as it arrives. */
function passed(stage: Stage): unknown {
  const state = stage.dispatcher.state()
  assert.ok('version' in state, JSON.stringify(state))
  assert.deepEqual(JSON.parse(JSON.stringify(state)), structuredClone(state))
  return JSON.parse(JSON.stringify(state))
}

test('the same state again, the same orders, and nothing is carried out or notified', () => {
  const both = config([one, two], [group])
  const before = new Stage()
  before.apply(both)
  before.expireAll()
  before.roster.drain()
  before.settle()
  before.engine.time = 7_000_000
  const after = new Stage(both)
  after.engine.time = before.engine.time
  const state = passed(before)
  assert.equal(after.dispatcher.adopt(state), null)
  assert.deepEqual(passed(after), state)
  assert.deepEqual(after.notified, [])
  assert.equal(after.engine.held.length, 0)
  assert.deepEqual(withoutPhases(after), withoutPhases(before))
  for (const { slot } of after.roster.instances)
    assert.equal(after.engine.standing.get(slot)?.order.kind, 'lead')
})

/** What is ordered is compared elsewhere; what is held was put there by the other process. */
function withoutPhases(stage: Stage) {
  const { instances, held: _, ...rest } = stage.state()
  return { ...rest, instances: instances.map(({ standing: __, ...it }) => it) }
}

test('a backup goes on with the deadline and the expected advert that it had', () => {
  const before = new Stage()
  before.apply(config([one]))
  const after = new Stage(config([one]))
  assert.equal(after.dispatcher.adopt(passed(before)), null)
  const [order, earlier] = [after, before].map((it) => it.engine.standing.get(1)?.order)
  assert.ok(order?.kind === 'follow' && earlier?.kind === 'follow')
  assert.deepEqual([order.now, order.deadlineUs], [[], earlier.deadlineUs])
})

test('a version that is not known is refused with the reason, older or newer', () => {
  const before = new Stage()
  before.apply(config([one]))
  const state = passed(before) as object
  for (const version of [stateVersion - 1, stateVersion + 1, String(stateVersion), undefined]) {
    const after = new Stage(config([one]))
    const why = after.dispatcher.adopt({ ...state, version })
    assert.match(why ?? '', new RegExp(`version.*: this program reads version ${stateVersion}`))
    assert.equal(after.engine.slots.size, 0)
  }
  assert.match(new Stage(config([one])).dispatcher.adopt(null) ?? '', /no known version/)
})

test('the sequences of signed adverts are passed on, before anything is ordered', () => {
  const hmac: Hmac = {
    keys: [{ id: 1, secret: new Uint8Array(32) }],
    activeKey: 1,
    mode: 'enforce',
    monotonic: false,
    windowSeconds: 5,
  }
  const signed = config([{ ...one, hmac }])
  const before = new Stage()
  before.apply(signed)
  const heard = { address: ip('10.5.0.2'), sequence: '0000006800000001', skewSeconds: 1, at: us(7) }
  const memory = { sent: '0000006800000000', heard: [heard] }
  before.engine.sealMemories.set(1, memory)
  const after = new Stage(signed)
  let orders = -1
  after.engine.onSealMemory = () => {
    orders = after.engine.standing.size
  }
  assert.equal(after.dispatcher.adopt(passed(before)), null)
  assert.deepEqual(after.engine.sealMemories.get(1), memory)
  assert.equal(orders, 0)
})

test('another configuration is refused before anything is ordered', () => {
  const before = new Stage()
  before.apply(config([one, two]))
  const other = { ...one, addresses: [virtualAddress('10.5.0.9')] }
  const cases = [
    [config([one]), /instances are not those of the configuration/],
    [config([other, two]), /V1 is another virtual router here, or has other addresses/],
    [config([{ ...one, interface: 'eth1' }, two]), /V1 is another virtual router here/],
  ] as const
  for (const [next, why] of cases) {
    const after = new Stage(next)
    assert.match(after.dispatcher.adopt(passed(before)) ?? '', why)
    assert.deepEqual([after.engine.slots.size, after.engine.links.size], [0, 0])
  }
  const broken = new Stage(config([one, two]))
  broken.engine.broken.add('eth0')
  assert.match(broken.dispatcher.adopt(passed(before)) ?? '', /V1 is BACKUP, and here socket/)
})

test('a changed priority is taken up; while a plan is applied, or before a take-over, there is no state', () => {
  const before = new Stage()
  before.apply(config([one]))
  before.expireAll()
  const after = new Stage(config([{ ...one, priority: one.priority + 10 }]))
  assert.equal(after.dispatcher.adopt(passed(before)), null)
  assert.equal(after.named('V1').machine.effective, one.priority + 10)
  assert.equal(after.named('V1').state.kind, 'master')
  const changing = new Stage()
  changing.paceMs = 20
  const slices = changing.slices(config([one, two]))
  slices.next()
  assert.deepEqual(changing.dispatcher.state(), { ok: false, why: 'instances are being changed' })
  const late = new Stage()
  late.apply(config([one]))
  late.engine.time = 60_000_000
  assert.deepEqual(late.dispatcher.state(), { ok: false, why: 'V1 is about to take over' })
})

test('addresses that are contested, and how often, are passed on', () => {
  const before = new Stage()
  before.apply(config([{ ...one, addressConflict: 'resign' }]))
  before.expireAll()
  const vip = one.addresses[0]
  assert.ok(vip !== undefined)
  const gone = address(3, vip.address, { prefixLength: vip.prefixLength })
  for (let i = 0; i < 9; i++) {
    before.engine.time += 100_000
    before.named('V1').keeper.addressVanished(gone)
  }
  before.settle()
  const after = new Stage(config([{ ...one, addressConflict: 'resign' }]))
  after.engine.time = before.engine.time
  assert.equal(after.dispatcher.adopt(passed(before)), null)
  after.engine.time += 100_000
  after.named('V1').keeper.addressVanished(gone)
  after.settle()
  assert.equal(after.named('V1').assessment.standsBy, 'conflict', 'the tenth removal')
})

const lead: Lead = {
  now: [{ kind: 'frame', ifindex: 3, bytes: new Uint8Array(1) }],
  repeats: [
    { key: 'advert', firstAfterUs: us(1_000), everyUs: us(1_000), plan: [] },
    { key: 'lease', firstAfterUs: us(3_000), everyUs: us(3_000), plan: [] },
    { key: 'garp-second', firstAfterUs: us(5_000), everyUs: us(0), times: 1, plan: [] },
    { key: 'garp-first 4/3/0', firstAfterUs: us(0), everyUs: us(2_000), times: 4, plan: [] },
    { key: 'garp-again-second x', firstAfterUs: us(5_000), everyUs: us(0), times: 1, plan: [] },
  ],
  resign: [],
  lateUs: us(2_000),
  wardenLateUs: us(1_500),
}

test('a lead that is resumed keeps its phases and repeats nothing that is done', () => {
  const at = (now: number, sentAt: number | null, contactAt: number | null) => {
    const contact = contactAt === null ? null : { at: us(contactAt) }
    const before = {
      now: us(now),
      since: us(0),
      sentAt: sentAt === null ? null : us(sentAt),
      contact,
    }
    const { now: atOnce, repeats } = resumeLead(lead, before)
    assert.deepEqual(atOnce, [])
    return repeats.map(
      (r) => `${r.key} ${r.firstAfterUs}${r.times === undefined ? '' : ` x${r.times}`}`,
    )
  }
  assert.deepEqual(at(4_300, 4_010, 4_000), [
    'advert 710',
    'lease 1700',
    'garp-second 700 x1',
    'garp-first 4/3/0 1700 x1',
    'garp-again-second x 4700 x1',
  ])
  assert.deepEqual(at(9_000, 7_500, 1_000), ['advert 0', 'lease 3000'], 'an advert that is due')
})

test('an address that another instance holds is no reason to refuse', () => {
  const before = new Stage()
  before.apply(config([one]))
  const after = new Stage(config([one]))
  assert.equal(after.roster.isVirtual(ip('172.16.80.100')), false)
  assert.equal(after.dispatcher.adopt(passed(before)), null)
  assert.equal(after.roster.isVirtual(one.addresses[0]?.address ?? ip('10.0.0.1')), true)
})
