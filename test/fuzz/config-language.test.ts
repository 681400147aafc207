/**
 * Any text is a configuration, perhaps a bad one: reading it never throws, always ends, and whatever is said
 * about it points into it. A tree that is written out again and read back is the same tree.
 */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${NAME} is what the language calls a reference
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTree } from '../../src/config/language/tree.ts'
import type { Node, Tree } from '../../src/config/language/tree-types.ts'
import type { Place } from '../../src/config/place.ts'
import { scriptWords } from '../../src/config/scripts/script-words.ts'
import { fc } from '../property.ts'
import { type FakeMachine, fakeWorld } from '../unit/config/fake-world.ts'
import { flattened, treeOf } from '../unit/config/tree-printing.ts'

const runs = Number(process.env['FUZZ_RUNS'] ?? 2_000)

const main = '/etc/vipd/vipd.conf'
const fragments = [
  ...[
    'a',
    'vrrp_instance',
    '10.0.0.1/24',
    ' ',
    '  ',
    '\t',
    '\r',
    '\n',
    '\n',
    '\n',
    '{',
    '}',
    ' {\n',
    '\n}\n',
  ],
  ...[
    '"',
    '"b c"',
    "'",
    '\\',
    '\\\n',
    ' \\\n',
    '#',
    '!',
    '\\#',
    '\\!',
    '# c',
    '\0',
    'é',
    '\u{1f600}',
  ],
  ...[
    '$',
    '$A',
    '${A}',
    '${',
    '$A=',
    '$A=b',
    '$A=$B',
    '$B=$A',
    '$M= \\\n',
    '$M',
    '$A/',
    '@alpha ',
    '@^alpha ',
    '@',
  ],
  ...[
    '~SEQ(A,3) ',
    '~SEQx(i,8,12) ',
    '~LST(A,1,2) ',
    '~LST({A,B},{1,2}) ',
    '~SEQ(',
    '~',
    '$i',
    '(',
    ')',
    ',',
  ],
  ...[
    '${_PWD}',
    '${_RANDOM 3}',
    '${_ENV X}',
    '${_HASH}',
    '\ninclude x\n',
    '\ninclude *\n',
    'include_check match',
  ],
  ...['global_defs {\n', 'includea {x,y}\n', 'x'.repeat(600)],
]

const scrawl = fc
  .array(fc.constantFrom(...fragments), { maxLength: 60 })
  .map((parts) => parts.join(''))
const text = fc.oneof(scrawl, fc.string({ unit: 'binary', maxLength: 400 }))

function read(content: string, included: string): { tree: Tree; machine: FakeMachine } {
  const files = { [main]: content, '/etc/vipd/x': included, '/etc/vipd/y': 'include x\n$A=z' }
  const machine = { files, environment: { X: 'x y' }, random: [0, 0.3, 0.9] }
  const options = { configId: null, includeAll: false }
  return { tree: parseTree(main, fakeWorld(machine), options), machine }
}

function assertInside(place: Place, machine: FakeMachine): void {
  const content = machine.files?.[place.file]
  assert.equal(typeof content, 'string', place.file)
  const line = String(content).split('\n')[place.line - 1]
  assert.notEqual(line, undefined, `line ${place.line}`)
  assert.ok(
    place.column >= 1 && place.column <= Math.max(1, line?.length ?? 0),
    JSON.stringify([place, line]),
  )
}

test('reading never throws, ends, and points into the files', () => {
  fc.assert(
    fc.property(text, scrawl, (content, included) => {
      const { tree, machine } = read(content, included)
      for (const { place } of tree.diagnostics) assertInside(place, machine)
      for (const node of flattened(tree.nodes)) {
        assertInside(node.place, machine)
        if (node.opened !== null) assertInside(node.opened, machine)
        for (const word of [node.keyword, ...node.args]) assertInside(word.place, machine)
        scriptWords(node.raw)
      }
    }),
    { numRuns: runs },
  )
})

test('reading the same text twice gives the same tree', () => {
  fc.assert(
    fc.property(scrawl, (content) => {
      assert.deepEqual(read(content, '').tree, read(content, '').tree)
    }),
    { numRuns: Math.ceil(runs / 10) },
  )
})

type Plain = { readonly words: readonly string[]; readonly block: readonly Plain[] | null }

/** Printable ASCII. */
const word = fc.string({ maxLength: 12 }).map((s) => s.replaceAll('"', ''))
const { block: plainBlock } = fc.letrec<{ block: readonly Plain[]; node: Plain }>((tie) => ({
  block: fc.array(tie('node'), { maxLength: 5 }),
  node: fc.record(
    {
      words: fc.array(word, { minLength: 1, maxLength: 4 }),
      block: fc.option(tie('block'), { depthSize: 'small', maxDepth: 5 }),
    },
    { noNullPrototype: true },
  ),
}))

function written(nodes: readonly Plain[], indent: string): string {
  const lines = nodes.map(({ words, block }) => {
    const line = indent + words.map((w) => `"${w}"`).join(' ')
    return block === null ? `${line}\n` : `${line} {\n${written(block, `${indent}  `)}${indent}}\n`
  })
  return lines.join('')
}

const plain = (nodes: readonly Node[]): Plain[] =>
  nodes.map(({ keyword, args, block }) => ({
    words: [keyword, ...args].map((w) => w.text),
    block: block === null ? null : plain(block),
  }))

test('a tree that is written out in quotes and read back is the same tree', () => {
  fc.assert(
    fc.property(plainBlock, (nodes) => {
      const content = written(nodes, '')
      // Quotes do not protect a reference, and a backslash before a quote hides it from the comment remover.
      fc.pre(!/[$\\]/.test(content))
      const { nodes: again, diagnostics } = treeOf(content)
      assert.deepEqual(diagnostics, [])
      assert.deepEqual(plain(again), nodes)
    }),
    { numRuns: Math.ceil(runs / 4) },
  )
})
