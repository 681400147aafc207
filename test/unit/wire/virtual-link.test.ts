/** Requests about links that vipd makes, beside the octets of keepalived's; and the header of an advert as a frame. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes, toHex, viewOf } from '../../../src/base/bytes.ts'
import { macOctets } from '../../../src/base/mac.ts'
import { encodeAdvertHead } from '../../../src/wire/advert-head.ts'
import { checksum } from '../../../src/wire/checksum.ts'
import { encodeIpv4Settings } from '../../../src/wire/rtnetlink-settings.ts'
import {
  encodeLinkAlter,
  encodeLinkCreate,
  encodeLinkDelete,
  encodeLinkSwitch,
  encodeNoAddressGeneration,
} from '../../../src/wire/rtnetlink-virtual-link.ts'
import { ip } from '../router/facts.ts'

const mac = macOctets('00:00:5e:00:01:33')

/** Without sequence and process; captured of keepalived 2.2.7 and 2.4.3 on a little-endian machine. */
const sent = (bytes: Uint8Array): string => toHex(bytes)
const octets = (text: string): string => text.replace(/[\s|]/g, '').replace('ssssssss', '00000000')

const create = {
  kind: 'macvlan',
  name: 'vrrp.51',
  below: 2,
  mac,
  group: null,
  master: null,
} as const

test('a macvlan is made as keepalived makes it, but for its mode', () => {
  const keepalived = octets(`5c000000 1000 0506 ssssssss 00000000 | 00000000000000000000000000000000
    1c001200 0b000100 6d6163766c616e00 0c000200 08000100 01000000
    08000500 02000000 | 0b000300 767272702e353100 | 0a000100 00005e000133 0000`)
  const [bridge, isPrivate] = ['0c000200 08000100 04000000', '0c000200 08000100 01000000']
  assert.equal(
    sent(encodeLinkCreate(create)),
    keepalived.replace(octets(isPrivate), octets(bridge)),
  )
  const grouped = sent(encodeLinkCreate({ ...create, group: 0 }))
  assert.ok(grouped.includes(octets('767272702e353100 08001b00 00000000 0a000100')))
  assert.ok(sent(encodeLinkCreate({ ...create, master: 9 })).endsWith(octets('08000a00 09000000')))
})

test('the other requests are keepalived’s', () => {
  const header = 'ssssssss 00000000'
  assert.equal(
    sent(encodeLinkSwitch(5, true)),
    octets(`20000000 1000 0500 ${header} | 00000000 05000000 01000000 01000000`),
  )
  assert.equal(
    sent(encodeLinkSwitch(5, false)),
    octets(`20000000 1000 0500 ${header} | 00000000 05000000 00000000 01000000`),
  )
  assert.equal(
    sent(encodeNoAddressGeneration(5)).slice(64),
    octets('10001a00 0c000a00 05000800 01000000'),
  )
  assert.equal(
    sent(encodeLinkDelete(5)),
    octets(`20000000 1100 0500 ${header} | 00000000 05000000 00000000 00000000`),
  )
  assert.equal(
    sent(encodeIpv4Settings(5, { arp_ignore: 1 })).slice(64),
    octets('14001a00 10000200 0c000100 08001300 01000000'),
  )
})

test('an alteration names what differs and nothing else', () => {
  const body = (to: Parameters<typeof encodeLinkAlter>[1]) => sent(encodeLinkAlter(5, to)).slice(64)
  assert.equal(body({ mtu: 1400 }), octets('08000400 78050000'))
  assert.equal(body({ master: 0 }), octets('08000a00 00000000'))
  assert.equal(body({ alias: 'vipd' }), octets('08001400 76697064'))
  assert.ok(body({ bridgeMode: true }).endsWith(octets('08000100 04000000')))
})

test('the IPv4 header of an advert, as the kernel makes it', () => {
  const head = encodeAdvertHead({
    mac,
    source: ip('10.9.0.1'),
    group: ip('224.0.0.18'),
    trafficClass: 0xc0,
    payloadOctets: 20,
  })
  assert.equal(
    sent(head),
    octets(`01005e000012 00005e000133 0800
      45c00028 0000 4000 ff70 9089 0a090001 e0000012`),
  )
  assert.equal(checksum(head.subarray(14)), 0)
})

test('the IPv6 header of an advert', () => {
  const head = encodeAdvertHead({
    mac: macOctets('00:00:5e:00:02:3d'),
    source: ip('fe80::1'),
    group: ip('ff02::12'),
    trafficClass: 0xc0,
    payloadOctets: 24,
  })
  const [from, to] = ['fe800000000000000000000000000001', 'ff020000000000000000000000000012']
  assert.equal(
    sent(head),
    octets(`333300000012 00005e00023d 86dd 6c000000 0018 70 ff ${from} ${to}`),
  )
})

test('a group of another number has another MAC address', () => {
  const group = (to: string) =>
    sent(
      encodeAdvertHead({
        mac,
        source: ip(to.includes(':') ? 'fe80::1' : '10.9.0.1'),
        group: ip(to),
        trafficClass: 0,
        payloadOctets: 0,
      }),
    ).slice(0, 12)
  assert.equal(group('239.255.1.2'), '01005e7f0102')
  assert.equal(group('ff15::12:3456'), '333300123456')
})

test('an odd payload has an odd length', () => {
  const head = encodeAdvertHead({
    mac,
    source: ip('10.9.0.1'),
    group: ip('224.0.0.18'),
    trafficClass: 0xc0,
    payloadOctets: 1_479,
  })
  assert.equal(viewOf(head).getUint16(16), 1_499)
  assert.equal(checksum(concatBytes([head.subarray(14)])), 0)
})
