/**
 * Values of D-Bus ↔ octets (D-Bus specification, "Marshaling"). What a signature says decides how a value is written: a
 * number, `x` and `t` a bigint; text; an array; a struct and an entry of a dictionary as an array of their fields.
 */
import { viewOf } from '../base/bytes.ts'
import {
  alignmentOf,
  type BasicCode,
  type DbusType,
  parseSignature,
  parseSingleType,
} from './dbus-types.ts'
import { accept, type Decoded, reject } from './decoded.ts'

export type DbusValue = number | bigint | boolean | string | DbusVariant | readonly DbusValue[]

/** `signature`: of one type. */
export type DbusVariant = { readonly signature: string; readonly value: DbusValue }

export type DbusValueReject =
  | 'cut-off'
  | 'bad-padding'
  | 'bad-signature'
  | 'bad-boolean'
  | 'bad-text'
  | 'bad-array'
  | 'too-deep'
  | 'left-over'

/** Containers within each other, variants counted. */
const depthMax = 64
const arrayBytesMax = 64 * 1024 * 1024

/** All values of a signature, little-endian; null: they do not belong to it. The first one is aligned in its message. */
export function encodeValues(signature: string, values: readonly DbusValue[]): Uint8Array | null {
  const types = parseSignature(signature)
  if (types === null || types.length !== values.length) return null
  const writer = new Writer()
  for (const [i, type] of types.entries()) writer.value(type, values[i] ?? null)
  return writer.finish()
}

/** Nothing may be left over. */
export function decodeValues(
  signature: string,
  octets: Uint8Array,
  littleEndian: boolean,
): Decoded<readonly DbusValue[], DbusValueReject> {
  const types = parseSignature(signature)
  if (types === null) return reject('bad-signature')
  const reader = new Reader(octets, littleEndian)
  const values = types.map((type) => reader.value(type, 0))
  if (reader.fault === null && reader.left > 0) return reject('left-over')
  return reader.fault === null ? accept(values) : reject(reader.fault)
}

type Fixed = { readonly bytes: number; readonly get: Get; readonly set: Set }
type Get = (view: DataView, at: number, little: boolean) => DbusValue
type Set = (view: DataView, at: number, value: DbusValue) => boolean

const whole = (value: DbusValue, least: number, most: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most

const fixed: Readonly<Record<Exclude<BasicCode, 's' | 'o' | 'g'>, Fixed>> = {
  y: number(1, 0, 255, 'getUint8', 'setUint8'),
  b: {
    bytes: 4,
    get: (view, at, little) => view.getUint32(at, little),
    set: (view, at, value) => {
      view.setUint32(at, value === true ? 1 : 0, true)
      return typeof value === 'boolean'
    },
  },
  n: number(2, -0x8000, 0x7fff, 'getInt16', 'setInt16'),
  q: number(2, 0, 0xffff, 'getUint16', 'setUint16'),
  i: number(4, -0x8000_0000, 0x7fff_ffff, 'getInt32', 'setInt32'),
  u: number(4, 0, 0xffff_ffff, 'getUint32', 'setUint32'),
  h: number(4, 0, 0xffff_ffff, 'getUint32', 'setUint32'),
  x: big(-(2n ** 63n), 2n ** 63n - 1n, 'getBigInt64', 'setBigInt64'),
  t: big(0n, 2n ** 64n - 1n, 'getBigUint64', 'setBigUint64'),
  d: {
    bytes: 8,
    get: (view, at, little) => view.getFloat64(at, little),
    set: (view, at, value) => {
      if (typeof value !== 'number') return false
      view.setFloat64(at, value, true)
      return true
    },
  },
}

function number(
  bytes: number,
  least: number,
  most: number,
  get: 'getUint8' | 'getInt16' | 'getUint16' | 'getInt32' | 'getUint32',
  set: 'setUint8' | 'setInt16' | 'setUint16' | 'setInt32' | 'setUint32',
): Fixed {
  return {
    bytes,
    get: (view, at, little) => view[get](at, little),
    set: (view, at, value) => {
      if (!whole(value, least, most)) return false
      view[set](at, value, true)
      return true
    },
  }
}

function big(
  least: bigint,
  most: bigint,
  get: 'getBigInt64' | 'getBigUint64',
  set: 'setBigInt64' | 'setBigUint64',
): Fixed {
  return {
    bytes: 8,
    get: (view, at, little) => view[get](at, little),
    set: (view, at, value) => {
      if (typeof value !== 'bigint' || value < least || value > most) return false
      view[set](at, value, true)
      return true
    },
  }
}

/** Little-endian. */
class Writer {
  #octets = new Uint8Array(256)
  #at = 0
  #ok = true

  /** null: some value did not belong to its type. */
  finish(): Uint8Array | null {
    return this.#ok ? this.#octets.slice(0, this.#at) : null
  }

  value(type: DbusType, value: DbusValue | null): void {
    if (value === null || !this.#ok) this.#ok = false
    else if (type.kind === 'basic') this.#basic(type.code, value)
    else if (type.kind === 'variant') this.#variant(value)
    else if (type.kind === 'array') this.#array(type.of, value)
    else if (type.kind === 'entry') this.#fields([type.key, type.value], value)
    else this.#fields(type.fields, value)
  }

  #basic(code: BasicCode, value: DbusValue): void {
    if (code === 's' || code === 'o' || code === 'g') return this.#text(code, value)
    const { bytes, set } = fixed[code]
    this.#align(bytes)
    const at = this.#grow(bytes)
    if (!set(viewOf(this.#octets), at, value)) this.#ok = false
  }

  #text(code: 's' | 'o' | 'g', value: DbusValue): void {
    if (typeof value !== 'string' || !isText(code, value)) {
      this.#ok = false
      return
    }
    const octets = new TextEncoder().encode(value)
    if (code === 'g') this.#basic('y', octets.length)
    else this.#basic('u', octets.length)
    const at = this.#grow(octets.length + 1)
    this.#octets.set(octets, at)
  }

  #variant(value: DbusValue): void {
    const type = isVariant(value) ? parseSingleType(value.signature) : null
    if (type === null || !isVariant(value)) {
      this.#ok = false
      return
    }
    this.#text('g', value.signature)
    this.value(type, value.value)
  }

  #array(of: DbusType, value: DbusValue): void {
    if (!isList(value)) {
      this.#ok = false
      return
    }
    this.#align(4)
    const lengthAt = this.#grow(4)
    this.#align(alignmentOf(of))
    const from = this.#at
    for (const element of value) this.value(of, element)
    if (this.#at - from > arrayBytesMax) this.#ok = false
    viewOf(this.#octets).setUint32(lengthAt, this.#at - from, true)
  }

  #fields(types: readonly DbusType[], value: DbusValue): void {
    if (!isList(value) || value.length !== types.length) {
      this.#ok = false
      return
    }
    this.#align(8)
    for (const [i, type] of types.entries()) this.value(type, value[i] ?? null)
  }

  #align(to: number): void {
    this.#grow((to - (this.#at % to)) % to)
  }

  /** Where the new octets, which are zero, begin. */
  #grow(bytes: number): number {
    const at = this.#at
    this.#at += bytes
    if (this.#at > this.#octets.length) {
      const larger = new Uint8Array(Math.max(this.#at, 2 * this.#octets.length))
      larger.set(this.#octets)
      this.#octets = larger
    }
    return at
  }
}

class Reader {
  fault: DbusValueReject | null = null
  readonly #octets: Uint8Array
  readonly #view: DataView
  readonly #little: boolean
  #at = 0

  constructor(octets: Uint8Array, little: boolean) {
    this.#octets = octets
    this.#view = viewOf(octets)
    this.#little = little
  }

  get left(): number {
    return this.#octets.length - this.#at
  }

  /** Anything once there is a fault. */
  value(type: DbusType, depth: number): DbusValue {
    if (this.fault !== null) return 0
    if (depth > depthMax) return this.#fail('too-deep')
    switch (type.kind) {
      case 'basic':
        return this.#basic(type.code)
      case 'variant':
        return this.#variant(depth)
      case 'array':
        return this.#array(type.of, depth)
      case 'entry':
        return this.#fields([type.key, type.value], depth)
      case 'struct':
        return this.#fields(type.fields, depth)
    }
  }

  #basic(code: BasicCode): DbusValue {
    if (code === 's' || code === 'o' || code === 'g') return this.#text(code)
    const { bytes, get } = fixed[code]
    const at = this.#take(bytes, bytes)
    if (at === null) return 0
    const value = get(this.#view, at, this.#little)
    if (code !== 'b') return value
    return value === 0 || value === 1 ? value === 1 : this.#fail('bad-boolean')
  }

  #text(code: 's' | 'o' | 'g'): string {
    const length = Number(this.#basic(code === 'g' ? 'y' : 'u'))
    const at = this.#take(1, length + 1)
    if (at === null) return ''
    const octets = this.#octets.subarray(at, at + length)
    try {
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets)
      if (this.#octets[at + length] === 0 && isText(code, text)) return text
    } catch {
      // Not UTF-8.
    }
    this.#fail('bad-text')
    return ''
  }

  #variant(depth: number): DbusValue {
    const signature = this.#text('g')
    const type = parseSingleType(signature)
    if (type === null) return this.#fail('bad-signature')
    return { signature, value: this.value(type, depth + 1) }
  }

  #array(of: DbusType, depth: number): DbusValue {
    const length = Number(this.#basic('u'))
    // The padding before the first element is there in an empty array too, and is not counted.
    this.#take(alignmentOf(of), 0)
    if (this.fault !== null) return 0
    if (length > arrayBytesMax) return this.#fail('bad-array')
    if (length > this.left) return this.#fail('cut-off')
    const end = this.#at + length
    const values: DbusValue[] = []
    while (this.fault === null && this.#at < end) values.push(this.value(of, depth + 1))
    return this.fault === null && this.#at !== end ? this.#fail('bad-array') : values
  }

  #fields(types: readonly DbusType[], depth: number): DbusValue {
    this.#take(8, 0)
    return types.map((type) => this.value(type, depth + 1))
  }

  /** Where they begin; null: they are not there, or not aligned with zeros. */
  #take(align: number, bytes: number): number | null {
    if (this.fault !== null) return null
    const at = this.#at + ((align - (this.#at % align)) % align)
    if (at + bytes > this.#octets.length) {
      this.#fail('cut-off')
      return null
    }
    if (this.#octets.subarray(this.#at, at).some((octet) => octet !== 0)) {
      this.#fail('bad-padding')
      return null
    }
    this.#at = at + bytes
    return at
  }

  #fail(fault: DbusValueReject): 0 {
    this.fault ??= fault
    return 0
  }
}

export const isVariant = (value: DbusValue): value is DbusVariant =>
  typeof value === 'object' && 'signature' in value

export const isList = (value: DbusValue): value is readonly DbusValue[] => Array.isArray(value)

const isObjectPath = (text: string): boolean => /^\/$|^(\/[A-Za-z0-9_]+)+$/.test(text)

function isText(code: 's' | 'o' | 'g', text: string): boolean {
  if (code === 'o') return isObjectPath(text)
  if (code === 'g') return parseSignature(text) !== null
  return !text.includes('\0')
}
