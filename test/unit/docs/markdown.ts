/** The pages of the book as text: their links, anchors, code blocks. The Markdown that they are written in, no more. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../../src/lab/program.ts'

export type Page = { readonly path: string; readonly text: string }

/** `line` counts from 1. */
export type Block = { readonly page: string; readonly line: number; readonly text: string }

/** README, the changelog and every page of docs/; paths from the root of the project. */
export function pages(): readonly Page[] {
  const book = readdirSync(join(projectRoot, 'docs')).filter((name) => name.endsWith('.md'))
  const paths = ['README.md', 'CHANGELOG.md', ...book.toSorted().map((name) => `docs/${name}`)]
  return paths.map((path) => ({ path, text: readFileSync(join(projectRoot, path), 'utf8') }))
}

/** Fenced blocks without a language, with sh or keepalived, and indented ones. Others (nft, python, yaml) are other tests' matter. */
export function blocks({ path, text }: Page): readonly Block[] {
  const found: Block[] = []
  let lines: string[] = []
  for (const [index, line] of [...codeLines(text), null].entries()) {
    if (line !== null) lines.push(line)
    else if (lines.length > 0) {
      found.push({ page: path, line: index + 1 - lines.length, text: lines.join('\n') })
      lines = []
    }
  }
  return found
}

/** Each line if it belongs to a block, else null. A blank line between indented ones belongs to theirs. */
function codeLines(text: string): readonly (string | null)[] {
  let fence: string | null = null
  let indented = false
  return text.split('\n').map((line) => {
    const [, language] = /^ {0,3}```(\w*)/.exec(line) ?? []
    if (language !== undefined) {
      fence = fence === null ? language : null
      indented = false
      return null
    }
    if (fence !== null) return ['', 'sh', 'keepalived'].includes(fence) ? line : null
    indented = /^ {4}/.test(line) || (indented && line === '')
    return indented ? line : null
  })
}

/** The text without fenced and indented blocks, where a bracket is not a link. */
export const prose = ({ text }: Page): string =>
  text
    .replaceAll(/^ {0,3}```[\s\S]*?^ {0,3}```/gm, '')
    .replaceAll(/^ {4}.*$/gm, '')
    .replaceAll(/`[^`\n]*`/g, '')

/** Where the links of a page lead, in order, pictures included. */
export const links = (page: Page): readonly string[] =>
  [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target]) => target ?? [])

/** The anchors that a forge gives the headings of a page. */
export const anchors = (text: string): ReadonlySet<string> =>
  new Set([...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading]) => anchor(heading ?? '')))

const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-')
