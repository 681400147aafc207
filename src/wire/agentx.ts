/** AgentX packets (RFC 2741 section 6), as far as a subagent and its master exchange them. */
import { concatBytes, viewOf } from '../base/bytes.ts'
import {
  type Binding,
  encodeBinding,
  encodeOctets,
  encodeOid,
  encodeRange,
  PartReader,
  type PartReject,
  type SearchRange,
  words,
} from './agentx-parts.ts'
import { accept, type Decoded, reject } from './decoded.ts'
import type { Oid } from './oid.ts'

/** What is in every packet. */
export type AgentxHead = {
  readonly session: number
  readonly transaction: number
  readonly packet: number
}

export type AgentxBody =
  /** `timeoutSeconds` 0: the master's own. */
  | {
      readonly kind: 'open'
      readonly timeoutSeconds: number
      readonly id: Oid
      readonly description: Uint8Array
    }
  | { readonly kind: 'close'; readonly reason: number }
  /** A lower `priority` goes first; 127 is the usual one. */
  | {
      readonly kind: 'register'
      readonly timeoutSeconds: number
      readonly priority: number
      readonly subtree: Oid
    }
  | { readonly kind: 'get' | 'getNext'; readonly ranges: readonly SearchRange[] }
  | {
      readonly kind: 'getBulk'
      readonly nonRepeaters: number
      readonly maxRepetitions: number
      readonly ranges: readonly SearchRange[]
    }
  | { readonly kind: 'testSet' | 'notify'; readonly bindings: readonly Binding[] }
  | { readonly kind: 'commitSet' | 'undoSet' | 'cleanupSet' | 'ping' }
  | {
      readonly kind: 'response'
      /** Hundredths of a second; of the master alone. */
      readonly sysUpTime: number
      readonly error: number
      /** Of the binding that is at fault, from 1. */
      readonly index: number
      readonly bindings: readonly Binding[]
    }

export type AgentxPdu = AgentxHead &
  AgentxBody & {
    /** Of SNMP; null: the default one. */
    readonly context: Uint8Array | null
  }

export const agentxError = {
  none: 0,
  genErr: 5,
  commitFailed: 14,
  notWritable: 17,
  openFailed: 256,
  notOpen: 257,
  unsupportedContext: 262,
  duplicateRegistration: 263,
  requestDenied: 267,
  processingError: 268,
} as const

export const closeReason = { other: 1, parseError: 2, protocolError: 3, shutdown: 5 } as const

const numbers: Readonly<Record<AgentxBody['kind'], number>> = {
  open: 1,
  close: 2,
  register: 3,
  get: 5,
  getNext: 6,
  getBulk: 7,
  testSet: 8,
  commitSet: 9,
  undoSet: 10,
  cleanupSet: 11,
  notify: 12,
  ping: 13,
  response: 18,
}
const kinds = new Map(
  Object.entries(numbers).map(([kind, number]) => [number, kind as AgentxBody['kind']]),
)

export const agentxHeadBytes = 20
const version = 1
const flag = { context: 0x08, networkByteOrder: 0x10 }

export function encodeAgentx(pdu: AgentxPdu): Uint8Array {
  const { session, transaction, packet, context } = pdu
  const payload = concatBytes([
    ...(context === null ? [] : [encodeOctets(context)]),
    ...partsOf(pdu),
  ])
  const flags = flag.networkByteOrder | (context === null ? 0 : flag.context)
  const head = Uint8Array.of(version, numbers[pdu.kind], flags, 0)
  return concatBytes([head, words(session, transaction, packet, payload.length), payload])
}

function partsOf(pdu: AgentxBody): readonly Uint8Array[] {
  switch (pdu.kind) {
    case 'open':
      return [
        Uint8Array.of(pdu.timeoutSeconds, 0, 0, 0),
        encodeOid(pdu.id),
        encodeOctets(pdu.description),
      ]
    case 'close':
      return [Uint8Array.of(pdu.reason, 0, 0, 0)]
    case 'register':
      return [Uint8Array.of(pdu.timeoutSeconds, pdu.priority, 0, 0), encodeOid(pdu.subtree)]
    case 'get':
    case 'getNext':
      return pdu.ranges.map(encodeRange)
    case 'getBulk': {
      const counts = new Uint8Array(4)
      viewOf(counts).setUint16(0, pdu.nonRepeaters)
      viewOf(counts).setUint16(2, pdu.maxRepetitions)
      return [counts, ...pdu.ranges.map(encodeRange)]
    }
    case 'testSet':
    case 'notify':
      return pdu.bindings.map(encodeBinding)
    case 'response': {
      const head = new Uint8Array(8)
      viewOf(head).setUint32(0, pdu.sysUpTime)
      viewOf(head).setUint16(4, pdu.error)
      viewOf(head).setUint16(6, pdu.index)
      return [head, ...pdu.bindings.map(encodeBinding)]
    }
    default:
      return []
  }
}

export type AgentxReject =
  | PartReject
  | 'too-short'
  | 'bad-version'
  | 'bad-type'
  | 'bad-length'
  | 'left-over'

/** One whole packet. Registrations of a range (RFC 2741 section 6.2.3) are none that a subagent is told of. */
export function decodeAgentx(octets: Uint8Array): Decoded<AgentxPdu, AgentxReject> {
  const head = decodeAgentxHead(octets)
  if (!head.ok) return head
  const { littleEndian, length } = head.value
  if (length % 4 !== 0 || octets.length !== agentxHeadBytes + length) return reject('bad-length')
  const kind = kinds.get(octets[1] ?? 0)
  if (kind === undefined) return reject('bad-type')
  const reader = new PartReader(octets.subarray(4), littleEndian)
  const [session, transaction, packet] = [reader.word(), reader.word(), reader.word()]
  reader.word()
  const context = ((octets[2] ?? 0) & flag.context) !== 0 ? reader.octets() : null
  const body = readBody(kind, reader)
  if (reader.fault !== null) return reject(reader.fault)
  if (reader.left > 0) return reject('left-over')
  return accept({ session, transaction, packet, context, ...body })
}

/** The order of the octets, and the length of what follows the head: enough to find the packet's end. */
export function decodeAgentxHead(
  octets: Uint8Array,
): Decoded<
  { readonly littleEndian: boolean; readonly length: number },
  'too-short' | 'bad-version'
> {
  if (octets.length < agentxHeadBytes) return reject('too-short')
  if (octets[0] !== version) return reject('bad-version')
  const littleEndian = ((octets[2] ?? 0) & flag.networkByteOrder) === 0
  return accept({ littleEndian, length: viewOf(octets).getUint32(16, littleEndian) })
}

function readBody(kind: AgentxBody['kind'], from: PartReader): AgentxBody {
  switch (kind) {
    case 'open': {
      const timeoutSeconds = from.byte()
      reserved(from, 3)
      return { kind, timeoutSeconds, id: from.oid().oid, description: from.octets() }
    }
    case 'close': {
      const reason = from.byte()
      reserved(from, 3)
      return { kind, reason }
    }
    case 'register': {
      const [timeoutSeconds, priority] = [from.byte(), from.byte()]
      reserved(from, 2)
      return { kind, timeoutSeconds, priority, subtree: from.oid().oid }
    }
    case 'get':
    case 'getNext':
      return { kind, ranges: from.ranges() }
    case 'getBulk': {
      const [nonRepeaters, maxRepetitions] = [from.short(), from.short()]
      return { kind, nonRepeaters, maxRepetitions, ranges: from.ranges() }
    }
    case 'testSet':
    case 'notify':
      return { kind, bindings: from.bindings() }
    case 'response': {
      const [sysUpTime, error, index] = [from.word(), from.short(), from.short()]
      return { kind, sysUpTime, error, index, bindings: from.bindings() }
    }
    default:
      return { kind }
  }
}

function reserved(from: PartReader, octets: number): void {
  for (let left = octets; left > 0; left--) from.byte()
}
