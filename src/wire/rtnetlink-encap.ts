/** Light-weight tunnels of routes (lwtunnel): what a packet is wrapped into on its way. */
import { concatBytes } from '../base/bytes.ts'
import { ipBytes } from '../base/ip.ts'
import type { LightTunnel } from '../base/routing.ts'
import { encodeAttribute, u8 } from './netlink.ts'

/** RTA_ENCAP_TYPE and RTA_ENCAP. */
const rta = { type: 21, encap: 22 }

/** LWTUNNEL_ENCAP_*. */
const types = { mpls: 1, ip: 2, ila: 3, ip6: 4 }

export const encapAttributes = (encap: LightTunnel): readonly Uint8Array[] => [
  encodeAttribute(rta.encap, encapBody(encap)),
  encodeAttribute(rta.type, Uint8Array.of(types[encap.kind], 0)),
]

function encapBody(encap: LightTunnel): Uint8Array {
  switch (encap.kind) {
    case 'mpls': {
      const last = encap.labels.length - 1
      const stack = encap.labels.map((label, i) => big32((label << 12) | (i === last ? 0x100 : 0)))
      return encodeAttribute(1, concatBytes(stack))
    }
    case 'ila':
      return encodeAttribute(1, big64(encap.locator))
    default:
      return tunnelBody(encap)
  }
}

/** LWTUNNEL_IP_* and LWTUNNEL_IP6_*, which have the same numbers. */
function tunnelBody(encap: LightTunnel & { readonly kind: 'ip' | 'ip6' }): Uint8Array {
  const { id, destination, source, ttl, tos, flags } = encap
  return concatBytes([
    ...(id === null ? [] : [encodeAttribute(1, big64(id))]),
    ...(destination === null ? [] : [encodeAttribute(2, ipBytes(destination))]),
    ...(source === null ? [] : [encodeAttribute(3, ipBytes(source))]),
    ...(ttl === null ? [] : [encodeAttribute(4, u8(ttl))]),
    ...(tos === null ? [] : [encodeAttribute(5, u8(tos))]),
    ...(flags === null ? [] : [encodeAttribute(6, Uint8Array.of(flags >> 8, flags & 0xff))]),
  ])
}

/** In network order. */
function big32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value >>> 0)
  return bytes
}

export function big64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, value)
  return bytes
}
