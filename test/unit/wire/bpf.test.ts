/**
 * The filter programs, run by a small interpreter of the instructions they use, and refused or accepted
 * as linux/filter.c would: jumps stay inside, the last instruction returns.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { viewOf } from '../../../src/base/bytes.ts'
import {
  dropAllFilter,
  incomingFilter,
  networkHeader,
  opcode,
  passAhFilter,
  vrrpFilter,
} from '../../../src/wire/bpf.ts'
import { hostIsLittleEndian } from '../../../src/wire/netlink.ts'
import { fromHex } from '../../hex.ts'

type Instruction = { code: number; jt: number; jf: number; k: number }

function disassemble(program: Uint8Array): Instruction[] {
  assert.equal(program.length % 8, 0)
  const view = viewOf(program)
  return Array.from({ length: program.length / 8 }, (_, i) => ({
    code: view.getUint16(8 * i, hostIsLittleEndian),
    jt: view.getUint8(8 * i + 2),
    jf: view.getUint8(8 * i + 3),
    k: view.getInt32(8 * i + 4, hostIsLittleEndian),
  }))
}

/** What the kernel checks when a program is attached (bpf_check_classic). */
function verify(program: readonly Instruction[]): void {
  assert(program.length >= 1 && program.length <= 4096)
  program.forEach((one, i) => {
    assert((Object.values(opcode) as number[]).includes(one.code), `opcode ${one.code}`)
    const furthest = i + 1 + Math.max(one.jt, one.jf)
    assert(!isJump(one) || furthest < program.length, 'a jump leaves the program')
  })
  assert.equal(program.at(-1)?.code, opcode.return)
}

/**
 * A load beyond the packet ends the program with 0, as in the kernel. `network` is what the network header's own
 * offsets reach: where the socket shows the payload alone, the IP header.
 */
function run(
  program: readonly Instruction[],
  packet: Uint8Array,
  network: Uint8Array = hopLimit(255),
): boolean {
  let a = 0
  let x = 0
  let at = 0
  for (;;) {
    const next = program[at++]
    assert(next !== undefined, 'ran past the end')
    const { code, k } = next
    if (code === opcode.return) return k !== 0
    if (isJump(next)) {
      at += taken(next, a) ? next.jt : next.jf
      continue
    }
    const octet = octetAt(next, x, packet, network)
    if (octet === undefined) return false
    if (code === opcode.loadHeaderLength) x = 4 * (octet & 0xf)
    else a = octet
  }
}

const hopLimit = (hops: number): Uint8Array => new Uint8Array(40).with(7, hops)

const octetAt = (
  { code, k }: Instruction,
  x: number,
  packet: Uint8Array,
  network: Uint8Array,
): number | undefined =>
  k < 0 ? network[k - networkHeader] : packet[code === opcode.loadByteIndexed ? x + k : k]

const isJump = ({ code }: Instruction): boolean =>
  code === opcode.jumpEqual || code === opcode.jumpGreaterOrEqual

const taken = ({ code, k }: Instruction, a: number): boolean =>
  code === opcode.jumpEqual ? a === k : a >= k

const passes = (program: Uint8Array, packet: Uint8Array): boolean => {
  const instructions = disassemble(program)
  verify(instructions)
  return run(instructions, packet)
}

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
