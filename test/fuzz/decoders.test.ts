/**
 * Any octets are a packet, perhaps a bad one: decoding never throws and never reads beyond them, and what was encoded
 * and damaged is either refused by name or still within its range. FUZZ_RUNS says how long.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes } from '../../src/base/bytes.ts'
import { type Ip, ipFromBytes } from '../../src/base/ip.ts'
import { type Us, us } from '../../src/base/time.ts'
import { encodeFrame, FrameReader, readRequest, readResponse } from '../../src/control/protocol.ts'
import { decodeArp, encodeGratuitousArp } from '../../src/wire/arp.ts'
import { bfdStates, decodeBfd, encodeBfd } from '../../src/wire/bfd.ts'
import { decodeNa, encodeUnsolicitedNa } from '../../src/wire/ndp.ts'
import { encodeAttribute, encodeMessage } from '../../src/wire/netlink.ts'
import { decodeMessages } from '../../src/wire/rtnetlink.ts'
import { encodeAddressDelete } from '../../src/wire/rtnetlink-address.ts'
import { encodeRouteForget } from '../../src/wire/rtnetlink-route.ts'
import { encodeRuleForget } from '../../src/wire/rtnetlink-rule.ts'
import { decodeAdvert, type Expectation, encodeAdvert } from '../../src/wire/vrrp.ts'
import { fc } from '../property.ts'

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 2_000)
const octets = fc.uint8Array({ maxLength: 200 })
const mac = Uint8Array.of(2, 0, 0, 0, 0, 1)
const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map(ipFromBytes)
const ipv6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(ipFromBytes)

/** Good octets with some of them changed, or cut off. */
const damaged = (good: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(good, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat())
    .map(([bytes, changes, cut]) => {
      const out = bytes.slice(0, cut % 3 === 0 ? cut % (bytes.length + 1) : bytes.length)
      for (const [at, value] of changes) if (out.length > 0) out[at % out.length] = value
      return out
    })

const expectation = fc.record({
  version: fc.constantFrom(2 as const, 3 as const),
  family: fc.constantFrom(4 as const, 6 as const),
  vrid: fc.integer({ min: 1, max: 255 }),
  mode: fc.constantFrom('multicast' as const, 'unicast' as const),
  password: fc.option(fc.uint8Array({ minLength: 8, maxLength: 8 })),
  intervalUs: fc.constant(us(1_000_000)),
  mayBeEmpty: fc.boolean(),
  peers: fc.constant(null),
})

const source = { 4: '10.0.0.1' as Ip, 6: 'fe80::1' as Ip }
const group = { 4: '224.0.0.18' as Ip, 6: 'ff02::12' as Ip }

const advertOf = (expect: Expectation, priority: number): Uint8Array => {
  const { version, family, vrid, intervalUs, password } = expect
  return encodeAdvert({
    version,
    family,
    vrid,
    priority,
    intervalUs,
    addresses: [source[family]],
    password,
    source: source[family],
    destination: group[family],
    checksumAsV2: priority % 2 === 0,
  })
}

test('adverts: what is decoded has the VRID, a priority of an octet and an interval above 0', () => {
  const packets = expectation.chain((expect) =>
    fc.record({
      expect: fc.constant(expect),
      payload: fc.oneof(octets, damaged(fc.nat(255).map((p) => advertOf(expect, p)))),
      ttl: fc.nat(255),
    }),
  )
  fc.assert(
    fc.property(packets, ({ expect, payload, ttl }) => {
      const { family } = expect
      const packet = { payload, ttl, source: source[family], destination: group[family] }
      const decoded = decodeAdvert(packet, expect)
      if (!decoded.ok) return
      const { vrid, priority, intervalUs, addresses } = decoded.value
      assert.equal(vrid, expect.vrid)
      assert.ok(priority >= 0 && priority <= 255 && (intervalUs as Us) > 0)
      assert.ok(addresses.length > 0 || expect.mayBeEmpty)
      assert.ok(addresses.length * (family === 4 ? 4 : 16) <= payload.length)
      assert.ok(expect.mode === 'unicast' || ttl === 255)
    }),
    { numRuns },
  )
})

test('an advert of our own making comes back, and with one octet of its header changed it does not', () => {
  const one = fc.tuple(expectation, fc.nat(255), fc.nat(), fc.integer({ min: 1, max: 255 }))
  fc.assert(
    fc.property(one, ([expect, priority, at, change]) => {
      const payload = advertOf(expect, priority)
      const { family } = expect
      const packet = { payload, ttl: 255, source: source[family], destination: group[family] }
      const decoded = decodeAdvert(packet, expect)
      assert.ok(decoded.ok && decoded.value.priority === priority, JSON.stringify(decoded))
      const changed = payload.slice()
      const place = at % 8
      changed[place] = (changed[place] ?? 0) ^ change
      assert.equal(decodeAdvert({ ...packet, payload: changed }, expect).ok, false)
    }),
    { numRuns },
  )
})

test('ARP, NA and rtnetlink: no octets make them throw', () => {
  const frames = fc.oneof(
    octets,
    damaged(ipv4.map((ip) => encodeGratuitousArp(mac, ip))),
    damaged(ipv6.map((ip) => encodeUnsolicitedNa(mac, ip, false))),
    damaged(
      fc
        .oneof(ipv4, ipv6)
        .map((address) =>
          encodeAddressDelete({ ifindex: 2, address, prefixLength: 24, peer: null, scope: 0 }),
        ),
    ),
  )
  fc.assert(
    fc.property(frames, (bytes) => {
      decodeArp(bytes)
      decodeNa(bytes)
      decodeMessages(bytes)
    }),
    { numRuns },
  )
})

/** rtmsg and fib_rule_hdr are of one length: family, two prefix lengths, TOS, table, and eight octets more. */
test('routes and rules: what is understood has an identity, and can be asked to be removed', () => {
  const attribute = fc
    .tuple(fc.integer({ min: 0, max: 30 }), fc.uint8Array({ maxLength: 20 }))
    .map(([type, value]) => encodeAttribute(type, value))
  const message = fc
    .tuple(
      fc.constantFrom(24, 25, 32, 33),
      fc.constantFrom(2, 10, 0),
      fc.uint8Array({ minLength: 11, maxLength: 11 }),
      fc.array(attribute, { maxLength: 6 }),
    )
    .map(([type, family, head, attributes]) =>
      encodeMessage(type, 0, concatBytes([Uint8Array.of(family), head, ...attributes])),
    )
  fc.assert(
    fc.property(fc.oneof(message, damaged(message)), (bytes) => {
      for (const it of decodeMessages(bytes)) {
        if (it.kind !== 'newroute' && it.kind !== 'newrule') continue
        const forget = it.kind === 'newroute' ? encodeRouteForget : encodeRuleForget
        const [gone] = decodeMessages(forget(it.body))
        assert.ok(gone !== undefined && 'identity' in gone)
        assert.equal(gone.identity, it.identity)
      }
    }),
    { numRuns },
  )
})

test('control protocol: bodies are read or refused, and frames survive any cutting', () => {
  fc.assert(
    fc.property(octets, (body) => {
      readRequest(body)
      readResponse(body)
    }),
    { numRuns },
  )
  const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), cuts, (id, lengths) => {
      const frame = encodeFrame({ id, verb: 'history', name: `VI_${id}` }, 1_000)
      const reader = new FrameReader(1_000)
      const bodies: Uint8Array[] = []
      for (let at = 0, i = 0; at < frame.length; i++) {
        const length = lengths[i % lengths.length] ?? 1
        bodies.push(...(reader.push(frame.subarray(at, at + length)) ?? []))
        at += length
      }
      assert.equal(bodies.length, 1)
      const read = readRequest(bodies[0] ?? new Uint8Array(0))
      assert.deepEqual(read, { ok: true, value: { id, verb: 'history', name: `VI_${id}` } })
    }),
    { numRuns: Math.min(numRuns, 500) },
  )
})

const bfdPacket = fc
  .record({
    state: fc.constantFrom(...bfdStates),
    diagnostic: fc.integer({ min: 0, max: 31 }),
    flag: fc.constantFrom('poll' as const, 'final' as const, null),
    demand: fc.boolean(),
    multiplier: fc.integer({ min: 1, max: 255 }),
    myDiscriminator: fc.integer({ min: 1, max: 0xffff_ffff }),
    yourDiscriminator: fc.integer({ min: 1, max: 0xffff_ffff }),
    desiredMinTxUs: fc.integer({ min: 0, max: 0xffff_ffff }).map(us),
    requiredMinRxUs: fc.integer({ min: 0, max: 0xffff_ffff }).map(us),
  })
  .map(({ flag, ...rest }) => ({ ...rest, poll: flag === 'poll', final: flag === 'final' }))

test('BFD packets: what was encoded is decoded; any octets are refused by name or within their ranges', () => {
  fc.assert(
    fc.property(bfdPacket, (packet) => {
      assert.deepEqual(decodeBfd(encodeBfd(packet)), { ok: true, value: packet })
    }),
    { numRuns },
  )
  fc.assert(
    fc.property(fc.oneof(octets, damaged(bfdPacket.map(encodeBfd))), (bytes) => {
      const decoded = decodeBfd(bytes)
      if (!decoded.ok) return decoded.why.length > 0
      const { state, multiplier, diagnostic, myDiscriminator, yourDiscriminator } = decoded.value
      const starting = state === 'Down' || state === 'AdminDown'
      return (
        multiplier > 0 &&
        diagnostic < 32 &&
        myDiscriminator > 0 &&
        (starting || yourDiscriminator > 0)
      )
    }),
    { numRuns },
  )
})
