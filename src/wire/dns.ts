/** DNS messages as far as a check needs them: one question, and the answers as text (RFC 1035 section 4). */
import { concatBytes, toHex, viewOf } from '../base/bytes.ts'
import { ipFromBytes } from '../base/ip.ts'
import { type RecordType, recordTypes, responseCodes } from '../base/probe.ts'
import { accept, type Decoded, reject } from './decoded.ts'

export type DnsAnswer = {
  readonly id: number
  /** By name; `RCODE16` and up for codes without one. */
  readonly rcode: string
  /** Cut off by the server: the question is repeated over TCP (RFC 7766). */
  readonly truncated: boolean
  readonly records: readonly DnsRecord[]
}

/** `text` is the data as in a zone file: an address, a name without its last dot, `10 mail.example`, … */
export type DnsRecord = { readonly name: string; readonly type: number; readonly text: string }

export type DnsReject = 'cut-off' | 'query' | 'bad-pointer' | 'bad-name' | 'bad-address'

export const dnsHeaderBytes = 12
const classIn = 1
const recursionDesired = 0x0100
const responseFlag = 0x8000
const truncatedFlag = 0x0200
const labelMax = 63
const nameMax = 255

/** A query for one name; null when it is no DNS name (empty labels, labels over 63 octets, over 255 in all). */
export function encodeDnsQuery(id: number, name: string, type: RecordType): Uint8Array | null {
  const plain = name.replace(/\.$/, '')
  const labels = (plain === '' ? [] : plain.split('.')).map((label) =>
    new TextEncoder().encode(label),
  )
  if (labels.some(({ length }) => length === 0 || length > labelMax)) return null
  const question = concatBytes([
    ...labels.flatMap((label) => [Uint8Array.of(label.length), label]),
    Uint8Array.of(0),
  ])
  if (question.length > nameMax) return null
  const head = new Uint8Array(dnsHeaderBytes)
  const view = viewOf(head)
  view.setUint16(0, id)
  view.setUint16(2, recursionDesired)
  view.setUint16(4, 1)
  const tail = new Uint8Array(4)
  viewOf(tail).setUint16(0, recordTypes[type])
  viewOf(tail).setUint16(2, classIn)
  return concatBytes([head, question, tail])
}

export function decodeDnsAnswer(octets: Uint8Array): Decoded<DnsAnswer, DnsReject> {
  const message = new Message(octets)
  const id = message.number(0, 2)
  const flags = message.number(2, 2)
  const questions = message.number(4, 2)
  const answers = message.number(6, 2)
  if (message.fault === null && (flags & responseFlag) === 0) return reject('query')
  let at = dnsHeaderBytes
  for (let left = questions; left > 0 && message.fault === null; left--)
    at = message.name(at).end + 4
  const records: DnsRecord[] = []
  for (let left = answers; left > 0 && message.fault === null; left--) {
    const { name, end } = message.name(at)
    const type = message.number(end, 2)
    const data = message.slice(end + 10, message.number(end + 8, 2))
    records.push({ name, type, text: textOf(message, type, end + 10, data) })
    at = end + 10 + data.length
  }
  if (message.fault !== null) return reject(message.fault)
  const code = flags & 0x0f
  const truncated = (flags & truncatedFlag) !== 0
  return accept({ id, rcode: responseCodes[code] ?? `RCODE${code}`, truncated, records })
}

type Name = { readonly name: string; readonly end: number }

/** Reads within the octets. The first fault stays; what is read after it is zero and empty. */
class Message {
  fault: DnsReject | null = null
  readonly #octets: Uint8Array

  constructor(octets: Uint8Array) {
    this.#octets = octets
  }

  number(at: number, bytes: number): number {
    return this.slice(at, bytes).reduce((value, octet) => value * 256 + octet, 0)
  }

  slice(at: number, length: number): Uint8Array {
    if (at + length > this.#octets.length) this.fail('cut-off')
    return this.fault === null ? this.#octets.subarray(at, at + length) : new Uint8Array()
  }

  /** Follows compression (RFC 1035 section 4.1.4); each pointer must lead backwards, so there is no circle. */
  name(from: number): Name {
    const labels: string[] = []
    let at = from
    let end: number | null = null
    let before = from
    for (;;) {
      const length = this.number(at, 1)
      if (length === 0) return { name: labels.join('.'), end: end ?? at + 1 }
      if (length >= 0xc0) {
        const to = this.number(at, 2) & 0x3fff
        if (to >= before) this.fail('bad-pointer')
        end ??= at + 2
        before = to
        at = to
        continue
      }
      if (length > labelMax || labels.length > nameMax / 2) this.fail('bad-name')
      labels.push(String.fromCharCode(...this.slice(at + 1, length)))
      at += 1 + length
    }
  }

  fail(why: DnsReject): void {
    this.fault ??= why
  }
}

function textOf(message: Message, type: number, at: number, data: Uint8Array): string {
  switch (type) {
    case recordTypes.A:
    case recordTypes.AAAA:
      if (data.length === (type === recordTypes.A ? 4 : 16)) return ipFromBytes(data)
      message.fail('bad-address')
      return ''
    case recordTypes.NS:
    case recordTypes.CNAME:
    case recordTypes.PTR:
      return message.name(at).name
    case recordTypes.MX:
      return `${message.number(at, 2)} ${message.name(at + 2).name}`
    case recordTypes.SRV: {
      const numbers = [0, 2, 4].map((offset) => message.number(at + offset, 2))
      return `${numbers.join(' ')} ${message.name(at + 6).name}`
    }
    case recordTypes.SOA: {
      const primary = message.name(at)
      const mailbox = message.name(primary.end)
      return `${primary.name} ${mailbox.name} ${message.number(mailbox.end, 4)}`
    }
    case recordTypes.TXT:
      return stringsOf(data)
    default:
      return toHex(data)
  }
}

/** Strings, each with its length before it. One that is longer than the data ends with it. */
function stringsOf(data: Uint8Array): string {
  const parts: Uint8Array[] = []
  for (let at = 0; at < data.length; at += 1 + (data[at] ?? 0))
    parts.push(data.subarray(at + 1, at + 1 + (data[at] ?? 0)))
  return parts.map((part) => new TextDecoder().decode(part)).join('')
}
