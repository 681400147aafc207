/** rtnetlink: lengths that lie, and any octets. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes, viewOf } from '../../../src/base/bytes.ts'
import { type Ip, ipFromBytes } from '../../../src/base/ip.ts'
import {
  cString,
  encodeAttribute,
  encodeMessage,
  hostIsLittleEndian,
  readAttributes,
  readCString,
  splitMessages,
  u32,
} from '../../../src/wire/netlink.ts'
import { decodeMessages, emptyRouteRejects } from '../../../src/wire/rtnetlink.ts'
import {
  type AddressSpec,
  encodeAddressDelete,
  encodeAddressReplace,
  vipdProtocol,
} from '../../../src/wire/rtnetlink-address.ts'
import { encodeLinkDump } from '../../../src/wire/rtnetlink-link.ts'
import { fc } from '../../property.ts'
import { asAddress, linkMessage, plain, six } from './rtnetlink-facts.ts'

test('every reject is counted, and what stands beside it is still read', () => {
  const rejects = emptyRouteRejects()
  const good = encodeAddressReplace(plain)
  const address = (...attributes: readonly Uint8Array[]): Uint8Array =>
    encodeMessage(20, 0, concatBytes([Uint8Array.of(2, 24, 0, 0, 3, 0, 0, 0), ...attributes]))
  const buffer = concatBytes([
    encodeMessage(20, 0, new Uint8Array(4)),
    encodeMessage(16, 0, new Uint8Array(12)),
    encodeMessage(2, 0, new Uint8Array(8)),
    good,
    address(u32(hostIsLittleEndian ? 0x0002_00ff : 0x00ff_0002)),
    address(),
    linkMessage(16, 0, []),
    encodeMessage(28, 0, new Uint8Array(12)),
    encodeMessage(20, 0, Uint8Array.of(28, 24, 0, 0, 3, 0, 0, 0)),
    good,
    good.subarray(0, 20),
  ])
  assert.equal(decodeMessages(buffer, rejects).length, 2)
  assert.deepEqual(rejects, {
    'too-short': 3,
    'bad-attributes': 1,
    'missing-attribute': 2,
    'unknown-type': 1,
    'other-family': 1,
    truncated: 1,
  })
})

test('framing: lengths that lie end the walk; what came before stays', () => {
  const good = encodeLinkDump()
  for (const length of [0, 15, good.length + 1, 0xffff_ffff]) {
    const lying = good.slice()
    viewOf(lying).setUint32(0, length, hostIsLittleEndian)
    const { messages, whole } = splitMessages(concatBytes([good, lying]))
    assert.deepEqual([messages.length, whole], [1, false], `length ${length}`)
  }
  assert.deepEqual(splitMessages(new Uint8Array(0)), { messages: [], whole: true })
  assert.equal(splitMessages(good.subarray(0, 9)).whole, false)
  const unaligned = encodeAttribute(3, cString('v0'))
  assert.equal(unaligned.length, 8)
  assert.equal(readCString(readAttributes(unaligned)?.get(3) ?? new Uint8Array(0)), 'v0')
  assert.equal(readCString(Uint8Array.of(0x76, 0x30)), 'v0')
})

const octets = (n: number) => fc.uint8Array({ minLength: n, maxLength: n })

const seconds = fc.option(fc.integer({ min: 0, max: 0xffff_fffe }))

const anySpec: fc.Arbitrary<AddressSpec> = fc
  .record({
    size: fc.constantFrom(4, 16),
    pool: octets(48),
    ifindex: fc.integer({ min: 1, max: 0x7fff_ffff }),
    prefixLength: fc.integer({ min: 0, max: 32 }),
    peer: fc.boolean(),
    broadcast: fc.boolean(),
    label: fc.option(fc.stringMatching(/^[a-z0-9.:]{1,15}$/)),
    scope: fc.integer({ min: 0, max: 255 }),
    nodad: fc.boolean(),
    noprefixroute: fc.boolean(),
    preferredSeconds: seconds,
    validSeconds: seconds,
  })
  .map(({ size, pool, peer, broadcast, ...rest }) => {
    const at = (i: number): Ip => ipFromBytes(pool.subarray(i * size, (i + 1) * size))
    return {
      ...plain,
      ...rest,
      address: at(0),
      peer: peer ? { address: at(1), prefixLength: 20 } : null,
      broadcast: broadcast ? at(2) : null,
    }
  })

test('an address request says what it was given', () => {
  fc.assert(
    fc.property(anySpec, (spec) => {
      const { address, peer, ifindex, scope, noprefixroute, validSeconds } = spec
      const four = !address.includes(':')
      const decoded = asAddress(encodeAddressReplace(spec))
      const far = peer === null || peer.address === address ? null : peer.address
      assert.deepEqual([decoded.address, decoded.peer], [address, far])
      assert.equal(decoded.prefixLength, (peer ?? spec).prefixLength)
      assert.deepEqual([decoded.ifindex, decoded.scope], [ifindex, scope])
      assert.deepEqual([decoded.noprefixroute, decoded.protocol], [noprefixroute, vipdProtocol])
      assert.equal(decoded.validSeconds, validSeconds)
      const own = four ? [spec.broadcast, spec.label, false] : [null, null, spec.nodad]
      assert.deepEqual([decoded.broadcast, decoded.label, decoded.nodad], own)
      const removed = asAddress(encodeAddressDelete(spec))
      assert.deepEqual([removed.address, removed.peer], [address, far])
    }),
  )
})

test('garbage never throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      decodeMessages(bytes, emptyRouteRejects())
      for (const type of [2, 3, 16, 17, 20, 21]) {
        decodeMessages(encodeMessage(type, bytes[0] === undefined ? 0 : bytes[0] << 6, bytes))
      }
    }),
  )
  fc.assert(
    fc.property(fc.nat(95), fc.integer({ min: 0, max: 255 }), (at, octet) => {
      const request = encodeAddressReplace({ ...six, label: 'x', validSeconds: 9 })
      decodeMessages(request.with(at % request.length, octet))
    }),
  )
})
