/** Values as the columns of the MIBs have them. */
import { ipBytes, parseIp } from '../../base/ip.ts'
import type { Value } from '../../wire/agentx-parts.ts'
import type { Column } from './tables.ts'

export const column = <Row>(
  number: number,
  name: string,
  read: (row: Row) => Value | null,
): Column<Row> => ({ number, name, read })

const clamp = (value: number, least: number, most: number): number =>
  Math.min(most, Math.max(least, Math.trunc(value)))

export const integer = (value: number): Value => ({
  type: 'integer',
  value: clamp(value, -(2 ** 31), 2 ** 31 - 1),
})

export const gauge = (value: number): Value => ({
  type: 'gauge32',
  value: clamp(value, 0, 2 ** 32 - 1),
})

/** It begins again at 0 when it is full. */
export const counter32 = (value: number): Value => ({
  type: 'counter32',
  value: Math.max(0, Math.trunc(value)) % 2 ** 32,
})

export const counter64 = (value: number): Value => ({
  type: 'counter64',
  value: BigInt(Math.max(0, Math.trunc(value))),
})

/** Hundredths of a second; they begin again after 497 days. */
export const ticks = (value: number): Value => ({
  type: 'timeTicks',
  value: Math.max(0, Math.trunc(value)) % 2 ** 32,
})

/** TruthValue, and what the MIBs have as enabled(1) and disabled(2). */
export const truth = (value: boolean): Value => integer(value ? 1 : 2)

/** null stays: there is no such object. */
export const text = (value: string | null): Value | null =>
  value === null ? null : octets(new TextEncoder().encode(value).subarray(0, textMax))

/** Of a DisplayString (RFC 2579). */
const textMax = 255

export const octets = (value: Uint8Array): Value => ({ type: 'octets', value })

const addressOctets = (address: string | null): Uint8Array | null => {
  const ip = address === null ? null : parseIp(address)
  return ip === null ? null : ipBytes(ip)
}

/** InetAddress. */
export const address = (value: string | null): Value | null => {
  const bytes = addressOctets(value)
  return bytes === null ? null : octets(bytes)
}

/** InetAddressType: ipv4(1), ipv6(2). */
export const addressType = (value: string): Value => integer(value.includes(':') ? 2 : 1)

/** IpAddress, which IPv4 alone has. */
export const ipAddress = (value: string | null): Value => {
  const bytes = addressOctets(value)
  return { type: 'ipAddress', value: bytes?.length === 4 ? bytes : new Uint8Array(4) }
}

export const noAddress: Readonly<Record<4 | 6, string>> = { 4: '0.0.0.0', 6: '::' }
