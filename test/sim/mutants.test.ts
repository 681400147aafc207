/** The list of mutants follows the code: each line to change is there, once. Whether they are caught: `npm run mutants`. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Catchers } from './mutants/catchers.ts'
import { mutants } from './mutants.ts'

const root = join(import.meta.dirname, '..', '..', '..')

test('each mutant changes a line that exists', () => {
  for (const { name, file, find } of mutants)
    assert.equal(readFileSync(join(root, file), 'utf8').split(find).length, 2, `${name} (${file})`)
})

test('what is recorded as caught is on the list', () => {
  const names = new Set(mutants.map(({ name }) => name))
  assert.equal(names.size, mutants.length, 'each has a name of its own')
  assert.deepEqual(
    new Catchers(root).names.filter((name) => !names.has(name)),
    [],
  )
})
