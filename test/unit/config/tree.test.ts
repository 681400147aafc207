/** Blocks, included files and the main file: where they begin and end, and what is said when they do not. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${NAME} is what the language calls a reference
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTree } from '../../../src/config/language/tree.ts'
import { type FakeMachine, fakeWorld } from './fake-world.ts'
import { complaints, flattened, printed, treeOf } from './tree-printing.ts'

const main = '/etc/vipd/vipd.conf'

test('braces split a line wherever they stand outside quotes', () => {
  const cases: readonly (readonly [text: string, tree: string])[] = [
    ['a {\nb\n}', 'a{b}'],
    ['a\n{\nb\n}\n', 'a{b}'],
    ['a\n\n# note\n{ b }', 'a{b}'],
    ['a { b }', 'a{b}'],
    ['a{b}', 'a{b}'],
    ['a {b{c}}', 'a{b{c}}'],
    ['a { b { c } } d', 'a{b{c}}; d'],
    ['a { b 1 } c { }', 'a{b 1}; c{}'],
    ['a {\nb\n}}', 'a{b}'],
    ['a x "y" { b }', 'a x "y"{b}'],
    ['a "{" "}b"', 'a "{" "}b"'],
    ['a "x{y" { b }', 'a "x{y"{b}'],
    [
      'virtual_ipaddress {\n10.0.0.1/24 dev eth0\n"fe80::1"\n}',
      'virtual_ipaddress{10.0.0.1/24 dev eth0; "fe80::1"}',
    ],
    ['unknown { vrrp_instance x { state MASTER } }', 'unknown{vrrp_instance x{state MASTER}}'],
  ]
  for (const [text, expected] of cases) assert.equal(printed(treeOf(text).nodes), expected, text)
})

test('a brace too many or too few is reported where it, or its block, stands', () => {
  const cases: readonly (readonly [text: string, tree: string, ...wrong: string[]])[] = [
    ['a { b }\n }', 'a{b}', '2:2 unexpected-close-brace'],
    ['a {\nb }} c', 'a{b}; c', '2:4 unexpected-close-brace'],
    ['  a {\nb', 'a{b}', '1:3 missing-close-brace'],
    ['a {\n b {\n', 'a{b{}}', '1:1 missing-close-brace', '2:2 missing-close-brace'],
    ['{ a }', 'a', '1:1 unexpected-open-brace'],
    ['a { { b } c }', 'a{b; c}', '1:5 unexpected-open-brace'],
    ['a { b } { c }', 'a{b}; c', '1:9 unexpected-open-brace'],
    ['{', '', '1:1 unexpected-open-brace', '1:1 missing-close-brace'],
    ['a ${UNSET} b', 'a ${UNSET}; b'],
  ]
  for (const [text, expected, ...wrong] of cases) {
    const tree = treeOf(text)
    assert.equal(printed(tree.nodes), expected, text)
    assert.deepEqual(complaints(tree), wrong, text)
  }
})

test('these mistakes leave a configuration that runs: exit status 5, not 4', () => {
  for (const text of ['a {', '}', '{ }', 'a "b', 'a\0', '~SEQ(x) a']) {
    const { diagnostics } = treeOf(text)
    assert.ok(diagnostics.length > 0, text)
    assert.ok(
      diagnostics.every((d) => d.verdict === 'config'),
      text,
    )
  }
})

test('blocks beyond 64 levels are skipped, and what follows is read', () => {
  const deep = treeOf(`${'a {\n'.repeat(64)}b { c { d } }\n${'}\n'.repeat(64)}e`)
  assert.deepEqual(complaints(deep), ['65:3 blocks-too-deep'])
  assert.equal(flattened(deep.nodes).length, 66)
  assert.equal(printed(deep.nodes.slice(1)), 'e')
  const open = treeOf('a {\n'.repeat(10_000))
  assert.equal(open.diagnostics.filter((d) => d.code === 'blocks-too-deep').length, 1)
})

const directory: FakeMachine = {
  files: {
    '/etc/vipd/d/a.conf': 'a',
    '/etc/vipd/d/b.conf': 'b {\ninclude e/c.conf\n}',
    '/etc/vipd/d/e/c.conf': 'c ${_PWD}',
    '/etc/vipd/d/run.sh': { text: 'run', mode: 0o755 },
    '/etc/vipd/d/secret': { text: 'secret', unreadable: true },
    '/etc/vipd/d/.hidden.conf': 'hidden',
    '/srv/x.conf': 'x {',
    '/srv/y.conf': '}',
  },
}

test('include reads a file, or all that a pattern matches, in place', () => {
  const cases: readonly (readonly [text: string, tree: string, ...wrong: string[]])[] = [
    ['include d/a.conf', 'a'],
    ['x {\n  include d/a.conf # note\n}', 'x{a}'],
    ['include d/*.conf', 'a; b{c /etc/vipd/d/e}'],
    ['include d/[ab].conf\nz', 'a; b{c /etc/vipd/d/e}; z'],
    ['include d/{b,a}.conf', 'b{c /etc/vipd/d/e}; a'],
    ['include d/{e/{c,},a}.conf', 'c /etc/vipd/d/e; a', '1:9 include-brace-no-match'],
    ['include /etc/vipd/d/a.conf', 'a'],
    ['include\td/\\a.conf', 'a'],
    ['@alpha include d/a.conf\n@beta include d/b.conf', 'a'],
    ['$D=d\ninclude ${D}/a.conf', 'a'],
    ['~LST(n,a,e/c) include d/${n}.conf', 'a; c /etc/vipd/d/e'],
    ['$M=x { \\\ninclude d/a.conf \\\n}\n$M', 'x{a}'],
    ['include /srv/*.conf\nz', 'x{}; z'],
    ['include', 'include'],
    ['includes d/a.conf', 'includes d/a.conf'],
    ['include d/none', '', '1:9 include-no-match'],
    ['include d/none*', '', '1:9 include-no-match'],
    ['include d/a.conf b', '', '1:9 include-no-match'],
    ['include d/run.sh', '', '1:9 include-unreadable'],
    ['include d/e', '', '1:9 include-unreadable'],
    ['include d/secret', '', '1:9 include-unreadable'],
  ]
  for (const [text, expected, ...wrong] of cases) {
    const tree = treeOf(text, directory)
    assert.equal(printed(tree.nodes), expected, text)
    assert.deepEqual(complaints(tree), wrong, text)
    assert.ok(
      tree.diagnostics.every((d) => d.verdict === (text.endsWith('*') ? 'none' : 'lost')),
      text,
    )
  }
})

test('each include check turns its own kind of absence into a refusal', () => {
  const refused: readonly (readonly [directive: string, code: string | null])[] = [
    ['includer d/none', null],
    ['includer d/run.sh', 'include-unreadable'],
    ['includer d/*', 'include-unreadable'],
    ['includer d/none*', null],
    ['includem d/none', 'include-no-match'],
    ['includem d/none*', null],
    ['includem d/e', 'include-unreadable'],
    ['includem d/{a.conf,none}', null],
    ['includew d/none', 'include-wildcard-no-match'],
    ['includew d/none*', 'include-wildcard-no-match'],
    ['includew d/{a.conf,none*}', null],
    ['includeb d/none', null],
    ['includeb d/{a.conf,none}', 'include-brace-no-match'],
    ['includeb d/{a.conf,none*}', null],
    ['includea d/none*', 'include-wildcard-no-match'],
    ['includea d/{a,e/c}.conf', null],
  ]
  for (const [directive, code] of refused) {
    const fatal = treeOf(directive, directory).diagnostics.filter((d) => d.verdict === 'fatal')
    const codes = new Set(fatal.map((d) => d.code))
    assert.deepEqual([...codes], code === null ? [] : [code], directive)
  }
})

test('include_check and -e set what a plain include demands', () => {
  const files = {
    ...directory.files,
    '/etc/vipd/d/check.conf': 'global_defs {\ninclude_check\n}',
    '/etc/vipd/d/loose.conf': 'include none',
  }
  const globals = (line: string): string => `global_defs {\n${line}\n}\ninclude none`
  const verdict = (text: string, includeAll = false): string | undefined =>
    treeOf(text, { files }, { includeAll }).diagnostics.findLast((d) =>
      d.code.startsWith('include'),
    )?.verdict
  assert.equal(verdict('include none'), 'lost')
  assert.equal(verdict('include none', true), 'fatal')
  assert.equal(verdict(globals('include_check')), 'fatal')
  assert.equal(verdict(globals('include_check match')), 'fatal')
  assert.equal(verdict(globals('include_check read')), 'lost')
  assert.equal(verdict(globals('include_check readable')), 'lost')
  assert.equal(verdict(globals('include_check match\ninclude_check read')), 'lost')
  assert.equal(verdict(globals('include_check match\ninclude_check +read')), 'fatal')
  assert.equal(verdict(globals('include_check match\ninclude_check -match')), 'lost')
  assert.equal(verdict(globals('x { include_check match }')), 'lost')
  assert.equal(verdict('include_check match\ninclude none'), 'lost')
  assert.equal(verdict('global_defs { include_check match }\ninclude none'), 'fatal')
  // Set in a file: forgotten at its end; but what it includes begins with it. A variant is for one line.
  assert.equal(verdict('include d/check.conf\ninclude none'), 'lost')
  assert.equal(verdict('global_defs { include_check }\ninclude d/loose.conf'), 'fatal')
  assert.equal(verdict('includea d/loose.conf'), 'lost')
  const unknown = treeOf('global_defs {\ninclude_check +match foo\n}')
  assert.deepEqual(complaints(unknown), ['2:22 bad-include-check'])
})

test('a file that includes itself is read once, and depth and number of files are bounded', () => {
  const itself = treeOf('a\ninclude vipd.conf\nb')
  assert.equal(printed(itself.nodes), 'a; b')
  assert.deepEqual(complaints(itself), ['2:9 include-depth'])
  const circle = treeOf('include d/x', {
    files: {
      '/etc/vipd/d/x': 'x\ninclude ../d/y',
      '/etc/vipd/d/../d/y': 'y\ninclude ../../vipd.conf',
    },
    links: { '/etc/vipd/d/../d/../../vipd.conf': main },
  })
  assert.equal(printed(circle.nodes), 'x; y')
  assert.deepEqual(complaints(circle), ['/etc/vipd/d/../d/y:2:9 include-depth'])
  const chain = Object.fromEntries(
    Array.from({ length: 40 }, (_, i) => [`/etc/vipd/${i}`, `x${i}\ninclude ${i + 1}`]),
  )
  const deep = treeOf('include 0', { files: chain })
  assert.equal(flattened(deep.nodes).length, 31)
  assert.deepEqual(
    deep.diagnostics.map((d) => [d.code, d.verdict]),
    [['include-depth', 'fatal']],
  )
  const fan = Object.fromEntries(
    Array.from({ length: 20 }, (_, i) => [`/etc/vipd/${i}`, `include ${i + 1}\ninclude ${i + 1}`]),
  )
  const wide = treeOf('include 0', { files: fan })
  assert.ok(wide.diagnostics.some((d) => d.code === 'include-depth' && d.verdict === 'fatal'))
  assert.equal(wide.files.length, 4096)
})

test('braces of a pattern are bounded', () => {
  const tree = treeOf(`include ${'{a,b}'.repeat(60)}`)
  assert.deepEqual(
    tree.diagnostics.map((d) => [d.code, d.verdict]),
    [['include-no-match', 'fatal']],
  )
})

test('places name the file that a word is written in', () => {
  const tree = treeOf('x {\ninclude d/b.conf\n}', directory)
  const places = flattened(tree.nodes).map(
    (n) => `${n.place.file}:${n.place.line}:${n.place.column}`,
  )
  assert.deepEqual(places, [`${main}:1:1`, '/etc/vipd/d/b.conf:1:1', '/etc/vipd/d/e/c.conf:1:1'])
  assert.deepEqual(tree.files, [main, '/etc/vipd/d/b.conf', '/etc/vipd/d/e/c.conf'])
})

test('a block may end in another file than it begins in', () => {
  const tree = treeOf('include /srv/x.conf\na\ninclude /srv/y.conf\nb', directory)
  assert.equal(printed(tree.nodes), 'x{a}; b')
  assert.deepEqual(complaints(tree), [])
})

test('the main file: missing, unusable, or several', () => {
  const options = { configId: null, includeAll: false }
  const world = fakeWorld(directory)
  for (const path of [
    '/none',
    '/etc/vipd/d',
    '/etc/vipd/d/run.sh',
    '/etc/vipd/d/secret',
    '/none*',
  ]) {
    const tree = parseTree(path, world, options)
    assert.deepEqual(tree.nodes, [])
    assert.deepEqual(
      tree.diagnostics.map((d) => [d.code, d.verdict]),
      [['file-unreadable', 'fatal']],
    )
    assert.equal(tree.diagnostics[0]?.place.file, path)
  }
  const several = parseTree('/srv/{x,y}.conf', world, options)
  assert.equal(printed(several.nodes), 'x{}')
  assert.deepEqual(
    several.diagnostics.map((d) => [d.code, d.verdict]),
    [['multiple-files', 'config']],
  )
})

test('a megabyte takes no quadratic time, hostile lines included', () => {
  const block =
    'vrrp_instance VI_1 {\n  state MASTER # c\n  virtual_ipaddress {\n    10.0.0.1/24 dev eth0\n  }\n}\n'
  const texts = {
    ordinary: block.repeat(11_000),
    quotes: 'a "b\n'.repeat(200_000),
    braces: '}'.repeat(1023).concat('\n').repeat(150),
    escapes: `${'\\#'.repeat(511)}\n`.repeat(1000),
    references: `$A=v\n${`${'$A '.repeat(190)}\n`.repeat(1500)}`,
  }
  for (const [name, text] of Object.entries(texts)) {
    const before = performance.now()
    treeOf(text)
    const took = performance.now() - before
    // Well under a second here; anything that grows with the square takes minutes.
    assert.ok(took < 20_000, `${name}: ${Math.round(took)} ms`)
  }
})
