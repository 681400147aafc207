/** rtnetlink's requests about an ipvlan: made on a link, in the layer 2 mode; which links on one interface hear each other. */
import { concatBytes, viewOf } from '../base/bytes.ts'
import type { IpvlanMode } from '../base/virtual-link.ts'
import {
  encodeAttribute,
  encodeMessage,
  hostIsLittleEndian,
  readAttributes,
  u32,
} from './netlink.ts'
import { nlm, type } from './rtnetlink-numbers.ts'

/** IFLA_*; `kind` and `data` are inside `info`. */
const ifla = { name: 3, link: 5, master: 10, info: 18, group: 27, kind: 1, data: 2 }
/** IFLA_IPVLAN_MODE and IFLA_IPVLAN_FLAGS, 16 bits each; IPVLAN_MODE_L2. */
const ipvlan = { mode: 1, flags: 2, modeL2: 0 }
/** IPVLAN_F_*; they are the interface's, for all ipvlans on it. */
const flags: Readonly<Record<IpvlanMode, number>> = { bridge: 0, private: 1, vepa: 2 }

export type IpvlanSpec = {
  readonly name: string
  /** Index of the link below. */
  readonly below: number
  readonly mode: IpvlanMode
  /** null: the kernel's default. */
  readonly group: number | null
  /** Index of the VRF that it belongs to; null: none. */
  readonly master: number | null
}

/** From IFLA_INFO_DATA; null: the kernel does not say. */
export function readIpvlan(
  data: Uint8Array | undefined,
): { readonly mode: number; readonly flags: number } | null {
  const attributes = readAttributes(data ?? new Uint8Array(0))
  const [mode, flag] = [ipvlan.mode, ipvlan.flags].map((it) => readU16(attributes?.get(it)))
  return mode == null ? null : { mode, flags: flag ?? 0 }
}

/** 'layer 2 private', for people. */
export const describeIpvlan = (it: { readonly mode: number; readonly flags: number }): string =>
  `layer ${layers[it.mode] ?? it.mode} ${nameOf(it.flags)}`

export const isLayerTwo = (it: { readonly mode: number }): boolean => it.mode === ipvlan.modeL2
export const hasFlags = (it: { readonly flags: number }, mode: IpvlanMode): boolean =>
  it.flags === flags[mode]

const layers = ['2', '3', '3S']
const nameOf = (flag: number): string =>
  Object.entries(flags).find(([, value]) => value === flag)?.[0] ?? `with flags ${flag}`

const readU16 = (value: Uint8Array | undefined): number | null =>
  value === undefined || value.length < 2 ? null : viewOf(value).getUint16(0, hostIsLittleEndian)

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

function u16(value: number): Uint8Array {
  const bytes = new Uint8Array(2)
  new DataView(bytes.buffer).setUint16(0, value, hostIsLittleEndian)
  return bytes
}

const linkInfo = (mode: IpvlanMode): Uint8Array =>
  encodeAttribute(
    ifla.info,
    concatBytes([
      encodeAttribute(ifla.kind, text('ipvlan')),
      encodeAttribute(
        ifla.data,
        concatBytes([
          encodeAttribute(ipvlan.mode, u16(ipvlan.modeL2)),
          encodeAttribute(ipvlan.flags, u16(flags[mode])),
        ]),
      ),
    ]),
  )

/** RTM_NEWLINK for one that is not there yet, down. EEXIST: the name is taken; EBUSY: the link below has macvlans, say. */
export const encodeIpvlanCreate = ({ name, below, mode, group, master }: IpvlanSpec): Uint8Array =>
  encodeMessage(
    type.newLink,
    nlm.request | nlm.ack | nlm.create | nlm.exclusive,
    concatBytes([
      u32(0, 0, 0, 0),
      linkInfo(mode),
      encodeAttribute(ifla.link, u32(below)),
      encodeAttribute(ifla.name, text(name)),
      ...(group === null ? [] : [encodeAttribute(ifla.group, u32(group))]),
      ...(master === null ? [] : [encodeAttribute(ifla.master, u32(master))]),
    ]),
  )

/** RTM_NEWLINK for one that stands. */
export const encodeIpvlanMode = (ifindex: number, mode: IpvlanMode): Uint8Array =>
  encodeMessage(
    type.newLink,
    nlm.request | nlm.ack,
    concatBytes([u32(0, ifindex, 0, 0), linkInfo(mode)]),
  )
