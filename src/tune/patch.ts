/**
 * A setting as changes of the configuration's text: a line that says it already is replaced, what no line says is added
 * behind the opening line of its block.
 */
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff'
import type { Node } from '../config/language/tree-types.ts'

/** What one block shall say. */
export type BlockChange = {
  /** `vrrp_script`, `vrrp_instance` */
  readonly keyword: string
  readonly name: string
  readonly set: readonly (readonly [keyword: string, value: string])[]
}

type Edit = {
  readonly file: string
  readonly line: number
  /** Instead of the line, or behind it. */
  readonly how: 'replace' | 'add'
  readonly keyword: string
  readonly value: string
}

/** The texts with the changes, by file. A block that is not there is left out. */
export function applyChanges(
  nodes: readonly Node[],
  texts: ReadonlyMap<string, string>,
  changes: readonly BlockChange[],
): ReadonlyMap<string, string> {
  const edits = changes.flatMap((change) => editsOf(nodes, change))
  return new Map(
    Array.from(texts, ([file, text]) => [
      file,
      edited(
        text,
        edits.filter((edit) => edit.file === file),
      ),
    ]),
  )
}

function editsOf(nodes: readonly Node[], { keyword, name, set }: BlockChange): readonly Edit[] {
  const node = nodes.find((one) => one.keyword.text === keyword && one.args[0]?.text === name)
  const { opened, block } = node ?? {}
  if (opened == null || block == null) return []
  return set.map(([word, value]): Edit => {
    const said = block.findLast((line) => line.keyword.text === word)?.place
    const { file, line } = said ?? opened
    return { file, line, how: said === undefined ? 'add' : 'replace', keyword: word, value }
  })
}

function edited(text: string, edits: readonly Edit[]): string {
  const lines = text.split('\n')
  // From the end to the beginning: what is added moves only what has been dealt with.
  for (const edit of edits.toReversed().toSorted((a, b) => b.line - a.line)) {
    const { line, how, keyword, value } = edit
    if (how === 'replace') lines[line - 1] = replaced(lines[line - 1] ?? '', keyword, value)
    else lines.splice(line, 0, `${indentBehind(lines, line)}${keyword} ${value}`)
  }
  return lines.join('\n')
}

/** What stands before it and a comment behind it stay. */
function replaced(line: string, keyword: string, value: string): string {
  const [, indent = '', comment = ''] = /^(\s*)[^#!]*?(\s*[#!].*)?$/.exec(line) ?? []
  return `${indent}${keyword} ${value}${comment}`
}

const indentBehind = (lines: readonly string[], line: number): string =>
  /^\s+(?=\S)/.exec(lines[line] ?? '')?.[0] ?? '    '

/** For patch(1); '' where nothing differs. */
export function patchText(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string {
  return Array.from(before, ([file, text]) => {
    const changed = after.get(file) ?? text
    if (changed === text) return ''
    const options = { headerOptions: FILE_HEADERS_ONLY }
    return createTwoFilesPatch(file, file, text, changed, undefined, undefined, options)
  }).join('')
}
