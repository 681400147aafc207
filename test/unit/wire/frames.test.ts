/** Announcement frames, gratuitous ARP and unsolicited NA: as keepalived 2.2.7 sent them, and every reject. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex } from '../../../src/base/bytes.ts'
import { ipFromBytes } from '../../../src/base/ip.ts'
import { decodeArp, emptyArpRejects, encodeGratuitousArp } from '../../../src/wire/arp.ts'
import { allNodes, decodeNa, emptyNaRejects, encodeUnsolicitedNa } from '../../../src/wire/ndp.ts'
import { fromHex } from '../../hex.ts'
import { fc } from '../../property.ts'

const mac = fromHex('42:c9:b0:ad:e1:62')
const four = ipFromBytes(Uint8Array.of(10, 0, 0, 110))
const six = ipFromBytes(fromHex('fe80 0000 0000 0000 0000 0000 0000 0100'))

const arpHex = `ffffffffffff42c9b0ade1620806 0001080006040001
  42c9b0ade162 0a00006e ffffffffffff 0a00006e`
const naHex = `33330000000142c9b0ade16286dd 6000000000203aff fe800000000000000000000000000100
  ff020000000000000000000000000001 880082c420000000 fe800000000000000000000000000100 020142c9b0ade162`

test('gratuitous ARP is the frame that keepalived sends', () => {
  const frame = encodeGratuitousArp(mac, four)
  assert.equal(toHex(frame), arpHex.replaceAll(/\s/g, ''))
  assert.deepEqual(decodeArp(frame), {
    ok: true,
    value: { operation: 'request', senderMac: mac, sender: four, target: four },
  })
  const reply = decodeArp(frame.with(21, 2))
  assert(reply.ok && reply.value.operation === 'reply')
})

test('every ARP reject', () => {
  const frame = encodeGratuitousArp(mac, four)
  const counters = emptyArpRejects()
  const cases: readonly Uint8Array[] = [
    frame.subarray(0, 41),
    frame.with(13, 0),
    frame.with(18, 8),
    frame.with(21, 3),
  ]
  for (const bytes of cases) {
    const decoded = decodeArp(bytes)
    assert(!decoded.ok)
    counters[decoded.why] += 1
  }
  assert.deepEqual(counters, { 'too-short': 1, 'not-arp': 2, 'bad-operation': 1 })
})

test('an unsolicited neighbour advertisement is the frame that keepalived sends', () => {
  const frame = encodeUnsolicitedNa(mac, six, false)
  assert.equal(toHex(frame), naHex.replaceAll(/\s/g, ''))
  assert.deepEqual(decodeNa(frame), {
    ok: true,
    value: {
      source: six,
      destination: allNodes,
      target: six,
      router: false,
      solicited: false,
      override: true,
      mac,
    },
  })
  const router = decodeNa(encodeUnsolicitedNa(mac, six, true))
  assert(router.ok && router.value.router)
})

test('every NA reject', () => {
  const frame = encodeUnsolicitedNa(mac, six, false)
  const counters = emptyNaRejects()
  const cases: readonly Uint8Array[] = [
    frame.subarray(0, 77),
    frame.with(54, 135),
    frame.with(12, 8),
    frame.with(19, 200),
    frame.with(21, 254),
    frame.with(60, 1),
    // A zero-length option; the checksum is mended by moving the same amount into the target's last word.
    mended(frame.with(79, 0), 77, 1),
  ]
  for (const bytes of cases) {
    const decoded = decodeNa(bytes)
    assert(!decoded.ok)
    counters[decoded.why] += 1
  }
  assert.deepEqual(counters, {
    'too-short': 1,
    'not-neighbour-advertisement': 2,
    'bad-length': 1,
    'bad-hop-limit': 1,
    'bad-checksum': 1,
    'bad-option': 1,
  })
})

const mended = (bytes: Uint8Array, at: number, more: number): Uint8Array =>
  bytes.with(at, (bytes[at] ?? 0) + more)

test('round trips, and garbage never throws', () => {
  const octets = (n: number) => fc.uint8Array({ minLength: n, maxLength: n })
  fc.assert(
    fc.property(octets(6), octets(4), octets(16), fc.boolean(), (hardware, a, b, router) => {
      const arp = decodeArp(encodeGratuitousArp(hardware, ipFromBytes(a)))
      assert(arp.ok && arp.value.sender === ipFromBytes(a))
      assert.deepEqual(arp.value.senderMac, hardware)
      const na = decodeNa(encodeUnsolicitedNa(hardware, ipFromBytes(b), router))
      assert(na.ok && na.value.target === ipFromBytes(b) && na.value.router === router)
      assert.deepEqual(na.value.mac, hardware)
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(85), (bytes, at) => {
      decodeArp(bytes)
      decodeNa(bytes)
      const frame = encodeUnsolicitedNa(mac, six, false)
      frame.set(bytes.subarray(0, frame.length - at), at)
      decodeNa(frame)
    }),
  )
})
