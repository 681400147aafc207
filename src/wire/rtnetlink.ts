/**
 * rtnetlink as far as a VIP needs it: requests that add and delete addresses and dump links and addresses,
 * and the kernel's answers and notifications. The socket belongs to the engine; here are only bytes.
 */
import { concatBytes, viewOf } from '../base/bytes.ts'
import { type Family, type Ip, ipBytes, ipFamily, ipFromBytes } from '../base/ip.ts'
import { accept, type Decoded, reject } from './decoded.ts'
import { decodeNetconf, type NetconfMessage, netconfType } from './netconf.ts'
import {
  type Attributes,
  align4,
  cString,
  encodeAttribute,
  encodeMessage,
  hostIsLittleEndian,
  type Message,
  readAttributes,
  readCString,
  readU32,
  splitMessages,
  u8,
  u32,
} from './netlink.ts'

/** NLMSG_* and RTM_*. */
const type = {
  error: 2,
  done: 3,
  newLink: 16,
  delLink: 17,
  getLink: 18,
  newAddr: 20,
  delAddr: 21,
  getAddr: 22,
}
/** NLM_F_*; `capped` and `ackTlvs` are for errors and share bits with the others. */
const nlm = {
  request: 1,
  ack: 4,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
  dump: 0x300,
  capped: 0x100,
  ackTlvs: 0x200,
}
/** IFA_* attributes. */
const ifa = { address: 1, local: 2, label: 3, broadcast: 4, cacheInfo: 6, flags: 8, protocol: 11 }
/** IFA_F_* flags. */
const ifaFlag = {
  secondary: 0x01,
  nodad: 0x02,
  dadFailed: 0x08,
  home: 0x10,
  deprecated: 0x20,
  tentative: 0x40,
  permanent: 0x80,
  manageTempAddr: 0x100,
  noPrefixRoute: 0x200,
  autoJoin: 0x400,
}
/** IFLA_* attributes; `kind` is IFLA_INFO_KIND inside `info`. */
const ifla = { address: 1, name: 3, mtu: 4, link: 5, master: 10, operstate: 16, info: 18, kind: 1 }
/** IFF_* flags. */
const iff = {
  up: 0x1,
  loopback: 0x8,
  running: 0x40,
  noarp: 0x80,
  multicast: 0x1000,
  lowerUp: 0x10000,
}
/** NLMSGERR_ATTR_* */
const errorAttribute = { message: 1, offset: 2 }
const addressFamily = { 4: 2, 6: 10 } as const
/** AF_UNSPEC */
const unspecified = 0
const addressHeaderBytes = 8
const linkHeaderBytes = 16
const forever = 0xffff_ffff
/**
 * IFA_PROTO of the addresses that vipd puts there: VRRP's own protocol number, which no other program uses
 * (keepalived's is `keepalivedProtocol`). Kernels before 5.18 ignore the attribute, and show none.
 */
export const vipdProtocol = 112
export const keepalivedProtocol = 18

/** errno values that the tolerant steps of a plan name. */
export const errno = { EEXIST: 17, ENODEV: 19, EADDRNOTAVAIL: 99 } as const

/** One address as it shall be on an interface. */
export type AddressSpec = {
  readonly ifindex: number
  readonly address: Ip
  readonly prefixLength: number
  readonly peer: { readonly address: Ip; readonly prefixLength: number } | null
  /** IPv4 only. */
  readonly broadcast: Ip | null
  /** IPv4 only, less than 16 characters. */
  readonly label: string | null
  /** RT_SCOPE_*. */
  readonly scope: number
  readonly home: boolean
  readonly nodad: boolean
  readonly mngtmpaddr: boolean
  readonly noprefixroute: boolean
  readonly autojoin: boolean
  /** Seconds; null is for ever. */
  readonly preferredSeconds: number | null
  /** Seconds after which the kernel removes the address unless it is set again; null is for ever. */
  readonly validSeconds: number | null
}

/** RTM_NEWADDR, acknowledged: adds the address, or gives the one that is there these lifetimes and flags. */
export function encodeAddressReplace(spec: AddressSpec): Uint8Array {
  const four = ipFamily(spec.address) === 4
  return encodeMessage(
    type.newAddr,
    nlm.request | nlm.ack | nlm.create | nlm.replace,
    concatBytes([
      ...addressHead(spec),
      ...(four && spec.broadcast !== null
        ? [encodeAttribute(ifa.broadcast, ipBytes(spec.broadcast))]
        : []),
      ...(four && spec.label !== null ? [encodeAttribute(ifa.label, cString(spec.label))] : []),
      encodeAttribute(ifa.flags, u32(flagsOf(spec))),
      ...lifetimes(spec),
      encodeAttribute(ifa.protocol, u8(vipdProtocol)),
    ]),
  )
}

/**
 * RTM_NEWADDR, acknowledged, from the body of a notification or a dump: sets the very address that was told, with its label,
 * flags, metric, protocol and the lifetimes that it had then. EEXIST where it is: it is never altered.
 */
export function encodeAddressAgain(told: Uint8Array): Uint8Array {
  return encodeMessage(type.newAddr, nlm.request | nlm.ack | nlm.create | nlm.exclusive, told)
}

/** RTM_DELADDR, acknowledged. Without the label, so that it also finds what another program labelled. */
export function encodeAddressDelete(
  spec: Pick<AddressSpec, 'ifindex' | 'address' | 'prefixLength' | 'peer' | 'scope'>,
): Uint8Array {
  return encodeMessage(type.delAddr, nlm.request | nlm.ack, concatBytes(addressHead(spec)))
}

/** RTM_GETLINK for every link. */
export function encodeLinkDump(): Uint8Array {
  return encodeMessage(type.getLink, nlm.request | nlm.dump, new Uint8Array(linkHeaderBytes))
}

/** RTM_GETADDR for every address; of both families when none is given. */
export function encodeAddressDump(family?: Family): Uint8Array {
  const header = new Uint8Array(addressHeaderBytes)
  header[0] = family === undefined ? 0 : addressFamily[family]
  return encodeMessage(type.getAddr, nlm.request | nlm.dump, header)
}

/** struct ifaddrmsg, IFA_LOCAL and IFA_ADDRESS. With a peer the prefix is the peer's. */
function addressHead(
  spec: Pick<AddressSpec, 'ifindex' | 'address' | 'prefixLength' | 'peer' | 'scope'>,
): readonly Uint8Array[] {
  const header = new Uint8Array(addressHeaderBytes)
  const view = viewOf(header)
  view.setUint8(0, addressFamily[ipFamily(spec.address)])
  view.setUint8(1, (spec.peer ?? spec).prefixLength)
  view.setUint8(3, spec.scope)
  view.setUint32(4, spec.ifindex, hostIsLittleEndian)
  return [
    header,
    encodeAttribute(ifa.local, ipBytes(spec.address)),
    encodeAttribute(ifa.address, ipBytes((spec.peer ?? spec).address)),
  ]
}

/** The kernel takes most of them for IPv6 alone, and keeps on an IPv4 address what means nothing there. */
function flagsOf(spec: AddressSpec): number {
  const both =
    (spec.noprefixroute ? ifaFlag.noPrefixRoute : 0) | (spec.autojoin ? ifaFlag.autoJoin : 0)
  if (ipFamily(spec.address) === 4) return both
  return (
    both |
    (spec.home ? ifaFlag.home : 0) |
    (spec.nodad ? ifaFlag.nodad : 0) |
    (spec.mngtmpaddr ? ifaFlag.manageTempAddr : 0)
  )
}

/** struct ifa_cacheinfo. The kernel wants preferred ≤ valid. */
function lifetimes(spec: AddressSpec): readonly Uint8Array[] {
  if (spec.preferredSeconds === null && spec.validSeconds === null) return []
  const valid = spec.validSeconds ?? forever
  const preferred = Math.min(spec.preferredSeconds ?? forever, valid)
  return [encodeAttribute(ifa.cacheInfo, u32(preferred, valid, 0, 0))]
}

type Link = {
  readonly ifindex: number
  readonly name: string
  /** IFF_UP: switched on by the administrator. */
  readonly up: boolean
  /** IFF_RUNNING: operational. */
  readonly running: boolean
  /** IFF_LOWER_UP: carrier. */
  readonly lowerUp: boolean
  readonly loopback: boolean
  readonly multicast: boolean
  readonly noarp: boolean
  /** null where the link has none. */
  readonly mac: Uint8Array | null
  readonly mtu: number | null
  /** IF_OPER_*: 6 is up, 2 is down, 0 unknown. */
  readonly operstate: number | null
  /** ifindex of the bridge, bond or VRF that it is enslaved to. */
  readonly master: number | null
  /** ifindex of the link below it (VLAN, macvlan; a veth's other end). */
  readonly parent: number | null
  /** 'veth', 'vlan', …; null for hardware. */
  readonly linkKind: string | null
}

export type LinkAddress = {
  readonly ifindex: number
  readonly family: Family
  readonly address: Ip
  readonly prefixLength: number
  /** The other end of a point-to-point address; null when there is none. */
  readonly peer: Ip | null
  readonly broadcast: Ip | null
  readonly label: string | null
  readonly scope: number
  readonly secondary: boolean
  readonly deprecated: boolean
  readonly tentative: boolean
  readonly dadFailed: boolean
  readonly nodad: boolean
  readonly noprefixroute: boolean
  readonly permanent: boolean
  /** Seconds left; null is for ever. */
  readonly preferredSeconds: number | null
  readonly validSeconds: number | null
  /** IFA_PROTO; null from kernels that do not know it. */
  readonly protocol: number | null
}

export type RouteMessage =
  | { readonly kind: 'newlink'; readonly link: Link }
  | { readonly kind: 'dellink'; readonly link: Link }
  /** `body`: as it came, for `encodeAddressAgain`; a view into the buffer. */
  | { readonly kind: 'newaddr'; readonly address: LinkAddress; readonly body: Uint8Array }
  | { readonly kind: 'deladdr'; readonly address: LinkAddress; readonly body: Uint8Array }
  | NetconfMessage
  /** The answer to a request: errno (0: done as asked) and the kernel's own words about it. */
  | {
      readonly kind: 'error'
      readonly sequence: number
      readonly errno: number
      readonly text: string
      /** Octet of the request that the kernel objects to; null when it does not say. */
      readonly offset: number | null
    }
  /** The end of a dump; errno as above. */
  | { readonly kind: 'done'; readonly sequence: number; readonly errno: number }

const noRejects = {
  'too-short': 0,
  'bad-attributes': 0,
  'missing-attribute': 0,
  'unknown-type': 0,
  'other-family': 0,
}
export type RouteReject = keyof typeof noRejects | 'truncated'
export const emptyRouteRejects = (): Record<RouteReject, number> => ({ ...noRejects, truncated: 0 })

/**
 * Every message of a buffer that could be understood, in order. What could not is counted in `rejects` if
 * that is given: 'unknown-type' and 'other-family' are no defects, a notification group may carry more than we asked for.
 */
export function decodeMessages(
  buffer: Uint8Array,
  rejects?: Record<RouteReject, number>,
): readonly RouteMessage[] {
  const { messages, whole } = splitMessages(buffer)
  if (!whole && rejects !== undefined) rejects.truncated += 1
  return messages.flatMap((message) => {
    const decoded = decodeMessage(message)
    if (decoded.ok) return [decoded.value]
    if (rejects !== undefined) rejects[decoded.why] += 1
    return []
  })
}

function decodeMessage(message: Message): Decoded<RouteMessage, keyof typeof noRejects> {
  switch (message.type) {
    case type.newLink:
      return decodeLink(message.body, 'newlink')
    case type.delLink:
      return decodeLink(message.body, 'dellink')
    case type.newAddr:
      return decodeAddress(message.body, 'newaddr')
    case type.delAddr:
      return decodeAddress(message.body, 'deladdr')
    case netconfType.new:
    case netconfType.delete:
      return decodeNetconf(message)
    case type.error:
      return decodeError(message)
    case type.done: {
      const code = message.body.length >= 4 ? readErrno(message.body) : 0
      return accept({ kind: 'done', sequence: message.sequence, errno: code })
    }
    default:
      return reject('unknown-type')
  }
}

type Result = Decoded<RouteMessage, keyof typeof noRejects>

/**
 * Of AF_UNSPEC alone. The same message types with another family are about something else: AF_BRIDGE about a bridge's
 * port (its RTM_DELLINK says that the interface has left the bridge, not that it is gone).
 */
function decodeLink(body: Uint8Array, kind: 'newlink' | 'dellink'): Result {
  if (body.length < linkHeaderBytes) return reject('too-short')
  if (body[0] !== unspecified) return reject('other-family')
  const attributes = readAttributes(body.subarray(linkHeaderBytes))
  if (attributes === null) return reject('bad-attributes')
  const name = attributes.get(ifla.name)
  if (name === undefined) return reject('missing-attribute')
  const view = viewOf(body)
  const flags = view.getUint32(8, hostIsLittleEndian)
  const info = readAttributes(attributes.get(ifla.info) ?? new Uint8Array(0))?.get(ifla.kind)
  const link: Link = {
    ifindex: view.getInt32(4, hostIsLittleEndian),
    name: readCString(name),
    up: (flags & iff.up) !== 0,
    running: (flags & iff.running) !== 0,
    lowerUp: (flags & iff.lowerUp) !== 0,
    loopback: (flags & iff.loopback) !== 0,
    multicast: (flags & iff.multicast) !== 0,
    noarp: (flags & iff.noarp) !== 0,
    mac: attributes.get(ifla.address)?.slice() ?? null,
    mtu: readU32(attributes.get(ifla.mtu)),
    operstate: attributes.get(ifla.operstate)?.[0] ?? null,
    master: readU32(attributes.get(ifla.master)),
    parent: readU32(attributes.get(ifla.link)),
    linkKind: info === undefined ? null : readCString(info),
  }
  return accept({ kind, link })
}

function decodeAddress(body: Uint8Array, kind: 'newaddr' | 'deladdr'): Result {
  if (body.length < addressHeaderBytes) return reject('too-short')
  const attributes = readAttributes(body.subarray(addressHeaderBytes))
  if (attributes === null) return reject('bad-attributes')
  const family = body[0] === addressFamily[4] ? 4 : body[0] === addressFamily[6] ? 6 : null
  if (family === null) return reject('other-family')
  const far = readIp(attributes, ifa.address, family)
  const address = readIp(attributes, ifa.local, family) ?? far
  if (address === null) return reject('missing-attribute')
  const flags = readU32(attributes.get(ifa.flags)) ?? body[2] ?? 0
  const label = attributes.get(ifa.label)
  return accept({
    kind,
    body,
    address: {
      ifindex: viewOf(body).getUint32(4, hostIsLittleEndian),
      family,
      address,
      prefixLength: body[1] ?? 0,
      peer: far === address ? null : far,
      broadcast: readIp(attributes, ifa.broadcast, family),
      label: label === undefined ? null : readCString(label),
      scope: body[3] ?? 0,
      ...readFlags(flags),
      preferredSeconds: readLifetime(attributes, 0),
      validSeconds: readLifetime(attributes, 1),
      protocol: attributes.get(ifa.protocol)?.[0] ?? null,
    },
  })
}

function readFlags(
  flags: number,
): Pick<
  LinkAddress,
  'secondary' | 'deprecated' | 'tentative' | 'dadFailed' | 'nodad' | 'noprefixroute' | 'permanent'
> {
  return {
    secondary: (flags & ifaFlag.secondary) !== 0,
    deprecated: (flags & ifaFlag.deprecated) !== 0,
    tentative: (flags & ifaFlag.tentative) !== 0,
    dadFailed: (flags & ifaFlag.dadFailed) !== 0,
    nodad: (flags & ifaFlag.nodad) !== 0,
    noprefixroute: (flags & ifaFlag.noPrefixRoute) !== 0,
    permanent: (flags & ifaFlag.permanent) !== 0,
  }
}

/** struct nlmsgerr: errno, the header of the request (or all of it, when not capped), then attributes. */
function decodeError({ body, flags, sequence }: Message): Result {
  if (body.length < 20) return reject('too-short')
  const view = viewOf(body)
  const code = readErrno(body)
  const requestBytes = view.getUint32(4, hostIsLittleEndian)
  const echoed = (flags & nlm.capped) !== 0 || code === 0 ? 16 : align4(requestBytes)
  const tail = (flags & nlm.ackTlvs) !== 0 ? body.subarray(4 + echoed) : new Uint8Array(0)
  const attributes = readAttributes(tail)
  if (attributes === null) return reject('bad-attributes')
  const text = attributes.get(errorAttribute.message)
  return accept({
    kind: 'error',
    sequence,
    errno: code,
    text: text === undefined ? '' : readCString(text),
    offset: readU32(attributes.get(errorAttribute.offset)),
  })
}

/** The kernel reports errors negated; 0 stays a plain zero. */
const readErrno = (body: Uint8Array): number => 0 - viewOf(body).getInt32(0, hostIsLittleEndian)

function readIp(attributes: Attributes, attribute: number, family: Family): Ip | null {
  const value = attributes.get(attribute)
  return value?.length === (family === 4 ? 4 : 16) ? ipFromBytes(value) : null
}

function readLifetime(attributes: Attributes, index: 0 | 1): number | null {
  const seconds = readU32(attributes.get(ifa.cacheInfo), index)
  return seconds === null || seconds === forever ? null : seconds
}
