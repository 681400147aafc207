/**
 * The language below blocks: what a line is, what its words are, what is put in their place. Each case is
 * text, the tree it makes (as tree-printing writes it) and the complaints. Where the reference is silent the
 * expectation is what `keepalived -t` was seen to do.
 */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${NAME} is what the language calls a reference
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatDiagnostic, noteAt, wholeFile } from '../../../src/config/language/diagnostics.ts'
import { scriptWords, splitArgv } from '../../../src/config/scripts/script-words.ts'
import type { Diagnostic } from '../../../src/config/types.ts'
import { complaints, flattened, printed, treeOf } from './tree-printing.ts'

type Case = readonly [text: string, tree: string, ...complaints: string[]]

function holds(cases: readonly Case[]): void {
  for (const [text, expected, ...wrong] of cases) {
    const tree = treeOf(text)
    assert.equal(printed(tree.nodes), expected, JSON.stringify(text))
    assert.deepEqual(complaints(tree), wrong, JSON.stringify(text))
  }
}

test('blanks separate words and surround lines, whatever ends the line', () => {
  holds([
    ['', ''],
    ['\n \t\n', ''],
    ['a b', 'a b'],
    ['  a\tb  \n', 'a b'],
    ['a b\r\nc\r\n', 'a b; c'],
    ['\f\va\v b', 'a b'],
    ['a\u00a0b', 'a\u00a0b', '1:2 odd-character'],
  ])
})

test('a byte order mark is skipped and named, at the beginning of a file alone', () => {
  holds([
    ['\ufeffa b\nc', 'a b; c', '1:1 byte-order-mark'],
    ['\ufeff# comment\nc', 'c', '1:1 byte-order-mark'],
    ['\ufeff', '', '1:1 byte-order-mark'],
    ['a\n\ufeffb', 'a; \ufeffb', '2:1 odd-character'],
  ])
})

test('a character that only looks like a blank or a quote is named, outside quotes and comments', () => {
  holds([
    ['a\u00a0b\u00a0c\u2003d', 'a\u00a0b\u00a0c\u2003d', '1:2 odd-character', '1:6 odd-character'],
    ['a "b\u00a0c" # \u00a0', 'a "b\u00a0c"'],
    ['a \u201cb c\u201d', 'a \u201cb c\u201d', '1:3 odd-character', '1:7 odd-character'],
    ['x \u00fc \u00df', 'x \u00fc \u00df'],
  ])
  const messages = treeOf('a\u00a0b \u201cc').diagnostics.map(({ message }) => message)
  assert.match(messages[0] ?? '', /no-break space \(U\+00A0\)/)
  assert.match(messages[1] ?? '', /typographic quote \(U\+201C\)/)
})

test('comments begin anywhere outside double quotes', () => {
  holds([
    ['# a\n! b\nc', 'c'],
    ['auth_pass ab#cd', 'auth_pass ab'],
    ['a!b', 'a'],
    ["a '#b'", "a '"],
    ['a "#b!" c # d', 'a "#b!" c'],
    ['a \\#b \\!c', 'a #b !c'],
    ['a \\\\#b', 'a \\\\', '1:4 stray-backslash'],
    ['a "\\#"', 'a "\\#"'],
    ['# "open', ''],
    ['a # it "is', 'a'],
  ])
})

test('double quotes group, end the word before them, and must be closed', () => {
  holds([
    ['a "b c" d', 'a "b c" d'],
    ['a ""', 'a ""'],
    ['a b"c d"e', 'a b "c d" e'],
    ['a "b"c', 'a "b" c'],
    ['"a b" c', '"a b" c'],
    ["a 'b c'", "a 'b c'"],
    ['a "b c\nd', 'a; d', '1:3 unmatched-quote'],
    ['a b"c', 'a b', '1:4 unmatched-quote'],
    ['a b\\"c', 'a b\\', '1:5 unmatched-quote'],
    ['a "\\"', 'a "\\"', '1:3 unmatched-quote'],
    ['a "b" "c\n', 'a "b"', '1:7 unmatched-quote'],
  ])
})

test('a line of more than 1023 characters, or with a NUL, is ignored', () => {
  const fits = 'x'.repeat(1023)
  holds([
    [fits, fits],
    [`a\n${fits}x\nb`, 'a; b', '2:1 line-too-long'],
    [`# ${fits}\nb`, 'b', '1:1 line-too-long'],
    ['a\nb\0c\nd', 'a; d', '2:1 nul-in-line'],
  ])
})

test('a backslash at the end continues nothing outside a definition', () => {
  holds([
    ['a 51 \\\nb', 'a 51\\; b', '1:6 stray-backslash'],
    ['a # b \\\nc', 'a\\; c', '1:7 stray-backslash'],
  ])
})

test('definitions are used as $NAME and ${NAME}', () => {
  holds([
    ['$A=v\nx $A', 'x v'],
    ['$A=  v w  \nx ${A}y', 'x v wy'],
    ['$A=\nx${A}y', 'xy'],
    ['$A=v\n$A,b $A) $A/24', 'v,b v) v/24'],
    ['$A=v\n$A.c $Ab', '$A.c $Ab'],
    ['$A = v\n$A', '$A = v; $A'],
    ['$1=v\nx $1', '$1=v; x $1'],
    ['$A-b=v', '$A-b=v'],
    ['  $_a1=v\n$_a1', 'v'],
    ['$A=v\n$A=w\n$A', 'w'],
    ['$A=$B\n$B=v\n$A', 'v'],
    ['$A=10.${B}\n$B=1\nx ${A}.1\n$B=2\nx ${A}.1', 'x 10.1.1; x 10.2.1'],
    ['$A="b c"\nx $A', 'x "b c"'],
    ['$A="#b"\nx $A', 'x "#b"'],
    ['$A=a { b }\n$A', 'a{b}'],
    ['script "echo ${HOME} $x"', 'script "echo ${HOME} $x"'],
    ['$A=$A\nx $A\ny', 'y', '2:3 bad-definition'],
    ['$A=${A}${A}xxxxxxxxxxxxxxxx\n$A', '', '2:1 line-too-long'],
  ])
})

test('a definition of several lines is replayed by a reference that ends its line', () => {
  holds([
    ['$M= \\\na b \\\nc\n$M', 'a b; c'],
    ['$M=a \\\nb\nx$M\ny', 'xa; b; y'],
    ['$M=a \\\nb\n${M}', 'a; b'],
    ['$M=a \\\nb\nx $M y', 'x $M y'],
    ['$M= \\\none\nx $M y', 'x one y'],
    ['$M=a { \\\n# note \\\nb # c \\\n   \n} \nd $M', 'd a{b}'],
    ['$M=a { \\\n  b 1 \\\n}\n$M\n$M', 'a{b 1}; a{b 1}'],
    ['$M=a \\\nb \\\n\nc\n$M', 'c; a; b'],
    ['$M=a \\ \nb\n$M', 'a; b'],
    ['$N=$I.$M\n$M= \\\n$I=1 \\\nx $I \\\n$I=2 \\\nx $I\n$M', 'x 1; x 2'],
    ['$R=r ${N} { \\\n} \n$V=v { \\\n$N=1 \\\n$R \\\n$N=2 \\\n$R \\\n}\n$V', 'v{r 1{}; r 2{}}'],
    ['$M=a { \\\n@alpha b \\\n@beta c \\\n}\n$M', 'a{b}'],
  ])
})

test('built-in names', () => {
  const machine = {
    environment: { HOME: '/root', LINES: 'a\nb' },
    random: [0, 0.5, 0.99999],
    files: { '/etc/vipd/sub/inner.conf': 'inner ${_PWD}' },
  }
  const cases: readonly Case[] = [
    ['x ${_PWD}', 'x /etc/vipd'],
    ['include sub/inner.conf\nx $_PWD', 'inner /etc/vipd/sub; x /etc/vipd'],
    ['x ${_INSTANCE}', 'x alpha'],
    ['x a${_HASH}b${_BANG}c', 'x a#b!c'],
    ['x ${_ENV HOME}/y', 'x /root/y'],
    ['x ${_ENV NONE}y', 'x y', '1:3 unset-environment'],
    ['x ${_ENV LINES}', 'x a', '1:3 multiline-environment'],
    ['$_HASH=v\nx ${_HASH}', 'x v'],
    ['x $_RANDOM $_RANDOM $_RANDOM', 'x 0 16384 32767'],
    ['x ${_RANDOM 7 9} ${_RANDOM 7 9} ${_RANDOM 7 9}', 'x 7 8 9'],
    ['x ${_RANDOM 9 7}', 'x 7'],
    ['x ${_RANDOM 32767}', 'x 32767'],
  ]
  for (const [text, expected, ...wrong] of cases) {
    const tree = treeOf(text, machine)
    assert.equal(printed(tree.nodes), expected, text)
    assert.deepEqual(complaints(tree), wrong, text)
  }
})

test('random_seed in global_defs makes the numbers repeat', () => {
  const numbers = (seed: string): string =>
    printed(treeOf(`global_defs {\n${seed}\n}\nx $_RANDOM $_RANDOM $_RANDOM`).nodes).replace(
      /.*; /,
      '',
    )
  assert.equal(numbers('random_seed 7'), numbers('random_seed 7'))
  assert.notEqual(numbers('random_seed 7'), numbers('random_seed 8'))
  assert.match(numbers('random_seed 7'), /^x( \d{1,5}){3}$/)
})

test('conditional lines compare with the config-id', () => {
  holds([
    ['@alpha a\n@beta b\n@^alpha c\n@^beta d', 'a; d'],
    ['@alpha\ta', 'a'],
    ['@alpha', ''],
    ['@ a', ''],
    ['@alpha @alpha a', '@alpha a'],
    ['@alpha $A=v\n@beta $A=w\nx $A', 'x v'],
    ['$I=@beta\n$I a\n$J=@alpha\n$J b', 'b'],
    ['a {\n@alpha b\n@beta c\n}', 'a{b}'],
    ['a { @alpha b }', 'a{b}'],
  ])
  assert.equal(printed(treeOf('@beta a\n@alpha b', {}, { configId: 'beta' }).nodes), 'a')
  assert.equal(printed(treeOf('@node1 a', { hostname: 'node1' }).nodes), 'a')
})

test('~SEQ repeats the rest of its line', () => {
  holds([
    ['~SEQ(i, 1, 2, 6) a $i', 'a 1; a 3; a 5'],
    ['~SEQ(i,0,3) a 10.0.${i}.1', 'a 10.0.0.1; a 10.0.1.1; a 10.0.2.1; a 10.0.3.1'],
    ['~SEQ(i,3,1) a$i', 'a3; a2; a1'],
    ['~SEQ(i,3) $i', '1; 2; 3'],
    ['~SEQ(i,-2) $i', '-1; -2'],
    ['~SEQ(i,0) $i', '1; 0'],
    ['~SEQ(i,3)', ''],
    ['~SEQ(i,999999999)', ''],
    ['~SEQ (i,2)   $i', '1; 2'],
    ['~SEQx(i, 0x90, 0x10, 0xc0) fe80::${i}', 'fe80::90; fe80::a0; fe80::b0; fe80::c0'],
    ['~SEQ(i,010,011) $i', '8; 9'],
    ['$N=2\n~SEQ(i,1,$N) $i\n~SEQ(i, ${N} , 3) $i', '1; 2; 2; 3'],
    ['~SEQ(i,1,2) ~SEQ(j,8,9) $i $j', '1 8; 1 9; 2 8; 2 9'],
    ['~SEQ(i,1,2) a$i { b }', 'a1{b}; a2{b}'],
    ['$M=a$i { \\\nb \\\n}\n~SEQ(i,1,2) $M', 'a1{b}; a2{b}'],
    ['$S=~SEQ(i,1,2) $T\n$T=x$i\n$S', 'x1; x2'],
    ['a { ~SEQ(j,1,2) b$j\n}', 'a{b1; b2}'],
    ['~SEQ(i,1,2) x\ny $i', 'x; x; y 2'],
    ['~FOO(i, 1)', '~FOO(i, 1)'],
    ['~SEQ(i) a', '', '1:1 bad-sequence'],
    ['~SEQ(i,3 a', '', '1:1 bad-sequence'],
    ['~SEQ i,3) a', '', '1:1 bad-sequence'],
    ['~SEQ(i,) a', '', '1:1 bad-sequence'],
    ['~SEQ(i,1,0,6) a', '', '1:1 bad-sequence'],
    ['~SEQ(i,1,-1,6) a', '', '1:1 bad-sequence'],
    ['~SEQ(i,1,2,3,4) a', '', '1:1 bad-sequence'],
    ['~SEQ(i,x,3) a', '', '1:1 bad-sequence'],
    ['~SEQ(a b,3) a', '', '1:1 bad-sequence'],
    ['  ~SEQx(i,-1,2) a', '', '1:3 bad-sequence'],
  ])
})

test('~LST repeats the rest of its line for each value or tuple', () => {
  holds([
    ['~LST(v, p, q) a $v', 'a p; a q'],
    ['~LST({a,b}, {10,1},{20,4}) 192.168.${a}.${b}', '192.168.10.1; 192.168.20.4'],
    ['~LST({a,b}, {1}, {,5}, 7) ${a}.${b}.', '1..; .5.; 7..'],
    ['~LST(v,,q) x${v}', 'x; xq'],
    ['~LST(i, 1, 2) ~LST(j, 5,6) $i$j', '$i5; $i6; $i5; $i6'],
    ['~LST({a, b}, {1,2}) ~SEQ(c,8,9) ${a}${b}$c', '128; 129'],
    ['$L=v\n~LST(i, ${L}) x', '', '2:1 bad-sequence'],
    ['$L=v\n~LST(i, $L) x$i', 'xv'],
    ['~LST(v) a', '', '1:1 bad-sequence'],
    ['~LST(v, x y) a', '', '1:1 bad-sequence'],
    ['~LST({a,b}, {1,2,3}) a', '', '1:1 bad-sequence'],
    ['~LST({a,b, {1}) a', '', '1:1 bad-sequence'],
  ])
})

test('what unfolds without bound is given up, with a diagnostic that refuses the configuration', () => {
  const hostile = [
    '~SEQ(i,1,999999999) x',
    `~SEQ(a,99999) ~SEQ(b,99999) ~SEQ(c,99999) x $c\ny`,
    '$M=a \\\n$M\n$M',
    '$M=a \\\nb $M\n$M',
    '$S=~SEQ(i,1,2) $S\n$S',
    `$A=${'$B '.repeat(150)}\n$B=\n${'~SEQ(i,1,99999) $A\n'}`,
  ]
  for (const text of hostile) {
    const { diagnostics } = treeOf(text)
    assert.deepEqual(
      diagnostics.map((d) => [d.code, d.verdict]),
      [['expansion-limit', 'fatal']],
      text,
    )
  }
})

test('every word has the place where it, or the reference that it comes from, is written', () => {
  const text = [
    'a  "b c"d # e', //   1
    '\tx \\#y z', //      2
    '$A=v w', //          3
    'p $A q${A}r', //     4
    '$M=m { \\', //       5
    '  n \\', //          6
    '}', //               7
    '  $M', //            8
    '@alpha s { t }', //  9
    '~SEQ(i,2) u $i k', // 10
  ].join('\n')
  const places = flattened(treeOf(text).nodes).map(
    (node) =>
      `${[node.keyword, ...node.args].map((w) => `${w.text}@${w.place.line}:${w.place.column}`).join(' ')}` +
      (node.opened === null ? '' : ` {@${node.opened.line}:${node.opened.column}`),
  )
  assert.deepEqual(places, [
    'a@1:1 b c@1:4 d@1:9',
    'x@2:2 #y@2:5 z@2:8',
    'p@4:1 v@4:3 w@4:3 qv@4:6 wr@4:7',
    'm@8:3 {@8:3',
    'n@8:3',
    's@9:8 {@9:10',
    't@9:12',
    'u@10:11 1@10:13 k@10:16',
    'u@10:11 2@10:13 k@10:16',
  ])
})

test('the raw line keeps quotes and escapes for the second grammar', () => {
  const [node] = treeOf('  $A=x\n  notify "/a b \\"$A\\"" root # c').nodes
  assert.equal(node?.raw, 'notify "/a b \\"$A\\"" root')
  const [block] = treeOf('$A=x\nscript "a { $A }" {\n}').nodes
  assert.equal(block?.raw, 'script "a { x }"')
})

test('script words: both quotes, and the escapes of a shell', () => {
  const cases: readonly (readonly [raw: string, ...words: string[]])[] = [
    ['script "/bin/a b c" root', 'script', '/bin/a b c', 'root'],
    ["script '/bin/a b'", 'script', '/bin/a b'],
    ['script /bin/a\tb', 'script', '/bin/a', 'b'],
    ['script ab" c "d', 'script', 'ab c d'],
    ['script "a \\"b c\\""', 'script', 'a "b c"'],
    ['script \'a "b" c\'', 'script', 'a "b" c'],
    ['s ""', 's', ''],
    ['s \\x41\\102\\cA\\E\\n\\q\\\\', 's', 'AB\x01\x1b\nq\\'],
    ['s \\1234 \\x4142', 's', 'S4', 'B'],
    ['s a\\ b', 's', 'a b'],
    ['s "a\\#b"', 's', 'a#b'],
    ['s a\u00a0b', 's', 'a\u00a0b'],
    ['', ...[]],
  ]
  for (const [raw, ...words] of cases)
    assert.deepEqual(scriptWords(raw), { words, problem: null }, raw)
})

test('script words: an open quote or a last backslash is a problem', () => {
  for (const raw of ['s "a', "s 'a b", 's a"', 's "a\\"', 's a\\']) {
    const { words, problem } = scriptWords(raw)
    assert.deepEqual(words, [], raw)
    assert.notEqual(problem, null, raw)
  }
  assert.deepEqual(splitArgv('/bin/a "b'), [])
})

test('a command is split again: what the second round shall see is escaped twice', () => {
  // Each of these was given to keepalived as the script of a program that prints its arguments.
  const cases: readonly (readonly [raw: string, ...argv: string[]])[] = [
    ['script "x \'a b\' c"', 'x', 'a b', 'c'],
    ['script "x \\"a b\\" c"', 'x', 'a b', 'c'],
    ['script \'x "a b" c\'', 'x', 'a b', 'c'],
    ['script "x a\\tb"', 'x', 'a', 'b'],
    ['script "x a\\\\tb"', 'x', 'a\tb'],
    ['script "x a\\\\\\\\tb"', 'x', 'a\\tb'],
    ['script "x \'a\\tb\'"', 'x', 'a\tb'],
    ['script "x \'a\\\\tb\'"', 'x', 'a\tb'],
    ['script "x \\x41\\102\\cA \\101z"', 'x', 'AB\x01', 'Az'],
    ['script "x a\'b c\'d"', 'x', 'ab cd'],
    ["script \"x a''b '' x\"", 'x', 'ab', '', 'x'],
    ["script 'x $HOME *'", 'x', '$HOME', '*'],
    ['script "x"" y"', 'x', 'y'],
    ['script "x a\\ b"', 'x', 'a', 'b'],
    ['script "x a\\\\ b"', 'x', 'a b'],
  ]
  for (const [raw, ...argv] of cases) {
    assert.deepEqual(splitArgv(scriptWords(raw).words[1] ?? ''), argv, raw)
  }
})

test('a diagnostic prints its place, kind, message and code', () => {
  const place = { file: 'a.conf', line: 14, column: 9 }
  const base: Diagnostic = {
    place,
    severity: 'error',
    code: 'bad-number',
    message: 'no',
    verdict: 'config',
  }
  assert.equal(formatDiagnostic(base), 'a.conf:14:9: no [bad-number]')
  assert.equal(
    formatDiagnostic({ ...base, severity: 'warning' }),
    'a.conf:14:9: warning: no [bad-number]',
  )
  assert.equal(formatDiagnostic(noteAt(wholeFile('b.conf'), 'x', 'y')), 'b.conf: note: y [x]')
})
