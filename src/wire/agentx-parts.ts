/**
 * What AgentX packets are made of (RFC 2741 section 5): object identifiers, octet strings, search ranges and values, each
 * a multiple of four octets long. Written in network byte order, read in the order that the packet states.
 */
import { concatBytes, viewOf } from '../base/bytes.ts'
import { type Oid, oidLengthMax } from './oid.ts'

/** A value of an object, or what is said in its place. Numbers are within 32 bits. */
export type Value =
  | { readonly type: 'integer'; readonly value: number }
  | {
      readonly type: 'counter32' | 'gauge32' | 'timeTicks'
      /** Unsigned; ticks are hundredths of a second. */
      readonly value: number
    }
  | { readonly type: 'counter64'; readonly value: bigint }
  | { readonly type: 'octets' | 'ipAddress' | 'opaque'; readonly value: Uint8Array }
  | { readonly type: 'oid'; readonly value: Oid }
  | { readonly type: 'null' | 'noSuchObject' | 'noSuchInstance' | 'endOfMibView' }

export type Binding = { readonly name: Oid; readonly value: Value }

/** From `start`, which belongs to it when `include` says so, to before `end`; an empty `end` is no bound. */
export type SearchRange = { readonly start: Oid; readonly include: boolean; readonly end: Oid }

const numbers: Readonly<Record<Value['type'], number>> = {
  integer: 2,
  octets: 4,
  null: 5,
  oid: 6,
  ipAddress: 64,
  counter32: 65,
  gauge32: 66,
  timeTicks: 67,
  opaque: 68,
  counter64: 70,
  noSuchObject: 128,
  noSuchInstance: 129,
  endOfMibView: 130,
}
const types = new Map(
  Object.entries(numbers).map(([type, number]) => [number, type as Value['type']]),
)

export function words(...values: readonly number[]): Uint8Array {
  const out = new Uint8Array(4 * values.length)
  const view = viewOf(out)
  values.forEach((value, at) => {
    view.setUint32(4 * at, value)
  })
  return out
}

/** 1.3.6.1 in front of most of them stands for nothing but its own length. */
const internet: Oid = [1, 3, 6, 1]
const prefixMax = 255

export function encodeOid(it: Oid, include = false): Uint8Array {
  const fifth = it[4] ?? 0
  const short =
    it.length > 4 &&
    fifth > 0 &&
    fifth <= prefixMax &&
    internet.every((number, at) => number === it[at])
  const rest = short ? it.slice(5) : it
  const head = Uint8Array.of(rest.length, short ? fifth : 0, include ? 1 : 0, 0)
  return concatBytes([head, words(...rest)])
}

export function encodeOctets(octets: Uint8Array): Uint8Array {
  const padding = new Uint8Array(-octets.length & 3)
  return concatBytes([words(octets.length), octets, padding])
}

export const encodeRange = ({ start, include, end }: SearchRange): Uint8Array =>
  concatBytes([encodeOid(start, include), encodeOid(end)])

export function encodeBinding({ name, value }: Binding): Uint8Array {
  const head = new Uint8Array(4)
  viewOf(head).setUint16(0, numbers[value.type])
  return concatBytes([head, encodeOid(name), encodeContent(value)])
}

function encodeContent(it: Value): Uint8Array {
  switch (it.type) {
    case 'integer':
    case 'counter32':
    case 'gauge32':
    case 'timeTicks':
      return words(it.value)
    case 'counter64': {
      const out = new Uint8Array(8)
      viewOf(out).setBigUint64(0, it.value)
      return out
    }
    case 'octets':
    case 'ipAddress':
    case 'opaque':
      return encodeOctets(it.value)
    case 'oid':
      return encodeOid(it.value)
    default:
      return new Uint8Array()
  }
}

export type PartReject = 'cut-off' | 'bad-oid' | 'bad-value'

/** Reads within the octets. The first fault stays; what is read after it is zero and empty. */
export class PartReader {
  fault: PartReject | null = null
  readonly #octets: Uint8Array
  readonly #view: DataView
  readonly #littleEndian: boolean
  #at = 0

  constructor(octets: Uint8Array, littleEndian: boolean) {
    this.#octets = octets
    this.#view = viewOf(octets)
    this.#littleEndian = littleEndian
  }

  get left(): number {
    return this.#octets.length - this.#at
  }

  byte(): number {
    return this.#skip(1) ? this.#view.getUint8(this.#at - 1) : 0
  }

  short(): number {
    return this.#skip(2) ? this.#view.getUint16(this.#at - 2, this.#littleEndian) : 0
  }

  word(): number {
    return this.#skip(4) ? this.#view.getUint32(this.#at - 4, this.#littleEndian) : 0
  }

  oid(): { readonly oid: Oid; readonly include: boolean } {
    const count = this.byte()
    const prefix = this.byte()
    const include = this.byte() !== 0
    this.byte()
    const front = prefix === 0 ? [] : [...internet, prefix]
    if (front.length + count > oidLengthMax) this.#fail('bad-oid')
    if (4 * count > this.left) this.#fail('cut-off')
    if (this.fault !== null) return { oid: [], include: false }
    return { oid: [...front, ...Array.from({ length: count }, () => this.word())], include }
  }

  octets(): Uint8Array {
    const length = this.word()
    const from = this.#at
    return this.#skip(length + (-length & 3))
      ? this.#octets.slice(from, from + length)
      : new Uint8Array()
  }

  ranges(): readonly SearchRange[] {
    const out: SearchRange[] = []
    while (this.left > 0 && this.fault === null) {
      const { oid: start, include } = this.oid()
      out.push({ start, include, end: this.oid().oid })
    }
    return out
  }

  bindings(): readonly Binding[] {
    const out: Binding[] = []
    while (this.left > 0 && this.fault === null) {
      const number = this.short()
      this.short()
      const name = this.oid().oid
      out.push({ name, value: this.#value(number) })
    }
    return out
  }

  #value(number: number): Value {
    const type = types.get(number)
    switch (type) {
      case undefined:
        this.#fail('bad-value')
        return { type: 'null' }
      case 'integer':
        return { type, value: this.word() | 0 }
      case 'counter32':
      case 'gauge32':
      case 'timeTicks':
        return { type, value: this.word() }
      case 'counter64':
        return {
          type,
          value: this.#skip(8) ? this.#view.getBigUint64(this.#at - 8, this.#littleEndian) : 0n,
        }
      case 'ipAddress': {
        const value = this.octets()
        if (value.length !== 4) this.#fail('bad-value')
        return { type, value }
      }
      case 'octets':
      case 'opaque':
        return { type, value: this.octets() }
      case 'oid':
        return { type, value: this.oid().oid }
      default:
        return { type }
    }
  }

  #skip(count: number): boolean {
    if (count > this.left) this.#fail('cut-off')
    if (this.fault !== null) return false
    this.#at += count
    return true
  }

  #fail(why: PartReject): void {
    this.fault ??= why
  }
}
