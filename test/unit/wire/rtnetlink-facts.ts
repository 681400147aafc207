/** Addresses and requests of rtnetlink, short. */
import assert from 'node:assert/strict'
import { concatBytes, viewOf } from '../../../src/base/bytes.ts'
import { type Ip, parseIp } from '../../../src/base/ip.ts'
import { encodeMessage, hostIsLittleEndian } from '../../../src/wire/netlink.ts'
import { decodeMessages } from '../../../src/wire/rtnetlink.ts'
import type { AddressSpec, LinkAddress } from '../../../src/wire/rtnetlink-address.ts'
import { plainAddress } from './plain-address.ts'

export const ip = (text: string): Ip => {
  const parsed = parseIp(text)
  assert(parsed !== null, text)
  return parsed
}

export const plain = plainAddress('10.0.0.100', { ifindex: 3, nodad: true })

export const six: AddressSpec = { ...plain, address: ip('fd00::100'), prefixLength: 64 }

/** Requests carry the same body as the notifications that they cause: read one as the other. */
export const asAddress = (request: Uint8Array): LinkAddress => {
  const [message] = decodeMessages(request)
  assert(message?.kind === 'newaddr' || message?.kind === 'deladdr')
  return message.address
}

export function linkMessage(
  type: number,
  ifflags: number,
  attributes: readonly Uint8Array[],
  family = 0,
): Uint8Array {
  const header = new Uint8Array(16)
  header[0] = family
  viewOf(header).setInt32(4, 3, hostIsLittleEndian)
  viewOf(header).setUint32(8, ifflags, hostIsLittleEndian)
  return encodeMessage(type, 0, concatBytes([header, ...attributes]))
}
