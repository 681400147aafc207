/**
 * What is said on the control socket: frames of a 4-octet big-endian length and that many octets of plain
 * MessagePack (no extension types), one map each. A client sends requests, the server answers each with
 * one response of the same id. Everything that arrives is walked once, without recursion, before it is
 * decoded: a few octets cannot claim an array of millions, and no extension type reaches the decoder.
 */
import { Packr } from 'msgpackr/pack'

/**
 * Of what is said, for a client to tell: answered by `ping` and `events`. It grows when an answer that clients read has
 * another meaning; a verb or a field more is none.
 */
export const protocolVersion = 1

export const verbs = [
  'ping',
  'status',
  'history',
  'reload',
  'failover',
  'drain',
  'resume',
  'upgrade',
  'push',
  'observe',
  'transitions',
  'claims',
  'events',
  'stop',
] as const
export type Verb = (typeof verbs)[number]

export type Request = {
  readonly id: number
  readonly verb: Verb
  /** Which instance, for `history`, `failover` and `resume`; which check, for `push`, and whose results, for `observe`. */
  readonly name?: string
  /** Why it has failed, for `push`; absent: it is good. */
  readonly text?: string
  /** For `reload`: take a file with mistakes all the same. For `upgrade`: also where the parent sees this process end. */
  readonly force?: boolean
  /** For `upgrade`: what shall go on, the file first. */
  readonly program?: readonly string[]
  /** For `transitions`: later than that number. */
  readonly after?: number
  /** For `transitions` and `claims`: milliseconds since 1970, from and until. */
  readonly since?: number
  readonly until?: number
}

export type Response =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  /** `id` is 0 when the request could not be read. */
  | { readonly id: number; readonly ok: false; readonly code: string; readonly error: string }

/** The `code` of a request with a verb that this version does not have: it has a sentence, and the connection goes on. */
export const unknownVerb = 'unknown-verb'

/** The `code` of a question about something that the configuration does not have. */
export const unknownName = 'unknown-name'

type FrameFault = 'frame-too-large' | 'not-msgpack' | 'not-a-request' | 'not-a-response'

export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly why: FrameFault }
  /** A request like any other, of a newer client. */
  | {
      readonly ok: false
      readonly why: typeof unknownVerb
      readonly id: number
      readonly verb: string
    }

const headerBytes = 4
const depthMax = 16
const nameCharactersMax = 255
const textCharactersMax = 1_000
/** PATH_MAX, and as many words as Node.js may be given. */
const pathCharactersMax = 4_096
const programWordsMax = 32

const codec = new Packr({
  useRecords: false,
  encodeUndefinedAsNil: true,
  int64AsType: 'number',
})

/** Throws RangeError when the message takes more than `bytesMax` octets. */
export function encodeFrame(message: Request | Response, bytesMax: number): Buffer {
  const body = codec.pack(message)
  if (body.length > bytesMax) throw new RangeError(`a frame of ${body.length} octets`)
  const frame = Buffer.allocUnsafe(headerBytes + body.length)
  frame.writeUInt32BE(body.length, 0)
  frame.set(body, headerBytes)
  return frame
}

/**
 * Collects octets into frames. `push` returns the bodies that are complete now, or null once a frame claims
 * more than `bytesMax`: then the connection is of no use any more. Holds at most one frame.
 */
export class FrameReader {
  readonly #bytesMax: number
  #parts: Buffer[] = []
  #held = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** True while part of a frame has arrived. */
  get partial(): boolean {
    return this.#held > 0
  }

  push(chunk: Buffer): Buffer[] | null {
    this.#parts.push(chunk)
    this.#held += chunk.length
    const bodies: Buffer[] = []
    for (;;) {
      if (this.#held < headerBytes) return bodies
      const length = this.#joined(headerBytes).readUInt32BE(0)
      if (length > this.#bytesMax) return null
      if (this.#held < headerBytes + length) return bodies
      const all = this.#joined(headerBytes + length)
      bodies.push(all.subarray(headerBytes, headerBytes + length))
      const rest = all.subarray(headerBytes + length)
      this.#parts = rest.length > 0 ? [rest] : []
      this.#held = rest.length
    }
  }

  /** The first part, joined with as many others as it takes to have `count` octets in one piece. */
  #joined(count: number): Buffer {
    const first = this.#parts[0]
    if (first !== undefined && first.length >= count) return first
    const all = Buffer.concat(this.#parts, this.#held)
    this.#parts = [all]
    return all
  }
}

export function readRequest(body: Uint8Array): Read<Request> {
  const value = decodePlain(body)
  if (value === undefined) return { ok: false, why: 'not-msgpack' }
  if (!isRecord(value) || !isId(value['id'])) return { ok: false, why: 'not-a-request' }
  const { id, verb } = value
  if (!isVerb(verb)) {
    const isWord = typeof verb === 'string' && /^[a-z][a-z-]{0,30}$/.test(verb)
    return isWord ? { ok: false, why: unknownVerb, id, verb } : { ok: false, why: 'not-a-request' }
  }
  const operands = readOperands(value)
  return operands === null
    ? { ok: false, why: 'not-a-request' }
    : { ok: true, value: { id, verb, ...operands } }
}

/** null: one of them is none. */
function readOperands(value: Record<string, unknown>): Omit<Request, 'id' | 'verb'> | null {
  const operands: Record<string, unknown> = {}
  for (const [key, isOne] of Object.entries(operandKinds)) {
    const operand = value[key] ?? undefined
    if (operand === undefined) continue
    if (!isOne(operand)) return null
    operands[key] = operand
  }
  return operands
}

export function readResponse(body: Uint8Array): Read<Response> {
  const value = decodePlain(body)
  if (value === undefined) return { ok: false, why: 'not-msgpack' }
  const bad: Read<Response> = { ok: false, why: 'not-a-response' }
  if (!isRecord(value)) return bad
  const { id, ok, result, code, error } = value as Record<string, unknown> & { id?: unknown }
  if (!isId(id)) return bad
  if (ok === true) return { ok: true, value: { id, ok, result: result ?? null } }
  if (ok !== false || typeof code !== 'string' || typeof error !== 'string') return bad
  return { ok: true, value: { id, ok, code, error } }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isText =
  (charactersMax: number) =>
  (value: unknown): boolean =>
    typeof value === 'string' && value.length <= charactersMax

const isId = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

const operandKinds: Readonly<
  Record<keyof Omit<Request, 'id' | 'verb'>, (value: unknown) => boolean>
> = {
  name: isText(nameCharactersMax),
  text: isText(textCharactersMax),
  force: (value) => typeof value === 'boolean',
  program: (value) =>
    Array.isArray(value) &&
    value.length <= programWordsMax &&
    value.every(isText(pathCharactersMax)),
  after: isId,
  since: isId,
  until: isId,
}

const isVerb = (value: unknown): value is Verb => verbs.some((verb) => verb === value)

/** The value, or undefined when the octets are not exactly one plain MessagePack value. */
function decodePlain(body: Uint8Array): unknown {
  if (!isPlain(body)) return undefined
  try {
    return codec.unpack(body) as unknown
  } catch {
    return undefined
  }
}

/**
 * Is this exactly one MessagePack value, of maps, arrays, strings, binaries, numbers, booleans and nil, nested
 * at most `depthMax` deep, with every claimed element there?
 */
function isPlain(body: Uint8Array): boolean {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  const open: number[] = [1]
  let at = 0
  while (open.length > 0) {
    const left = open.pop() ?? 0
    if (left === 0) continue
    open.push(left - 1)
    const head = at < body.length ? readHead(view, at) : null
    if (head === null) return false
    at += head.bytes
    if (at > body.length || head.elements > body.length - at) return false
    if (head.elements > 0) open.push(head.elements)
    if (open.length > depthMax) return false
  }
  return at === body.length
}

/** `bytes`: of the value without its elements; `elements`: values that follow inside it. */
type Head = { readonly bytes: number; readonly elements: number }

function readHead(view: DataView, at: number): Head | null {
  const type = view.getUint8(at)
  if (type <= 0x7f || type >= 0xe0) return { bytes: 1, elements: 0 }
  if (type <= 0x8f) return { bytes: 1, elements: 2 * (type & 0x0f) }
  if (type <= 0x9f) return { bytes: 1, elements: type & 0x0f }
  if (type <= 0xbf) return { bytes: 1 + (type & 0x1f), elements: 0 }
  const form = forms[type]
  if (form === undefined) return null
  if (typeof form === 'number') return { bytes: form, elements: 0 }
  if (at + 1 + form.width > view.byteLength) return null
  const count = readCount(view, at + 1, form.width)
  const bytes = 1 + form.width + (form.per === 0 ? count : 0)
  return { bytes, elements: form.per * count }
}

function readCount(view: DataView, at: number, width: 1 | 2 | 4): number {
  if (width === 1) return view.getUint8(at)
  return width === 2 ? view.getUint16(at) : view.getUint32(at)
}

/** Values of a fixed size, or a count of `width` octets with `per` values each (0: octets). 0xc1 and extensions are absent. */
const forms: Readonly<
  Record<number, number | { readonly width: 1 | 2 | 4; readonly per: 0 | 1 | 2 }>
> = {
  // nil, false, true
  192: 1,
  194: 1,
  195: 1,
  // bin 8, 16, 32
  196: { width: 1, per: 0 },
  197: { width: 2, per: 0 },
  198: { width: 4, per: 0 },
  // float 32, 64; uint 8…64; int 8…64
  202: 5,
  203: 9,
  204: 2,
  205: 3,
  206: 5,
  207: 9,
  208: 2,
  209: 3,
  210: 5,
  211: 9,
  // str 8, 16, 32
  217: { width: 1, per: 0 },
  218: { width: 2, per: 0 },
  219: { width: 4, per: 0 },
  // array 16, 32
  220: { width: 2, per: 1 },
  221: { width: 4, per: 1 },
  // map 16, 32
  222: { width: 2, per: 2 },
  223: { width: 4, per: 2 },
}
