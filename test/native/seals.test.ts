/** Sealed adverts (auth_hmac): our SHA-256 and HMAC, the trailer as keepalived makes it, and what the core believes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex } from '../../src/base/bytes.ts'
import { us } from '../../src/base/time.ts'
import { makeCore } from '../../src/engine/core-harness.ts'
import type { SealVerdict } from '../../src/engine/counters.ts'
import {
  appendix,
  follow,
  type Heard,
  hear,
  ip,
  lead,
  leading,
  listening,
  octetsOf,
  one,
  sealFor,
  second,
  type Vector,
  verdicts,
  wallOf,
} from './seal-vectors.ts'

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
