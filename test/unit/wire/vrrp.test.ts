/**
 * VRRP: packets captured from keepalived 2.2.7 as a table, every reject reason at least once, and round trips
 * over all that can be sent.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex } from '../../../src/base/bytes.ts'
import { type Ip, ipFromBytes, parseIp } from '../../../src/base/ip.ts'
import { centisecondsToUs, secondsToUs } from '../../../src/base/time.ts'
import { checksum, pseudoHeaderSum } from '../../../src/wire/checksum.ts'
import {
  type AdvertFields,
  type ChecksumForm,
  decodeAdvert,
  type Expectation,
  emptyRejects,
  encodeAdvert,
  type Received,
  type Reject,
  sameAddresses,
} from '../../../src/wire/vrrp.ts'
import { fromHex } from '../../hex.ts'
import { fc } from '../../property.ts'

const ip = (text: string): Ip => {
  const parsed = parseIp(text)
  assert(parsed !== null, text)
  return parsed
}

const password = fromHex('31313131 00000000')
const four: AdvertFields = {
  version: 2,
  family: 4,
  vrid: 51,
  priority: 150,
  intervalUs: secondsToUs(1),
  addresses: [ip('10.0.0.100'), ip('10.0.0.101')],
  password,
  source: ip('10.0.0.1'),
  destination: ip('224.0.0.18'),
  checksumAsV2: false,
}
const six: AdvertFields = {
  ...four,
  version: 3,
  family: 6,
  vrid: 53,
  intervalUs: secondsToUs(0.5),
  addresses: [ip('fe80::100'), ip('fd00::100')],
  password: null,
  source: ip('fe80::40c9:b0ff:fead:e162'),
  destination: ip('ff02::12'),
}

const captured: readonly { name: string; fields: AdvertFields; hex: string }[] = [
  {
    name: 'v2 PASS, two addresses',
    fields: four,
    hex: '213396020101d09d 0a000064 0a000065 3131313100000000',
  },
  {
    name: 'v2 without authentication',
    fields: { ...four, vrid: 56, password: null, addresses: [ip('10.0.0.130')] },
    hex: '2138960100013e43 0a000082 0000000000000000',
  },
  {
    name: 'v3 over IPv4',
    fields: {
      ...four,
      version: 3,
      vrid: 52,
      intervalUs: secondsToUs(0.5),
      addresses: [ip('10.0.0.110')],
    },
    hex: '313496010032439a 0a00006e',
  },
  {
    name: 'v3 over IPv6',
    fields: six,
    hex: '3135960200326b0c fe800000000000000000000000000100 fd000000000000000000000000000100',
  },
  {
    name: 'v2 over IPv6: no authentication data, pseudo-header in the checksum',
    fields: {
      ...six,
      version: 2,
      vrid: 54,
      intervalUs: secondsToUs(1),
      addresses: [ip('fe80::200')],
      password,
    },
    hex: '213696010001784e fe800000000000000000000000000200',
  },
]

function expecting(fields: AdvertFields): Expectation {
  const { version, family, vrid, password: own, intervalUs } = fields
  const fixed = {
    mode: 'multicast',
    mayBeEmpty: fields.addresses.length === 0,
    peers: null,
  } as const
  return { version, family, vrid, password: own, intervalUs, ...fixed }
}

const checksumOf = ({ version, family, checksumAsV2 }: AdvertFields): ChecksumForm =>
  family === 4 && (version === 2 || checksumAsV2) ? 'message' : 'pseudo-header'

const received = (fields: AdvertFields, payload: Uint8Array, ttl = 255): Received => ({
  payload,
  source: fields.source,
  destination: fields.destination,
  ttl,
})

test('what keepalived sends is what we send, octet for octet, and what we accept', () => {
  for (const { name, fields, hex } of captured) {
    assert.equal(toHex(encodeAdvert(fields)), hex.replaceAll(' ', ''), name)
    const decoded = decodeAdvert(received(fields, fromHex(hex)), expecting(fields))
    const { vrid, priority, intervalUs, addresses } = fields
    const checksum = checksumOf(fields)
    const value = { vrid, priority, intervalUs, addresses, checksum, excessBytes: 0 }
    assert.deepEqual(decoded, { ok: true, value }, name)
  }
})

test('every reject reason, in the order of the checks', () => {
  const counters = emptyRejects()
  const three: AdvertFields = { ...four, version: 3, password: null }
  const good = encodeAdvert(four)
  const patched = (fields: AdvertFields, at: number, octet: number): Uint8Array =>
    encodeAdvert(fields).with(at, octet)
  const rejected = (why: Reject, packet: Received, expect: Expectation): void => {
    const decoded = decodeAdvert(packet, expect)
    assert(!decoded.ok, `accepted instead of ${why}`)
    assert.equal(decoded.why, why)
    counters[decoded.why] += 1
  }
  const own = expecting(four)
  rejected('too-short', received(four, good.subarray(0, 7)), own)
  rejected('too-short', received(four, new Uint8Array(0)), own)
  rejected('bad-vrid', received(four, good), { ...own, vrid: 52 })
  rejected('bad-length', received(four, good.subarray(0, good.length - 1)), own)
  rejected('bad-length', received(six, encodeAdvert(six).subarray(0, -1)), expecting(six))
  rejected('bad-length', received(four, patched(four, 3, 3)), own)
  rejected('bad-ttl', received(four, good, 254), own)
  rejected('bad-version', received(three, encodeAdvert(three)), own)
  rejected('bad-version', received(four, good), expecting(three))
  rejected('bad-version', received(four, patched(three, 0, 0x41)), expecting(three))
  rejected('bad-auth-type', received(four, patched(four, 4, 3)), own)
  rejected('auth-mismatch', received(four, good), { ...own, password: null })
  rejected('auth-mismatch', received(four, patched(four, 4, 2)), own)
  rejected('auth-mismatch', received(four, encodeAdvert({ ...four, password: null })), own)
  rejected('auth-failed', received(four, good), { ...own, password: fromHex('3131313100000001') })
  rejected('interval-mismatch', received(four, good), { ...own, intervalUs: secondsToUs(2) })
  rejected('bad-interval', received(three, patched(three, 5, 0)), expecting(three))
  rejected('bad-type', received(four, patched(four, 0, 0x22)), own)
  rejected('bad-checksum', received(four, patched(four, 2, 151)), own)
  rejected('bad-checksum', received(three, patched(three, 9, 11)), expecting(three))
  for (const fields of [four, three, six])
    rejected(
      'no-addresses',
      received(fields, encodeAdvert({ ...fields, addresses: [] })),
      expecting(fields),
    )
  const elsewhere = { ...six, source: ip('fe80::2') }
  rejected('bad-checksum', received(elsewhere, encodeAdvert(six)), expecting(six))
  const peers = [{ address: ip('10.0.0.9'), minTtl: 0, maxTtl: 255 }]
  rejected('unknown-source', received(four, good), { ...own, mode: 'unicast', peers })
  const near = [{ address: four.source, minTtl: 254, maxTtl: 254 }]
  rejected('bad-ttl', received(four, good), { ...own, mode: 'unicast', peers: near })
  rejected('bad-ttl', received(four, good, 253), { ...own, mode: 'unicast', peers: near })
  assert.deepEqual(
    Object.entries(counters).filter(([, count]) => count === 0),
    [],
    'a reason that nothing produces',
  )
})

test('unicast demands no TTL of its own, and takes peers within their bounds', () => {
  const own: Expectation = { ...expecting(four), mode: 'unicast' }
  assert(decodeAdvert(received(four, encodeAdvert(four), 3), own).ok)
  const peers = [{ address: four.source, minTtl: 3, maxTtl: 5 }]
  assert(decodeAdvert(received(four, encodeAdvert(four), 3), { ...own, peers }).ok)
  assert(decodeAdvert(received(four, encodeAdvert(four), 5), { ...own, peers }).ok)
})

test('Ethernet padding behind a short IPv4 advert is not part of it', () => {
  const short: AdvertFields = { ...four, version: 3, addresses: [ip('10.0.0.1')] }
  const padded = new Uint8Array(26)
  padded.set(encodeAdvert(short))
  const decoded = decodeAdvert(received(short, padded), expecting(short))
  assert(decoded.ok)
  assert.deepEqual(decoded.value.addresses, short.addresses)
})

test('octets behind a complete advert are ignored and counted, whether its checksum covers them or not', () => {
  const three: AdvertFields = { ...four, version: 3, password: null }
  for (const fields of [four, three, six])
    for (const octets of [1, 2, 27, 1_400]) {
      const pdu = encodeAdvert(fields)
      const long = Uint8Array.of(...pdu, ...new Uint8Array(octets).fill(0xa5))
      const decoded = decodeAdvert(received(fields, long), expecting(fields))
      assert(decoded.ok, `${octets} octets behind version ${fields.version}`)
      const padding = fields.family === 4 && long.length <= 26
      assert.equal(decoded.value.excessBytes, padding ? 0 : octets)
      assert.deepEqual(decoded.value.addresses, fields.addresses)
    }
  const whole = Uint8Array.of(...encodeAdvert(six), 1, 2, 3, 4)
    .with(6, 0)
    .with(7, 0)
  const sum = checksum(whole, pseudoHeaderSum(six.source, six.destination, 112, whole.length))
  const covered = whole.with(6, sum >> 8).with(7, sum & 0xff)
  assert(decodeAdvert(received(six, covered), expecting(six)).ok, 'the kernel summed all of it')
})

test('reserved bits of version 3 are ignored on reception', () => {
  const three: AdvertFields = { ...four, version: 3 }
  const pdu = encodeAdvert(three)
  const bits = pdu
    .with(4, (pdu[4] ?? 0) | 0xf0)
    .with(6, 0)
    .with(7, 0)
  const sum = checksum(bits, pseudoHeaderSum(four.source, four.destination, 112, bits.length))
  const patched = bits.with(6, sum >> 8).with(7, sum & 0xff)
  const decoded = decodeAdvert(received(three, patched), expecting(three))
  assert(decoded.ok, JSON.stringify(decoded))
  assert.equal(decoded.value.intervalUs, secondsToUs(1))
})

test('version 3 over IPv4: either checksum is right, and which one is said; other damage is none', () => {
  const ours: AdvertFields = {
    ...four,
    version: 3,
    vrid: 52,
    intervalUs: secondsToUs(0.5),
    addresses: [ip('10.0.0.110')],
    password: null,
  }
  const forms = [
    ['pseudo-header', '313496010032439a 0a00006e', false],
    ['message', '3134960100322e2a 0a00006e', true],
  ] as const
  for (const [form, hex, checksumAsV2] of forms) {
    assert.equal(toHex(encodeAdvert({ ...ours, checksumAsV2 })), hex.replace(' ', ''))
    const decoded = decodeAdvert(received(ours, fromHex(hex)), expecting(ours))
    assert(decoded.ok && decoded.value.checksum === form, JSON.stringify(decoded))
    const damaged = decodeAdvert(received(ours, fromHex(hex).with(2, 1)), expecting(ours))
    assert.deepEqual(damaged, { ok: false, why: 'bad-checksum' })
  }
})

test('IPv6 and version 2 have one checksum', () => {
  const bare = (fields: AdvertFields): Uint8Array => {
    const pdu = encodeAdvert(fields).with(6, 0).with(7, 0)
    const sum = checksum(pdu)
    return pdu.with(6, sum >> 8).with(7, sum & 0xff)
  }
  assert.deepEqual(decodeAdvert(received(six, bare(six)), expecting(six)), {
    ok: false,
    why: 'bad-checksum',
  })
  const two = decodeAdvert(received(four, bare(four)), expecting(four))
  assert(two.ok && two.value.checksum === 'message')
})

test('an advert of no address is not believed, from whatever sender and with whatever priority', () => {
  const three: AdvertFields = { ...four, version: 3, vrid: 1, source: ip('10.0.1.3') }
  const packet = received(three, fromHex('3101c80000641b0c'))
  assert.deepEqual(decodeAdvert(packet, expecting(three)), { ok: false, why: 'no-addresses' })
  const agreed = { ...expecting(three), mayBeEmpty: true }
  assert(decodeAdvert(packet, agreed).ok, 'both sides are configured without addresses')
})

test('intervals are rounded to the unit of the version and kept within its field', () => {
  const sent = (version: 2 | 3, seconds: number): number => {
    const pdu = encodeAdvert({ ...four, version, intervalUs: secondsToUs(seconds) })
    return version === 2 ? (pdu[5] ?? 0) : (((pdu[4] ?? 0) & 0xf) << 8) | (pdu[5] ?? 0)
  }
  assert.deepEqual([sent(2, 0.2), sent(2, 1.5), sent(2, 400)], [1, 2, 255])
  assert.deepEqual([sent(3, 0.01), sent(3, 1.234), sent(3, 100)], [1, 123, 4095])
})

test('addresses compare as sets', () => {
  const [a, b, c] = [ip('10.0.0.1'), ip('10.0.0.2'), ip('10.0.0.3')]
  assert(sameAddresses([a, b], [b, a]))
  assert(sameAddresses([], []))
  assert(!sameAddresses([a, b], [a, c]))
  assert(!sameAddresses([a], [a, b]))
})

const octets = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length })

const anyFields: fc.Arbitrary<AdvertFields> = fc
  .record({
    version: fc.constantFrom<2 | 3>(2, 3),
    family: fc.constantFrom<4 | 6>(4, 6),
    vrid: fc.integer({ min: 1, max: 255 }),
    priority: fc.integer({ min: 0, max: 255 }),
    units: fc.integer({ min: 1, max: 255 }),
    count: fc.integer({ min: 0, max: 30 }),
    password: fc.option(octets(8)),
    checksumAsV2: fc.boolean(),
    pool: octets(32 * 16),
  })
  .map(({ units, count, pool, ...rest }) => {
    const size = rest.family === 4 ? 4 : 16
    const at = (i: number): Ip => ipFromBytes(pool.subarray(i * size, (i + 1) * size))
    return {
      ...rest,
      intervalUs: rest.version === 2 ? secondsToUs(units) : centisecondsToUs(units * 16),
      addresses: Array.from({ length: count }, (_, i) => at(i + 2)),
      source: at(0),
      destination: at(1),
    }
  })

test('whatever is encoded is decoded to the same', () => {
  fc.assert(
    fc.property(anyFields, (fields) => {
      const { vrid, priority, intervalUs, addresses } = fields
      const decoded = decodeAdvert(received(fields, encodeAdvert(fields)), expecting(fields))
      assert(decoded.ok)
      const { checksum: form, ...value } = decoded.value
      assert.deepEqual(value, { vrid, priority, intervalUs, addresses, excessBytes: 0 })
      // The forms are one where the pseudo-header sums to nothing.
      assert(form === checksumOf(fields) || fields.version === 3)
    }),
  )
})

test('one flipped bit is never accepted as another advert', () => {
  fc.assert(
    fc.property(anyFields, fc.nat(), (any, position) => {
      const fields = { ...any, checksumAsV2: false }
      const pdu = encodeAdvert(fields)
      const bit = position % (pdu.length * 8)
      const flipped = pdu.with(bit >> 3, (pdu[bit >> 3] ?? 0) ^ (1 << (bit & 7)))
      const decoded = decodeAdvert(received(fields, flipped), expecting(fields))
      // Version 3 over IPv4 has two checksums, and one flip in some thousands turns the one into the other.
      const two = fields.version === 3 && fields.family === 4
      assert(!decoded.ok || (two && decoded.value.checksum === 'message'))
    }),
  )
})

test('garbage is rejected by name and never throws', () => {
  const known = new Set(Object.keys(emptyRejects()))
  fc.assert(
    fc.property(anyFields, fc.uint8Array({ maxLength: 80 }), (fields, payload) => {
      const decoded = decodeAdvert(received(fields, payload), expecting(fields))
      assert(decoded.ok || known.has(decoded.why))
    }),
  )
})

test('RFC 1071: the example of its section 3, odd lengths, and a correct packet sums to 0', () => {
  assert.equal(checksum(fromHex('0001 f203 f4f5 f6f7')), 0xffff - 0xddf2)
  assert.equal(checksum(fromHex('ab')), 0xffff - 0xab00)
  assert.equal(checksum(new Uint8Array(0)), 0xffff)
})
