/**
 * `$NAME=value` and what becomes of `$NAME` and `${NAME}`. A value is kept as written and expanded where it
 * is used, so it may name what is defined later. A definition of several lines is used by a reference that
 * ends its line: the first line takes the reference's place, the others follow as lines of their own.
 */

import type { Place } from '../place.ts'
import type { Diagnostic } from '../types.ts'
import { noteAt, warningAt } from './diagnostics.ts'
import { lineCharactersMax, replacementsPerLineMax } from './limits.ts'
import { placeAt, slice, standing, type Text, TextBuilder, trim } from './source.ts'

/** The lines that stand for the name; none while the first is still to come. */
type Definition = string[]

/** What the built-in names need to know. `directory` is that of the file being read. */
type Surroundings = {
  readonly configId: string
  readonly environment: Readonly<Record<string, string | undefined>>
  directory(): string
  /** 0 ≤ n < 1. */
  random(): number
  report(diagnostic: Diagnostic): void
}

/** `too-long` and `endless`: the line cannot be used. `rest`: lines that a definition adds after this one. */
type Substituted =
  | { readonly kind: 'same' }
  | { readonly kind: 'changed'; readonly source: Text; readonly rest: readonly Text[] }
  | { readonly kind: 'too-long' | 'endless'; readonly place: Place }

type Reference = {
  readonly name: string
  readonly length: number
  readonly operands: string
}

const definitionStart = /^\$([A-Za-z_][A-Za-z0-9_]*)=/
const braced = /^\$\{([A-Za-z_][A-Za-z0-9_]*)( [^{}$]*)?\}/
const bare = /^\$([A-Za-z_][A-Za-z0-9_]*)(?=[ \t/,)]|$)/

export class Definitions {
  readonly #byName = new Map<string, Definition>()
  readonly #around: Surroundings
  /** The definition whose lines are still coming. */
  #open: Definition | null = null
  #replacements = 0

  constructor(around: Surroundings) {
    this.#around = around
  }

  /** True while the lines that come belong to a definition and must go to `append`. */
  get open(): boolean {
    return this.#open !== null
  }

  get replacements(): number {
    return this.#replacements
  }

  set(name: string, value: string): void {
    this.#byName.set(name, [value])
  }

  /** True when the line is a definition; it is remembered, and stays open when the line is continued. */
  define(source: Text): boolean {
    const start = definitionStart.exec(source.text)
    if (start === null) return false
    const value = trim(slice(source, start[0].length, textEnd(source))).text
    const continued = isContinued(source)
    const definition = continued && value === '' ? [] : [value]
    this.#byName.set(start[1] ?? '', definition)
    this.#open = continued ? definition : null
    return true
  }

  append(source: Text): void {
    const line = trim(slice(source, 0, textEnd(source))).text
    if (line !== '') this.#open?.push(line)
    if (!isContinued(source)) this.#open = null
  }

  /** Lines of a definition do not cross the end of the file that it is in. */
  close(): void {
    this.#open = null
  }

  /** Replaces every reference, also those in the values, until none is left that has a definition. */
  substitute(line: Text): Substituted {
    return line.text.includes('$') ? this.#substitute(line) : unchanged
  }

  #substitute(line: Text): Substituted {
    const scan = new Scan(line)
    let rest: readonly Text[] = []
    for (let count = 0; scan.toNextDollar(); ) {
      const place = scan.place
      const reference = referenceAt(scan.ahead)
      const lines = reference === null ? null : this.#linesOf(reference, scan.ahead.length, place)
      if (reference === null || lines === null) {
        scan.keep(1)
        continue
      }
      this.#replacements++
      if (++count > replacementsPerLineMax) return { kind: 'endless', place }
      scan.replace(reference.length, lines[0] ?? '')
      rest = [...lines.slice(1).map((text) => standing(text, place)), ...rest]
      if (scan.length > lineCharactersMax) return { kind: 'too-long', place }
      if (scan.atStart && isRepetition(scan.ahead)) break
    }
    return scan.changed ? { kind: 'changed', source: scan.finish(), rest } : unchanged
  }

  /** null: not a name that means something here, so the reference stays as written. */
  #linesOf(reference: Reference, remaining: number, place: Place): readonly string[] | null {
    const definition = this.#byName.get(reference.name)
    if (definition === undefined) return this.#builtIn(reference, place)
    if (reference.operands !== '') return null
    return definition.length > 1 && reference.length !== remaining ? null : definition
  }

  #builtIn({ name, operands }: Reference, place: Place): readonly string[] | null {
    if (name === '_RANDOM') return this.#randomNumber(operands)
    if (name === '_ENV') return this.#environment(operands, place)
    if (operands !== '') return null
    if (name === '_PWD') return [this.#around.directory()]
    if (name === '_INSTANCE') return [this.#around.configId]
    if (name === '_HASH') return ['#']
    return name === '_BANG' ? ['!'] : null
  }

  #randomNumber(operands: string): readonly string[] | null {
    if (!/^( +\d{1,10}){0,2}$/.test(operands)) return null
    const [a = 0, b = 32_767] = (operands.match(/\d+/g) ?? []).map(Number)
    const min = Math.min(a, b)
    const span = Math.max(a, b) - min + 1
    return [String(min + Math.floor(this.#around.random() * span))]
  }

  #environment(operands: string, place: Place): readonly string[] | null {
    const name = /^ +([A-Za-z_][A-Za-z0-9_]*)$/.exec(operands)?.[1]
    if (name === undefined) return null
    const value = this.#around.environment[name]
    if (value === undefined) {
      const message = `the environment has no variable ${name}; nothing is put in its place`
      this.#around.report(warningAt(place, 'unset-environment', message, 'lost'))
    }
    if (value?.includes('\n')) {
      const message = `only the first line of the environment variable ${name} is used`
      this.#around.report(noteAt(place, 'multiline-environment', message))
    }
    return [value?.split('\n')[0] ?? '']
  }
}

/** With or without blanks behind it, a backslash at the end of a line of a definition says that more follow. */
export const isContinued = (source: Text): boolean => source.text.endsWith('\\')

/** A repetition binds its variables before the rest of its line is looked at. */
export const isRepetition = (text: string): boolean => /^~(SEQ|LST)/.test(text)

const textEnd = (source: Text): number => source.text.length - (isContinued(source) ? 1 : 0)

function referenceAt(text: string): Reference | null {
  const found = (text[1] === '{' ? braced : bare).exec(text)
  if (found === null) return null
  return { name: found[1] ?? '', length: found[0].length, operands: found[2] ?? '' }
}

const unchanged: Substituted = { kind: 'same' }

/** A line being read from left to right, where what replaces a reference is read again. */
class Scan {
  /** What is still to be read: first `#put` characters that stand for a reference, then the line's own. */
  ahead: string
  changed = false
  readonly #line: Text
  readonly #done: TextBuilder
  #put = 0
  #putColumn = 0

  constructor(line: Text) {
    this.#line = line
    this.#done = new TextBuilder(line)
    this.ahead = line.text
  }

  get length(): number {
    return this.#done.length + this.ahead.length
  }

  get atStart(): boolean {
    return this.#done.length === 0
  }

  /** Where the next character, or the reference that it comes from, is written. */
  get place(): Place {
    const here = placeAt(this.#line, this.#at)
    return this.#put > 0 ? { ...here, column: this.#putColumn } : here
  }

  /** Offset in the line of what follows the replaced characters. */
  get #at(): number {
    return this.#line.text.length - (this.ahead.length - this.#put)
  }

  /** False: there is none. */
  toNextDollar(): boolean {
    const distance = this.ahead.indexOf('$')
    if (distance > 0) this.keep(distance)
    return distance >= 0
  }

  keep(count: number): void {
    const put = Math.min(count, this.#put)
    this.#done.stand(this.ahead.slice(0, put), this.#putColumn)
    this.#done.keep(this.#at, this.#at + count - put)
    this.#put -= put
    this.ahead = this.ahead.slice(count)
  }

  replace(count: number, by: string): void {
    this.#putColumn = this.place.column
    this.#put = Math.max(0, this.#put - count) + by.length
    this.ahead = by + this.ahead.slice(count)
    this.changed = true
  }

  finish(): Text {
    this.keep(this.ahead.length)
    return this.#done.build()
  }
}
