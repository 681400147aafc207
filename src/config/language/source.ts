/**
 * The lowest layer of the language: a file as trimmed lines without comments. Text that remembers where
 * each of its characters was written is the idea that all layers above share: cutting, removing an escape
 * or replacing a reference keeps the place, so any word of any later stage can be pointed at in the file.
 */
import type { Place } from '../place.ts'

/** From offset `at` on, characters were written at `column`, one column each (step 1) or all there (0). */
type Span = { readonly at: number; readonly column: number; readonly step: 0 | 1 }

/** A piece of one line of one file. Never empty of spans. */
export type Text = {
  readonly text: string
  readonly spans: readonly Span[]
  readonly file: string
  /** 1-based. */
  readonly line: number
  /** A comment begins right behind it, without a blank between: `abc#def`. */
  readonly glued: boolean
}

/** A line as it is written. */
function literal(text: string, file: string, line: number): Text {
  return { text, spans: [{ at: 0, column: 1, step: 1 }], file, line, glued: false }
}

/** The same without the blanks at both ends. Most lines of a file need no more, so it is made in one step. */
function trimmedLiteral(raw: string, file: string, line: number): Text {
  const from = firstInk(raw)
  const text = raw.slice(from, inkEnd(raw, from))
  return { text, spans: [{ at: 0, column: from + 1, step: 1 }], file, line, glued: false }
}

/** Text that was not written here but stands for what is written at `place`. */
export function standing(text: string, place: Place): Text {
  const spans: readonly Span[] = [{ at: 0, column: place.column, step: 0 }]
  return { text, spans, file: place.file, line: place.line, glued: false }
}

export function placeAt(source: Text, offset: number): Place {
  const { spans, file, line } = source
  // Of nearly every text there is one span. This is called for each word of a file.
  let span = spans[0]
  for (let i = 1; i < spans.length; i++) {
    const next = spans[i]
    if (next !== undefined && next.at <= offset) span = next
  }
  const column =
    span === undefined || span.at > offset ? 1 : span.column + (offset - span.at) * span.step
  return { file, line, column }
}

export function slice(source: Text, from: number, to = source.text.length): Text {
  const { file, line } = source
  return {
    text: source.text.slice(from, to),
    spans: spansBetween(source.spans, from, to, 0),
    file,
    line,
    glued: source.glued && to === source.text.length,
  }
}

/** A line that is put together from pieces, each of which keeps its places. */
export class TextBuilder {
  readonly #line: Text
  readonly #spans: Span[] = []
  #text = ''

  constructor(line: Text) {
    this.#line = line
  }

  get length(): number {
    return this.#text.length
  }

  /** [from, to) of the line. */
  keep(from: number, to: number): void {
    if (from >= to) return
    this.#spans.push(...spansBetween(this.#line.spans, from, to, this.#text.length))
    this.#text += this.#line.text.slice(from, to)
  }

  /** Text that stands for what is written at `column`. */
  stand(text: string, column: number): void {
    if (text === '') return
    this.#spans.push({ at: this.#text.length, column, step: 0 })
    this.#text += text
  }

  build(): Text {
    const spans = this.#spans.length > 0 ? this.#spans : this.#line.spans.slice(0, 1)
    return { ...this.#line, text: this.#text, spans }
  }
}

function spansBetween(spans: readonly Span[], from: number, to: number, shift: number): Span[] {
  const kept: Span[] = []
  for (let i = 0; i < spans.length; i++) {
    const span = spans[i]
    const end = spans[i + 1]?.at ?? Number.POSITIVE_INFINITY
    if (span === undefined || end <= from || (span.at >= to && span.at > from)) continue
    const cut = Math.max(0, from - span.at)
    kept.push({
      at: span.at + cut - from + shift,
      column: span.column + cut * span.step,
      step: span.step,
    })
  }
  return kept
}

export const isBlank = (char: string | undefined): boolean =>
  char === ' ' || char === '\t' || char === '\r' || char === '\f' || char === '\v'

/** Without blanks at both ends. The backslash of a continued line counts as its end. */
export function trim(source: Text): Text {
  const { text } = source
  const from = firstInk(text)
  const to = inkEnd(text, from)
  return from === 0 && to === text.length ? source : slice(source, from, to)
}

/** Offset of the first character that is no blank; the length where there is none. */
function firstInk(text: string): number {
  let from = 0
  while (from < text.length && isBlank(text[from])) from++
  return from
}

/** Offset behind the last character that is no blank, `from` at least. */
function inkEnd(text: string, from: number): number {
  let to = text.length
  while (to > from && isBlank(text[to - 1])) to--
  return to
}

/** `openQuote`: where the double quote stands that nothing closes. */
type Uncommented = { readonly source: Text; readonly openQuote: Place | null }

/**
 * Removes the comment, the backslash of `\#` and `\!`, and the blanks around. Only double quotes protect
 * from comments, and only outside them is `\#` an escape. A backslash at the very end of the line, in a
 * comment too, is kept without the blanks before it: it continues the lines of a definition.
 */
export function uncomment(raw: string, file: string, line: number): Uncommented {
  if (!/[!#"\\]/.test(raw)) return { source: trimmedLiteral(raw, file, line), openQuote: null }
  const found = scan(raw)
  const uncut = slice(literal(raw, file, line), 0, found.end)
  let source = trim(withoutEscapes(uncut, found.escapes))
  if (found.continued) {
    const backslash: Span = { at: source.text.length, column: raw.length, step: 1 }
    const before = source.text === '' ? [] : source.spans
    source = { ...source, text: `${source.text}\\`, spans: [...before, backslash] }
  }
  const openQuote = found.quoteAt < 0 ? null : { file, line, column: found.quoteAt + 1 }
  const glued = isCommentStart(raw[found.end]) && found.end > 0 && !isBlank(raw[found.end - 1])
  return { source: glued ? { ...source, glued } : source, openQuote }
}

function withoutEscapes(source: Text, escapes: readonly number[]): Text {
  if (escapes.length === 0) return source
  const builder = new TextBuilder(source)
  let from = 0
  for (const at of escapes) {
    builder.keep(from, at)
    from = at + 1
  }
  builder.keep(from, source.text.length)
  return builder.build()
}

type Scan = {
  /** Offset of the comment, or of the backslash that continues the line, or the length. */
  readonly end: number
  /** Offsets of the backslashes that keep `#` or `!` from starting a comment. */
  readonly escapes: number[]
  readonly continued: boolean
  /** Offset of the quote that stays open; −1: none. */
  readonly quoteAt: number
}

function scan(raw: string): Scan {
  const escapes: number[] = []
  let quoteAt = -1
  for (const { 0: token, index: at } of raw.matchAll(/\\[\s\S]?|["!#]/g)) {
    const free = quoteAt < 0
    const ends = token === '\\' || (free && isCommentStart(token))
    if (ends) return { end: at, escapes, continued: endsContinued(raw, at), quoteAt }
    if (token === '"') quoteAt = free ? at : -1
    else if (free && isCommentStart(token[1])) escapes.push(at)
  }
  return { end: raw.length, escapes, continued: false, quoteAt }
}

/** A backslash that another one escapes does not continue the line. */
function endsContinued(raw: string, from: number): boolean {
  let at = from
  while (at < raw.length - 1) at += raw[at] === '\\' ? 2 : 1
  return at === raw.length - 1 && raw[at] === '\\'
}

const isCommentStart = (char: string | undefined): boolean => char === '#' || char === '!'
