/** Sealed adverts (auth_hmac): our SHA-256 and HMAC, the trailer as keepalived makes it, and what the core believes. */
import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { loadAddon } from '../../src/addon/load.ts'
import { toHex } from '../../src/base/bytes.ts'
import { type Ip, parseIp } from '../../src/base/ip.ts'
import { type Us, us } from '../../src/base/time.ts'
import type { EngineEvent, Order } from '../../src/engine/contract.ts'
import { type CoreHarness, makeCore } from '../../src/engine/core-harness.ts'
import type { SealVerdict } from '../../src/engine/counters.ts'
import type { TrailerSeal } from '../../src/engine/seal-contract.ts'
import { fromHex } from '../hex.ts'

type Crypto = {
  sha256(octets: Uint8Array): Uint8Array
  hmacSha256(key: Uint8Array, octets: Uint8Array): Uint8Array
}
const { sha256, hmacSha256 } = loadAddon() as Crypto
const text = (of: string): Uint8Array => new TextEncoder().encode(of)
const filled = (octet: number, count: number): Uint8Array => new Uint8Array(count).fill(octet)

test("SHA-256: NIST's examples (FIPS 180-4)", () => {
  const known: readonly (readonly [Uint8Array, string])[] = [
    [text('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [text(''), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    [
      text('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'),
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
    [filled(0x61, 1_000_000), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'],
  ]
  for (const [message, digest] of known) assert.equal(toHex(sha256(message)), digest)
})

test("HMAC-SHA-256: RFC 4231's cases", () => {
  const known: readonly (readonly [Uint8Array, Uint8Array, string])[] = [
    [
      filled(0x0b, 20),
      text('Hi There'),
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    ],
    [
      text('Jefe'),
      text('what do ya want for nothing?'),
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    ],
    [
      filled(0xaa, 20),
      filled(0xdd, 50),
      '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
    ],
    [
      fromHex('0102030405060708090a0b0c0d0e0f10111213141516171819'),
      filled(0xcd, 50),
      '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
    ],
    [
      filled(0xaa, 131),
      text('Test Using Larger Than Block-Size Key - Hash Key First'),
      '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    ],
    [
      filled(0xaa, 131),
      text(
        'This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.',
      ),
      '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
    ],
  ]
  for (const [key, message, mac] of known) assert.equal(toHex(hmacSha256(key, message)), mac)
})

test('both are what node:crypto says, for any key and message', () => {
  const octets = fc.uint8Array({ maxLength: 300 })
  fc.assert(
    fc.property(octets, octets, (key, message) => {
      assert.equal(toHex(sha256(message)), createHash('sha256').update(message).digest('hex'))
      const wanted = createHmac('sha256', key).update(message).digest('hex')
      assert.equal(toHex(hmacSha256(key, message)), wanted)
    }),
    { numRuns: 300 },
  )
})

// --- vectors

const k1 = Uint8Array.from({ length: 32 }, (_, i) => i)
const k7 = text('correct-horse-battery-staple-0123456789')
const k255 = fromHex('ffeeddccbbaa99887766554433221100'.repeat(4))
const keys = [
  { id: 1, secret: k1 },
  { id: 7, secret: k7 },
  { id: 255, secret: k255 },
]
const ip = (of: string): Ip => {
  const parsed = parseIp(of)
  if (parsed === null) throw new Error(of)
  return parsed
}

type Vector = {
  readonly source: string
  readonly destination: string
  readonly pdu: string
  /** Up to the MAC. */
  readonly sealed: string
  readonly mac: string
}

const draft = { sealed: '010100006800000080000000' } as const
const multicast = '224.0.0.18'
const appendix: Readonly<Record<'D4' | 'D6' | 'V2', Vector>> = {
  D4: {
    ...draft,
    source: '198.51.100.10',
    destination: multicast,
    pdu: '3133c80100644402c0000264',
    mac: '1b84bc4e8e43892dc6d98448f8ee2265',
  },
  D6: {
    ...draft,
    source: 'fe80::10',
    destination: 'fe80::20',
    pdu: '3133c8010064a2e9fe800000000000000000000000000100',
    mac: 'c8c56146ebfd66ee10ec4d8186461b78',
  },
  V2: {
    ...draft,
    source: '198.51.100.10',
    destination: multicast,
    pdu: '2133c80100015465c00002640000000000000000',
    mac: 'd0b9391b8d008f779ef2e8cf66238947',
  },
}

const one = { source: '10.77.0.1', destination: multicast }
const six = { source: 'fe80::3411:aff:fefb:8aa', destination: 'ff02::12' }
const real: Readonly<Record<string, Vector>> = {
  'v2 multicast': {
    ...one,
    pdu: '2115c80100010c370a4d00640000000000000000',
    sealed: '010100006b09820c6c0a0000',
    mac: '7334d2d7162d6f98034b513cd23c2d76',
  },
  'v3 multicast, two addresses': {
    ...one,
    pdu: '311fc802003206660a4d00650a4d0066',
    sealed: '010700006b09820ad0d40000',
    mac: '326b0072d887fbf7265b31a8adb00ea2',
  },
  'v3 unicast, first copy': {
    ...one,
    pdu: '3129c8010064e6a30a4d0067',
    sealed: '010100006b09820c6d9b0000',
    mac: 'a25d7b132cb3d6a77e389a84edecca60',
  },
  'v3 unicast, second copy': {
    ...one,
    pdu: '3129c8010064e6a20a4d0067',
    sealed: '010100006b09820c6d9b0000',
    mac: 'a25d7b132cb3d6a77e389a84edecca60',
  },
  'v3 priority 0': {
    ...one,
    pdu: '311f00020032ce660a4d00650a4d0066',
    sealed: '010700006b0982193b0c0000',
    mac: '9ec7f0f547dfb24d6fec8f673d0dd6de',
  },
  IPv6: {
    ...six,
    pdu: '313dc802003212d9fe800000000000000000000000000061fd770000000000000000000000000061',
    sealed: '01ff00006b09820ad3dc0000',
    mac: '6b5a596f4d98a561e3e49c394a306cf7',
  },
  'IPv6 priority 0': {
    ...six,
    pdu: '313d00020032aec0fe800000000000000000000000000061fd770000000000000000000000000061',
    sealed: '01ff00006b0982193bdd0000',
    mac: '72ba6fcc685453f37911e5991448a151',
  },
}

const octetsOf = ({ pdu, sealed, mac }: Vector): Uint8Array => fromHex(pdu + sealed + mac)

/** µs since 1970. */
const wallOf = ({ sealed }: Vector): Us =>
  us(Number.parseInt(sealed.slice(8, 16), 16) * 1_000_000 + 500_000)

const sealFor = (of: Vector, more: Partial<TrailerSeal> = {}): TrailerSeal => {
  const [first = 0, vrid = 0] = fromHex(of.pdu)
  return {
    kind: 'trailer',
    family: of.source.includes(':') ? 6 : 4,
    version: first >> 4 === 2 ? 2 : 3,
    vrid,
    source: ip(of.source),
    keys,
    activeKey: 1,
    signs: true,
    requires: true,
    monotonic: false,
    windowSeconds: 5,
    peers: null,
    ...more,
  }
}

const second = 1_000_000
const lead = (of: Vector, resign = of) => {
  const plan = (vector: Vector) => [
    {
      kind: 'datagram' as const,
      link: 1,
      to: ip(vector.destination),
      bytes: fromHex(vector.pdu),
    },
  ]
  return {
    now: plan(of),
    repeats: [{ key: 'advert', firstAfterUs: us(second), everyUs: us(second), plan: plan(of) }],
    resign: plan(resign),
    lateUs: us(10 * second),
    wardenLateUs: us(10 * second),
  }
}

const follow = (of: Vector, expect: Vector | null, deadline = 3 * second): Order => ({
  kind: 'follow',
  now: [],
  expect: expect && { from: ip(expect.source), ttl: 255, payload: octetsOf(expect) },
  deadlineUs: us(deadline),
  restartUs: us(3 * second),
  lateUs: us(second),
  absentUs: us(3 * second),
  onExpiry: lead(of),
})

/** One slot that follows with the seal, at the vector's time. */
function listening(of: Vector, more: Partial<TrailerSeal> = {}, expect: Vector | null = null) {
  const core = makeCore(us(0), us(0))
  const [, vrid = 0] = fromHex(of.pdu)
  core.addLink(1)
  core.addSlot(1, 1, vrid, more.peers ?? [])
  core.setSeal(1, sealFor(of, more))
  core.setWall(wallOf(of), us(0))
  core.order([{ slot: 1, generation: 1, order: follow(of, expect) }], us(0))
  return core
}

type Heard = Extract<EngineEvent, { kind: 'packet' }>

function hear(core: CoreHarness, of: Vector, payload = octetsOf(of), at = 1, from = of.source) {
  core.packet({ link: 1, from: ip(from), ttl: 255, payload }, us(at))
  const { events } = core.tick(us(at))
  return events.filter((event): event is Heard => event.kind === 'packet')
}

const verdicts = (heard: readonly Heard[]) => heard.map(({ seal }) => seal?.verdict)

for (const [name, vector] of [...Object.entries(appendix), ...Object.entries(real)])
  test(`${name} verifies`, () => {
    const core = listening(vector)
    assert.deepEqual(verdicts(hear(core, vector)), ['verified'])
    assert.deepEqual(
      core.senders(1).map(({ address, skewSeconds }) => [address, skewSeconds]),
      [[vector.source, 0]],
    )
    assert.equal(core.counters(1).seals.verified, 1)
  })

for (const [name, vector] of Object.entries(appendix))
  test(`${name} is what we send, octet for octet`, () => {
    const core = listening(vector)
    core.order([{ slot: 1, generation: 2, order: { kind: 'lead', ...lead(vector) } }], us(0))
    const [effect] = core.tick(us(0)).effects
    assert.ok(effect?.step.kind === 'datagram')
    assert.equal(toHex(effect.step.bytes), toHex(octetsOf(vector)))
  })

const flip = (payload: Uint8Array, at: number): Uint8Array => {
  const out = Uint8Array.from(payload)
  out[at] = (out[at] ?? 0) ^ 1
  return out
}

test('negative vectors: one bit of D6 flipped', () => {
  const { D6 } = appendix
  const whole = octetsOf(D6)
  const pdu = D6.pdu.length / 2
  const cases: readonly (readonly [string, number, SealVerdict])[] = [
    ['priority', 2, 'invalid'],
    ['interval', 5, 'invalid'],
    ['address', 12, 'invalid'],
    ['checksum', 6, 'verified'],
    ['checksum', 7, 'verified'],
    ['type', pdu, 'malformed'],
    ['key id', pdu + 1, 'unknown-key'],
    ['reserved', pdu + 2, 'malformed'],
    ['reserved', pdu + 3, 'malformed'],
    ['seconds', pdu + 7, 'invalid'],
    ['counter', pdu + 11, 'invalid'],
    ['MAC', pdu + 12, 'invalid'],
    ['last octet of the MAC', pdu + 27, 'invalid'],
  ]
  for (const [what, at, verdict] of cases) {
    const core = listening(D6, { monotonic: true })
    assert.deepEqual(verdicts(hear(core, D6, flip(whole, at))), [verdict], what)
    assert.equal(core.counters(1).seals[verdict], 1, what)
    assert.equal(core.counters(1).received, verdict === 'verified' ? 1 : 0, what)
  }
  assert.deepEqual(verdicts(hear(listening(D6), D6, whole, 1, 'fe80::11')), ['invalid'])
})

test('another VRID, a missing and a cut trailer', () => {
  const { D4 } = appendix
  const whole = octetsOf(D4)
  const other = Uint8Array.from(whole)
  other[1] = 0x34
  const core = makeCore(us(0), us(0))
  core.addLink(1)
  core.addSlot(1, 1, 0x34)
  core.setSeal(1, sealFor(D4, { vrid: 0x34 }))
  core.setWall(wallOf(D4), us(0))
  core.order([{ slot: 1, generation: 1, order: follow(D4, null) }], us(0))
  assert.deepEqual(verdicts(hear(core, D4, other)), ['invalid'])
  assert.deepEqual(verdicts(hear(listening(D4), D4, whole.subarray(0, 12))), ['missing'])
  assert.deepEqual(verdicts(hear(listening(D4), D4, whole.subarray(0, 39))), ['missing'])
})

test('what keeps a trailer from being looked at is left to the decoder', () => {
  const { D4 } = appendix
  const core = listening(D4)
  core.packet({ link: 1, from: ip(D4.source), ttl: 254, payload: octetsOf(D4) }, us(1))
  const [event] = core.tick(us(1)).events
  assert.ok(event?.kind === 'packet' && event.seal === undefined)
})

// --- replays and clocks

test('the same advert twice is a replay, and so is an older one; neither restarts the deadline', () => {
  const { D4 } = appendix
  const core = listening(D4, {}, D4)
  assert.deepEqual(hear(core, D4), [])
  assert.equal(core.nextDeadline(), 3 * second + 1)
  assert.deepEqual(verdicts(hear(core, D4, octetsOf(D4), second)), ['replayed'])
  assert.equal(core.nextDeadline(), 3 * second + 1)
  assert.equal(core.counters(1).seals.replayed, 1)
})

test('a new seal of the same slot knows what was heard under the old one', () => {
  const { D4 } = appendix
  for (const peers of [null, [ip(D4.source)]]) {
    const core = listening(D4, { peers })
    hear(core, D4)
    core.setSeal(1, sealFor(D4, { peers, activeKey: 7 }))
    assert.deepEqual(verdicts(hear(core, D4, octetsOf(D4), second)), ['replayed'])
  }
})

test('a slot that was removed and comes back knows what it has heard; so does another process', () => {
  const { D4 } = appendix
  for (const peers of [null, [ip(D4.source)]]) {
    const core = listening(D4, { peers })
    hear(core, D4)
    const memory = core.sealMemory(1)
    core.removeSlot(1)
    core.addSlot(1, 1, 0x33)
    core.setSeal(1, sealFor(D4, { peers }))
    core.order([{ slot: 1, generation: 2, order: follow(D4, null) }], us(0))
    assert.deepEqual(verdicts(hear(core, D4, octetsOf(D4), second)), ['replayed'])
    const next = listening(D4, { peers })
    next.setSeal(1, sealFor(D4, { peers }), memory)
    assert.deepEqual(next.sealMemory(1).heard, memory.heard)
    assert.deepEqual(verdicts(hear(next, D4, octetsOf(D4), second)), ['replayed'])
  }
})

test('monotonic: another process signs on from the last sequence, though the clock was set back', () => {
  const core = leading({ monotonic: true })
  const [before = 0n] = sequences(core, [0])
  const next = listening(appendix.D4, { monotonic: true })
  next.setWall(us(wallOf(appendix.D4) - 60 * second), us(0))
  next.setSeal(1, sealFor(appendix.D4, { monotonic: true }), core.sealMemory(1))
  next.order([{ slot: 1, generation: 2, order: { kind: 'lead', ...lead(appendix.D4) } }], us(0))
  assert.deepEqual(sequences(next, [0]), [before + 1n])
})

test('time: outside the window it is stale; monotonic: the clock is not asked', () => {
  const { D4 } = appendix
  const late = { ...D4, sealed: '010100006800000880000000' }
  for (const [monotonic, verdict] of [
    [false, 'stale'],
    [true, 'verified'],
  ] as const) {
    const core = listening(late, { monotonic })
    const [heard] = hear(core, D4)
    assert.deepEqual(heard?.seal, { verdict, skewSeconds: -8 })
  }
})

test('more than half the window is told once, and the advert counts', () => {
  const { D4 } = appendix
  const core = listening({ ...D4, sealed: '010100006800000380000000' }, {}, D4)
  core.packet({ link: 1, from: ip(D4.source), ttl: 255, payload: octetsOf(D4) }, us(1))
  assert.deepEqual(core.tick(us(1)).events, [
    { kind: 'skewed', slot: 1, generation: 1, from: D4.source, skewSeconds: -3, at: 1 },
  ])
  assert.equal(core.nextDeadline(), 3 * second + 1)
})

test('unicast: a signed sender that is no peer', () => {
  const { D4 } = appendix
  assert.deepEqual(verdicts(hear(listening(D4, { peers: [ip('198.51.100.11')] }), D4)), [
    'unknown-sender',
  ])
})

/** What a lead sends, one advert a second. */
function sequences(core: CoreHarness, times: readonly number[]): readonly bigint[] {
  return times.flatMap((at) =>
    core.tick(us(at)).effects.map(({ step }) => {
      assert.ok(step.kind === 'datagram')
      return BigInt(`0x${toHex(step.bytes.subarray(-24, -16))}`)
    }),
  )
}

function leading(more: Partial<TrailerSeal> = {}) {
  const core = listening(appendix.D4, more)
  core.order([{ slot: 1, generation: 2, order: { kind: 'lead', ...lead(appendix.D4) } }], us(0))
  return core
}

const growing = (of: readonly bigint[]): boolean =>
  of.every((one, i) => i === 0 || one > (of[i - 1] ?? 0n))

test('the sequence grows: by the clock, with a clock that stands, and one that is set back a little', () => {
  const core = leading()
  const sent = [...sequences(core, [0, second])]
  core.setWall(us(wallOf(appendix.D4) + second), us(2 * second))
  sent.push(...sequences(core, [2 * second]))
  core.setWall(us(wallOf(appendix.D4) - second), us(3 * second))
  sent.push(...sequences(core, [3 * second]))
  assert.equal(sent.length, 4)
  assert.ok(growing(sent), sent.join())
  assert.equal((sent[3] ?? 0n) - (sent[2] ?? 0n), 1n)
})

test('set back further than the window: time begins again from the clock, monotonic goes on', () => {
  for (const monotonic of [false, true]) {
    const core = leading({ monotonic })
    const [before = 0n] = sequences(core, [0])
    core.setWall(us(wallOf(appendix.D4) - 60 * second), us(second))
    const [after = 0n] = sequences(core, [second])
    if (monotonic) assert.equal(after, before + 1n)
    else assert.equal((before >> 32n) - (after >> 32n), 60n)
  }
})

test('now, repeats and resign share one sequence, and it survives the slot', () => {
  const core = leading()
  const sent = [...sequences(core, [0, second])]
  core.order(
    [{ slot: 1, generation: 3, order: { kind: 'idle', now: lead(appendix.D4).resign } }],
    us(second),
  )
  sent.push(...sequences(core, [second]))
  core.removeSlot(1)
  core.addSlot(1, 1, 0x33)
  core.setSeal(1, sealFor(appendix.D4))
  core.order(
    [{ slot: 1, generation: 4, order: { kind: 'lead', ...lead(appendix.D4) } }],
    us(second),
  )
  sent.push(...sequences(core, [second]))
  assert.equal(sent.length, 4)
  assert.ok(growing(sent), sent.join())
})

test('receive-only sends unsigned and believes both; a bad trailer is believed in no mode', () => {
  const { D4 } = appendix
  const receiveOnly = { signs: false, requires: false }
  const core = leading(receiveOnly)
  const [effect] = core.tick(us(0)).effects
  assert.ok(effect?.step.kind === 'datagram')
  assert.equal(toHex(effect.step.bytes), D4.pdu)
  for (const more of [receiveOnly, { requires: false }]) {
    const unsigned = { ...D4, sealed: '', mac: '' }
    const heard = listening(D4, more, unsigned)
    assert.deepEqual(hear(heard, unsigned), [])
    assert.equal(heard.nextDeadline(), 3 * second + 1)
    const bad = listening(D4, more)
    assert.deepEqual(verdicts(hear(bad, D4, flip(octetsOf(D4), 39))), ['invalid'])
    assert.equal(bad.counters(1).received, 0)
  }
})

// --- floods

test('a forger of the master uses up no credit of the master, and puts off no deadline', () => {
  const { D4 } = appendix
  const core = listening(D4, {}, null)
  const forged = flip(octetsOf(D4), 39)
  for (let i = 0; i < 2_000; i++) {
    forged[13] = i & 0xff
    forged[14] = i >> 8
    core.packet({ link: 1, from: ip(D4.source), ttl: 255, payload: forged }, us(1))
  }
  core.packet({ link: 1, from: ip(D4.source), ttl: 255, payload: octetsOf(D4) }, us(1))
  const { events } = core.tick(us(1))
  const told = events.filter((event): event is Heard => event.kind === 'packet')
  assert.ok(told.length < 100, `${told.length} of 2001`)
  assert.equal(told.at(-1)?.seal?.verdict, 'verified')
  core.acknowledge(us(2))
  // Nothing of the flood counts as the master's advert, changed: the deadline holds.
  core.packet({ link: 1, from: ip(D4.source), ttl: 255, payload: forged }, us(3 * second - 1))
  assert.ok(core.tick(us(3 * second)).events.some(({ kind }) => kind === 'expired'))
})

test('a wrong seal is refused, and never half applied', () => {
  const core = listening(appendix.D4)
  assert.throws(() => core.setSeal(1, sealFor(appendix.D4, { activeKey: 9 })), RangeError)
  assert.deepEqual(verdicts(hear(core, appendix.D4)), ['verified'])
})
