/** Settings of a link as keepalived sets them (captured), and as a 6.18 kernel reports them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes, toHex } from '../../../src/base/bytes.ts'
import {
  encodeAttribute,
  hostIsLittleEndian,
  readAttributes,
  u32,
} from '../../../src/wire/netlink.ts'
import {
  encodeIpv4Settings,
  encodeLinkGet,
  readIpv4Settings,
} from '../../../src/wire/rtnetlink-settings.ts'

const sequence = '00000000'
const noPort = '00000000'

test('requests, octet for octet', { skip: !hostIsLittleEndian }, () => {
  const header = (length: string, type: string, flags: string) =>
    `${length}000000${type}00${flags}00${sequence}${noPort}`
  const link = (ifindex: string) => `00000000${ifindex}0000000000000000000000`
  assert.equal(
    toHex(encodeIpv4Settings(5, { arp_ignore: 1 })),
    `${header('34', '10', '05')}${link('05')}14001a00100002000c0001000800130001000000`,
    'as keepalived sends it for the link of an IPv6 virtual MAC',
  )
  assert.equal(
    toHex(encodeIpv4Settings(2, { arp_ignore: 1, arp_announce: 2 })),
    `${header('3c', '10', '05')}${link('02')}1c001a0018000200140001000800120002000000` +
      '0800130001000000',
  )
  assert.equal(toHex(encodeLinkGet(2)), `${header('20', '12', '01')}${link('02')}`)
})

/** IFLA_INET_CONF of a report: an array. */
const reported = (values: readonly number[]) => {
  const inet = encodeAttribute(1, u32(...values))
  const attributes = readAttributes(encodeAttribute(26, encodeAttribute(2, inet)))
  assert(attributes !== null)
  return attributes
}

test('a report is read by index, whatever else it carries', () => {
  const values = Array.from({ length: 33 }, (_, i) => 100 + i + 1)
  assert.deepEqual(readIpv4Settings(reported(values)), {
    forwarding: 101,
    rp_filter: 108,
    arp_announce: 118,
    arp_ignore: 119,
    promote_secondaries: 120,
    accept_local: 123,
  })
})

test('a link without IPv4, a short report and garbage have none', () => {
  const none = readAttributes(new Uint8Array(0))
  assert(none !== null)
  assert.equal(readIpv4Settings(none), null)
  assert.equal(readIpv4Settings(reported([1, 2, 3])), null)
  const broken = readAttributes(encodeAttribute(26, concatBytes([u32(0xffffffff), u32(1)])))
  assert(broken !== null)
  assert.equal(readIpv4Settings(broken), null)
})
