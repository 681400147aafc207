/**
 * The second grammar of the language, for lines that name a command: shell-like quotes of both kinds and
 * backslash escapes. It is applied twice, first to the raw line (keyword, command, perhaps a user), then to
 * the command alone, to get its arguments. A backslash meant for the second round is therefore written twice.
 */
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

const blanks = /[ \t\f\n\r\v]*/y
/** One quoted stretch, or an unquoted one; an escape is never cut in two. */
const stretch =
  /"((?:[^"\\]|\\c[\s\S]|\\[^c])*)"|'((?:[^'\\]|\\c[\s\S]|\\[^c])*)'|((?:[^ \t\f\n\r\v'"\\]|\\c[\s\S]|\\[^c])+)/y

function skipBlanks(text: string, from: number): number {
  blanks.lastIndex = from
  return from + (blanks.exec(text)?.[0].length ?? 0)
}

type Taken = { readonly text: string; readonly end: number }

/** Quotes may begin and end anywhere in a word: `a"b c"d` is one. A string says what is wrong. */
function readWord(text: string, from: number): Taken | string {
  let word = ''
  let end = from
  stretch.lastIndex = from
  for (let found = stretch.exec(text); found !== null; found = stretch.exec(text)) {
    word += unescaped(found[1] ?? found[2] ?? found[3] ?? '')
    end = stretch.lastIndex
  }
  const char = text[end]
  if (char === '\\') return 'nothing follows the backslash at the end'
  if (char === '"' || char === "'") return `nothing closes the quote ${char}`
  return { text: word, end }
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

const escapes = /\\(?:x([0-9a-fA-F]+)|([0-7]{1,3})|c([\s\S])|([\s\S]))/g

/** Numbers keep their lowest eight bits. */
function unescaped(text: string): string {
  if (!text.includes('\\')) return text
  return text.replace(escapes, (_, hex?: string, octal?: string, control?: string, char = '') => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex.slice(-2), 16))
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff)
    if (control !== undefined) return String.fromCharCode(control.charCodeAt(0) & 0x1f)
    return controls[char] ?? char
  })
}
