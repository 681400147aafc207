/**
 * From files to logical lines and braces. A stack holds what is still to be read: files that include one
 * another, turns of a sequence, further lines of a definition, the remainder of a line after a brace. What
 * is on top comes first, so the reading order is that of the text with everything unfolded in its place.
 *
 *   physical line → @id → $NAME= → ~SEQ ~LST → $NAME → include → cut at braces
 */

import type { Place } from '../place.ts'
import type { Diagnostic } from '../types.ts'
import type { World } from '../world.ts'
import { Definitions, isContinued, isRepetition } from './definitions.ts'
import { errorAt, warningAt } from './diagnostics.ts'
import {
  allChecks,
  checksOf,
  type Directive,
  type Found,
  findIncluded,
  type IncludeChecks,
  noChecks,
  parseInclude,
} from './include.ts'
import {
  filesMax,
  includeDepthMax,
  lineCharactersMax,
  linesMax,
  replacementsMax,
  replayDepthMax,
} from './limits.ts'
import { oddCharacters, withoutByteOrderMark } from './odd-characters.ts'
import { type ParsedRepetition, parseRepetition, type Repetition } from './sequences.ts'
import { placeAt, slice, standing, type Text, trim, uncomment } from './source.ts'
import type { LanguageOptions } from './tree-types.ts'
import { findBrace } from './words.ts'

export type Piece =
  | { readonly kind: 'line'; readonly source: Text }
  | { readonly kind: 'open' | 'close'; readonly place: Place }

type OpenFile = {
  readonly kind: 'file'
  readonly path: string
  /** '' or ending in a slash. */
  readonly directory: string
  /** With symbolic links resolved: what a circle of includes is recognised by. */
  readonly identity: string
  readonly lines: readonly string[]
  read: number
  /** What `include` demands here; forgotten at the end of the file. */
  checks: IncludeChecks
}

type Pending =
  | OpenFile
  | { readonly kind: 'texts'; readonly texts: readonly Text[]; read: number }
  | { readonly kind: 'turns'; readonly repetition: Repetition; read: number }

export class Lines {
  readonly diagnostics: Diagnostic[] = []
  readonly files: string[] = []
  /** `line:file` of lines whose open quote is reported already. */
  readonly #openQuotes = new Set<string>()
  /** Replaced when the configuration fixes a seed. */
  random: () => number
  readonly #world: World
  readonly #configId: string
  readonly #definitions: Definitions
  readonly #stack: Pending[] = []
  readonly #open: OpenFile[] = []
  /** What a file that is not included begins with. */
  readonly #outerChecks: IncludeChecks
  #count = 0
  #fileCount = 0

  constructor(world: World, options: LanguageOptions) {
    this.#world = world
    this.random = () => world.random()
    this.#outerChecks = options.includeAll ? allChecks : noChecks
    this.#configId = options.configId ?? world.hostname.split('.')[0] ?? ''
    this.#definitions = new Definitions({
      configId: this.#configId,
      environment: world.environment,
      directory: () => this.#directory(),
      random: () => this.random(),
      report: (diagnostic) => this.diagnostics.push(diagnostic),
    })
  }

  get checks(): IncludeChecks {
    return this.#open.at(-1)?.checks ?? this.#outerChecks
  }

  set checks(checks: IncludeChecks) {
    const file = this.#open.at(-1)
    if (file !== undefined) file.checks = checks
  }

  /** Reads this file next, before everything that is waiting. */
  push(file: Found): void {
    const { path } = file
    const opened: OpenFile = {
      kind: 'file',
      path,
      directory: path.slice(0, path.lastIndexOf('/') + 1),
      identity: this.#world.realpath(path) ?? path,
      lines: file.text.split('\n'),
      read: 0,
      checks: this.checks,
    }
    this.#fileCount++
    this.#open.push(opened)
    this.#stack.push(opened)
  }

  /** null: everything is read. */
  next(): Piece | null {
    for (let top = this.#stack.at(-1); top !== undefined; top = this.#stack.at(-1)) {
      const source = this.#take(top)
      if (source === null || source.text === '') continue
      if (!this.#within(source)) return null
      const piece = this.#process(source)
      if (piece !== null) return piece
    }
    return null
  }

  #take(top: Pending): Text | null {
    if (top.kind === 'file') return this.#takeLine(top)
    const at = top.read++
    const size = top.kind === 'texts' ? top.texts.length : top.repetition.turns
    if (at >= size - 1) this.#stack.pop()
    if (top.kind === 'texts') return top.texts[at] ?? null
    for (const [name, value] of top.repetition.binding(at)) this.#definitions.set(name, value)
    return top.repetition.rest
  }

  #takeLine(file: OpenFile): Text | null {
    const raw = file.lines[file.read]
    if (raw === undefined) {
      this.#stack.pop()
      this.#open.pop()
      this.#definitions.close()
      return null
    }
    if (file.read === 0) this.files.push(file.path)
    const line = ++file.read
    const bare = this.#unmarked(raw.replace(/\r+$/, ''), file.path, line)
    const refusal = unusable(bare, { file: file.path, line, column: 1 })
    if (refusal !== null) this.diagnostics.push(refusal)
    // An empty line ends a definition; one with blanks or a comment does not.
    if (bare === '') this.#definitions.close()
    if (refusal !== null || bare === '') return null
    const { source, openQuote } = uncomment(bare, file.path, line)
    if (openQuote !== null) this.unmatchedQuote(openQuote)
    this.diagnostics.push(...oddCharacters(source))
    return source
  }

  #unmarked(raw: string, path: string, lineNumber: number): string {
    if (lineNumber > 1) return raw
    const first = withoutByteOrderMark(raw, { file: path, line: 1, column: 1 })
    if (first.diagnostic !== null) this.diagnostics.push(first.diagnostic)
    return first.line
  }

  /** Reported once for a line: a quote that stays open is seen again when its words are split. */
  unmatchedQuote(place: Place): void {
    const key = `${place.line}:${place.file}`
    if (this.#openQuotes.has(key)) return
    this.#openQuotes.add(key)
    this.diagnostics.push(errorAt(place, 'unmatched-quote', 'nothing closes this quote'))
  }

  /** False once the configuration has unfolded beyond its limits; the rest is given up. */
  #within(source: Text): boolean {
    const full = ++this.#count > linesMax
    if (!full && this.#definitions.replacements <= replacementsMax) return true
    const limit = full ? `${linesMax} lines` : `${replacementsMax} replacements`
    const message = `the configuration unfolds into more than ${limit}; the rest is not read`
    this.#abandon(placeAt(source, 0), 'expansion-limit', message)
    return false
  }

  #abandon(place: Place, code: string, message: string): void {
    this.diagnostics.push(errorAt(place, code, message, 'fatal'))
    this.#stack.length = 0
    this.#open.length = 0
  }

  #process(line: Text): Piece | null {
    if (this.#definitions.open) {
      this.#definitions.append(line)
      return null
    }
    const source = this.#resolve(line)
    if (source === null || source.text === '') return null
    const include = parseInclude(source.text)
    if (include === null) return this.#cut(source)
    this.#include(source, include)
    return null
  }

  /** Conditions, definitions, repetitions and references; null when nothing of the line is left to parse. */
  #resolve(line: Text): Text | null {
    for (let source = line; ; ) {
      const kept = this.#condition(source)
      if (kept === null || this.#definitions.define(kept)) return null
      if (isRepetition(kept.text)) {
        this.#repeat(kept)
        return null
      }
      const result = this.#definitions.substitute(kept)
      if (result.kind === 'same') return kept
      if (result.kind !== 'changed') {
        this.#unusableReference(result.kind, result.place)
        return null
      }
      this.#pushTexts(result.rest)
      source = trim(result.source)
    }
  }

  #unusableReference(kind: 'too-long' | 'endless', place: Place): void {
    const [code, message] =
      kind === 'too-long'
        ? [
            'line-too-long',
            `with its references replaced the line exceeds ${lineCharactersMax} characters`,
          ]
        : ['bad-definition', 'this reference leads back to itself']
    this.diagnostics.push(errorAt(place, code ?? '', `${message}; the line is ignored`))
  }

  /** `@id rest` and `@^id rest`. */
  #condition(source: Text): Text | null {
    if (!source.text.startsWith('@')) return source
    const found = /^@(\^?)([^ \t]*)[ \t]+/.exec(source.text)
    if (found === null) return null
    const wanted = (found[2] === this.#configId) !== (found[1] === '^')
    return wanted ? slice(source, found[0].length) : null
  }

  #repeat(source: Text): void {
    const repetition: ParsedRepetition = parseRepetition(source, (text) =>
      this.#expanded(text, source),
    )
    const place = placeAt(source, 0)
    if (typeof repetition === 'string') {
      const message = `this is not a repetition: ${repetition}`
      this.diagnostics.push(errorAt(place, 'bad-sequence', message))
    } else if (this.#deep()) {
      this.#abandon(place, 'expansion-limit', 'repetitions and definitions lead into one another')
    } else if (repetition.rest.text !== '') {
      this.#stack.push({ kind: 'turns', repetition, read: 0 })
    }
  }

  /** The numbers of a sequence with their references replaced. */
  #expanded(text: string, from: Text): string {
    const result = this.#definitions.substitute(standing(text, placeAt(from, 0)))
    return result.kind === 'changed' && result.rest.length === 0 ? result.source.text : text
  }

  #pushTexts(texts: readonly Text[]): void {
    const first = texts[0]
    if (first === undefined) return
    if (this.#deep()) {
      const message = 'definitions lead into one another'
      this.#abandon(placeAt(first, 0), 'expansion-limit', message)
    } else this.#stack.push({ kind: 'texts', texts, read: 0 })
  }

  #deep(): boolean {
    return this.#stack.length - this.#open.length >= replayDepthMax
  }

  #include(source: Text, { keyword, operandAt }: Directive): void {
    const place = placeAt(source, operandAt)
    const pattern = source.text.slice(operandAt)
    const directory = this.#open.at(-1)?.directory ?? ''
    const checks = checksOf(keyword, this.checks)
    const search = findIncluded(this.#world, pattern, directory, checks, place)
    for (const diagnostic of search.diagnostics) this.diagnostics.push(diagnostic)
    for (const file of [...search.files].reverse()) this.#enter(file, place)
  }

  /** Files of one directive are pushed last first, and share the depth of the file that names them. */
  #enter(file: Found, place: Place): void {
    const identity = this.#world.realpath(file.path) ?? file.path
    const chain = this.#open.filter((open) => open.read > 0)
    if (chain.some((open) => open.identity === identity)) {
      const message = `${file.path} is being read already: it includes itself`
      this.diagnostics.push(errorAt(place, 'include-depth', message))
    } else if (chain.length >= includeDepthMax || this.#fileCount >= filesMax) {
      const message = `${file.path} is not read: beyond ${includeDepthMax} levels or ${filesMax} files`
      this.diagnostics.push(errorAt(place, 'include-depth', message, 'fatal'))
    } else this.push(file)
  }

  /** The directory of the file being read, as the system names it. */
  #directory(): string {
    const directory = this.#open.at(-1)?.directory ?? ''
    const plain = directory === '' ? '.' : directory.replace(/(?<=.)\/$/, '')
    return this.#world.realpath(plain) ?? plain
  }

  /** The first brace outside quotes is a piece of its own; what follows it is read as a line of its own. */
  #cut(source: Text): Piece | null {
    const at = findBrace(source.text)
    if (at < 0) {
      if (isContinued(source)) this.#strayBackslash(source)
      return { kind: 'line', source }
    }
    const place = placeAt(source, at)
    if (at > 0) {
      this.#pushTexts([slice(source, at)])
      return { kind: 'line', source: trim(slice(source, 0, at)) }
    }
    if (source.text.length > 1) this.#pushTexts([trim(slice(source, 1))])
    return { kind: source.text[0] === '{' ? 'open' : 'close', place }
  }

  #strayBackslash(source: Text): void {
    const place = placeAt(source, source.text.length - 1)
    const message =
      'a backslash continues a line only in a definition; here it is part of the last word'
    this.diagnostics.push(warningAt(place, 'stray-backslash', message, 'lost'))
  }
}

function unusable(raw: string, place: Place): Diagnostic | null {
  if (raw.includes('\0'))
    return errorAt(place, 'nul-in-line', 'the line holds a NUL character and is ignored')
  if (raw.length <= lineCharactersMax) return null
  const message = `the line has ${raw.length} characters, more than ${lineCharactersMax}, and is ignored`
  return errorAt(place, 'line-too-long', message)
}
