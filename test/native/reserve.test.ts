/** Whatever has used up the descriptors of the process: a link opens, and so does a warden. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { enterNamespace } from './in-namespace.ts'

const program = fileURLToPath(new URL('./exhausted-descriptors.js', import.meta.url))

if (await enterNamespace(import.meta.url))
  test('at the limit of descriptors a link opens and a warden starts', () => {
    const script = 'ip link set lo up && exec prlimit --nofile=100: "$0" "$1"'
    const done = spawnSync('sh', ['-c', script, process.execPath, program], { encoding: 'utf8' })
    assert.deepEqual([done.stdout, done.status], ['EMFILE: a link and a warden\n', 0], done.stderr)
  })
