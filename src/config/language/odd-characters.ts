/**
 * Characters that look like a blank, a quote or nothing at all and are none to the parser: what word processors, web pages
 * and editors put into a file. They stay where they are, as keepalived leaves them; the place says what they are.
 */

import type { Place } from '../place.ts'
import type { Diagnostic } from '../types.ts'
import { errorAt, warningAt } from './diagnostics.ts'
import { placeAt, type Text } from './source.ts'

const byteOrderMark = '\ufeff'

/** The first line of a file without the mark of its encoding, which keepalived takes for part of the first word. */
export function withoutByteOrderMark(
  line: string,
  place: Place,
): { readonly line: string; readonly diagnostic: Diagnostic | null } {
  if (!line.startsWith(byteOrderMark)) return { line, diagnostic: null }
  const message =
    'the file begins with a byte order mark (U+FEFF), which is skipped here; keepalived reads it as part of the first word: save the file as UTF-8 without BOM'
  return { line: line.slice(1), diagnostic: errorAt(place, 'byte-order-mark', message) }
}

const names: Readonly<Record<string, string>> = {
  '\u00a0': 'a no-break space',
  '\u200b': 'a zero-width space',
  '\u202f': 'a narrow no-break space',
  '\u2060': 'a word joiner',
  '\u3000': 'an ideographic space',
  '\ufeff': 'a byte order mark',
}

const odd = /[\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff\u201c-\u201f]/g

/** What of it stands outside double quotes; the first of each kind in a line. */
export function oddCharacters(source: Text): readonly Diagnostic[] {
  if (source.text.search(odd) < 0) return []
  const seen = new Set<string>()
  return [...source.text.matchAll(odd)].flatMap(({ 0: char, index }) => {
    if (seen.has(char) || isQuoted(source.text, index)) return []
    seen.add(char)
    const code = `U+${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
    const quote = char >= '\u201c' && char <= '\u201f'
    const name = quote ? 'a typographic quote' : (names[char] ?? 'an unusual space')
    const effect = quote
      ? 'does not quote: write "'
      : 'does not separate words: write an ordinary space'
    const message = `${name} (${code}) stands here and ${effect}`
    return [warningAt(placeAt(source, index), 'odd-character', message)]
  })
}

/** An odd number of quotes before it. */
const isQuoted = (text: string, index: number): boolean =>
  text.slice(0, index).split('"').length % 2 === 0
