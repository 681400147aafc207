/** The filter programs, run by a small interpreter of the instructions that they use. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { concatBytes } from '../../../src/base/bytes.ts'
import { type Ip, ipBytes } from '../../../src/base/ip.ts'
import {
  dropAllFilter,
  incomingFilter,
  passAhFilter,
  routingNewsFilter,
  vrrpFilter,
} from '../../../src/wire/bpf.ts'
import { encodeAttribute, encodeMessage, u32 } from '../../../src/wire/netlink.ts'
import { nlm, type } from '../../../src/wire/rtnetlink-numbers.ts'
import { fromHex } from '../../hex.ts'
import { fc } from '../../property.ts'
import { disassemble, hopLimit, passes, run, verify } from './bpf-machine.ts'

const ipHeader = fromHex('45c0002000010000ff70d0990a000001e0000012')
const v3 = fromHex('313496010032439a0a00006e')
const packet = Uint8Array.of(...ipHeader, ...v3)

test('IPv4 multicast: protocol, TTL and VRID decide', () => {
  const program = vrrpFilter({ family: 4, multicast: true, vrids: [51, 52, 200] })
  assert(passes(program, packet))
  assert(!passes(program, packet.with(8, 254)), 'TTL 254')
  assert(!passes(program, packet.with(9, 51)), 'protocol 51')
  assert(!passes(program, packet.with(21, 53)), 'VRID 53')
  assert(!passes(program, packet.subarray(0, 21)), 'cut off')
  const options = Uint8Array.of(...ipHeader.with(0, 0x46), 1, 1, 1, 0, ...v3)
  assert(passes(program, options), 'an IP header with options')
})

const ahPacket = fromHex(
  '45c0004000010000ff33d0690a4d0001e0000012700400000a4d000100000001574946dbeed8675089a01c5c2115c80102010a370a4d00640000000000000000',
)

test('behind an authentication header: protocol, TTL, next header and VRID decide', () => {
  const program = vrrpFilter({ family: 4, ah: true, multicast: true, vrids: [0x15] })
  assert(passes(program, ahPacket))
  assert(!passes(program, ahPacket.with(8, 254)), 'TTL 254')
  assert(!passes(program, ahPacket.with(9, 112)), 'protocol 112')
  assert(!passes(program, ahPacket.with(20, 50)), 'next header ESP')
  assert(!passes(program, ahPacket.with(45, 0x16)), 'VRID 22')
  assert(!passes(program, ahPacket.subarray(0, 45)), 'cut off')
  assert(passes(passAhFilter(), ahPacket.with(45, 0x16)))
  assert(!passes(passAhFilter(), ahPacket.with(20, 50)), 'IPsec of another program')
})

test('what arrives and what leaves: VRRP of both families, also behind an authentication header', () => {
  const whole = disassemble(incomingFilter())
  verify(whole)
  // Behind the question whether it leaves.
  const program = whole.slice(3)
  const six = new Uint8Array(48).with(0, 0x60).with(6, 112)
  for (const [what, bytes, wanted] of [
    ['IPv4', packet, true],
    ['AH', ahPacket, true],
    ['IPv6', six, true],
    ['UDP', packet.with(9, 17), false],
    ['IPv6, TCP', six.with(6, 6), false],
  ] as const)
    assert.equal(run(program, bytes, new Uint8Array(40)), wanted, what)
})

test('IPv4 unicast: any TTL', () => {
  const program = vrrpFilter({ family: 4, multicast: false, vrids: [52] })
  assert(passes(program, packet.with(8, 3)))
  assert(!passes(program, packet.with(21, 51)))
})

test('IPv6 multicast: the hop limit, out of the header before what the socket shows', () => {
  const shown = disassemble(vrrpFilter({ family: 6, multicast: true, vrids: [52] }))
  assert(run(shown, v3, hopLimit(255)))
  assert(!run(shown, v3, hopLimit(254)))
  const unicast = disassemble(vrrpFilter({ family: 6, multicast: false, vrids: [52] }))
  assert(run(unicast, v3, hopLimit(254)))
})

test('IPv6: the payload alone', () => {
  const program = vrrpFilter({ family: 6, multicast: true, vrids: [52] })
  assert(passes(program, v3))
  assert(!passes(program, v3.with(1, 51)))
  assert(!passes(program, v3.subarray(0, 1)))
})

test('a version that is asked for is required', () => {
  for (const family of [4, 6] as const) {
    const bytes = family === 4 ? packet : v3
    assert(passes(vrrpFilter({ family, multicast: true, vrids: [52], version: 3 }), bytes))
    assert(!passes(vrrpFilter({ family, multicast: true, vrids: [52], version: 2 }), bytes))
  }
})

test('no VRID, or drop-all: nothing passes', () => {
  assert(!passes(vrrpFilter({ family: 4, multicast: true, vrids: [] }), packet))
  assert(!passes(dropAllFilter(), packet))
})

test('any set of VRIDs passes those and no other, in at most 9 comparisons', () => {
  const alternating = Array.from({ length: 128 }, (_, i) => 2 * i + 1)
  const all = Array.from({ length: 255 }, (_, i) => i + 1)
  const check = (vrids: readonly number[]): void => {
    const program = disassemble(vrrpFilter({ family: 6, multicast: true, vrids }))
    verify(program)
    const passed = Array.from({ length: 256 }, (_, i) => i).filter((i) =>
      run(program, v3.with(1, i)),
    )
    assert.deepEqual(
      passed,
      [...new Set(vrids)].sort((a, b) => a - b),
    )
  }
  check(alternating)
  check(all)
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 255 }), { maxLength: 300 }), check))
  // The densest mixtures of single and joined numbers are the longest programs.
  fc.assert(
    fc.property(fc.array(fc.constantFrom(2, 2, 2, 1, 3), { maxLength: 254 }), (gaps) => {
      let at = 0
      check(gaps.map((gap) => (at += gap)).filter((vrid) => vrid <= 255))
    }),
  )
  assert.throws(() => vrrpFilter({ family: 4, multicast: true, vrids: [256] }))
})

describe('notifications of routes and rules', () => {
  /** struct nlmsghdr, struct rtmsg, RTA_TABLE, RTA_DST, as Linux 6.18 tells of them. */
  const told = (to: string, what: { type?: number; flags?: number; protocol?: number } = {}) => {
    const [address = '', length = ''] = to.split('/')
    const family = address.includes(':') ? 10 : 2
    const octets = ipBytes(address as Ip)
    return encodeMessage(
      what.type ?? type.newRoute,
      what.flags ?? nlm.replace,
      concatBytes([
        Uint8Array.of(family, Number(length), 0, 0, 254, what.protocol ?? 3, 0, 1, 0, 0, 0, 0),
        encodeAttribute(15, u32(254)),
        ...(length === '0' ? [] : [encodeAttribute(1, octets)]),
        encodeAttribute(5, octets),
      ]),
    )
  }
  const prefix = (address: string, length: number) => ({ address: address as Ip, length })
  const filter = routingNewsFilter(112, [
    prefix('192.0.2.0', 24),
    prefix('0.0.0.0', 0),
    prefix('2001:db8:77::', 64),
  ])

  test('what took the place of a route passes where it leads to one of ours', () => {
    for (const to of ['192.0.2.0/24', '2001:db8:77::/64', '0.0.0.0/0', '::/0'])
      assert(passes(filter, told(to)), to)
    assert(!passes(filter, told('192.0.3.0/24')), 'another destination')
    assert(!passes(filter, told('2001:db8:78::/64')), 'another destination of IPv6')
    assert(!passes(filter, told('192.0.2.0/24', { flags: nlm.create })), 'beside ours')
    assert(!passes(filter, told('192.0.2.0/24', { protocol: 112 })), 'by ourselves')
  })

  test('removals pass of our protocol alone', () => {
    const gone = { type: type.delRoute, flags: 0 }
    assert(passes(filter, told('192.0.3.0/24', { ...gone, protocol: 112 })))
    assert(!passes(filter, told('192.0.2.0/24', gone)))
  })

  test('rules: removals alone; everything else passes', () => {
    assert(!passes(filter, told('192.0.2.0/24', { type: type.newRule })))
    assert(passes(filter, told('192.0.3.0/24', { type: type.delRule })))
    assert(passes(filter, told('192.0.3.0/24', { type: type.newLink })))
  })

  test('as many destinations as there may be: exactly these; with more all that is replaced', () => {
    const four = fc.integer({ min: 0, max: 0xffff_ffff }).map((n) => {
      const octets = [24, 16, 8, 0].map((by) => (n >>> by) & 255)
      return octets.join('.')
    })
    fc.assert(
      fc.property(fc.uniqueArray(four, { minLength: 1, maxLength: 129 }), four, (some, other) => {
        const all = some.slice(0, 128)
        const program = routingNewsFilter(
          112,
          all.map((it) => prefix(it, 32)),
        )
        for (const it of all) assert(passes(program, told(`${it}/32`)), it)
        assert.equal(passes(program, told(`${other}/32`)), all.includes(other))
        const whole = routingNewsFilter(
          112,
          some.map((it) => prefix(it, 32)),
        )
        if (some.length > 128) assert(passes(whole, told('192.0.2.0/32')))
      }),
      { numRuns: 50 },
    )
  })
})
