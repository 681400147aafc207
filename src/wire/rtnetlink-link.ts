/** rtnetlink's links: the request that dumps them, and what the kernel tells of them. */
import { viewOf } from '../base/bytes.ts'
import { accept, type Decoded, reject } from './decoded.ts'
import {
  encodeMessage,
  hostIsLittleEndian,
  readAttributes,
  readCString,
  readU32,
} from './netlink.ts'
import { readIpvlan } from './rtnetlink-ipvlan.ts'
import { nlm, type } from './rtnetlink-numbers.ts'
import { type Ipv4Settings, readIpv4Settings } from './rtnetlink-settings.ts'

/** IFLA_* attributes; `kind` is IFLA_INFO_KIND inside `info`. */
const ifla = {
  address: 1,
  name: 3,
  mtu: 4,
  link: 5,
  master: 10,
  operstate: 16,
  info: 18,
  alias: 20,
  linkNetnsid: 37,
  kind: 1,
  data: 2,
}
/** IFLA_MACVLAN_MODE, IFLA_VRF_TABLE */
const macvlanMode = 1
const vrfTable = 1
/** IFF_* flags. */
const iff = {
  up: 0x1,
  loopback: 0x8,
  running: 0x40,
  noarp: 0x80,
  multicast: 0x1000,
  lowerUp: 0x10000,
}
/** AF_UNSPEC */
const unspecified = 0
const headerBytes = 16

/** RTM_GETLINK for every link. */
export function encodeLinkDump(): Uint8Array {
  return encodeMessage(type.getLink, nlm.request | nlm.dump, new Uint8Array(headerBytes))
}

export type Link = {
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
  /** ifindex of the link below it (VLAN, macvlan; a veth's other end); null where that is in another namespace. */
  readonly parent: number | null
  /** 'veth', 'vlan', …; null for hardware. */
  readonly linkKind: string | null
  /** MACVLAN_MODE_*; null: it is no macvlan. */
  readonly macvlanMode: number | null
  /** IPVLAN_MODE_* and IPVLAN_F_*, the interface's below for all on it; null: it is no ipvlan. */
  readonly ipvlan: { readonly mode: number; readonly flags: number } | null
  /** The routing table of a VRF; null: it is none. */
  readonly vrfTable: number | null
  /** What an operator or a program has noted on it. */
  readonly alias: string | null
  /** null: it has none. */
  readonly ipv4: Ipv4Settings | null
}

export type LinkMessage = { readonly kind: 'newlink' | 'dellink'; readonly link: Link }

/**
 * Of AF_UNSPEC alone. The same message types with another family are about something else: AF_BRIDGE about a bridge's
 * port (its RTM_DELLINK says that the interface has left the bridge, not that it is gone).
 */
export function decodeLink(
  body: Uint8Array,
  kind: LinkMessage['kind'],
): Decoded<LinkMessage, 'too-short' | 'bad-attributes' | 'missing-attribute' | 'other-family'> {
  if (body.length < headerBytes) return reject('too-short')
  if (body[0] !== unspecified) return reject('other-family')
  const attributes = readAttributes(body.subarray(headerBytes))
  if (attributes === null) return reject('bad-attributes')
  const name = attributes.get(ifla.name)
  if (name === undefined) return reject('missing-attribute')
  const view = viewOf(body)
  const flags = view.getUint32(8, hostIsLittleEndian)
  const info = readAttributes(attributes.get(ifla.info) ?? new Uint8Array(0))
  const linkKind = textOf(info?.get(ifla.kind))
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
    parent: attributes.has(ifla.linkNetnsid) ? null : readU32(attributes.get(ifla.link)),
    linkKind,
    macvlanMode: linkKind === 'macvlan' ? wordOf(info?.get(ifla.data), macvlanMode) : null,
    ipvlan: linkKind === 'ipvlan' ? readIpvlan(info?.get(ifla.data)) : null,
    vrfTable: linkKind === 'vrf' ? wordOf(info?.get(ifla.data), vrfTable) : null,
    alias: textOf(attributes.get(ifla.alias)),
    ipv4: readIpv4Settings(attributes),
  }
  return accept({ kind, link })
}

const textOf = (value: Uint8Array | undefined): string | null =>
  value === undefined ? null : readCString(value)

const wordOf = (data: Uint8Array | undefined, attribute: number): number | null =>
  readU32(readAttributes(data ?? new Uint8Array(0))?.get(attribute))
