/** The host's own secondaries: which go with our primaries, and that every plan that deletes these sets them again. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes, viewOf } from '../../../src/base/bytes.ts'
import { type Ip, ipBytes } from '../../../src/base/ip.ts'
import type { Plan } from '../../../src/engine/order.ts'
import { planIdle } from '../../../src/engine/plans.ts'
import { planRemove, planSwap } from '../../../src/engine/plans-addresses.ts'
import { Kernel } from '../../../src/kernel/mirror.ts'
import { slotFacts } from '../../../src/router/binding/slot-facts.ts'
import { followTakenAlong } from '../../../src/router/binding/taken-along.ts'
import {
  cString,
  encodeAttribute,
  encodeMessage,
  hostIsLittleEndian,
  splitMessages,
  u8,
  u32,
} from '../../../src/wire/netlink.ts'
import { decodeMessages } from '../../../src/wire/rtnetlink.ts'
import { keepalivedProtocol, vipdProtocol } from '../../../src/wire/rtnetlink-address.ts'
import { instance, ip, link, virtualAddress } from './facts.ts'

const eth0 = link(3, 'eth0')
const permanent = 0x80
const secondary = 0x01
const ours = { protocol: vipdProtocol, flags: permanent }
const hosts = { protocol: 0, flags: permanent | secondary }

type Told = { readonly protocol: number; readonly flags: number; readonly on?: number }

function told(verb: 'add' | 'delete', text: string, { protocol, flags, on = 3 }: Told): Uint8Array {
  const [address = '', prefix = ''] = text.split('/')
  const header = Uint8Array.of(2, Number(prefix), flags, 0, 0, 0, 0, 0)
  viewOf(header).setUint32(4, on, hostIsLittleEndian)
  const attributes = [
    encodeAttribute(1, ipBytes(ip(address))),
    encodeAttribute(2, ipBytes(ip(address))),
    encodeAttribute(3, cString('eth0:own')),
    encodeAttribute(8, u32(flags)),
    encodeAttribute(9, u32(77)),
    ...(protocol === 0 ? [] : [encodeAttribute(11, u8(protocol))]),
  ]
  return encodeMessage(verb === 'add' ? 20 : 21, 0, concatBytes([header, ...attributes]))
}

const vip = virtualAddress('10.99.0.100', { prefixLength: 24 })
const cfg = instance({ addresses: [vip] })
const factsOf = (kernel: Kernel, of = cfg) => slotFacts(of, eth0, kernel, 1, '10.9.0.1' as Ip, null)

function kernelWith(...messages: readonly Uint8Array[]): Kernel {
  const kernel = new Kernel()
  kernel.apply(concatBytes(messages))
  return kernel
}

const read = (plan: Plan): readonly string[] =>
  plan.flatMap((step) => {
    assert(step.kind !== 'datagram')
    if (step.kind === 'frame') return []
    return decodeMessages(step.bytes).map((message) => {
      assert(message.kind === 'newaddr' || message.kind === 'deladdr')
      const { address, prefixLength } = message.address
      return `${message.kind === 'newaddr' ? 'add' : 'delete'} ${address}/${prefixLength}`
    })
  })

const rest = (kernel: Kernel) => read(planIdle(factsOf(kernel), {}))

test('a primary of ours gives back the secondaries of the host, as they were told, where they are missing', () => {
  const body = told('add', '10.99.0.2/24', hosts)
  const kernel = kernelWith(told('add', '10.99.0.100/24', ours), body)
  const plan = planIdle(factsOf(kernel), {})
  assert.deepEqual(read(plan), ['delete 10.99.0.100/24', 'add 10.99.0.2/24'])
  const last = plan.at(-1)
  assert(last?.kind === 'netlink')
  assert.deepEqual(last.tolerate, [17, 19], 'EEXIST, ENODEV')
  const [again] = splitMessages(last.bytes).messages
  const [was] = splitMessages(body).messages
  assert.deepEqual([again?.type, again?.flags], [20, 0x1 | 0x4 | 0x200 | 0x400])
  assert.deepEqual(again?.body, was?.body)
})

test('nothing is named that our deletion does not take along', () => {
  const only = ['delete 10.99.0.100/24']
  const own = told('add', '10.99.0.2/24', hosts)
  const cases: Record<string, readonly Uint8Array[]> = {
    'ours is secondary': [told('add', '10.99.0.100/24', { ...ours, flags: secondary }), own],
    'ours is not there': [own],
    'the host has the primary': [
      told('add', '10.99.0.100/24', { ...ours, flags: secondary }),
      told('add', '10.99.0.2/24', { ...hosts, flags: permanent }),
    ],
    'another prefix': [
      told('add', '10.99.0.100/24', ours),
      told('add', '10.99.0.2/25', hosts),
      told('add', '10.99.1.2/24', hosts),
    ],
    'another interface': [
      told('add', '10.99.0.100/24', ours),
      told('add', '10.99.0.2/24', { ...hosts, on: 4 }),
    ],
    'of keepalived, which may give it up as well': [
      told('add', '10.99.0.100/24', ours),
      told('add', '10.99.0.2/24', { ...hosts, protocol: keepalivedProtocol }),
    ],
    'of a vipd': [
      told('add', '10.99.0.100/24', ours),
      told('add', '10.99.0.2/24', { ...hosts, protocol: vipdProtocol }),
    ],
  }
  for (const [what, messages] of Object.entries(cases))
    assert.deepEqual(rest(kernelWith(...messages)), only, what)
})

test('the facts follow: the address comes, is renewed, goes; ours is deleted; equal facts stay the same', () => {
  const kernel = kernelWith(told('add', '10.99.0.100/24', ours))
  let facts = factsOf(kernel)
  const next = (message: Uint8Array, count: number, news = 1): void => {
    assert.equal(kernel.apply(message).length, news)
    const before = facts
    facts = followTakenAlong(facts, kernel)
    assert.equal(facts === before, news === 0)
    assert.equal(facts.takenAlong.length, count)
    assert.equal(followTakenAlong(facts, kernel), facts)
  }
  next(told('add', '10.99.0.2/24', hosts), 1)
  next(told('add', '10.99.0.2/24', hosts), 1, 0)
  next(told('add', '10.99.0.2/24', { ...hosts, flags: secondary | 0x200 }), 1)
  next(told('delete', '10.99.0.2/24', hosts), 0)
  next(told('add', '10.99.0.2/24', hosts), 1)
  next(told('delete', '10.99.0.100/24', ours), 0)
})

test('read anew after an overrun: promoted is a change, gone is gone', () => {
  const added = [told('add', '10.99.0.100/24', ours), told('add', '10.99.0.2/24', hosts)]
  const kernel = kernelWith(...added)
  const promoted = told('add', '10.99.0.2/24', { ...hosts, flags: permanent })
  assert.equal(kernel.replace([promoted]).length, 2)
  assert.equal(kernel.secondaries(3).length, 0)
  kernel.replace([concatBytes(added)])
  assert.equal(kernel.secondaries(3).length, 1)
})

test('a reload that removes or swaps the primary gives back as well, by what was before it', () => {
  const kernel = kernelWith(
    told('add', '10.99.0.100/24', ours),
    told('add', '10.99.0.2/24', hosts),
    told('add', '10.99.0.101/24', { ...ours, flags: permanent | secondary }),
  )
  const other = virtualAddress('10.99.0.101', { prefixLength: 24 })
  const before = factsOf(kernel, instance({ addresses: [vip, other] }))
  const now = factsOf(kernel, instance({ addresses: [other] }))
  const [first] = before.addresses
  assert(first !== undefined)
  const removed = ['delete 10.99.0.100/24', 'add 10.99.0.2/24', 'add 10.99.0.101/24']
  assert.deepEqual(read(planRemove(before, now, [first])), removed)
  const to = { ...first, label: 'eth0:1' }
  const after = { ...before, addresses: [to] }
  const swapped = ['delete 10.99.0.100/24', 'add 10.99.0.100/24', 'add 10.99.0.2/24']
  const plan = read(planSwap(before, after, { from: first, to }))
  assert.deepEqual(plan.slice(0, 3), swapped)
})
