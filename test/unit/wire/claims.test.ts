/** Which frames pass the filters for claims, and what they say: both families, and that nothing else is let through. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes } from '../../../src/base/bytes.ts'
import { type Ip, ipBytes, ipFromBytes } from '../../../src/base/ip.ts'
import { macOctets } from '../../../src/base/mac.ts'
import { encodeGratuitousArp } from '../../../src/wire/arp.ts'
import { packetOtherHost, packetOutgoing } from '../../../src/wire/bpf.ts'
import { arpClaimFilter, ndClaimFilter, sentClaimFilter } from '../../../src/wire/bpf-claims.ts'
import { decodeClaim, frameMark, isGroup } from '../../../src/wire/claim.ts'
import { encodeUnsolicitedNa } from '../../../src/wire/ndp.ts'
import { fromHex } from '../../hex.ts'
import { fc } from '../../property.ts'
import { type Beside, disassemble, passes, run, verify } from './bpf-machine.ts'
import { arpFrame, ndFrame, noIp, zeroIp } from './claim-frames.ts'

const mac = '02:00:00:00:00:09'
const ours = '02:00:00:00:00:01'
const four = (...octets: number[]): Ip => ipFromBytes(Uint8Array.from(octets))
const six = (hex: string): Ip => ipFromBytes(fromHex(hex.padEnd(32, '0')))
const vip = four(172, 16, 80, 100)
const other = four(172, 16, 80, 7)
const vip6 = six('fd000000000000000000000000000100')
const other6 = six('fd000000000000000000000000000007')

/** The index of the interface that is watched. */
const on = 3
const here: Beside = { ifindex: on }
const passesThere = (program: Uint8Array, frame: Uint8Array, beside: Beside = {}): boolean =>
  passes(program, frame, { ...here, ...beside })

type Case = readonly [what: string, frame: Uint8Array, how: string | null]

const arpCases: readonly Case[] = [
  ['gratuitous request', encodeGratuitousArp(macOctets(mac), vip), 'announced'],
  ['gratuitous reply', arpFrame({ operation: 2, mac, sender: vip, target: vip }), 'announced'],
  ['reply to all', arpFrame({ operation: 2, mac, sender: vip, target: other }), 'announced'],
  ['request in its name', arpFrame({ operation: 1, mac, sender: vip, target: other }), 'used'],
  ['confirmed', arpFrame({ operation: 1, mac, sender: vip, target: other, to: ours }), 'used'],
  ['answer', arpFrame({ operation: 2, mac, sender: vip, target: other, to: ours }), 'answered'],
  [
    'answer to an announcement',
    arpFrame({ operation: 2, mac, sender: vip, target: vip, to: ours }),
    'answered',
  ],
  ['probe', arpFrame({ operation: 1, mac, sender: zeroIp, target: vip }), 'probed'],
  ['a client asks', arpFrame({ operation: 1, mac, sender: other, target: vip }), null],
  ['another one', encodeGratuitousArp(macOctets(mac), other), null],
  ['probe of another', arpFrame({ operation: 1, mac, sender: zeroIp, target: other }), null],
  ['reply of none', arpFrame({ operation: 2, mac, sender: zeroIp, target: vip }), null],
]

test('ARP: who claims an address passes and is named, others are dropped', () => {
  const program = arpClaimFilter(on, [vip, four(10, 0, 0, 1), four(255, 255, 255, 255)])
  for (const [what, frame, how] of arpCases) {
    assert.equal(passesThere(program, frame), how !== null, what)
    if (how === null) continue
    const claim = decodeClaim(4, frame)
    assert.deepEqual(claim, { ok: true, value: { address: vip, mac, how } }, what)
  }
  const [, frame = new Uint8Array(0)] = arpCases[0] ?? []
  assert(passesThere(program, concatBytes([frame, new Uint8Array(18)])), 'padded')
  assert(!passesThere(program, frame.subarray(0, 30)), 'cut off')
  assert(!passesThere(program, frame.with(15, 6)), 'no Ethernet')
  assert(!passesThere(program, frame.with(18, 8)), 'other lengths')
})

const ndCases: readonly Case[] = [
  ['unsolicited', encodeUnsolicitedNa(macOctets(mac), vip6, false), 'announced'],
  [
    'answer',
    ndFrame({
      type: 'advertisement',
      mac,
      source: other6,
      target: vip6,
      option: mac,
      solicited: true,
    }),
    'answered',
  ],
  ['no option', ndFrame({ type: 'advertisement', mac, source: vip6, target: vip6 }), 'announced'],
  ['detection', ndFrame({ type: 'solicitation', mac, source: noIp, target: vip6 }), 'probed'],
  [
    'solicitation in its name',
    ndFrame({ type: 'solicitation', mac, source: vip6, target: other6, option: mac }),
    'used',
  ],
  [
    'a client asks',
    ndFrame({ type: 'solicitation', mac, source: other6, target: vip6, option: mac }),
    null,
  ],
  ['another one', encodeUnsolicitedNa(macOctets(mac), other6, false), null],
  [
    'detection of another',
    ndFrame({ type: 'solicitation', mac, source: noIp, target: other6 }),
    null,
  ],
]

test('neighbour discovery: the same', () => {
  const program = ndClaimFilter(on, [vip6, six('fe80000000000000000000000000ffff')])
  for (const [what, frame, how] of ndCases) {
    assert.equal(passesThere(program, frame), how !== null, what)
    if (how === null) continue
    assert.deepEqual(decodeClaim(6, frame), { ok: true, value: { address: vip6, mac, how } }, what)
  }
  const [, frame = new Uint8Array(0)] = ndCases[0] ?? []
  assert(!passesThere(program, frame.with(21, 254)), 'forwarded')
  assert(!passesThere(program, frame.with(20, 6)), 'TCP')
  assert(!passesThere(program, frame.with(54, 128)), 'echo')
  assert(!passesThere(program, frame.subarray(0, 70)), 'cut off')
  assert(!decodeClaim(6, frame.with(60, 9)).ok, 'checksum')
})

test('what leaves the host for a group: the same claims, and nothing that arrives', () => {
  const [host, broadcast] = [0, 1]
  for (const [family, cases, address] of [
    [4, arpCases, vip],
    [6, ndCases, vip6],
  ] as const) {
    const program = sentClaimFilter(family, [address])
    for (const [what, frame, how] of cases) {
      const passed = how !== null && isGroup(frame)
      assert.equal(passesThere(program, frame, { type: packetOutgoing }), passed, what)
      for (const arrives of [host, broadcast])
        assert(!passesThere(program, frame, { type: arrives }), what)
    }
    const [, foreign = new Uint8Array(0)] = (family === 4 ? ndCases : arpCases)[0] ?? []
    assert(!passesThere(program, foreign, { type: packetOutgoing }), 'the other family')
  }
})

test('frames of other VLANs of a trunk are none of this link', () => {
  const [broadcast, multicast] = [1, 2]
  for (const [family, filter, frame, type] of [
    [4, arpClaimFilter(on, [vip]), encodeGratuitousArp(macOctets(mac), vip), broadcast],
    [6, ndClaimFilter(on, [vip6]), encodeUnsolicitedNa(macOctets(mac), vip6, false), multicast],
  ] as const) {
    assert(passes(filter, frame, { type, ifindex: on }))
    assert(!passes(filter, frame, { type: packetOtherHost, ifindex: on }), 'no interface has it')
    assert(!passes(filter, frame, { type, ifindex: 7 }), 'eth0.100 has it')
    const sent = sentClaimFilter(family, [family === 4 ? vip : vip6])
    const leaves = (tag: number) => passes(sent, frame, { type: packetOutgoing, tag })
    assert.deepEqual([0xe000, 0xe064, 4_094].map(leaves), [true, false, false], 'a priority alone')
  }
})

test('copies of a frame have one mark: padded, and to another destination; other frames have others', () => {
  for (const [family, cases] of [
    [4, arpCases],
    [6, ndCases],
  ] as const) {
    const frames = cases
      .filter(([, frame, how]) => how !== null && isGroup(frame))
      .map(([, frame]) => frame)
    const marks = frames.map((frame) => frameMark(family, frame))
    assert.equal(new Set(marks).size, marks.length)
    for (const [i, frame] of frames.entries()) {
      assert.equal(frameMark(family, concatBytes([frame, new Uint8Array(18)])), marks[i])
      assert.equal(frameMark(family, frame.with(0, 2)), marks[i])
      assert.notEqual(frameMark(family, frame.with(11, 0x77)), marks[i])
    }
  }
})

test('any number of addresses makes a program that the kernel takes; all of them pass', () => {
  const word = fc.nat(0xffff_ffff)
  fc.assert(
    fc.property(fc.uniqueArray(word, { minLength: 1, maxLength: 3_000 }), word, (words, extra) => {
      const octets = (it: number): number[] =>
        [it >>> 24, it >>> 16, it >>> 8, it].map((n) => n & 255)
      const addresses = words.map((it) => four(...octets(it)))
      const program = disassemble(arpClaimFilter(on, addresses))
      verify(program)
      const asks = (sender: Ip): boolean =>
        run(program, arpFrame({ operation: 1, mac, sender, target: other }), undefined, here)
      for (const address of addresses.slice(0, 50))
        if (address !== zeroIp) assert(asks(address), address)
      if (words.length <= 128 && !words.includes(extra) && extra !== 0)
        assert(!asks(four(...octets(extra))))
      const sixes = words.map((it) =>
        six(`fd0000${(it & 7).toString(16)}0`.padEnd(24, '0') + it.toString(16).padStart(8, '0')),
      )
      const both = disassemble(ndClaimFilter(on, sixes))
      verify(both)
      for (const target of sixes.slice(0, 20))
        assert(
          run(
            both,
            ndFrame({ type: 'advertisement', mac, source: other6, target }),
            undefined,
            here,
          ),
        )
    }),
    { numRuns: 40 },
  )
})

test('two programs at once, the new one beside the old one, are within what a socket may hold before Linux 6.9', () => {
  // The most that can be needed: pairs of neighbours but one, in many networks.
  const pairs = Array.from({ length: 1_000 }, (_, i) => [i >> 9, (i >> 1) & 255, 3 * (i & 1)])
  const fours = pairs.map(([high = 0, low = 0, last = 0]) => four(10, high, low, last))
  const sixes = pairs.map(([high = 0, low = 0, last = 0], i) => {
    const network = (1 + (i % 80) * 7 + (i % 2)).toString(16).padStart(4, '0')
    const rest = [high, low, last].map((it) => it.toString(16).padStart(4, '0')).join('')
    return six(`fd00${network}${'0'.repeat(12)}${rest}`)
  })
  for (const [family, addresses] of [
    [4, fours],
    [6, sixes],
  ] as const) {
    const { length } = disassemble(sentClaimFilter(family, addresses))
    assert(length <= 950, `${length} instructions for IPv${family}`)
  }
})

test('of too many addresses that are evenly spaced no more pass that lie between them than must', () => {
  const at = (n: number): Ip => four(10, 0, n >> 8, n & 255)
  const spaced = Array.from({ length: 200 }, (_, i) => 4 * i)
  const program = arpClaimFilter(on, spaced.map(at))
  const hears = (n: number): boolean =>
    passesThere(program, arpFrame({ operation: 1, mac, sender: at(n), target: other }))
  assert(spaced.every(hears))
  // 128 ranges part them at 127 places.
  assert.equal(spaced.filter((n) => hears(n + 2)).length, 199 - 127)
})

test('a filter of none lets nothing through', () => {
  assert(!passesThere(arpClaimFilter(on, []), encodeGratuitousArp(macOctets(mac), vip)))
  assert(!passesThere(ndClaimFilter(on, []), encodeUnsolicitedNa(macOctets(mac), vip6, false)))
})

test('any octets are a claim or are refused', () => {
  const base = [...arpCases, ...ndCases].map(([, frame]) => frame)
  fc.assert(
    fc.property(
      fc.constantFrom(...base),
      fc.uint8Array({ maxLength: 90 }),
      fc.nat(80),
      (frame, bytes, at) => {
        const mangled = frame.slice()
        mangled.set(
          bytes.subarray(0, Math.max(0, mangled.length - at)),
          Math.min(at, mangled.length),
        )
        for (const family of [4, 6] as const) {
          for (const one of [bytes, mangled, mangled.subarray(0, at)]) {
            const claim = decodeClaim(family, one)
            if (claim.ok) assert.equal(ipBytes(claim.value.address).length, family === 4 ? 4 : 16)
          }
        }
      },
    ),
  )
})
