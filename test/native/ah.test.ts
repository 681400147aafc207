/** AH (`auth_type AH`): our MD5 and HMAC-MD5, keepalived's packets octet for octet, and what the core believes. */
import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { test } from 'node:test'
import { loadAddon } from '../../src/addon/load.ts'
import { toHex } from '../../src/base/bytes.ts'
import { type Ip, parseIp } from '../../src/base/ip.ts'
import { us } from '../../src/base/time.ts'
import type { EngineEvent } from '../../src/engine/contract.ts'
import { type CoreHarness, makeCore } from '../../src/engine/core-harness.ts'
import type { Lead, Order } from '../../src/engine/order.ts'
import type { AhSeal, Seal } from '../../src/engine/seal-contract.ts'
import { fromHex } from '../hex.ts'
import { fc } from '../property.ts'

type Crypto = {
  md5(octets: Uint8Array): Uint8Array
  hmacMd5(key: Uint8Array, octets: Uint8Array): Uint8Array
}
const { md5, hmacMd5 } = loadAddon() as Crypto
const text = (of: string): Uint8Array => new TextEncoder().encode(of)
const filled = (octet: number, count: number): Uint8Array => new Uint8Array(count).fill(octet)

test("MD5: RFC 1321's test suite", () => {
  const known: readonly (readonly [string, string])[] = [
    ['', 'd41d8cd98f00b204e9800998ecf8427e'],
    ['a', '0cc175b9c0f1b6a831c399e269772661'],
    ['abc', '900150983cd24fb0d6963f7d28e17f72'],
    ['message digest', 'f96b697d7cb7938d525a2f31aaf161d0'],
    ['abcdefghijklmnopqrstuvwxyz', 'c3fcd3d76192e4007dfb496cca67e13b'],
    [
      'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
      'd174ab98d277d9f5a5611c2c9f419d9f',
    ],
    ['1234567890'.repeat(8), '57edf4a22be3c955ac49da2e2107b67a'],
  ]
  for (const [message, digest] of known) assert.equal(toHex(md5(text(message))), digest)
})

test("HMAC-MD5: RFC 2202's cases", () => {
  const known: readonly (readonly [Uint8Array, Uint8Array, string])[] = [
    [filled(0x0b, 16), text('Hi There'), '9294727a3638bb1c13f48ef8158bfc9d'],
    [text('Jefe'), text('what do ya want for nothing?'), '750c783e6ab0b503eaa86e310a5db738'],
    [filled(0xaa, 16), filled(0xdd, 50), '56be34521d144c88dbb8c733f0e8b3f6'],
    [
      fromHex('0102030405060708090a0b0c0d0e0f10111213141516171819'),
      filled(0xcd, 50),
      '697eaf0aca3a3aea3a75164746ffaa79',
    ],
    [filled(0x0c, 16), text('Test With Truncation'), '56461ef2342edc00f9bab995690efd4c'],
    [
      filled(0xaa, 80),
      text('Test Using Larger Than Block-Size Key - Hash Key First'),
      '6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd',
    ],
    [
      filled(0xaa, 80),
      text('Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data'),
      '6f630fad67cda0ee1fb1f562db3aa53e',
    ],
  ]
  for (const [key, message, mac] of known) assert.equal(toHex(hmacMd5(key, message)), mac)
})

test('both are what node:crypto says, for any key and message', () => {
  const octets = fc.uint8Array({ maxLength: 300 })
  fc.assert(
    fc.property(octets, octets, (key, message) => {
      assert.equal(toHex(md5(message)), createHash('md5').update(message).digest('hex'))
      const wanted = createHmac('md5', key).update(message).digest('hex')
      assert.equal(toHex(hmacMd5(key, message)), wanted)
    }),
    { numRuns: 300 },
  )
})

// --- packets of keepalived 2.2.7

type Vector = {
  readonly key: string
  readonly source: string
  readonly destination: string
  readonly ip: string
  readonly ah: string
  readonly pdu: string
}

/** One address, the key `1111`, the first advert. */
const multicast: Vector = {
  key: '1111',
  source: '10.77.0.1',
  destination: '224.0.0.18',
  ip: '45c0004000010000ff33d0690a4d0001e0000012',
  ah: '700400000a4d000100000001574946dbeed8675089a01c5c',
  pdu: '2115c80102010a370a4d00640000000000000000',
}

/** Two addresses, the key `longpass99` cut to 8; its copy for 10.77.0.3 differs in destination, checksum and ICV. */
const unicast: Vector = {
  key: 'longpass',
  source: '10.77.0.1',
  destination: '10.77.0.2',
  ip: '45c0004400010000ff33a6290a4d00010a4d0002',
  ah: '700400000a4d000100000001b865e83c444533c94661e79d',
  pdu: '2116c8020201ff800a4d00650a4d00660000000000000000',
}
const copyIcv = '1cdd1f143c69f3baa8d7d745'

const ip = (of: string): Ip => {
  const parsed = parseIp(of)
  assert(parsed !== null, of)
  return parsed
}

const keyOf = (password: string): Uint8Array => {
  const key = new Uint8Array(8)
  key.set(text(password))
  return key
}

const sealFor = (of: Vector, more: Partial<AhSeal> = {}): AhSeal => ({
  kind: 'ah',
  source: ip(of.source),
  key: keyOf(of.key),
  ttl: 255,
  unicast: !of.destination.startsWith('224.'),
  ...more,
})

const second = 1_000_000
const vrid = (of: Vector): number => fromHex(of.pdu)[1] ?? 0

const leadOf = (of: Vector, destinations = [of.destination], times = 1): Lead => {
  const adverts = destinations.map((to) => ({
    kind: 'datagram' as const,
    link: 1,
    to: ip(to),
    bytes: fromHex(of.pdu),
  }))
  const plan = Array.from({ length: times }, () => adverts).flat()
  const everyUs = us(second)
  return {
    now: plan,
    repeats: [{ key: 'advert', firstAfterUs: everyUs, everyUs, plan }],
    resign: plan,
    lateUs: us(3 * second),
    wardenLateUs: us(3 * second),
  }
}

/** `wall`: the clock, which is the first sequence; 1 s as keepalived's 1. */
function started(of: Vector, seal: Seal = sealFor(of), wall = second): CoreHarness {
  const core = makeCore(us(0), us(0))
  core.addLink(1)
  core.addSlot(1, 1, vrid(of))
  core.setWall(us(wall), us(0))
  core.setSeal(1, seal)
  return core
}

function leading(of: Vector, destinations = [of.destination], times = 1): CoreHarness {
  const core = started(of)
  const order = { kind: 'lead' as const, ...leadOf(of, destinations, times) }
  core.order([{ slot: 1, generation: 1, order }], us(0))
  return core
}

const sent = (core: CoreHarness, at: number): readonly string[] =>
  core.tick(us(at)).effects.map(({ step }) => {
    assert.ok(step.kind === 'datagram')
    return toHex(step.bytes)
  })

/** A sequence as it stands in a packet. */
const sequenceOf = (packet: string): number => Number.parseInt(packet.slice(56, 64), 16)

for (const [name, of] of Object.entries({ multicast, unicast }))
  test(`${name}: what is sent is what keepalived sends, octet for octet`, () => {
    assert.deepEqual(sent(leading(of), 0), [of.ip + of.ah + of.pdu])
  })

test('copies to several peers share sequence and identification; the next advert has the next', () => {
  const core = leading(unicast, ['10.77.0.2', '10.77.0.3'])
  const [first = '', copy = '', ...more] = sent(core, 0)
  assert.deepEqual(more, [])
  assert.equal(first, unicast.ip + unicast.ah + unicast.pdu)
  assert.equal(copy.slice(64, 88), copyIcv)
  assert.deepEqual([sequenceOf(copy), copy.slice(8, 12)], [1, '0001'])
  assert.deepEqual(sent(core, second).map(sequenceOf), [2, 2])
})

test('two resignations to one group are two adverts, and copies of two are two of each', () => {
  assert.deepEqual(sent(leading(multicast, [multicast.destination], 2), 0).map(sequenceOf), [1, 2])
  const both = ['10.77.0.2', '10.77.0.3']
  assert.deepEqual(sent(leading(unicast, both, 2), 0).map(sequenceOf), [1, 1, 2, 2])
})

test('the identification is never 0, and the first sequence is the clock in seconds', () => {
  const core = started(multicast, sealFor(multicast), 65_535 * second)
  core.order([{ slot: 1, generation: 1, order: { kind: 'lead', ...leadOf(multicast) } }], us(0))
  const packets = [...sent(core, 0), ...sent(core, second)]
  assert.deepEqual(packets.map(sequenceOf), [65_535, 65_536])
  assert.deepEqual(
    packets.map((one) => one.slice(8, 12)),
    ['ffff', '0001'],
  )
})

// --- what is heard

type Heard = EngineEvent & { readonly kind: 'packet' }

const listenOrder = (
  of: Vector,
  expect: (Order & { readonly kind: 'follow' })['expect'] = null,
): Order => ({
  kind: 'follow',
  now: [],
  expect,
  deadlineUs: us(3 * second),
  restartUs: us(3 * second),
  lateUs: us(second),
  absentUs: us(10 * second),
  onExpiry: leadOf(of),
})

function listening(of: Vector, expected: Vector | null = null): CoreHarness {
  const core = started(of)
  const expect = expected && {
    from: ip(expected.source),
    ttl: 255,
    payload: fromHex(expected.pdu),
  }
  core.order([{ slot: 1, generation: 1, order: listenOrder(of, expect) }], us(0))
  return core
}

const packetOf = (of: Vector): Uint8Array => fromHex(of.ip + of.ah + of.pdu)

/** The verdicts on a whole packet; none: nothing was raised. */
function hear(
  core: CoreHarness,
  packet: Uint8Array,
  at = 1,
  ttl = 255,
  from = '10.77.0.1',
): readonly unknown[] {
  const [header, payload] = [packet.subarray(0, 44), packet.subarray(44)]
  core.packet({ link: 1, from: ip(from), ttl, header, payload }, us(at))
  const packets = core.tick(us(at)).events.filter((one): one is Heard => one.kind === 'packet')
  return packets.map(({ seal }) => seal?.verdict ?? 'none')
}

const flip = (packet: Uint8Array, at: number): Uint8Array => {
  const out = Uint8Array.from(packet)
  out[at] = (out[at] ?? 0) ^ 1
  return out
}

for (const [name, of] of Object.entries({ multicast, unicast }))
  test(`${name}: what keepalived sends verifies once; the expected one restarts the deadline unseen`, () => {
    const core = listening(of, of)
    assert.deepEqual(hear(core, packetOf(of)), [])
    assert.equal(core.nextDeadline(), 3 * second + 1)
    assert.deepEqual(hear(core, packetOf(of), second), ['replayed'])
    assert.equal(core.nextDeadline(), 3 * second + 1)
    const { verified, replayed } = core.counters(1).seals
    assert.deepEqual([verified, replayed, core.counters(1).received], [1, 1, 1])
  })

test('one bit flipped, field by field', () => {
  const cases: readonly (readonly [string, number, string])[] = [
    ['options', 0, 'malformed'],
    ['TOS', 1, 'verified'],
    ['length', 3, 'invalid'],
    ['identification', 5, 'invalid'],
    ['fragment offset', 7, 'verified'],
    ['TTL', 8, 'invalid'],
    ['header checksum', 11, 'verified'],
    ['source', 15, 'malformed'],
    ['destination', 19, 'invalid'],
    ['next header', 20, 'malformed'],
    ['length of the header', 21, 'malformed'],
    ['reserved', 23, 'malformed'],
    ['SPI', 27, 'malformed'],
    ['sequence', 31, 'invalid'],
    ['ICV', 32, 'invalid'],
    ['last octet of the ICV', 43, 'invalid'],
    ['priority', 46, 'invalid'],
    ['checksum', 51, 'invalid'],
    ['last octet', 63, 'invalid'],
  ]
  for (const [what, at, verdict] of cases) {
    const core = listening(multicast)
    assert.deepEqual(hear(core, flip(packetOf(multicast), at)), [verdict], what)
    assert.equal(core.counters(1).received, verdict === 'verified' ? 1 : 0, what)
    if (verdict !== 'verified')
      assert.deepEqual(hear(core, packetOf(multicast)), ['verified'], what)
  }
  assert.deepEqual(hear(listening(unicast), flip(packetOf(unicast), 8)), ['verified'])
})

test('another key, no header, a cut one, octets behind the PDU', () => {
  const other = started(multicast, sealFor(multicast, { key: keyOf('1112') }))
  other.order([{ slot: 1, generation: 1, order: listenOrder(multicast) }], us(0))
  assert.deepEqual(hear(other, packetOf(multicast)), ['invalid'])
  const core = listening(multicast)
  const payload = fromHex(multicast.pdu)
  core.packet({ link: 1, from: ip('10.77.0.1'), ttl: 255, payload }, us(1))
  const [event] = core.tick(us(1)).events
  assert.ok(event?.kind === 'packet' && event.seal?.verdict === 'malformed')
  const longer = Uint8Array.from([...packetOf(multicast), 0])
  assert.deepEqual(hear(listening(multicast), longer), ['invalid'])
})

test('multicast with another TTL than 255 is left to the decoder', () => {
  assert.deepEqual(hear(listening(multicast), packetOf(multicast), 1, 254), ['none'])
})

test('who takes over goes on from the sequence that was heard', () => {
  const core = listening(multicast)
  assert.deepEqual(hear(core, packetOf(multicast)), ['verified'])
  core.acknowledge(us(2))
  assert.deepEqual(sent(core, 3 * second + 1).map(sequenceOf), [2])
})

test('what another router sent in the same moment has the same sequence, and is believed once', () => {
  const core = leading(unicast)
  assert.deepEqual(sent(core, 0).map(sequenceOf), [1])
  const from = (host: string): AhSeal => sealFor(unicast, { source: ip(host) })
  const others = ['10.77.0.1', '10.77.0.3'].map((host) => {
    const other = started(unicast, from(host))
    other.order([{ slot: 1, generation: 1, order: { kind: 'lead', ...leadOf(unicast) } }], us(0))
    return fromHex(sent(other, 0)[0] ?? '')
  })
  const [reflected = new Uint8Array(), crossing = new Uint8Array()] = others
  assert.deepEqual(hear(core, reflected, 1, 255, '10.77.0.1'), ['replayed'])
  assert.deepEqual(hear(core, crossing, 2, 255, '10.77.0.3'), ['verified'])
  assert.deepEqual(hear(core, crossing, 3, 255, '10.77.0.3'), ['replayed'])
  assert.deepEqual(sent(core, second).map(sequenceOf), [2])
})

test('who was idle meanwhile goes on from the sequence that was heard, and believes it no more', () => {
  const core = listening(multicast)
  core.order([{ slot: 1, generation: 2, order: { kind: 'idle', now: [] } }], us(0))
  assert.deepEqual(hear(core, packetOf(multicast)), [])
  core.order([{ slot: 1, generation: 3, order: listenOrder(multicast) }], us(2))
  assert.deepEqual(hear(core, packetOf(multicast), 3), ['replayed'])
  core.acknowledge(us(4))
  assert.deepEqual(sent(core, 3 * second + 2).map(sequenceOf), [2])
})

test('a forged sequence moves nothing', () => {
  const core = listening(multicast)
  const forged = packetOf(multicast)
  forged.set([0xff, 0xff, 0xff, 0xff], 28)
  assert.deepEqual(hear(core, forged), ['invalid'])
  assert.deepEqual(hear(core, packetOf(multicast)), ['verified'])
})

test('the sequence survives the slot, and goes on in another process', () => {
  const core = leading(multicast)
  sent(core, 0)
  sent(core, second)
  const memory = core.sealMemory(1)
  assert.equal(memory.sent, '0000000000000002')
  core.removeSlot(1)
  core.addSlot(1, 1, vrid(multicast))
  core.setSeal(1, sealFor(multicast))
  core.order(
    [{ slot: 1, generation: 2, order: { kind: 'lead', ...leadOf(multicast) } }],
    us(second),
  )
  assert.deepEqual(sent(core, second).map(sequenceOf), [3])
  const next = started(multicast)
  next.setSeal(1, sealFor(multicast), memory)
  next.order([{ slot: 1, generation: 1, order: { kind: 'lead', ...leadOf(multicast) } }], us(0))
  assert.deepEqual(sent(next, 0).map(sequenceOf), [3])
})

test('2,000 forgeries in the name of the master and one of its own: its own is raised', () => {
  const core = listening(multicast)
  const forged = flip(packetOf(multicast), 43)
  for (let i = 0; i < 2_000; i++) {
    forged[60] = i & 0xff
    forged[61] = i >> 8
    const [header, payload] = [forged.subarray(0, 44), forged.subarray(44)]
    core.packet({ link: 1, from: ip('10.77.0.1'), ttl: 255, header, payload }, us(1))
  }
  const own = hear(core, packetOf(multicast))
  assert.ok(own.length < 100, `${own.length} of 2001`)
  assert.equal(own.at(-1), 'verified')
})
