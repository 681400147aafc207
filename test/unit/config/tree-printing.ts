/** Trees as one line of text, so that a table of cases can be read at a glance. */
import { parseTree } from '../../../src/config/language/tree.ts'
import type { LanguageOptions, Node, Tree } from '../../../src/config/language/tree-types.ts'
import { type FakeMachine, fakeWorld } from './fake-world.ts'

/** The tree of one file, `/etc/vipd/vipd.conf`, on a host named alpha. */
export function treeOf(
  text: string,
  machine: FakeMachine = {},
  options: Partial<LanguageOptions> = {},
): Tree {
  const files = { '/etc/vipd/vipd.conf': text, ...machine.files }
  const world = fakeWorld({ ...machine, files })
  return parseTree('/etc/vipd/vipd.conf', world, { configId: null, includeAll: false, ...options })
}

/** `a b{c; d{}}`: words joined by blanks, quoted ones in quotes, lines separated by semicolons. */
export function printed(nodes: readonly Node[]): string {
  return nodes.map(printedNode).join('; ')
}

function printedNode(node: Node): string {
  const words = [node.keyword, ...node.args]
  const line = words.map((word) => (word.quoted ? `"${word.text}"` : word.text)).join(' ')
  return node.block === null ? line : `${line}{${printed(node.block)}}`
}

/** `line:column code`, of the main file; other files are named. */
export function complaints(tree: Tree): string[] {
  return tree.diagnostics.map(({ place, code }) => {
    const file = place.file === '/etc/vipd/vipd.conf' ? '' : `${place.file}:`
    return `${file}${place.line}:${place.column} ${code}`
  })
}

export function flattened(nodes: readonly Node[]): readonly Node[] {
  return nodes.flatMap((node) => [node, ...flattened(node.block ?? [])])
}
