/**
 * What a captured Ethernet frame says, as far as a test of VRRP asks: adverts, gratuitous ARP, unsolicited
 * neighbour advertisements. Written apart from src/wire on purpose, so that a test does not judge a codec
 * by that same codec.
 */
import { viewOf } from '../base/bytes.ts'
import { type Ip, ipFromBytes } from '../base/ip.ts'

export type Seen =
  | {
      readonly kind: 'vrrp'
      readonly from: Ip
      readonly to: Ip
      readonly ttl: number
      readonly version: number
      readonly vrid: number
      readonly priority: number
      /** v2: seconds; v3: centiseconds. Both in milliseconds here. */
      readonly intervalMs: number
      readonly addresses: readonly Ip[]
    }
  | { readonly kind: 'arp'; readonly gratuitous: boolean; readonly sender: Ip; readonly target: Ip }
  | {
      readonly kind: 'na'
      readonly target: Ip
      readonly router: boolean
      readonly override: boolean
    }
  /** An answer to ping(8). */
  | { readonly kind: 'echo'; readonly from: Ip }
  | { readonly kind: 'other' }

const other: Seen = { kind: 'other' }

/** Who put the frame on the wire: its source MAC, `02:00:00:00:00:01`. */
export const senderOf = (frame: Uint8Array): string =>
  Array.from(frame.subarray(6, 12), (octet) => octet.toString(16).padStart(2, '0')).join(':')

/** Never throws: what is short or strange is 'other'. */
export function look(frame: Uint8Array): Seen {
  if (frame.length < 14) return other
  const type = viewOf(frame).getUint16(12)
  const body = frame.subarray(14)
  if (type === 0x0806 && body.length >= 28) return lookArp(body)
  if (type === 0x0800 && body.length >= 20) return look4(body)
  if (type === 0x86dd && body.length >= 40) return look6(body)
  return other
}

function lookArp(body: Uint8Array): Seen {
  const sender = ipFromBytes(body.subarray(14, 18))
  const target = ipFromBytes(body.subarray(24, 28))
  return { kind: 'arp', gratuitous: sender === target, sender, target }
}

function look4(packet: Uint8Array): Seen {
  const header = ((packet[0] ?? 0) & 0xf) * 4
  const total = viewOf(packet).getUint16(2)
  const from = ipFromBytes(packet.subarray(12, 16))
  if (packet[9] === 1 && packet[header] === 0) return { kind: 'echo', from }
  const behindAh = packet[9] === 51 && packet[header] === 112
  if ((packet[9] !== 112 && !behindAh) || packet.length < total) return other
  const to = ipFromBytes(packet.subarray(16, 20))
  const pdu = packet.subarray(behindAh ? header + 24 : header, total)
  return lookVrrp(pdu, { from, to, ttl: packet[8] ?? 0 }, 4)
}

function look6(packet: Uint8Array): Seen {
  const payload = packet.subarray(40)
  const target = payload.subarray(8, 24)
  if (packet[6] === 58 && payload[0] === 136 && target.length === 16) {
    const flags = payload[4] ?? 0
    const [router, override] = [(flags & 0x80) !== 0, (flags & 0x20) !== 0]
    return { kind: 'na', target: ipFromBytes(target), router, override }
  }
  if (packet[6] !== 112) return other
  const from = ipFromBytes(packet.subarray(8, 24))
  const to = ipFromBytes(packet.subarray(24, 40))
  return lookVrrp(payload, { from, to, ttl: packet[7] ?? 0 }, 16)
}

type Path = { readonly from: Ip; readonly to: Ip; readonly ttl: number }

function lookVrrp(pdu: Uint8Array, path: Path, size: 4 | 16): Seen {
  const [first = 0, vrid = 0, priority = 0, count = 0, , seconds = 0] = pdu
  const version = first >> 4
  if (pdu.length < 8 + count * size) return other
  const intervalMs = version === 2 ? seconds * 1_000 : (viewOf(pdu).getUint16(4) & 0xfff) * 10
  const addresses = Array.from({ length: count }, (_, i) =>
    ipFromBytes(pdu.subarray(8 + i * size, 8 + (i + 1) * size)),
  )
  return { kind: 'vrrp', ...path, version, vrid, priority, intervalMs, addresses }
}
