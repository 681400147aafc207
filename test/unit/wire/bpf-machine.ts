/**
 * A small interpreter of the instructions that the filter programs use. It refuses and accepts them as linux/filter.c
 * would: jumps stay inside, the last instruction returns.
 */
import assert from 'node:assert/strict'
import { viewOf } from '../../../src/base/bytes.ts'
import {
  networkHeader,
  opcode,
  packetInterface,
  packetType,
  tagOctets,
  tagPresent,
} from '../../../src/wire/bpf.ts'
import { hostIsLittleEndian } from '../../../src/wire/netlink.ts'

type Instruction = { code: number; jt: number; jf: number; k: number }

export function disassemble(program: Uint8Array): Instruction[] {
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
export function verify(program: readonly Instruction[]): void {
  assert(program.length >= 1 && program.length <= 4096)
  program.forEach((one, i) => {
    assert((Object.values(opcode) as number[]).includes(one.code), `opcode ${one.code}`)
    const far = one.code === opcode.jumpAlways ? one.k : Math.max(one.jt, one.jf)
    const furthest = i + 1 + far
    assert(!isJump(one) || furthest < program.length, 'a jump leaves the program')
  })
  assert.equal(program.at(-1)?.code, opcode.return)
}

/** What the kernel knows of a packet beside its octets. `type`: PACKET_HOST, … of linux/if_packet.h; `tag`: of 802.1Q. */
export type Beside = { readonly type?: number; readonly ifindex?: number; readonly tag?: number }

const saidOf = ({ type = 0, ifindex = 0, tag }: Beside, k: number): number | undefined =>
  ({
    [packetType]: type,
    [packetInterface]: ifindex,
    [tagPresent]: tag === undefined ? 0 : 1,
    [tagOctets]: tag ?? 0,
  })[k]

/**
 * A load beyond the packet ends the program with 0, as in the kernel. `network` is what the network header's own
 * offsets reach: where the socket shows the payload alone, the IP header.
 */
export function run(
  program: readonly Instruction[],
  packet: Uint8Array,
  network: Uint8Array = hopLimit(255),
  beside: Beside = {},
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
      at += jumpOf(next, a)
      continue
    }
    const value = saidOf(beside, next.k) ?? stepped(next, { a, x }, packet, network)
    if (value === undefined) return false
    if (settingX.includes(code)) x = value
    else if (code === opcode.loadHeaderLength) x = 4 * (value & 0xf)
    else a = value
  }
}

function stepped(
  one: Instruction,
  { a, x }: { readonly a: number; readonly x: number },
  packet: Uint8Array,
  network: Uint8Array,
): number | undefined {
  if (one.code === opcode.toX) return a
  if (one.code === opcode.constantToX) return one.k
  return one.code === opcode.xorX ? (a ^ x) >>> 0 : loaded(one, x, packet, network)
}

export const hopLimit = (hops: number): Uint8Array => new Uint8Array(40).with(7, hops)

const octetsOf: Readonly<Record<number, number>> = {
  [opcode.loadHalf]: 2,
  [opcode.loadWord]: 4,
  [opcode.loadWordIndexed]: 4,
}
const settingX: readonly number[] = [opcode.toX, opcode.constantToX]
const indexed: readonly number[] = [opcode.loadByteIndexed, opcode.loadWordIndexed]

function loaded(
  { code, k }: Instruction,
  x: number,
  packet: Uint8Array,
  network: Uint8Array,
): number | undefined {
  if (k < 0) return network[k - networkHeader]
  const from = indexed.includes(code) ? x + k : k
  const octets = packet.subarray(from, from + (octetsOf[code] ?? 1))
  if (octets.length < (octetsOf[code] ?? 1)) return undefined
  return octets.reduce((all, octet) => all * 256 + octet, 0)
}

const jumps: readonly number[] = [
  opcode.jumpAlways,
  opcode.jumpEqual,
  opcode.jumpGreaterOrEqual,
  opcode.jumpAnySet,
]
const isJump = ({ code }: Instruction): boolean => jumps.includes(code)

function jumpOf({ code, k, jt, jf }: Instruction, a: number): number {
  switch (code) {
    case opcode.jumpAlways:
      return k
    case opcode.jumpAnySet:
      return (a & k) === 0 ? jf : jt
    case opcode.jumpEqual:
      return a === k >>> 0 ? jt : jf
    default:
      return a >= k >>> 0 ? jt : jf
  }
}

export const passes = (program: Uint8Array, packet: Uint8Array, beside: Beside = {}): boolean => {
  const instructions = disassemble(program)
  verify(instructions)
  return run(instructions, packet, undefined, beside)
}
