/** Addresses, octets and time: the small things that everything else trusts. */

import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { test } from 'node:test'
import { assert as must, unreachable } from '../../../src/base/assert.ts'
import {
  concatBytes,
  equalBytes,
  equalBytesConstantTime,
  toHex,
  viewOf,
} from '../../../src/base/bytes.ts'
import { OpError } from '../../../src/base/errors.ts'
import {
  compareIp,
  type Ip,
  ipBytes,
  ipFamily,
  ipFromBytes,
  isLinkLocal,
  isMulticast,
  parseIp,
  sharePrefix,
} from '../../../src/base/ip.ts'
import {
  addUs,
  centisecondsToUs,
  millisecondsToUs,
  secondsToUs,
  subtractUs,
  us,
  usToMilliseconds,
  usToSeconds,
} from '../../../src/base/time.ts'
import { fromHex } from '../../hex.ts'
import { fc } from '../../property.ts'

const ip = (text: string): Ip => {
  const parsed = parseIp(text)
  assert(parsed !== null, text)
  return parsed
}

test('addresses become canonical text, RFC 5952 section 4', () => {
  const cases: readonly [string, string][] = [
    ['10.0.0.1', '10.0.0.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['2001:0DB8::0001', '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['::1', '::1'],
    ['fe80::', 'fe80::'],
    ['::ffff:10.0.0.1', '::ffff:a00:1'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ]
  for (const [text, canonical] of cases) assert.equal(parseIp(text), canonical, text)
})

test('what is not an address is null', () => {
  const wrong = [
    '',
    '10.0.0',
    '10.0.0.256',
    '10.0.0.01',
    '10.0.0.1.1',
    ' 10.0.0.1',
    '1.2.3.4/24',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    'fe80::1%eth0',
    '::10.0.0.256',
    '1.2.3.4::',
    'g::',
  ]
  for (const text of wrong) assert.equal(parseIp(text), null, text)
})

test('parsing agrees with Node about what an address is', () => {
  const part = fc.constantFrom('0', '1', 'ab', 'ffff', '12345', '', '255', '256', '1.2.3.4', '007')
  const text = fc
    .array(part, { maxLength: 9 })
    .chain((parts) => fc.constantFrom(':', '.', '::').map((glue) => parts.join(glue)))
  fc.assert(fc.property(text, (t) => assert.equal(parseIp(t) !== null, isIP(t) !== 0, t)))
})

test('two addresses share the first bits, or not', () => {
  const cases: readonly (readonly [string, string, number, boolean])[] = [
    ['10.0.0.1', '10.0.0.254', 24, true],
    ['10.0.0.1', '10.0.1.1', 24, false],
    ['10.0.0.1', '10.0.1.1', 23, true],
    ['10.0.0.4', '10.0.0.5', 31, true],
    ['10.0.0.4', '10.0.0.5', 32, false],
    ['10.0.0.4', '192.0.2.1', 0, true],
    ['fe80::1', 'fe80:0:0:1::1', 64, false],
    ['fe80::1', 'fe80::ff:2', 64, true],
    ['10.0.0.1', '::', 0, false],
  ]
  for (const [a, b, length, same] of cases)
    assert.equal(sharePrefix(ip(a), ip(b), length), same, a + b)
})

const anyIp = fc
  .constantFrom(4, 16)
  .chain((length) => fc.uint8Array({ minLength: length, maxLength: length }))

test('octets to text and back is the identity', () => {
  fc.assert(
    fc.property(anyIp, (octets) => {
      const text = ipFromBytes(octets)
      assert.deepEqual(ipBytes(text), octets)
      assert.equal(parseIp(text), text)
      assert.equal(ipFamily(text), octets.length === 4 ? 4 : 6)
      assert.equal(isIP(text), octets.length === 4 ? 4 : 6)
    }),
  )
  assert.throws(() => ipFromBytes(new Uint8Array(5)), RangeError)
  assert.throws(() => ipBytes('nonsense' as Ip), RangeError)
})

test('order is numeric, IPv4 first', () => {
  assert(compareIp(ip('10.0.0.9'), ip('10.0.0.10')) < 0)
  assert(compareIp(ip('10.0.1.0'), ip('10.0.0.255')) > 0)
  assert.equal(compareIp(ip('fe80::1'), ip('fe80::1')), 0)
  assert(compareIp(ip('fe80::2'), ip('fe80::10')) < 0)
  assert(compareIp(ip('255.255.255.255'), ip('::')) < 0)
})

test('kinds of addresses', () => {
  const multicast = ['224.0.0.18', '239.255.255.255', 'ff02::12']
  const unicast = ['223.255.255.255', '240.0.0.1', 'fe80::1', '::']
  for (const text of multicast) assert(isMulticast(ip(text)), text)
  for (const text of unicast) assert(!isMulticast(ip(text)), text)
  for (const text of ['169.254.0.1', 'fe80::1', 'febf::1']) assert(isLinkLocal(ip(text)), text)
  for (const text of ['169.253.0.1', 'fec0::1', 'fd00::1']) assert(!isLinkLocal(ip(text)), text)
})

test('octets', () => {
  assert.deepEqual(concatBytes([fromHex('01'), fromHex(''), fromHex('02 03')]), fromHex('010203'))
  assert.equal(toHex(fromHex('De:ad be\nEF')), 'deadbeef')
  for (const wrong of ['0', 'xx', '0x00', '012']) assert.throws(() => fromHex(wrong), RangeError)
  const within = new Uint8Array([9, 9, 0x12, 0x34, 9]).subarray(2, 4)
  assert.equal(viewOf(within).getUint16(0), 0x1234)
  assert.equal(viewOf(within).byteLength, 2)
  for (const equal of [equalBytes, equalBytesConstantTime]) {
    assert(equal(fromHex(''), fromHex('')))
    assert(equal(fromHex('0102'), fromHex('0102')))
    assert(!equal(fromHex('0102'), fromHex('0103')))
    assert(!equal(fromHex('8102'), fromHex('0102')))
    assert(!equal(fromHex('0102'), fromHex('010200')))
  }
})

test('time is whole microseconds', () => {
  assert.equal(secondsToUs(0.01), 10_000)
  assert.equal(secondsToUs(1.0000004), 1_000_000)
  assert.equal(millisecondsToUs(1.5), 1_500)
  assert.equal(centisecondsToUs(4095), 40_950_000)
  assert.equal(usToSeconds(us(2_500_000)), 2.5)
  assert.equal(usToMilliseconds(us(2_500)), 2.5)
  assert.equal(addUs(us(1), us(2)), 3)
  assert.equal(subtractUs(us(1), us(2)), -1)
  for (const wrong of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    assert.throws(() => us(wrong), RangeError)
  }
  assert.throws(() => centisecondsToUs(0.00001), RangeError)
})

test('failures carry their operation and code; bugs throw', () => {
  const error = new OpError('bind', 'EPERM')
  assert.deepEqual([error.name, error.op, error.code], ['OpError', 'bind', 'EPERM'])
  assert.equal(error.message, 'bind: EPERM')
  assert.equal(
    new OpError('RTM_NEWADDR', 'EINVAL', 'bad scope').message,
    'RTM_NEWADDR: EINVAL (bad scope)',
  )
  must(true, 'never')
  assert.throws(() => must(false, 'two masters'), /bug: two masters/)
  assert.throws(() => unreachable('x' as never), /bug: unreachable value "x"/)
})
