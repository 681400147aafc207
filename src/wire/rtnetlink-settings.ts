/**
 * The IPv4 settings of a link (net.ipv4.conf.IFACE.*) by rtnetlink: read with each RTM_NEWLINK, set by one. So a
 * /proc/sys that is read-only (a container, systemd's ProtectKernelTunables) does not matter. IPv6 has no such request.
 */
import { concatBytes } from '../base/bytes.ts'
import {
  type Attributes,
  encodeAttribute,
  encodeMessage,
  readAttributes,
  readU32,
  u32,
} from './netlink.ts'
import { addressFamily, nlm, type } from './rtnetlink-numbers.ts'

/** IPV4_DEVCONF_* of linux/ip.h, which are the attribute types of IFLA_INET_CONF. */
const index = {
  forwarding: 1,
  rp_filter: 8,
  arp_announce: 18,
  arp_ignore: 19,
  promote_secondaries: 20,
  accept_local: 23,
} as const

export type Ipv4Setting = keyof typeof index
const names = Object.keys(index) as readonly Ipv4Setting[]

export type Ipv4Settings = Readonly<Record<Ipv4Setting, number>>

/** IFLA_AF_SPEC, and IFLA_INET_CONF in its part of AF_INET. */
const ifla = { afSpec: 26, inetConf: 1 }
/** struct ifinfomsg: family, pad, type, index, flags, change. */
const linkHeader = (ifindex: number): Uint8Array => u32(0, ifindex, 0, 0)

/** Sets some of them; the kernel takes the others as they are, and takes part of the request when one is refused. */
export function encodeIpv4Settings(ifindex: number, settings: Partial<Ipv4Settings>): Uint8Array {
  const conf = names.flatMap((name) => {
    const value = settings[name]
    return value === undefined ? [] : [encodeAttribute(index[name], u32(value))]
  })
  const inet = encodeAttribute(ifla.inetConf, concatBytes(conf))
  const afSpec = encodeAttribute(ifla.afSpec, encodeAttribute(addressFamily[4], inet))
  return encodeMessage(
    type.newLink,
    nlm.request | nlm.ack,
    concatBytes([linkHeader(ifindex), afSpec]),
  )
}

/** RTM_GETLINK for one link; ENODEV when it has gone. */
export const encodeLinkGet = (ifindex: number): Uint8Array =>
  encodeMessage(type.getLink, nlm.request, linkHeader(ifindex))

/** Of a link's attributes; null where the kernel has no IPv4 for the link (an MTU below 68). */
export function readIpv4Settings(link: Attributes): Ipv4Settings | null {
  const inet = nested(nested(link, ifla.afSpec), addressFamily[4])
  const conf = inet?.get(ifla.inetConf)
  const read = (name: Ipv4Setting) => {
    // Here they are an array in which the first has index 1.
    const value = readU32(conf, index[name] - 1)
    return value === null ? [] : [[name, value] as const]
  }
  const values = names.flatMap(read)
  return values.length < names.length ? null : (Object.fromEntries(values) as Ipv4Settings)
}

const nested = (attributes: Attributes | null, at: number): Attributes | null =>
  readAttributes(attributes?.get(at) ?? new Uint8Array(0))

export const isIpv4Setting = (name: string): name is Ipv4Setting => Object.hasOwn(index, name)
