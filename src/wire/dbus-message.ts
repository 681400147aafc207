/** Messages of D-Bus ↔ octets (D-Bus specification, "Message Protocol"). Ours are little-endian; both orders are read. */
import { concatBytes, viewOf } from '../base/bytes.ts'
import { type DbusValue, decodeValues, encodeValues, isList, isVariant } from './dbus-values.ts'
import { accept, type Decoded, reject } from './decoded.ts'

const kinds = ['call', 'return', 'error', 'signal'] as const

export type DbusMessage = {
  readonly kind: (typeof kinds)[number]
  readonly serial: number
  /** Its sender wants no answer. */
  readonly noReply: boolean
  readonly path: string | null
  readonly interface: string | null
  readonly member: string | null
  readonly errorName: string | null
  /** Of the message that it answers. */
  readonly replySerial: number | null
  readonly destination: string | null
  readonly sender: string | null
  readonly signature: string
  /** null: larger than is read, or not what its signature says. */
  readonly body: readonly DbusValue[] | null
}

export type DbusMessageReject = 'bad-header' | 'bad-field' | 'missing-field'

/** Head and body as they come one after the other; `body` is null where it was passed over. */
export type DbusFrame = { readonly head: Uint8Array; readonly body: Uint8Array | null }

export const dbusFixedHeadBytes = 16
const version = 1
const noReplyFlag = 0x01
const littleMark = 0x6c
const bigMark = 0x42

/** Octets of head, with its padding, and body; null: this begins no message. `octets`: the first 16. */
export function dbusLengths(octets: Uint8Array): { head: number; body: number } | null {
  const little = octets[0] === littleMark
  if ((!little && octets[0] !== bigMark) || octets[3] !== version) return null
  const view = viewOf(octets)
  const fields = view.getUint32(12, little)
  return { head: Math.ceil((dbusFixedHeadBytes + fields) / 8) * 8, body: view.getUint32(4, little) }
}

/** `fields` that are absent are null. */
export type DbusOutgoing = Pick<DbusMessage, 'kind' | 'serial'> &
  Partial<Omit<DbusMessage, 'kind' | 'serial' | 'sender' | 'body'>> & {
    readonly body?: readonly DbusValue[]
  }

/** null: a value does not belong to its type. */
export function encodeDbusMessage(message: DbusOutgoing): Uint8Array | null {
  const { kind, serial, noReply = false, signature = '', body = [] } = message
  const octets = encodeValues(signature, body)
  const fields = fieldTable.flatMap(({ code, type, name }) => {
    // The sender is the bus's to write.
    if (name === 'sender' || (name === 'signature' && signature === '')) return []
    const value = message[name] ?? null
    return value === null ? [] : [[code, { signature: type, value }]]
  })
  if (octets === null) return null
  const fixed = [littleMark, kinds.indexOf(kind) + 1, noReply ? noReplyFlag : 0, version]
  const head = encodeValues('yyyyuua(yv)', [...fixed, octets.length, serial, fields])
  if (head === null) return null
  return concatBytes([head, new Uint8Array((8 - (head.length % 8)) % 8), octets])
}

export function decodeDbusMessage({
  head,
  body,
}: DbusFrame): Decoded<DbusMessage, DbusMessageReject> {
  const little = head[0] === littleMark
  const lengths = head.length < dbusFixedHeadBytes ? null : dbusLengths(head)
  if (lengths === null || lengths.head !== head.length) return reject('bad-header')
  const fieldBytes = viewOf(head).getUint32(12, little)
  const unpadded = head.subarray(0, dbusFixedHeadBytes + fieldBytes)
  const found = decodeValues('yyyyuua(yv)', unpadded, little)
  if (!found.ok) return reject('bad-header')
  const [, type, flags, , , serial, list] = found.value
  const kind = kinds[Number(type) - 1]
  if (kind === undefined || serial === 0 || list === undefined) return reject('bad-header')
  const fields = fieldsOf(list)
  if (fields === null) return reject('bad-field')
  const message: DbusMessage = {
    ...fields,
    kind,
    serial: Number(serial),
    noReply: (Number(flags) & noReplyFlag) !== 0,
    body: null,
  }
  if (needed[kind].some((name) => message[name] === null)) return reject('missing-field')
  if (body === null) return accept(message)
  const values = decodeValues(fields.signature, body, little)
  return accept({ ...message, body: values.ok ? values.value : null })
}

const needed = {
  call: ['path', 'member'],
  return: ['replySerial'],
  error: ['replySerial', 'errorName'],
  signal: ['path', 'interface', 'member'],
} as const

type Fields = Omit<DbusMessage, 'kind' | 'serial' | 'noReply' | 'body'>

const fieldTable: readonly { code: number; type: string; name: keyof Fields }[] = [
  { code: 1, type: 'o', name: 'path' },
  { code: 2, type: 's', name: 'interface' },
  { code: 3, type: 's', name: 'member' },
  { code: 4, type: 's', name: 'errorName' },
  { code: 5, type: 'u', name: 'replySerial' },
  { code: 6, type: 's', name: 'destination' },
  { code: 7, type: 's', name: 'sender' },
  { code: 8, type: 'g', name: 'signature' },
]

/** Fields that are not known are passed over; null: a known one has another type. */
function fieldsOf(list: DbusValue): Fields | null {
  const found = new Map<keyof Fields, DbusValue>()
  for (const pair of isList(list) ? list : []) {
    const [code, variant] = isList(pair) ? pair : []
    const field = fieldTable.find((it) => it.code === code)
    if (field === undefined || variant === undefined || !isVariant(variant)) continue
    if (variant.signature !== field.type) return null
    found.set(field.name, variant.value)
  }
  const text = (name: keyof Fields): string | null => {
    const value = found.get(name)
    return typeof value === 'string' ? value : null
  }
  const replySerial = found.get('replySerial')
  return {
    path: text('path'),
    interface: text('interface'),
    member: text('member'),
    errorName: text('errorName'),
    replySerial: typeof replySerial === 'number' ? replySerial : null,
    destination: text('destination'),
    sender: text('sender'),
    signature: text('signature') ?? '',
  }
}
