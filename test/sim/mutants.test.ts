/** The list of mutants follows the code: each line to change is there, once. Whether they are caught: `npm run mutants`. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { mutants } from './mutants.ts'

test('each mutant changes a line that exists', () => {
  const root = join(import.meta.dirname, '..', '..', '..')
  for (const { name, file, find } of mutants)
    assert.equal(readFileSync(join(root, file), 'utf8').split(find).length, 2, `${name} (${file})`)
})
