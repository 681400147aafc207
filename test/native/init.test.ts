/** PID 1 of a container gets the orphans of all its programs. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

test('PID 1 waits for every orphan and for no program of its own', () => {
  const file = fileURLToPath(new URL('./init-inside.js', import.meta.url))
  const programs = 300
  const { stdout, stderr } = spawnSync(
    'unshare',
    ['--user', '--map-root-user', '--pid', '--fork', '--mount-proc', '--kill-child'].concat([
      process.execPath,
      '--enable-source-maps',
      file,
      `${programs}`,
    ]),
    { encoding: 'utf8', timeout: 120_000 },
  )
  assert.notEqual(stdout, '', stderr)
  const said: unknown = JSON.parse(stdout)
  assert.deepEqual(said, { pid: 1, wrong: [], reaped: programs, left: [] })
})
