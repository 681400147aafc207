/** Ethernet addresses: six octets, or their text in lower case with colons. */

/** '00:00:5e:00:01:33' */
export type MacText = string

export const macText = (octets: Uint8Array): MacText =>
  Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join(':')

export const macOctets = (text: MacText): Uint8Array =>
  Uint8Array.from(text.split(':'), (octet) => Number.parseInt(octet, 16))

/** Octets of one or two hexadecimal digits with colons; null: it is none of `lengths` of them. */
export function parseMac(text: string, lengths: readonly number[]): readonly number[] | null {
  const octets = text.split(':')
  if (!lengths.includes(octets.length)) return null
  if (!octets.every((octet) => /^[\da-f]{1,2}$/i.test(octet))) return null
  return octets.map((octet) => Number.parseInt(octet, 16))
}

/** The virtual router MAC address (RFC 9568 section 7.3). */
export const virtualMac = (family: 4 | 6, vrid: number): MacText =>
  macText(Uint8Array.of(0, 0, 0x5e, 0, family === 4 ? 1 : 2, vrid))
