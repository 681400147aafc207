import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ip } from '../../../src/base/ip.ts'
import { us } from '../../../src/base/time.ts'
import { explainReject } from '../../../src/wire/explain-reject.ts'
import {
  type AdvertFields,
  decodeAdvert,
  type Expectation,
  emptyRejects,
  encodeAdvert,
} from '../../../src/wire/vrrp.ts'

const ip = (text: string) => text as Ip
const source = ip('10.0.0.2')
const group = ip('224.0.0.18')
const fields: AdvertFields = {
  version: 2,
  family: 4,
  vrid: 51,
  priority: 100,
  intervalUs: us(1_000_000),
  addresses: [ip('10.0.0.100')],
  password: null,
  source,
  destination: group,
  checksumAsV2: false,
}
const expect: Expectation = {
  version: 2,
  family: 4,
  vrid: 51,
  mode: 'multicast',
  password: null,
  intervalUs: us(1_000_000),
  mayBeEmpty: false,
  peers: null,
}
const secret = new TextEncoder().encode('secret12')
const three = { version: 3 } as const

/** CARP's header: version 2, type 1; vhid, advskew, authlen 7, pad, advbase, checksum, counter, digest. */
const carp = (): Uint8Array => {
  const bytes = new Uint8Array(36)
  bytes.set([0x21, 51, 0, 7, 0, 1])
  return bytes
}

const cases: readonly (readonly [
  string,
  Uint8Array,
  Partial<Expectation>,
  RegExp,
  ttl?: number,
])[] = [
  ['bad-version', encodeAdvert(fields), three, /speaks version 2, this instance version 3: write/],
  ['bad-version', encodeAdvert({ ...fields, ...three }), {}, /speaks version 3/],
  ['auth-mismatch', encodeAdvert({ ...fields, password: secret }), {}, /is PASS, ours none/],
  ['auth-mismatch', encodeAdvert(fields), { password: secret }, /is none, ours PASS/],
  [
    'auth-failed',
    encodeAdvert({ ...fields, password: new TextEncoder().encode('another1') }),
    { password: secret },
    /write the same `auth_pass`/,
  ],
  [
    'interval-mismatch',
    encodeAdvert({ ...fields, intervalUs: us(3_000_000) }),
    {},
    /advert_int is 3 s, ours 1 s/,
  ],
  ['bad-length', carp(), {}, /36 octets are CARP.*another VRID/],
  ['bad-length', carp(), three, /36 octets are CARP.*another VRID/],
  ['bad-length', encodeAdvert(fields).subarray(0, 12), {}, /12 octets are no complete advert of 1/],
  ['too-short', new Uint8Array(3), {}, /3 octets/],
  ['bad-ttl', encodeAdvert(fields), {}, /TTL is 64 and must be 255/, 64],
  [
    'bad-checksum',
    encodeAdvert({ ...fields, ...three }).map((byte, i) => (i === 6 ? byte ^ 1 : byte)),
    three,
    /none of the known forms/,
  ],
  ['no-addresses', encodeAdvert({ ...fields, addresses: [] }), {}, /carries no address/],
  [
    'unknown-source',
    encodeAdvert(fields),
    { mode: 'unicast', peers: [] },
    /none of unicast_peer, and check_unicast_src is on/,
  ],
]

for (const [why, payload, over, says, ttl = 255] of cases)
  test(`${why}: ${says.source}`, () => {
    const packet = { payload, ttl, source, destination: group }
    const expected = { ...expect, ...over }
    const decoded = decodeAdvert(packet, expected)
    assert(!decoded.ok)
    assert.equal(decoded.why, why)
    assert.match(explainReject(decoded.why, packet, expected), says)
  })

test('every reason is explained in one clause', () => {
  for (const why of Object.keys(emptyRejects()) as (keyof ReturnType<typeof emptyRejects>)[]) {
    const packet = { payload: new Uint8Array(8), ttl: 255, source, destination: group }
    assert.match(explainReject(why, packet, expect), /^[^.\n]{8,}$/, why)
  }
})
