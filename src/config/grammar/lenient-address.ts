/**
 * Addresses as keepalived's reader of hosts and groups takes them: what follows '-' (the end of a range), or else '/'
 * (a prefix length), is cut without a look. Virtual addresses have another reader, which is strict.
 */
import { type Ip, parseIp } from '../../base/ip.ts'

export type LenientAddress = {
  readonly value: Ip /** What was cut; '' for nothing. */
  readonly cut: string
}

export function readLenientAddress(text: string): LenientAddress | null {
  const range = text.indexOf('-')
  const end = range >= 0 ? range : text.indexOf('/')
  const value = parseIp(end < 0 ? text : text.slice(0, end))
  return value === null ? null : { value, cut: end < 0 ? '' : text.slice(end) }
}

/** The warning for what was cut. */
export const cutMessage = (what: string, { value, cut }: LenientAddress): string =>
  `${cut.startsWith('/') ? 'a prefix length' : 'the end of a range'} means nothing in ${what} ${value}${cut}; ${value} is used`

/** Hints where several stand on a line. */
export const oneALine = (what: string) => `does not belong here: one ${what} a line`

export const withoutCommas = (text: string): string =>
  text.includes(',') ? ' (one a line, without commas)' : ''
