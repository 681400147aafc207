/**
 * rtnetlink: requests as the kernel took them, answers and notifications as a 6.18 kernel gave them on a
 * little-endian machine, and whatever garbage can be made of them.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes, toHex } from '../../../src/base/bytes.ts'
import { cString, encodeAttribute, u8, u32 } from '../../../src/wire/netlink.ts'
import {
  decodeMessages,
  emptyRouteRejects,
  type RouteMessage,
} from '../../../src/wire/rtnetlink.ts'
import {
  encodeAddressDelete,
  encodeAddressDump,
  encodeAddressReplace,
} from '../../../src/wire/rtnetlink-address.ts'
import { encodeLinkDump } from '../../../src/wire/rtnetlink-link.ts'
import { errno } from '../../../src/wire/rtnetlink-numbers.ts'
import { fromHex } from '../../hex.ts'
import { asAddress, ip, linkMessage, plain, six } from './rtnetlink-facts.ts'

const only = (hex: string): RouteMessage => {
  const messages = decodeMessages(fromHex(hex))
  const [message] = messages
  assert(message !== undefined && messages.length === 1)
  return message
}

test('requests, octet for octet', () => {
  const cases: readonly [string, Uint8Array, string][] = [
    [
      'IPv4 with everything',
      encodeAddressReplace({
        ...plain,
        broadcast: ip('10.0.0.255'),
        label: 'v0:1',
        scope: 253,
        noprefixroute: true,
        autojoin: true,
        home: true,
        preferredSeconds: 5,
        validSeconds: 9,
      }),
      `60000000 1400 0505 00000000 00000000 02 18 00 fd 03000000
       0800 0200 0a000064 0800 0100 0a000064 0800 0400 0a0000ff 0900 0300 76303a3100 000000
       0800 0800 00060000 1400 0600 05000000 09000000 00000000 00000000 0500 0b00 70 000000`,
    ],
    [
      'IPv6: flags that IPv4 does not have, deprecated from the start',
      encodeAddressReplace({ ...six, home: true, mngtmpaddr: true, preferredSeconds: 0 }),
      `64000000 1400 0505 00000000 00000000 0a 40 00 00 03000000
       1400 0200 fd000000000000000000000000000100 1400 0100 fd000000000000000000000000000100
       0800 0800 12010000 1400 0600 00000000 ffffffff 00000000 00000000 0500 0b00 70 000000`,
    ],
    [
      'delete with a peer: its prefix',
      encodeAddressDelete({
        ...plain,
        address: ip('10.1.0.1'),
        peer: { address: ip('10.1.0.2'), prefixLength: 32 },
      }),
      `28000000 1500 0500 00000000 00000000 02 20 00 00 03000000
       0800 0200 0a010001 0800 0100 0a010002`,
    ],
    ['link dump', encodeLinkDump(), `20000000 1200 0103 00000000 00000000 ${'00'.repeat(16)}`],
    ['address dump', encodeAddressDump(), `18000000 1600 0103 00000000 00000000 ${'00'.repeat(8)}`],
    [
      'IPv6 address dump',
      encodeAddressDump(6),
      `18000000 1600 0103 00000000 00000000 0a ${'00'.repeat(7)}`,
    ],
  ]
  for (const [name, bytes, hex] of cases) {
    assert.equal(toHex(bytes), hex.replaceAll(/\s/g, ''), name)
    assert.equal(bytes.length % 4, 0, `${name}: not aligned`)
  }
})

test('lifetimes: preferred never beyond valid, none at all for an address that stays', () => {
  const lifetimes = (preferredSeconds: number | null, validSeconds: number | null) => {
    const decoded = asAddress(encodeAddressReplace({ ...plain, preferredSeconds, validSeconds }))
    return [decoded.preferredSeconds, decoded.validSeconds]
  }
  assert.deepEqual(lifetimes(null, null), [null, null])
  assert.deepEqual(lifetimes(null, 9), [9, 9])
  assert.deepEqual(lifetimes(30, 9), [9, 9])
  assert.deepEqual(lifetimes(0, null), [0, null])
})

test('addresses as the kernel reports them', () => {
  const none = {
    ifindex: 3,
    peer: null,
    broadcast: null,
    label: null,
    scope: 0,
    secondary: false,
    deprecated: false,
    tentative: false,
    dadFailed: false,
    nodad: false,
    noprefixroute: false,
    permanent: false,
    preferredSeconds: null,
    validSeconds: null,
    protocol: null,
  }
  const cases: readonly [string, object][] = [
    [
      `5400000014000200070000006b4d00000218010003000000080001000a000065080002000a000065
       070003007630000005000b00120000000800080001000000140006001e0000001e0000005790040057900400`,
      {
        family: 4,
        address: '10.0.0.101',
        prefixLength: 24,
        label: 'v0',
        secondary: true,
        preferredSeconds: 30,
        validSeconds: 30,
        protocol: 18,
      },
    ],
    [
      `5400000014000200070000006b4d00000220800003000000080001000a010002080002000a010001
       070003007630000005000b0012000000080008008002000014000600ffffffffffffffff5790040057900400`,
      {
        family: 4,
        address: '10.1.0.1',
        peer: '10.1.0.2',
        prefixLength: 32,
        label: 'v0',
        permanent: true,
        noprefixroute: true,
        protocol: 18,
      },
    ],
    [
      `5000000014000200070000006b4d00000a40b2000300000014000100fd000000000000000000000000000100
       1400060000000000ffffffff579004005790040008000800b203000005000b0012000000`,
      {
        family: 6,
        address: 'fd00::100',
        prefixLength: 64,
        deprecated: true,
        nodad: true,
        permanent: true,
        noprefixroute: true,
        preferredSeconds: 0,
        protocol: 18,
      },
    ],
    [
      `5000000014000200070000006b4d00000a40c0fd0200000014000100fe800000000000005c123dfffe277ba5
       14000600ffffffffffffffff459004004590040008000800c000000005000b0003000000`,
      {
        ifindex: 2,
        family: 6,
        address: 'fe80::5c12:3dff:fe27:7ba5',
        prefixLength: 64,
        scope: 253,
        permanent: true,
        tentative: true,
        protocol: 3,
      },
    ],
  ]
  for (const [hex, expected] of cases) {
    const message = only(hex)
    assert(message.kind === 'newaddr')
    assert.deepEqual(message.address, { ...none, ...expected })
  }
})

test('answers: acknowledgement, errors in the words of the kernel, end of a dump', () => {
  const ack = { kind: 'error', sequence: 7, errno: 0, text: '', offset: null }
  assert.deepEqual(
    only('2400000002000001070000006b4d0000000000004c000000140005050700000000000000'),
    ack,
  )
  assert.deepEqual(
    only(`5800000002000002070000006b4d00009dffffff280000001500050007000000000000000218000003000000
      080002000a000064080001000a0000641c000100697076343a2041646472657373206e6f7420666f756e6400`),
    { ...ack, errno: errno.EADDRNOTAVAIL, text: 'ipv4: Address not found' },
  )
  assert.deepEqual(
    only(`a800000002000002070000006b4d0000deffffff500000001400050507000000000000000218000003000000
      080002000a000066080001000a000066180003006162636465666768696a6b6c6d6e6f7071727300
      080008000000000005000b001200000027000100417474726962757465206661696c656420706f6c6963792076616c
      69646174696f6e0000080002002800000014000480080007000f000000080001000b000000`),
    { ...ack, errno: 34, text: 'Attribute failed policy validation', offset: 40 },
  )
  assert.deepEqual(only('1400000003000200070000006b4d000000000000'), {
    kind: 'done',
    sequence: 7,
    errno: 0,
  })
})

const flags = { up: 1, running: 0x40, noarp: 0x80, multicast: 0x1000, lowerUp: 0x10000 }

test('links: flags, and the attributes that decide where a VIP can live', () => {
  const mac = fromHex('9ea5c0921314')
  const kind = encodeAttribute(1, cString('veth'))
  const attributes = [
    encodeAttribute(3, cString('v0')),
    encodeAttribute(16, u8(6)),
    encodeAttribute(4, u32(1500)),
    encodeAttribute(5, u32(2)),
    encodeAttribute(10, u32(4)),
    encodeAttribute(1, mac),
    encodeAttribute(18, kind),
  ]
  const full = {
    ifindex: 3,
    name: 'v0',
    up: true,
    running: true,
    lowerUp: true,
    loopback: false,
    multicast: true,
    noarp: false,
    mac,
    mtu: 1500,
    operstate: 6,
    master: 4,
    parent: 2,
    linkKind: 'veth',
    vrfTable: null,
    macvlanMode: null,
    ipvlan: null,
    alias: null,
    ipv4: null,
  }
  const lit = flags.up | flags.running | flags.multicast | flags.lowerUp
  assert.deepEqual(decodeMessages(linkMessage(16, lit, attributes)), [
    { kind: 'newlink', link: full },
  ])
  const bare = {
    ...full,
    running: false,
    lowerUp: false,
    multicast: false,
    noarp: true,
    mac: null,
    mtu: null,
    operstate: null,
    master: null,
    parent: null,
    linkKind: null,
  }
  assert.deepEqual(
    decodeMessages(linkMessage(17, flags.up | flags.noarp, attributes.slice(0, 1))),
    [{ kind: 'dellink', link: bare }],
  )
})

test('what a bridge says of its port says nothing of the link', () => {
  const rejects = emptyRouteRejects()
  const [bridge, name] = [7, encodeAttribute(3, cString('v0'))]
  const messages = [linkMessage(16, flags.up, [name], bridge), linkMessage(17, 0, [name], bridge)]
  assert.deepEqual(decodeMessages(concatBytes(messages), rejects), [])
  assert.equal(rejects['other-family'], 2)
})
