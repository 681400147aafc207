/**
 * Markdown to mdoc(7), as much of it as the keyword table and its preamble use: paragraphs, `##` headings, numbered lists,
 * code in backquotes and links. What mandoc's lint asks for is kept: a sentence begins a line, and no line is longer than
 * 80 bytes.
 */

const lineBytes = 78

/** roff's names of the characters beyond ASCII that the table uses. */
const characters: Readonly<Record<string, string>> = {
  '’': '\\(cq',
  '–': '\\(en',
  '…': '...',
  '±': '\\(+-',
  '−': '\\-',
  µ: '\\(mc',
  '×': '\\(mu',
}

/** Escaped, on one line, code and the text of links in bold. Throws on a character that has no roff name here. */
export function inline(markdown: string): string {
  return markdown
    .replaceAll('\\', '\\e')
    .replace(/\[([^\]]+)\]\([^)]+\)/g, '`$1`')
    .replace(/`([^`]*)`/g, (_, code: string) => `\\fB${code.replaceAll('-', '\\-')}\\fP`)
    .replace(/[^\x20-\x7e\n]/g, character)
}

function character(sign: string): string {
  const name = characters[sign]
  if (name === undefined) throw new Error(`${sign} has no roff name in mdoc.ts`)
  return name
}

/** A macro's argument that is one word whatever is in it. */
export const quoted = (text: string): string => `"${inline(text).replaceAll('"', '\\(dq')}"`

/** Filled text: a sentence begins a line, long ones are broken at blanks. */
export function paragraph(markdown: string): string {
  const text = inline(markdown.replace(/\s+/g, ' ').trim())
  const sentences = text.split(/(?<=[.!?]\)?) (?=[A-Z\\(])/)
  return sentences.flatMap(broken).map(notMacro).join('\n')
}

function broken(sentence: string): string[] {
  const lines: string[] = []
  for (const word of sentence.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > lineBytes) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}

/** A full stop or an apostrophe at the begin of a line would make it a macro. */
const notMacro = (line: string): string => (/^[.']/.test(line) ? `\\&${line}` : line)

/** A piece of Markdown whose parts are separated by empty lines. */
export function prose(markdown: string): string {
  return markdown
    .split(/\n{2,}/)
    .map((part, index, parts) => {
      if (part.startsWith('## ')) return `.Sh ${part.slice(3).toUpperCase()}`
      if (/^1\. /.test(part)) return numbered(part)
      const first = index === 0 || parts[index - 1]?.startsWith('## ') === true
      return `${first ? '' : '.Pp\n'}${paragraph(part)}`
    })
    .join('\n')
}

function numbered(part: string): string {
  const items = part.split(/^\d+\. /m).slice(1)
  return ['.Bl -enum', ...items.map((item) => `.It\n${paragraph(item)}`), '.El'].join('\n')
}
