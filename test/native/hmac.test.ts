/** SHA-256 and HMAC-SHA-256 of the addon, held against their standards and node:crypto. */
import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { test } from 'node:test'
import { loadAddon } from '../../src/addon/load.ts'
import { toHex } from '../../src/base/bytes.ts'
import { fromHex } from '../hex.ts'
import { fc } from '../property.ts'
import { text } from './seal-vectors.ts'

type Crypto = {
  sha256(octets: Uint8Array): Uint8Array
  hmacSha256(key: Uint8Array, octets: Uint8Array): Uint8Array
}

const { sha256, hmacSha256 } = loadAddon() as Crypto

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
