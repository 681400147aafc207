/** rtnetlink's requests about links that vipd makes: create, alter, switch on and off, delete. */
import { concatBytes } from '../base/bytes.ts'
import { encodeAttribute, encodeMessage, u8, u32 } from './netlink.ts'
import { addressFamily, nlm, type } from './rtnetlink-numbers.ts'

/** IFLA_*; `kind` and `data` are inside `info`. */
const ifla = {
  address: 1,
  name: 3,
  mtu: 4,
  link: 5,
  master: 10,
  info: 18,
  alias: 20,
  afSpec: 26,
  group: 27,
  kind: 1,
  data: 2,
}
/** IFLA_MACVLAN_MODE */
const macvlanMode = 1
/**
 * MACVLAN_MODE_BRIDGE: the link below goes on hearing frames that carry the link's own address as their source, those of
 * another router with the same virtual MAC; in the private mode that keepalived uses it does not.
 */
export const bridgeMode = 4
/** IFLA_INET6_ADDR_GEN_MODE and IN6_ADDR_GEN_MODE_NONE: no link-local address by itself. */
const addressGeneration = { attribute: 8, none: 1 }
const up = 1

/** A link that is to be made. */
export type LinkSpec = {
  readonly kind: 'macvlan'
  readonly name: string
  /** Index of the link below. */
  readonly below: number
  /** 6 octets. */
  readonly mac: Uint8Array
  /** null: the kernel's default. */
  readonly group: number | null
  /** Index of the VRF that it belongs to; null: none. */
  readonly master: number | null
}

/** Without a zero at its end, as iproute2 and keepalived send it. */
const text = (value: string): Uint8Array => new TextEncoder().encode(value)

/** struct ifinfomsg */
const header = (ifindex: number, flags = 0, change = 0): Uint8Array =>
  u32(0, ifindex, flags, change)

const linkInfo = encodeAttribute(
  ifla.info,
  concatBytes([
    encodeAttribute(ifla.kind, text('macvlan')),
    encodeAttribute(ifla.data, encodeAttribute(macvlanMode, u32(bridgeMode))),
  ]),
)

/** RTM_NEWLINK for a link that is not there yet: EEXIST where the name is taken. It is down. */
export const encodeLinkCreate = ({ name, below, mac, group, master }: LinkSpec): Uint8Array =>
  encodeMessage(
    type.newLink,
    nlm.request | nlm.ack | nlm.create | nlm.exclusive,
    concatBytes([
      header(0),
      linkInfo,
      encodeAttribute(ifla.link, u32(below)),
      encodeAttribute(ifla.name, text(name)),
      ...(group === null ? [] : [encodeAttribute(ifla.group, u32(group))]),
      encodeAttribute(ifla.address, mac),
      ...(master === null ? [] : [encodeAttribute(ifla.master, u32(master))]),
    ]),
  )

/** What of a link can be altered while it stands, and may be up. */
export type LinkAlteration = {
  readonly alias?: string
  readonly mtu?: number
  /** 0: none. */
  readonly master?: number
  readonly bridgeMode?: true
}

/** RTM_NEWLINK for a link that is there. */
export const encodeLinkAlter = (ifindex: number, to: LinkAlteration): Uint8Array =>
  encodeMessage(
    type.newLink,
    nlm.request | nlm.ack,
    concatBytes([
      header(ifindex),
      ...(to.bridgeMode === true ? [linkInfo] : []),
      ...(to.mtu === undefined ? [] : [encodeAttribute(ifla.mtu, u32(to.mtu))]),
      ...(to.master === undefined ? [] : [encodeAttribute(ifla.master, u32(to.master))]),
      ...(to.alias === undefined ? [] : [encodeAttribute(ifla.alias, text(to.alias))]),
    ]),
  )

/** addr_gen_mode none. EAFNOSUPPORT where the kernel has no IPv6. */
export const encodeNoAddressGeneration = (ifindex: number): Uint8Array => {
  const mode = encodeAttribute(addressGeneration.attribute, u8(addressGeneration.none))
  const spec = encodeAttribute(ifla.afSpec, encodeAttribute(addressFamily[6], mode))
  return encodeMessage(type.newLink, nlm.request | nlm.ack, concatBytes([header(ifindex), spec]))
}

/** Done already where it is so. */
export const encodeLinkSwitch = (ifindex: number, on: boolean): Uint8Array =>
  encodeMessage(type.newLink, nlm.request | nlm.ack, header(ifindex, on ? up : 0, up))

export const encodeLinkDelete = (ifindex: number): Uint8Array =>
  encodeMessage(type.delLink, nlm.request | nlm.ack, header(ifindex))
