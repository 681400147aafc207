/**
 * Netlink framing: messages, and the attributes inside them. Netlink never leaves the host, so numbers are
 * in host byte order and everything is aligned to four octets; what the messages say is rtnetlink.ts.
 */
import { concatBytes, viewOf } from '../base/bytes.ts'

/** Netlink and classic BPF are in the order of this machine; found out once. */
export const hostIsLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

const headerBytes = 16
const attributeHeaderBytes = 4
/** NLA_F_NESTED and NLA_F_NET_BYTEORDER sit above the type. */
const attributeTypeMask = 0x3fff

export const align4 = (n: number): number => ((n + 3) & ~3) >>> 0

export type Message = {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  readonly body: Uint8Array
}

/** struct nlmsghdr and the body. The engine writes the sequence number and reads the answer. */
export function encodeMessage(type: number, flags: number, body: Uint8Array): Uint8Array {
  const message = new Uint8Array(headerBytes + align4(body.length))
  const view = viewOf(message)
  view.setUint32(0, headerBytes + body.length, hostIsLittleEndian)
  view.setUint16(4, type, hostIsLittleEndian)
  view.setUint16(6, flags, hostIsLittleEndian)
  message.set(body, headerBytes)
  return message
}

/**
 * Cuts a receive buffer into messages. A header that claims less than itself or more than there is ends the
 * walk: `whole` is false then, and what came before it is still good.
 */
export function splitMessages(buffer: Uint8Array): {
  readonly messages: readonly Message[]
  readonly whole: boolean
} {
  const view = viewOf(buffer)
  const messages: Message[] = []
  let at = 0
  while (buffer.length - at >= headerBytes) {
    const length = view.getUint32(at, hostIsLittleEndian)
    if (length < headerBytes || length > buffer.length - at) break
    messages.push({
      type: view.getUint16(at + 4, hostIsLittleEndian),
      flags: view.getUint16(at + 6, hostIsLittleEndian),
      sequence: view.getUint32(at + 8, hostIsLittleEndian),
      body: buffer.subarray(at + headerBytes, at + length),
    })
    at += align4(length)
  }
  return { messages, whole: at >= buffer.length }
}

export function encodeAttribute(type: number, value: Uint8Array): Uint8Array {
  const attribute = new Uint8Array(align4(attributeHeaderBytes + value.length))
  const view = viewOf(attribute)
  view.setUint16(0, attributeHeaderBytes + value.length, hostIsLittleEndian)
  view.setUint16(2, type, hostIsLittleEndian)
  attribute.set(value, attributeHeaderBytes)
  return attribute
}

export type Attributes = ReadonlyMap<number, Uint8Array>

/** null when an attribute's length does not fit. The last of several of one type wins. */
export function readAttributes(bytes: Uint8Array): Attributes | null {
  const view = viewOf(bytes)
  const attributes = new Map<number, Uint8Array>()
  let at = 0
  while (bytes.length - at >= attributeHeaderBytes) {
    const length = view.getUint16(at, hostIsLittleEndian)
    if (length < attributeHeaderBytes || length > bytes.length - at) return null
    const type = view.getUint16(at + 2, hostIsLittleEndian) & attributeTypeMask
    attributes.set(type, bytes.subarray(at + attributeHeaderBytes, at + length))
    at += align4(length)
  }
  return attributes
}

/** How many there are, whatever their types. */
export function countAttributes(bytes: Uint8Array): number {
  const view = viewOf(bytes)
  let count = 0
  for (let at = 0; bytes.length - at >= attributeHeaderBytes; count++) {
    const length = view.getUint16(at, hostIsLittleEndian)
    if (length < attributeHeaderBytes) break
    at += align4(length)
  }
  return count
}

/** An octet, and words in host order. */
export const u8 = (n: number): Uint8Array => Uint8Array.of(n)

export function u32(...numbers: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * numbers.length))
  numbers.forEach((n, i) => {
    view.setUint32(4 * i, n, hostIsLittleEndian)
  })
  return new Uint8Array(view.buffer)
}

/** The word number `index` of an attribute; null when it is absent or too short. */
export function readU32(value: Uint8Array | undefined, index = 0): number | null {
  if (value === undefined || value.length < 4 * (index + 1)) return null
  return viewOf(value).getUint32(4 * index, hostIsLittleEndian)
}

/** A name with its terminating zero. Names are ASCII: labels, interfaces. */
export function cString(text: string): Uint8Array {
  return concatBytes([Uint8Array.from(text, (c) => c.charCodeAt(0) & 0x7f), Uint8Array.of(0)])
}

/** Up to the first zero; octets beyond ASCII come out as Latin-1, which does no harm. */
export function readCString(value: Uint8Array): string {
  const end = value.indexOf(0)
  return String.fromCharCode(...value.subarray(0, end < 0 ? value.length : end))
}
