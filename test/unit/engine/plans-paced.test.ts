/** Plans with a pace, and those of virtual links. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex } from '../../../src/base/bytes.ts'
import { secondsToUs, us } from '../../../src/base/time.ts'
import type { Plan } from '../../../src/engine/order.ts'
import {
  planAdvert,
  planAnnounceSource,
  planOrder,
  planReannounce,
} from '../../../src/engine/plans.ts'
import {
  planCarriers,
  planHold,
  planPacedAgain,
  planRestore,
  planWithdraw,
  type SlotFacts,
} from '../../../src/engine/plans-addresses.ts'
import { fromHex } from '../../hex.ts'
import { address, facts, leadOf, mac, master, params, readAll, readFrame } from './plan-words.ts'

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
