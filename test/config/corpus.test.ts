/**
 * Configurations from the field, read by vipd and by the installed keepalived side by side: the same exit
 * status, and every line that keepalived finds fault with is one that vipd names. What differs is in the
 * table below and explained in docs/compatibility-corpus.md; any other difference fails.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { inUserNamespace } from '../../src/lab/namespaces.ts'
import { askBoth, packageRoot } from './ask-both.ts'

const folder = join(packageRoot, 'test/config/corpus')

type Difference = {
  /** keepalived's exit status and ours. */
  readonly exit?: readonly [number, number]
  /** Lines that only keepalived names. */
  readonly theirs?: readonly number[]
  /** Lines that only vipd finds fault with. */
  readonly ours?: readonly number[]
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i)

/** The reasons are in docs/compatibility-corpus.md, by file. */
const differences: Readonly<Record<string, Difference>> = {
  '04.conf': { ours: [24] },
  '19.conf': { theirs: [3], ours: [2] },
  '21.conf': { theirs: range(14, 17) },
  '31.conf': {
    theirs: [
      ...[58, 60, 62, 75, 77, 79, 83, 84, 86, 88, 90],
      ...range(94, 96),
      ...range(98, 102),
      104,
      105,
      ...range(107, 110),
    ],
  },
  '35.conf': { theirs: [3], ours: [2] },
}

/** In a user namespace the owners of files are unknown, and keepalived takes killall for insecure. */
const ownersUnknown = process.getuid?.() !== 0 || inUserNamespace()
const unmapped: Readonly<Record<string, Difference>> = { '16.conf': { exit: [5, 0] } }

/** Findings for which keepalived's messages name no line; ours name the place of the object. */
const lineless = new Set([
  'missing-vrid',
  'no-interface',
  'no-address',
  'no-peer',
  'script-security',
  'missing-script',
  'tracker-dropped',
  'empty-group',
  'refused-instance',
  'incomplete-server',
  'protocol-ignored',
])

const files = readdirSync(folder).sort()
const asked = askBoth(files.map((name) => join(folder, name)))

test('keepalived is here and read every file', () => {
  assert.equal(asked.length, 36)
  for (const { path, keepalived } of asked) {
    assert.ok(
      [0, 2, 5, 6].includes(keepalived.exit),
      `${path}: ${keepalived.exit} ${keepalived.log}`,
    )
  }
})

for (const { path, keepalived, vipd } of asked) {
  const name = basename(path)
  const expected = (ownersUnknown ? unmapped[name] : undefined) ?? differences[name] ?? {}
  test(`${name}: exit status`, () => {
    const pair = [keepalived.exit, vipd.exit]
    assert.deepEqual(pair, expected.exit ?? [keepalived.exit, keepalived.exit], keepalived.log)
  })
  test(`${name}: offending lines`, () => {
    const named = new Set(vipd.found.map(({ line }) => line))
    const theirs = keepalived.lines.filter((line) => !named.has(line))
    const ours = vipd.found.filter(
      ({ line, code, counts }) =>
        counts && line > 0 && !lineless.has(code) && !keepalived.lines.includes(line),
    )
    assert.deepEqual(theirs, expected.theirs ?? [], keepalived.log)
    assert.deepEqual([...new Set(ours.map(({ line }) => line))], expected.ours ?? [])
  })
}

test('every difference is explained', () => {
  const text = readFileSync(join(packageRoot, 'docs/compatibility-corpus.md'), 'utf8')
  for (const name of Object.keys(differences)) assert.ok(text.includes(`\`${name}\``), name)
})
