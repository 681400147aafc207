/** DNS messages as far as a check needs them: one question, and the answers as text (RFC 1035 section 4). */
import { ipFromBytes } from '../../base/ip.ts'
import { type RecordType, recordTypes, responseCodes } from '../../base/probe.ts'

export type Answer = {
  readonly id: number
  /** By name; `RCODE16` and up for codes without one. */
  readonly rcode: string
  /** Cut off: ask again over TCP. */
  readonly truncated: boolean
  readonly records: readonly Record[]
}

/** `text` is the data as in a zone file: an address, a name without its last dot, `10 mail.example`, … */
export type Record = { readonly name: string; readonly type: number; readonly text: string }

/** Why octets are no answer. */
export class BadMessage extends Error {}

const classIn = 1
const recursionDesired = 0x0100
const responseFlag = 0x8000
const truncatedFlag = 0x0200
const labelMax = 63
const nameMax = 255

/** A query for one name; throws BadMessage when it is none. */
export function encodeQuery(id: number, name: string, type: RecordType): Buffer {
  const labels = name.replace(/\.$/, '').split('.')
  const question = labels[0] === '' && labels.length === 1 ? [] : labels
  const parts = question.map((label) => {
    const octets = Buffer.from(label)
    if (octets.length === 0 || octets.length > labelMax)
      throw new BadMessage(`${name} is no DNS name`)
    return Buffer.concat([Buffer.from([octets.length]), octets])
  })
  const encoded = Buffer.concat([...parts, Buffer.from([0])])
  if (encoded.length > nameMax) throw new BadMessage(`${name} is no DNS name`)
  const head = Buffer.alloc(12)
  head.writeUInt16BE(id, 0)
  head.writeUInt16BE(recursionDesired, 2)
  head.writeUInt16BE(1, 4)
  const tail = Buffer.alloc(4)
  tail.writeUInt16BE(recordTypes[type], 0)
  tail.writeUInt16BE(classIn, 2)
  return Buffer.concat([head, encoded, tail])
}

/** Throws BadMessage when the octets are not a response. */
export function decodeAnswer(octets: Buffer): Answer {
  try {
    return decode(octets)
  } catch (error) {
    if (error instanceof RangeError) throw new BadMessage('not a DNS answer: it is cut off')
    throw error
  }
}

function decode(octets: Buffer): Answer {
  const flags = octets.readUInt16BE(2)
  if ((flags & responseFlag) === 0) throw new BadMessage('not a DNS answer: it is a query')
  const code = flags & 0x0f
  let at = 12
  for (let left = octets.readUInt16BE(4); left > 0; left--) at = readName(octets, at).end + 4
  const records: Record[] = []
  for (let left = octets.readUInt16BE(6); left > 0; left--) {
    const { name, end } = readName(octets, at)
    const type = octets.readUInt16BE(end)
    const length = octets.readUInt16BE(end + 8)
    const from = end + 10
    if (from + length > octets.length) throw new BadMessage('not a DNS answer: it is cut off')
    records.push({ name, type, text: textOf(octets, type, from, length) })
    at = from + length
  }
  return {
    id: octets.readUInt16BE(0),
    rcode: responseCodes[code] ?? `RCODE${code}`,
    truncated: (flags & truncatedFlag) !== 0,
    records,
  }
}

type Name = { readonly name: string; readonly end: number }

/** Follows compression (RFC 1035 section 4.1.4); each pointer must lead backwards, so there is no circle. */
function readName(octets: Buffer, from: number): Name {
  const labels: string[] = []
  let at = from
  let end: number | null = null
  let before = from
  for (let length = octets.readUInt8(at); length !== 0; length = octets.readUInt8(at)) {
    if (length >= 0xc0) {
      const to = octets.readUInt16BE(at) & 0x3fff
      if (to >= before) throw new BadMessage('not a DNS answer: a name points nowhere')
      end ??= at + 2
      before = to
      at = to
      continue
    }
    if (length > labelMax || at + 1 + length > octets.length)
      throw new BadMessage('not a DNS answer: a name is cut off')
    labels.push(octets.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
    if (labels.length > nameMax / 2) throw new BadMessage('not a DNS answer: a name is too long')
  }
  return { name: labels.join('.'), end: end ?? at + 1 }
}

function textOf(octets: Buffer, type: number, at: number, length: number): string {
  switch (type) {
    case recordTypes.A:
    case recordTypes.AAAA:
      if (length !== (type === recordTypes.A ? 4 : 16))
        throw new BadMessage('not a DNS answer: an address is cut off')
      return ipFromBytes(octets.subarray(at, at + length))
    case recordTypes.NS:
    case recordTypes.CNAME:
    case recordTypes.PTR:
      return readName(octets, at).name
    case recordTypes.MX:
      return `${octets.readUInt16BE(at)} ${readName(octets, at + 2).name}`
    case recordTypes.SRV: {
      const numbers = [0, 2, 4].map((offset) => octets.readUInt16BE(at + offset))
      return `${numbers.join(' ')} ${readName(octets, at + 6).name}`
    }
    case recordTypes.SOA: {
      const primary = readName(octets, at)
      const mailbox = readName(octets, primary.end)
      return `${primary.name} ${mailbox.name} ${octets.readUInt32BE(mailbox.end)}`
    }
    case recordTypes.TXT:
      return stringsOf(octets.subarray(at, at + length))
    default:
      return octets.toString('hex', at, at + length)
  }
}

function stringsOf(octets: Buffer): string {
  let text = ''
  for (let at = 0; at < octets.length; at += 1 + octets.readUInt8(at))
    text += octets.toString('utf8', at + 1, at + 1 + octets.readUInt8(at))
  return text
}
