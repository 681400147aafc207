/** What CI runs: every suite that has a name of its own, and nothing but packages among the packages. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { packageRoot } from '../../config/ask-both.ts'

const read = (...path: string[]): string => readFileSync(join(packageRoot, ...path), 'utf8')
const script = read('.ci', 'run')

test('CI calls every named suite, each of them once', () => {
  const named = [...read('test', 'run.ts').matchAll(/name: '(\w+)'.*named: true/g)].map(
    ([, name]) => `npm run test:${name}`,
  )
  assert.ok(named.length > 5)
  const steps = script.slice(script.indexOf('\nnpm ci\n')).split('\n')
  const called = steps.filter((step) => named.includes(step))
  assert.deepEqual([...called].sort(), [...named].sort())
})

test('what CI installs are packages', () => {
  const [, list = ''] = script.match(/^packages=\(\n(.*?)^\)$/ms) ?? []
  const lines = list.split('\n').map((line) => line.replace(/#.*/, '').trimEnd())
  const words = lines.filter((line) => line !== '')
  assert.ok(words.length > 10)
  for (const line of words) assert.match(line, /^ {2}[a-z0-9][a-z0-9+.-]*( [a-z0-9][a-z0-9+.-]*)*$/)
})
