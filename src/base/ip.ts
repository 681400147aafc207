/**
 * IP addresses as canonical text (dotted quad; RFC 5952 for IPv6), branded. Text compares with ===,
 * keys a map and prints as itself; codecs turn it into octets at the last moment.
 */
declare const canonical: unique symbol

export type Ip = string & { readonly [canonical]: 'ip' }
export type Family = 4 | 6

/** Parses either family; null when the text is not an address. A zone (`%eth0`) is not accepted. */
export function parseIp(text: string): Ip | null {
  const bytes = text.includes(':') ? parse6(text) : parse4(text)
  return bytes === null ? null : ipFromBytes(bytes)
}

/** 4 or 16 octets → address. Throws RangeError for another length. */
export function ipFromBytes(bytes: Uint8Array): Ip {
  if (bytes.length === 4) return bytes.join('.') as Ip
  if (bytes.length === 16) return format6(bytes) as Ip
  throw new RangeError(`an address has 4 or 16 octets, not ${bytes.length}`)
}

export function ipBytes(ip: Ip): Uint8Array {
  const bytes = ip.includes(':') ? parse6(ip) : parse4(ip)
  if (bytes === null) throw new RangeError(`not an address: ${ip}`)
  return bytes
}

export const ipFamily = (ip: Ip): Family => (ip.includes(':') ? 6 : 4)

/** Numeric order within a family, IPv4 before IPv6: the tie-break of RFC 9568 section 6.4.3. */
export function compareIp(a: Ip, b: Ip): number {
  const x = ipBytes(a)
  const y = ipBytes(b)
  if (x.length !== y.length) return x.length - y.length
  const at = x.findIndex((byte, i) => byte !== y[i])
  return at < 0 ? 0 : (x[at] ?? 0) - (y[at] ?? 0)
}

export function isMulticast(ip: Ip): boolean {
  const first = ipBytes(ip)[0] ?? 0
  return ipFamily(ip) === 4 ? first >> 4 === 0xe : first === 0xff
}

/** 169.254/16 or fe80::/10. */
export function isLinkLocal(ip: Ip): boolean {
  const [a = 0, b = 0] = ipBytes(ip)
  return ipFamily(ip) === 4 ? a === 169 && b === 254 : a === 0xfe && (b & 0xc0) === 0x80
}

/** The first `prefixLength` bits are the same; never of two families. */
export function shareNetwork(a: Ip, b: Ip, prefixLength: number): boolean {
  const [x, y] = [ipBytes(a), ipBytes(b)]
  if (x.length !== y.length) return false
  const whole = Math.floor(prefixLength / 8)
  const mask = 0xff00 >> (prefixLength % 8)
  const last = ((x[whole] ?? 0) ^ (y[whole] ?? 0)) & mask & 0xff
  return last === 0 && x.subarray(0, whole).every((octet, i) => octet === y[i])
}

function parse4(text: string): Uint8Array | null {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((p) => /^(0|[1-9]\d{0,2})$/.test(p))) return null
  const octets = parts.map(Number)
  return octets.every((n) => n <= 255) ? Uint8Array.from(octets) : null
}

function parse6(text: string): Uint8Array | null {
  const halves = text.split('::')
  if (halves.length > 2) return null
  // A dotted quad is the last 32 bits: never before the gap.
  if (halves.length === 2 && halves[0]?.includes('.')) return null
  const head = groups(halves[0] ?? '')
  const tail = halves.length === 2 ? groups(halves[1] ?? '') : []
  if (head === null || tail === null) return null
  const gap = 8 - head.length - tail.length
  if (halves.length === 2 ? gap < 1 : gap !== 0) return null
  const words = [...head, ...new Array<number>(Math.max(gap, 0)).fill(0), ...tail]
  return Uint8Array.from(words.flatMap((w) => [w >> 8, w & 0xff]))
}

function groups(text: string): number[] | null {
  if (text === '') return []
  const parts = text.split(':')
  const last = parts.at(-1) ?? ''
  const quad = last.includes('.') ? parse4(last) : null
  if (last.includes('.') && quad === null) return null
  const hex = quad === null ? parts : parts.slice(0, -1)
  if (!hex.every((p) => /^[0-9a-fA-F]{1,4}$/.test(p))) return null
  const words = hex.map((p) => Number.parseInt(p, 16))
  if (quad === null) return words
  const [a = 0, b = 0, c = 0, d = 0] = quad
  return [...words, (a << 8) | b, (c << 8) | d]
}

/** RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups shortened. */
function format6(bytes: Uint8Array): string {
  const words = Array.from(
    { length: 8 },
    (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0),
  )
  let best = { at: -1, length: 1 }
  for (let at = 0; at < 8; at++) {
    let length = 0
    while (at + length < 8 && words[at + length] === 0) length++
    if (length > best.length) best = { at, length }
  }
  const hex = words.map((w) => w.toString(16))
  if (best.at < 0) return hex.join(':')
  return `${hex.slice(0, best.at).join(':')}::${hex.slice(best.at + best.length).join(':')}`
}

/** Whether the first `length` bits of two addresses of a family are the same. */
export function sharePrefix(a: Ip, b: Ip, length: number): boolean {
  const [one, other] = [ipBytes(a), ipBytes(b)]
  if (one.length !== other.length) return false
  return one.every((octet, i) => {
    const bits = Math.min(8, Math.max(0, length - 8 * i))
    const mask = 0xff00 >> bits
    return ((octet ^ (other[i] ?? 0)) & mask & 0xff) === 0
  })
}
