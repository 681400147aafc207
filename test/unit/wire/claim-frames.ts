/** Frames in which other machines claim an address, as the tests send them. */
import { concatBytes, viewOf } from '../../../src/base/bytes.ts'
import { type Ip, ipBytes, ipFromBytes } from '../../../src/base/ip.ts'
import { macOctets } from '../../../src/base/mac.ts'
import { checksum, pseudoHeaderSum } from '../../../src/wire/checksum.ts'

const everyone = 'ff:ff:ff:ff:ff:ff'
export const zeroIp = ipFromBytes(new Uint8Array(4))
export const noIp = ipFromBytes(new Uint8Array(16))

export type ArpSpec = {
  readonly operation: 1 | 2
  readonly mac: string
  readonly sender: Ip
  readonly target: Ip
  /** Of the Ethernet header; everyone where it is left out. */
  readonly to?: string
}

export const arpFrame = ({ operation, mac, sender, target, to = everyone }: ArpSpec): Uint8Array =>
  concatBytes([
    macOctets(to),
    macOctets(mac),
    Uint8Array.of(8, 6, 0, 1, 8, 0, 6, 4, 0, operation),
    macOctets(mac),
    ipBytes(sender),
    operation === 1 ? new Uint8Array(6) : macOctets(to),
    ipBytes(target),
  ])

export type NdSpec = {
  readonly type: 'solicitation' | 'advertisement'
  readonly mac: string
  readonly source: Ip
  readonly target: Ip
  /** Link-layer address option; absent: none. */
  readonly option?: string
  readonly solicited?: boolean
}

/** To the all-nodes or the solicited-node group. */
export function ndFrame(spec: NdSpec): Uint8Array {
  const { type, mac, source, target, option, solicited = false } = spec
  const asks = type === 'solicitation'
  const low = ipBytes(target).subarray(13)
  const group = asks
    ? Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, ...low)
    : Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)
  const flags = asks ? 0 : (solicited ? 0x40 : 0) | 0x20
  const kind = asks ? 1 : 2
  const icmp = concatBytes([
    Uint8Array.of(asks ? 135 : 136, 0, 0, 0, flags, 0, 0, 0),
    ipBytes(target),
    option === undefined ? new Uint8Array(0) : Uint8Array.of(kind, 1, ...macOctets(option)),
  ])
  const destination = ipFromBytes(group)
  viewOf(icmp).setUint16(2, checksum(icmp, pseudoHeaderSum(source, destination, 58, icmp.length)))
  return concatBytes([
    Uint8Array.of(0x33, 0x33, ...group.subarray(12)),
    macOctets(mac),
    Uint8Array.of(0x86, 0xdd, 0x60, 0, 0, 0, 0, icmp.length, 58, 255),
    ipBytes(source),
    group,
    icmp,
  ])
}
