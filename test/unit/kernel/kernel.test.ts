/** The mirror tells addresses apart as the kernel does: by address, prefix and peer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes, viewOf } from '../../../src/base/bytes.ts'
import { ipBytes, ipFamily } from '../../../src/base/ip.ts'
import type { SlotFacts } from '../../../src/engine/plans-addresses.ts'
import { Kernel } from '../../../src/kernel/mirror.ts'
import { addressDifference } from '../../../src/router/binding/address-difference.ts'
import { resolveInterface } from '../../../src/router/binding/interface-resolution.ts'
import {
  cString,
  encodeAttribute,
  encodeMessage,
  hostIsLittleEndian,
  u32,
} from '../../../src/wire/netlink.ts'
import { instance, ip, virtualAddress } from '../router/facts.ts'

const ifindex = 3
const type = { add: 20, delete: 21 } as const
const flag = { dadFailed: 0x08, tentative: 0x40 }

function linkUp(): Uint8Array {
  const header = new Uint8Array(16)
  viewOf(header).setInt32(4, ifindex, hostIsLittleEndian)
  viewOf(header).setUint32(8, 0x1 | 0x40 | 0x1000, hostIsLittleEndian)
  return encodeMessage(16, 0, concatBytes([header, encodeAttribute(3, cString('eth0'))]))
}

/** RTM_NEWADDR or RTM_DELADDR as the kernel notifies them: `10.0.0.1/24`, with a peer `10.0.0.1 peer 10.0.0.2/24`. */
function told(what: keyof typeof type, text: string, flags = 0): Uint8Array {
  const [local = '', far = local] = text.replace(/\/.*/, '').split(' peer ')
  const header = new Uint8Array(8)
  header[0] = ipFamily(ip(local)) === 4 ? 2 : 10
  header[1] = Number(/\/(\d+)$/.exec(text)?.[1])
  viewOf(header).setUint32(4, ifindex, hostIsLittleEndian)
  const attributes = [
    encodeAttribute(2, ipBytes(ip(local))),
    encodeAttribute(1, ipBytes(ip(far))),
    encodeAttribute(8, u32(flags)),
  ]
  return encodeMessage(type[what], 0, concatBytes([header, ...attributes]))
}

function kernelWith(...messages: readonly Uint8Array[]): Kernel {
  const kernel = new Kernel()
  kernel.apply(concatBytes([linkUp(), ...messages]))
  return kernel
}

const vip = virtualAddress('10.99.0.100', { prefixLength: 24 })
const addresses = (kernel: Kernel): string[] =>
  kernel.addressesOn(ifindex).map((a) => `${a.address}/${a.prefixLength}`)

test('an address whose prefix is changed by adding and deleting is still a source', () => {
  const kernel = kernelWith(told('add', '10.99.0.1/24'), told('add', '10.99.0.1/22'))
  kernel.apply(told('delete', '10.99.0.1/24'))
  assert.deepEqual(addresses(kernel), ['10.99.0.1/22'])
  const resolution = resolveInterface(instance(), kernel, new Set([vip.address]))
  assert.ok(resolution.ok)
  assert.equal(resolution.key.source, '10.99.0.1')
})

test('the number of a VIP with another prefix hides neither its presence nor its deletion', () => {
  const kernel = kernelWith(told('add', '10.99.0.100/24'), told('add', '10.99.0.100/32'))
  assert.equal(kernel.holds(ifindex, vip), true)
  kernel.apply(told('delete', '10.99.0.100/32'))
  assert.equal(kernel.holds(ifindex, vip), true, 'the other one was deleted')
  kernel.apply(told('add', '10.99.0.100/32'))
  const changes = kernel.apply(told('delete', '10.99.0.100/24'))
  assert.equal(kernel.holds(ifindex, vip), false, 'only the other one is left')
  assert.deepEqual(
    changes.map((c) => c.kind === 'address' && [c.held.prefixLength, c.present]),
    [[24, false]],
  )
})

test('a peer makes it another address; one that is its own peer has none', () => {
  const peer = { address: ip('10.99.0.2'), prefixLength: 24 }
  const pointToPoint = { ...vip, peer }
  const kernel = kernelWith(told('add', '10.99.0.100 peer 10.99.0.2/24'))
  assert.equal(kernel.holds(ifindex, pointToPoint), true)
  assert.equal(kernel.holds(ifindex, vip), false)
  kernel.apply(told('add', '10.99.0.100/24'))
  assert.equal(
    kernel.holds(ifindex, { ...vip, peer: { ...peer, address: vip.address } }),
    true,
    'the kernel does not tell of a peer that is the address itself',
  )
})

test('an address that is tentative, or a duplicate, is there but not held', () => {
  const six = virtualAddress('fd00::100', { prefixLength: 64 })
  const kernel = kernelWith(told('add', 'fd00::100/64', flag.tentative))
  const held = () => [kernel.find(ifindex, six) !== null, kernel.holds(ifindex, six)]
  assert.deepEqual(held(), [true, false])
  assert.equal(kernel.apply(told('add', 'fd00::100/64')).length, 1)
  assert.deepEqual(held(), [true, true])
  assert.equal(kernel.apply(told('add', 'fd00::100/64', flag.dadFailed)).length, 1)
  assert.deepEqual(held(), [true, false])
  const failing = kernelWith(told('add', 'fd00::100/64', flag.tentative))
  const told6 = failing.apply(told('add', 'fd00::100/64', flag.dadFailed | flag.tentative))
  const gone = failing.apply(told('delete', 'fd00::100/64', flag.dadFailed))
  assert.deepEqual(
    [...told6, ...gone].map((c) => c.kind === 'address' && [c.present, c.held.duplicate]),
    [
      [true, true],
      [false, true],
    ],
  )
})

/** Seen with Linux 6.18: the coming of an IPv6 address is told by the work of DAD, its end at once. */
test('an address of ours that goes before the kernel has told of its coming is told as gone', () => {
  const [isOurs, isNot] = [new Kernel(() => true), new Kernel(() => false)]
  const gone = told('delete', '2001:db8::1/64')
  for (const kernel of [isOurs, isNot]) kernel.apply(linkUp())
  const [change] = isOurs.apply(gone)
  assert.ok(change?.kind === 'address')
  assert.deepEqual([change.present, change.foreign], [false, false])
  assert.deepEqual(isNot.apply(gone), [])
})

test('after an overrun the differences are told by identity as well', () => {
  const kernel = kernelWith(told('add', '10.99.0.100/24'), told('add', '10.99.0.100/32'))
  const changes = kernel.replace([linkUp(), told('add', '10.99.0.100/32')])
  assert.deepEqual(
    changes.map((c) => c.kind === 'address' && [c.held.prefixLength, c.present]),
    [[24, false]],
  )
})

test('a reload that changes a peer takes the address with the old one away', () => {
  const place = { ifindex, mac: null, router: false, advertised: true }
  const facts = (far: string): SlotFacts =>
    ({
      addresses: [
        { ...vip, ...place, peer: { address: ip(far), prefixLength: 32 } },
      ] as readonly unknown[],
      lifetimeSeconds: null,
    }) as unknown as SlotFacts
  const { add, remove } = addressDifference(facts('10.99.0.2'), facts('10.99.0.3'))
  assert.deepEqual(
    [remove.map((a) => a.peer?.address), add.map((a) => a.peer?.address)],
    [['10.99.0.2'], ['10.99.0.3']],
  )
})
