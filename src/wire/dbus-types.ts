/** Types of D-Bus as a signature writes them (D-Bus specification, "Type System"): `a{sv}` as a tree. */

/** `h`, the index of a file descriptor, is a number: none is ever passed. */
const basicCodes = ['y', 'b', 'n', 'q', 'i', 'u', 'x', 't', 'd', 'h', 's', 'o', 'g'] as const

export type BasicCode = (typeof basicCodes)[number]

export type DbusType =
  | { readonly kind: 'basic'; readonly code: BasicCode }
  | { readonly kind: 'variant' }
  | { readonly kind: 'array'; readonly of: DbusType }
  | { readonly kind: 'struct'; readonly fields: readonly DbusType[] }
  /** Of a dictionary: the type of an array's elements, and nothing else. */
  | { readonly kind: 'entry'; readonly key: DbusType; readonly value: DbusType }

export const signatureBytesMax = 255
/** Arrays within each other, and structs within each other; entries count as structs. */
const nestingMax = 32

const basicByCode: ReadonlyMap<string, DbusType> = new Map(
  basicCodes.map((code) => [code, { kind: 'basic', code }]),
)
const variant: DbusType = { kind: 'variant' }

/** The types one after the other, none for an empty text; null: it is no signature. */
export function parseSignature(text: string): readonly DbusType[] | null {
  if (text.length > signatureBytesMax) return null
  const parser = new Parser(text)
  const types: DbusType[] = []
  while (!parser.atEnd) {
    const type = parser.complete(0, 0)
    if (type === null) return null
    types.push(type)
  }
  return types
}

/** Of a variant: exactly one type. */
export function parseSingleType(text: string): DbusType | null {
  const types = parseSignature(text)
  return types?.length === 1 ? (types[0] ?? null) : null
}

/** Where values of a type begin: at a multiple of so many octets. */
export function alignmentOf(type: DbusType): 1 | 2 | 4 | 8 {
  switch (type.kind) {
    case 'basic':
      return alignments[type.code]
    case 'variant':
      return 1
    case 'array':
      return 4
    default:
      return 8
  }
}

const alignments: Readonly<Record<BasicCode, 1 | 2 | 4 | 8>> = {
  ...{ y: 1, b: 4, n: 2, q: 2, i: 4, u: 4, x: 8, t: 8, d: 8, h: 4 },
  ...{ s: 4, o: 4, g: 1 },
}

class Parser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length
  }

  /** `arrays`, `structs`: around it. */
  complete(arrays: number, structs: number): DbusType | null {
    const code = this.#text[this.#at] ?? ''
    this.#at += 1
    const basic = basicByCode.get(code)
    if (basic !== undefined) return basic
    if (code === 'v') return variant
    if (code === 'a' && arrays < nestingMax) return this.#array(arrays + 1, structs)
    if (code === '(' && structs < nestingMax) return this.#struct(arrays, structs + 1)
    return null
  }

  #array(arrays: number, structs: number): DbusType | null {
    if (this.#text[this.#at] !== '{') {
      const of = this.complete(arrays, structs)
      return of === null ? null : { kind: 'array', of }
    }
    if (structs >= nestingMax) return null
    this.#at += 1
    const key = this.complete(arrays, structs + 1)
    if (key?.kind !== 'basic') return null
    const value = this.complete(arrays, structs + 1)
    if (value === null || this.#text[this.#at] !== '}') return null
    this.#at += 1
    return { kind: 'array', of: { kind: 'entry', key, value } }
  }

  #struct(arrays: number, structs: number): DbusType | null {
    const fields: DbusType[] = []
    while (this.#text[this.#at] !== ')') {
      const field = this.complete(arrays, structs)
      if (field === null) return null
      fields.push(field)
    }
    this.#at += 1
    return fields.length === 0 ? null : { kind: 'struct', fields }
  }
}
