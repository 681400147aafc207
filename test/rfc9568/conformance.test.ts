/** The conformance table holds what it promises: its tests exist, and the page says what it says. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { projectRoot } from '../../src/lab/program.ts'
import { conformancePage } from './conformance-page.ts'
import { rows } from './conformance-rows.ts'

const sources = new Map<string, string>()

function source(file: string): string {
  const known = sources.get(file)
  if (known !== undefined) return known
  const text = readFileSync(join(projectRoot, 'test', file), 'utf8')
  sources.set(file, text)
  return text
}

/** The names of the tests in a file, as they are written. */
const named = (file: string): readonly string[] =>
  Array.from(source(file).matchAll(/\btest\(\s*(['`])([\s\S]*?)\1/g), ([, , name = '']) => name)

test('each test that a row of the table names is there', () => {
  const missing = rows.flatMap(({ section, shown }) =>
    shown.flatMap(([file, name]) =>
      named(file).some((it) => it.includes(name)) ? [] : [`${section}: ${file}: ${name}`],
    ),
  )
  assert.deepEqual(missing, [])
})

test('what is met or bounded has a test; what is not met, or met within a bound, says why', () => {
  const unshown = rows.filter(
    ({ verdict, shown, note }) =>
      (verdict === 'met' || verdict === 'bounded') && shown.length === 0 && note === '',
  )
  const unsaid = rows.filter(({ verdict, note }) => /bounded|not/.test(verdict) && note === '')
  assert.deepEqual([...unshown, ...unsaid], [])
  const ids = rows.map(({ section, sentence }) => `${section} ${sentence}`)
  assert.deepEqual(ids.length, new Set(ids).size, 'a row twice')
})

test('docs/conformance.md is what the table says', () => {
  const page = readFileSync(join(projectRoot, 'docs/conformance.md'), 'utf8')
  assert.equal(page, conformancePage(), 'npm run docs')
})
