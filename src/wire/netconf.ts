/**
 * RTM_NEWNETCONF of rtnetlink: what of an interface's sysctls the kernel tells its listeners. Here only whether the
 * interface forwards IPv6 (net.ipv6.conf.IFACE.forwarding), which makes it a router to its neighbours.
 */
import { viewOf } from '../base/bytes.ts'
import { accept, type Decoded, reject } from './decoded.ts'
import { encodeMessage, hostIsLittleEndian, type Message, readAttributes } from './netlink.ts'

/** RTM_*NETCONF of linux/rtnetlink.h. */
export const netconfType = { new: 80, delete: 81, get: 82 } as const
/** NETCONFA_* of linux/netconf.h. */
const netconfa = { ifindex: 1, forwarding: 2 }
const afInet6 = 10
/** struct netconfmsg is one octet, aligned. */
const headerBytes = 4
const requestDump = 1 | 0x300

export type NetconfMessage = {
  readonly kind: 'newnetconf' | 'delnetconf'
  /** -1 is `all`, -2 is `default`. */
  readonly ifindex: number
  /** null: the message is about another setting. */
  readonly forwarding: boolean | null
}

/** The IPv6 settings of every interface. A kernel without IPv6 answers EOPNOTSUPP. */
export const encodeNetconfDump = (): Uint8Array =>
  encodeMessage(netconfType.get, requestDump, Uint8Array.of(afInet6, 0, 0, 0))

export function decodeNetconf(
  message: Message,
): Decoded<NetconfMessage, 'too-short' | 'bad-attributes' | 'missing-attribute' | 'unknown-type'> {
  const { body, type } = message
  if (body.length < 1) return reject('too-short')
  if (body[0] !== afInet6) return reject('unknown-type')
  const attributes = readAttributes(body.subarray(headerBytes))
  if (attributes === null) return reject('bad-attributes')
  const ifindex = readI32(attributes.get(netconfa.ifindex))
  if (ifindex === null) return reject('missing-attribute')
  const forwarding = readI32(attributes.get(netconfa.forwarding))
  return accept({
    kind: type === netconfType.new ? 'newnetconf' : 'delnetconf',
    ifindex,
    forwarding: forwarding === null ? null : forwarding !== 0,
  })
}

const readI32 = (value: Uint8Array | undefined): number | null =>
  value === undefined || value.length < 4 ? null : viewOf(value).getInt32(0, hostIsLittleEndian)
