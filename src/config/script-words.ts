/**
 * The second grammar of the language, for lines that name a command: shell-like quotes of both kinds and
 * backslash escapes. It is applied twice, first to the raw line (keyword, command, perhaps a user), then to
 * the command alone, to get its arguments. A backslash meant for the second round is therefore written twice.
 */
import { isBlank } from './source.ts'

/** `problem`: why the text cannot be split; then there are no words. */
export type ScriptWords = { readonly words: readonly string[]; readonly problem: string | null }

/** Splits the raw line of a script-like keyword: the keyword, the command, what follows. */
export function scriptWords(raw: string): ScriptWords {
  const words: string[] = []
  for (let at = skipBlanks(raw, 0); at < raw.length; at = skipBlanks(raw, at)) {
    const word = readWord(raw, at)
    if (typeof word === 'string') return { words: [], problem: word }
    words.push(word.text)
    at = word.end
  }
  return { words, problem: null }
}

/** The arguments of a command, as execve gets them; none when a quote stays open (`scriptWords` says why). */
export function splitArgv(command: string): readonly string[] {
  return scriptWords(command).words
}

function skipBlanks(text: string, from: number): number {
  let at = from
  while (at < text.length && isSpace(text[at])) at++
  return at
}

const isSpace = (char: string | undefined): boolean => isBlank(char) || char === '\n'

type Taken = { readonly text: string; readonly end: number }

/** Quotes may begin and end anywhere in a word: `a"b c"d` is one. A string says what is wrong. */
function readWord(text: string, from: number): Taken | string {
  let word = ''
  let quote = ''
  let at = from
  for (; at < text.length && (quote !== '' || !isSpace(text[at])); at++) {
    const char = text[at] ?? ''
    if (char === '\\') {
      const escape = readEscape(text, at + 1)
      if (escape === null) return 'nothing follows the backslash at the end'
      word += escape.text
      at = escape.end - 1
    } else if (char === quote) quote = ''
    else if (quote === '' && (char === '"' || char === "'")) quote = char
    else word += char
  }
  return quote === '' ? { text: word, end: at } : `nothing closes the quote ${quote}`
}

const controls: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  E: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

const numeric = /x([0-9a-fA-F]+)|([0-7]{1,3})|c([\s\S])/y

/** What a backslash before `at` means. Numbers keep their lowest eight bits. */
function readEscape(text: string, at: number): Taken | null {
  const char = text[at]
  if (char === undefined) return null
  numeric.lastIndex = at
  const found = numeric.exec(text)
  if (found === null) return { text: controls[char] ?? char, end: at + 1 }
  const [all, hex, octal, control] = found
  return { text: String.fromCharCode(codeOf(hex, octal, control)), end: at + all.length }
}

function codeOf(
  hex: string | undefined,
  octal: string | undefined,
  control: string | undefined,
): number {
  if (hex !== undefined) return Number.parseInt(hex.slice(-2), 16)
  if (octal !== undefined) return Number.parseInt(octal, 8) & 0xff
  return (control ?? '').charCodeAt(0) & 0x1f
}
