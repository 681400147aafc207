/** The words of a route or a rule, one after the other, and the values that both have. */
import { type Family, type Ip, ipBytes, ipFamily, ipFromBytes, parseIp } from '../../base/ip.ts'
import type { Prefix, Range } from '../../base/routing.ts'
import type { Lowering } from '../draft/report.ts'
import type { Node, Word } from '../language/tree-types.ts'
import { type NameTable, numberOfName } from './routing-names.ts'

const u32Max = 0xffff_ffff

/** Ends the reading of an entry: what is wrong has been said. */
export class EntryDropped extends Error {}

export class RoutingWords {
  readonly lowering: Lowering
  readonly what: string
  readonly #words: readonly Word[]
  #at = 0

  constructor(node: Node, what: string, lowering: Lowering) {
    this.#words = [node.keyword, ...node.args]
    this.what = what
    this.lowering = lowering
  }

  /** As the operator wrote it. */
  get text(): string {
    return this.#words.map(({ text }) => text).join(' ')
  }

  next(): Word | null {
    const word = this.#words[this.#at] ?? null
    this.#at += 1
    return word
  }

  /** Takes the next word if it is that one. */
  skip(...texts: readonly string[]): boolean {
    const found = texts.includes(this.#words[this.#at]?.text ?? '')
    if (found) this.#at += 1
    return found
  }

  peek(): string | null {
    return this.#words[this.#at]?.text ?? null
  }

  /** The value of a word; without one keepalived's parser ends on the spot. */
  value(of: Word): Word {
    const word = this.next()
    if (word !== null) return word
    this.lowering.missingOperand(of, `${of.text} of a ${this.what} needs a value`)
    throw new EntryDropped()
  }

  /** Said, and the whole entry is left out. */
  drop(at: Word, code: string, message: string): never {
    this.lowering.error(at, code, `${message}; the ${this.what} is left out`)
    throw new EntryDropped()
  }

  /** Decimal, octal or hexadecimal. */
  number(of: Word, min = 0, max = u32Max): number {
    return this.numberFrom(this.value(of), of.text, min, max)
  }

  numberFrom(word: Word, name: string, min: number, max: number): number {
    const number = readNumber(word.text)
    if (number !== null && number >= min && number <= max) return number
    return this.drop(word, 'bad-number', `${name} ${word.text} is not in ${min}..${max}`)
  }

  u64(of: Word): bigint {
    const word = this.value(of)
    const number = /^(0[xX][\da-fA-F]+|\d+)$/.test(word.text) ? BigInt(word.text) : null
    if (number !== null && number < 1n << 64n) return number
    return this.drop(word, 'bad-number', `${of.text} ${word.text} is no number of 64 bits`)
  }

  /** A number, or a name of iproute2's files. */
  named(of: Word, table: NameTable, max: number): number {
    const word = this.value(of)
    return this.namedFrom(word, word.text, of.text, table, max)
  }

  namedFrom(at: Word, text: string, name: string, table: NameTable, max: number): number {
    const number = readNumber(text) ?? numberOfName(table, text, this.lowering.world)
    if (number !== null && number <= max) return number
    const message = `${name} ${text} is neither a number in 0..${max} nor a name in ${table} of iproute2`
    return this.drop(at, 'bad-name', message)
  }

  /** 'A', or 'FROM/TO' as FROM << 16 | TO. */
  realms(of: Word): number {
    const word = this.value(of)
    const [first = '', second] = word.text.split('/')
    const read = (text: string) => this.namedFrom(word, text, of.text, 'rt_realms', 255)
    return second === undefined ? read(first) : read(first) * 0x1_0000 + read(second)
  }

  /** 'A-B'; also 'A' alone where that means A-A. */
  range(of: Word, max: number, alone: boolean): Range {
    const word = this.value(of)
    const [, first = '', , second] = /^(\d+)(-(\d+))?$/.exec(word.text) ?? []
    if (first === '' || (second === undefined && !alone))
      this.drop(word, 'bad-number', `${of.text} ${word.text} is no range FROM-TO`)
    const [from, to] = [Number(first), Number(second ?? first)]
    if (from > to || to > max)
      this.drop(word, 'bad-number', `${of.text} ${word.text} is no range in 0..${max}`)
    return { from, to }
  }

  /** An interface that is named must exist unless dynamic_interfaces says otherwise. */
  interface(of: Word): string {
    const word = this.value(of)
    if (word.text.length > 15)
      this.drop(word, 'no-interface', `${word.text} is too long for the name of an interface`)
    if (this.lowering.interfaceIsMissing(word.text)) {
      const message = `interface ${word.text} of the ${this.what} ${this.text} does not exist`
      this.lowering.missingInterface(word, message)
    }
    return word.text
  }

  /** `inet6` and `inet` may stand before it. */
  address(of: Word): Ip {
    this.skip('inet', 'inet6')
    const word = this.value(of)
    const address = parseIp(word.text)
    return address ?? this.drop(word, 'bad-address', `${word.text} is not an IP address`)
  }

  /** ADDR[/LEN], default, any, all; null: the word is none. `family`: of the words that name no address. */
  prefixFrom(word: Word, family: Family): Prefix | null {
    const { text } = word
    if (text === 'default6') return { address: everywhere[6], length: 0 }
    if (['default', 'any', 'all'].includes(text)) return { address: everywhere[family], length: 0 }
    const [before = '', after] = text.split('/')
    const address = parseIp(before)
    if (address === null || text.split('/').length > 2) return null
    const longest = ipFamily(address) === 4 ? 32 : 128
    const length = after === undefined ? longest : readNumber(after)
    if (length === null) return null
    if (length > longest) {
      const message = `prefix length ${length} is not in 0..${longest}; ${longest} is used`
      this.lowering.error(word, 'bad-number', message)
    }
    return networkOf(address, Math.min(length, longest))
  }

  prefix(of: Word, family: Family): Prefix {
    const word = this.value(of)
    const found = this.prefixFrom(word, family)
    return found ?? this.drop(word, 'bad-address', `${word.text} is not an address or network`)
  }
}

const everywhere = { 4: '0.0.0.0' as Ip, 6: '::' as Ip }

export function readNumber(text: string): number | null {
  if (!/^(0[xX][\da-fA-F]+|\d+)$/.test(text)) return null
  const number = Number(/^0\d/.test(text) ? `0o${text.slice(1)}` : text)
  return Number.isNaN(number) ? null : number
}

/** Host bits are cut, which the kernel refuses in a route. */
function networkOf(address: Ip, length: number): Prefix {
  const bytes = ipBytes(address).map((octet, i) => {
    const bits = Math.min(8, Math.max(0, length - 8 * i))
    return octet & (0xff << (8 - bits))
  })
  return { address: ipFromBytes(bytes), length }
}
