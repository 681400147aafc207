import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ip } from '../../../src/base/ip.ts'
import { check, findings, instanceText } from './reading.ts'

const session = (neighbor: string) => `bfd_instance b {\n  neighbor_ip ${neighbor}\n}\n`
const unicast = 'unicast_peer {\n 10.0.0.2\n }'
const foreign = { eth0: [{ address: '10.0.0.1' as Ip, prefixLength: 24 }] }

/** The codes about the session of an instance that tracks it by that line. */
function said(neighbor: string, line: string, more = '', address = '10.0.0.100/24') {
  const text = session(neighbor) + instanceText(`track_bfd {\n ${line}\n }\n ${more}`, address)
  const report = check(text, { foreign })
  assert.equal(report.exit, 0, report.text)
  return findings(report).filter((each) => /takeover|bfd/.test(each))
}

const six = 'fe80::100/64'
test('check warns of a takeover whose neighbour cannot be the master', () => {
  const never = ['takeover-neighbor@8']
  const cases: readonly (readonly [Parameters<typeof said>, readonly string[]])[] = [
    [['10.0.0.2', 'b takeover'], []],
    [['10.1.0.2', 'b takeover'], never],
    [['10.0.0.100', 'b takeover'], never],
    [['fd77::2', 'b takeover'], never],
    [['10.0.0.2', 'b takeover', unicast], []],
    [['10.0.0.3', 'b takeover', unicast], never],
    [['fe80::2', 'b takeover', 'version 3', six], []],
    [['fd77::2', 'b takeover', 'version 3', six], never],
    [['10.0.0.2', 'b takeover', 'version 3', six], never],
    // Over unicast it may be anywhere.
    [['10.1.0.2', 'b takeover', 'unicast_peer {\n 10.1.0.2\n }'], []],
  ]
  for (const [given, codes] of cases) assert.deepEqual(said(...given), codes, given.join(' '))
})

test('check warns of a unicast peer whose loss is a fault', () => {
  const cases: readonly (readonly [Parameters<typeof said>, readonly string[]])[] = [
    [['10.0.0.2', 'b', unicast], ['bfd-peer-fault@8']],
    [['10.0.0.2', 'b weight 5', unicast], []],
    [['10.0.0.2', 'b weight 0 reverse', unicast], []],
    [['10.0.0.2', 'b takeover', unicast], []],
    [['10.0.0.254', 'b', unicast], []],
    [['10.0.0.2', 'b'], []],
  ]
  for (const [given, codes] of cases) assert.deepEqual(said(...given), codes, given.join(' '))
})

test('a sync group that tracks is checked for each member', () => {
  const group = 'vrrp_sync_group G {\n group {\n V\n }\n track_bfd {\n b takeover\n }\n}\n'
  const report = check(session('10.1.0.2') + instanceText() + group, { foreign })
  assert.deepEqual(findings(report), ['small-group@12', 'takeover-neighbor@17'])
})
