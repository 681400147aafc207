/** Requests about ipvlans: as keepalived 2.2.7 sends them, attribute by attribute. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex } from '../../../src/base/bytes.ts'
import { hostIsLittleEndian } from '../../../src/wire/netlink.ts'
import { decodeMessages } from '../../../src/wire/rtnetlink.ts'
import {
  describeIpvlan,
  encodeIpvlanCreate,
  encodeIpvlanMode,
  hasFlags,
  isLayerTwo,
} from '../../../src/wire/rtnetlink-ipvlan.ts'

const header = (length: string, flags: string) => `${length}0000001000${flags}0000000000000000`
const link = (ifindex: string) => `00000000${ifindex}0000000000000000000000`
/** KIND "ipvlan" without a zero, DATA{MODE l2, FLAGS}. */
const info = (flags: string) =>
  `240012000a0001006970766c616e000014000200060001000000000006000200${flags}000000`
const below = '0800050002000000'
const name = '0b000300767272702e353100'

test('requests, octet for octet', { skip: !hostIsLittleEndian }, () => {
  const spec = { name: 'vrrp.51', below: 2, mode: 'bridge', group: null, master: null } as const
  assert.equal(
    toHex(encodeIpvlanCreate(spec)),
    `${header('58', '0506')}${link('00')}${info('00')}${below}${name}`,
  )
  assert.equal(
    toHex(encodeIpvlanCreate({ ...spec, mode: 'vepa', group: 7, master: 9 })),
    `${header('68', '0506')}${link('00')}${info('02')}${below}${name}08001b000700000008000a0009000000`,
  )
  assert.equal(
    toHex(encodeIpvlanMode(5, 'private')),
    `${header('44', '0500')}${link('05')}${info('01')}`,
  )
})

test('the mode that the kernel tells', () => {
  const told = (mode: 'bridge' | 'private' | 'vepa') => {
    const spec = { name: 'vrrp.51', below: 2, mode, group: null, master: null }
    const [message] = decodeMessages(encodeIpvlanCreate(spec))
    assert.ok(message?.kind === 'newlink')
    const { ipvlan } = message.link
    assert.ok(ipvlan !== null)
    return ipvlan
  }
  for (const mode of ['bridge', 'private', 'vepa'] as const) {
    assert.equal(describeIpvlan(told(mode)), `layer 2 ${mode}`)
    assert.deepEqual([isLayerTwo(told(mode)), hasFlags(told(mode), mode)], [true, true])
  }
  assert.equal(hasFlags(told('private'), 'bridge'), false)
  assert.equal(describeIpvlan({ mode: 2, flags: 3 }), 'layer 3S with flags 3')
})
