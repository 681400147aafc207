/** rtnetlink's addresses: requests that set, delete and dump them, and what the kernel tells of them. */
import { concatBytes, viewOf } from '../base/bytes.ts'
import { type Family, type Ip, ipBytes, ipFamily, ipFromBytes } from '../base/ip.ts'
import { accept, type Decoded, reject } from './decoded.ts'
import {
  type Attributes,
  cString,
  encodeAttribute,
  encodeMessage,
  hostIsLittleEndian,
  readAttributes,
  readCString,
  readU32,
  u8,
  u32,
} from './netlink.ts'
import { addressFamily, nlm, type } from './rtnetlink-numbers.ts'

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
const headerBytes = 8
const forever = 0xffff_ffff
/**
 * IFA_PROTO of the addresses that vipd puts there: VRRP's own protocol number, which no other program uses
 * (keepalived's is `keepalivedProtocol`). Kernels before 5.18 ignore the attribute, and show none.
 */
export const vipdProtocol = 112
export const keepalivedProtocol = 18

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

/** RTM_GETADDR for every address; of both families when none is given. */
export function encodeAddressDump(family?: Family): Uint8Array {
  const header = new Uint8Array(headerBytes)
  header[0] = family === undefined ? 0 : addressFamily[family]
  return encodeMessage(type.getAddr, nlm.request | nlm.dump, header)
}

/** struct ifaddrmsg, IFA_LOCAL and IFA_ADDRESS. With a peer the prefix is the peer's. */
function addressHead(
  spec: Pick<AddressSpec, 'ifindex' | 'address' | 'prefixLength' | 'peer' | 'scope'>,
): readonly Uint8Array[] {
  const header = new Uint8Array(headerBytes)
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

export type AddressMessage = {
  readonly kind: 'newaddr' | 'deladdr'
  readonly address: LinkAddress
  /** As it came, for `encodeAddressAgain`; a view into the buffer. */
  readonly body: Uint8Array
}

export function decodeAddress(
  body: Uint8Array,
  kind: AddressMessage['kind'],
): Decoded<AddressMessage, 'too-short' | 'bad-attributes' | 'missing-attribute' | 'other-family'> {
  if (body.length < headerBytes) return reject('too-short')
  const attributes = readAttributes(body.subarray(headerBytes))
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

function readIp(attributes: Attributes, attribute: number, family: Family): Ip | null {
  const value = attributes.get(attribute)
  return value?.length === (family === 4 ? 4 : 16) ? ipFromBytes(value) : null
}

function readLifetime(attributes: Attributes, index: 0 | 1): number | null {
  const seconds = readU32(attributes.get(ifa.cacheInfo), index)
  return seconds === null || seconds === forever ? null : seconds
}
