/** RTM_*NETCONF: octets as a 6.18 kernel sends them. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeNetconfDump } from '../../../src/wire/netconf.ts'
import { hostIsLittleEndian } from '../../../src/wire/netlink.ts'
import { decodeMessages, emptyRouteRejects } from '../../../src/wire/rtnetlink.ts'
import { fromHex } from '../../hex.ts'

const skip = hostIsLittleEndian ? false : 'the octets are those of a little-endian host'

const message = (type: string, attributes: string, family = '0a'): Uint8Array => {
  const length = (20 + attributes.replaceAll(' ', '').length / 2).toString(16).padStart(2, '0')
  return fromHex(`${length}000000 ${type}00 0000 00000000 00000000 ${family}000000 ${attributes}`)
}
const ifindex3 = '08000100 03000000'

test('a change of forwarding, a removed interface, another setting', { skip }, () => {
  const decoded = decodeMessages(
    Uint8Array.of(
      ...message('50', `${ifindex3} 08000200 01000000`),
      ...message('50', `${ifindex3} 08000200 00000000`),
      ...message('50', `${ifindex3} 08000500 01000000`),
      ...message('50', '08000100 ffffffff 08000200 01000000'),
      ...message('51', ifindex3),
    ),
  )
  assert.deepEqual(decoded, [
    { kind: 'newnetconf', ifindex: 3, forwarding: true },
    { kind: 'newnetconf', ifindex: 3, forwarding: false },
    { kind: 'newnetconf', ifindex: 3, forwarding: null },
    { kind: 'newnetconf', ifindex: -1, forwarding: true },
    { kind: 'delnetconf', ifindex: 3, forwarding: null },
  ])
})

test('what cannot be understood is counted and harms nothing', { skip }, () => {
  const rejects = emptyRouteRejects()
  const bad = [
    message('50', `${ifindex3} 08000200 01000000`, '02'),
    message('50', '08000200 01000000'),
    message('50', '09000100 03000000'),
    message('50', '06000100 03000000'),
  ]
  for (const bytes of bad) assert.deepEqual(decodeMessages(bytes, rejects), [])
  assert.deepEqual(rejects, {
    ...emptyRouteRejects(),
    'unknown-type': 1,
    'missing-attribute': 2,
    'bad-attributes': 1,
  })
})

test('the dump asks for IPv6 alone', { skip }, () => {
  assert.deepEqual(encodeNetconfDump(), fromHex('14000000 5200 0103 00000000 00000000 0a000000'))
})
