/** A logical line as words: blanks separate, double quotes group, nothing is escaped at this stage. */

import type { Place } from '../place.ts'
import { isBlank, placeAt, type Text } from './source.ts'
import type { Word } from './tree-types.ts'

/** `openQuote`: the quote that nothing closes. The words before it are kept, as keepalived does. */
export type Words = { readonly words: readonly Word[]; readonly openQuote: Place | null }

/**
 * A word that begins with `"` runs to the next `"`, which is not part of it. A quote in the middle of an
 * unquoted word ends that word and begins the next.
 */
export function splitWords(source: Text): Words {
  const { text } = source
  const words: Word[] = []
  let at = 0
  while (at < text.length) {
    if (isBlank(text[at])) {
      at++
      continue
    }
    const place = placeAt(source, at)
    const quoted = text[at] === '"'
    const from = quoted ? at + 1 : at
    const to = quoted ? text.indexOf('"', from) : wordEnd(text, from)
    if (to < 0) return { words, openQuote: place }
    words.push({ text: text.slice(from, to), place, quoted })
    at = quoted ? to + 1 : to
  }
  return { words, openQuote: null }
}

function wordEnd(text: string, from: number): number {
  let to = from
  while (to < text.length && text[to] !== '"' && !isBlank(text[to])) to++
  return to
}

/** Offset of the first brace outside double quotes; −1 when there is none, or a quote stays open before. */
export function findBrace(text: string): number {
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '{' || char === '}') return at
    if (char !== '"') continue
    at = text.indexOf('"', at + 1)
    if (at < 0) return -1
  }
  return -1
}
