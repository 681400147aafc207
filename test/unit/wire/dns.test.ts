/** DNS messages, octet by octet; and any octets, which are refused by name and never throw. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex } from '../../../src/base/bytes.ts'
import { recordTypes } from '../../../src/base/probe.ts'
import { decodeDnsAnswer, encodeDnsQuery } from '../../../src/wire/dns.ts'
import { fromHex } from '../../hex.ts'
import { fc } from '../../property.ts'

/** RFC 1035 section 4.1: `www.test`, from octet 12 on. */
const question = '03777777 0474657374 00 0001 0001'
const answer = (count: string, records: string, flags = '8180') =>
  fromHex(`1234 ${flags} 0001 ${count} 0000 0000 ${question} ${records}`)

test('a query: its octets; and what is no name', () => {
  assert.equal(
    toHex(encodeDnsQuery(0x1234, 'www.test', 'A') ?? new Uint8Array()),
    `12340100000100000000000003777777047465737400${'0001'}0001`,
  )
  assert.equal(encodeDnsQuery(1, '.', 'NS')?.length, 12 + 1 + 4)
  assert.equal(encodeDnsQuery(1, 'a..b', 'A'), null)
  assert.equal(encodeDnsQuery(1, 'x'.repeat(64), 'A'), null)
  assert.equal(encodeDnsQuery(1, Array(5).fill('x'.repeat(62)).join('.'), 'A'), null)
})

test('answers: records as in a zone file, names compressed', () => {
  const head = 'c00c'
  const record = (type: string, data: string) =>
    `${head} ${type} 0001 0000003c ${(data.replaceAll(' ', '').length / 2).toString(16).padStart(4, '0')} ${data}`
  const cases: readonly [string, string, string][] = [
    ['0001', '0a010203', '10.1.2.3'],
    ['001c', 'fd00 0000 0000 0000 0000 0000 0000 0001', 'fd00::1'],
    ['0005', '0161 c010', 'a.test'],
    ['000f', '000a 046d61696c c010', '10 mail.test'],
    ['0021', '0001 0002 0050 c00c', '1 2 80 www.test'],
    ['0010', '0568656c6c6f 0121', 'hello!'],
    ['0006', 'c010 0161 c010 00000007 00000000 00000000 00000000 00000000', 'test a.test 7'],
    ['ffff', 'abcd', 'abcd'],
  ]
  for (const [type, data, text] of cases) {
    const decoded = decodeDnsAnswer(answer('0001', record(type, data)))
    assert.ok(decoded.ok, text)
    const records = [{ name: 'www.test', type: Number.parseInt(type, 16), text }]
    assert.deepEqual(decoded.value, { id: 0x1234, rcode: 'NOERROR', truncated: false, records })
  }
})

test('what is no answer, by name; codes without a name; one that is cut off by its server', () => {
  const why = (octets: Uint8Array) => {
    const decoded = decodeDnsAnswer(octets)
    return decoded.ok ? decoded.value.rcode : decoded.why
  }
  assert.equal(why(new Uint8Array(3)), 'cut-off')
  assert.equal(why(answer('0000', '', '0100')), 'query')
  assert.equal(why(answer('0001', 'c00c 0001 0001 00000000 0004 0a01')), 'cut-off')
  assert.equal(why(answer('0001', 'c00c 0001 0001 00000000 0003 0a0102')), 'bad-address')
  assert.equal(why(answer('0001', 'c0ff 0001 0001 00000000 0000')), 'bad-pointer')
  assert.equal(why(answer('0001', '80 0001 0001 00000000 0000')), 'bad-name')
  assert.equal(why(answer('0000', '', '818f')), 'RCODE15')
  const truncated = decodeDnsAnswer(answer('0000', '', '8380'))
  assert.equal(truncated.ok && truncated.value.truncated, true)
})

test('any octets are decoded or refused, and a query with its answer bit is an answer', () => {
  const label = fc.string({ unit: fc.constantFrom(...'abcxyz-09'), minLength: 1, maxLength: 20 })
  const names = fc.array(label, { maxLength: 8 }).map((labels) => labels.join('.'))
  const types = fc.constantFrom(...(Object.keys(recordTypes) as (keyof typeof recordTypes)[]))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
      if (octets.length > 2) octets[2] = (octets[2] ?? 0) | 0x80
      const decoded = decodeDnsAnswer(octets)
      assert.ok(decoded.ok || decoded.why.length > 0)
    }),
    { numRuns: 5_000 },
  )
  fc.assert(
    fc.property(fc.nat(65_535), names, types, (id, name, type) => {
      const query = encodeDnsQuery(id, name, type)
      assert.ok(query !== null)
      query[2] = 0x80
      const decoded = decodeDnsAnswer(query)
      assert.deepEqual(decoded.ok && [decoded.value.id, decoded.value.records], [id, []])
    }),
  )
})
