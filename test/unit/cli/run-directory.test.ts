/** One daemon for a run directory, from the first instant on. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { OpError } from '../../../src/base/errors.ts'
import { claimRunDirectory } from '../../../src/cli/run-directory.ts'

const dir = mkdtempSync(join(tmpdir(), 'vipd-claim-'))
after(() => rmSync(dir, { recursive: true, force: true }))

test('who comes second is refused, whatever answers there; the end of the first frees it', () => {
  const path = join(dir, 'run', 'vipd')
  const module = new URL('../../../src/cli/run-directory.js', import.meta.url).href
  const claim = `(await import(${JSON.stringify(module)})).claimRunDirectory(process.argv[1])`
  const elsewhere = () =>
    spawnSync(process.execPath, ['--input-type=module', '-e', claim, path], { encoding: 'utf8' })
  assert.equal(elsewhere().status, 0)
  claimRunDirectory(path)
  assert.equal(statSync(path).mode & 0o777, 0o755 & ~process.umask())
  assert.match(elsewhere().stderr, /a vipd is already running with /)
  assert.throws(() => claimRunDirectory(path), /a vipd is already running with /)
})

test('a directory that cannot be is refused with its reason', () => {
  assert.throws(() => claimRunDirectory('/proc/vipd/run'), { code: 'ENOENT' })
  const file = join(dir, 'run', 'vipd', 'vipd.lock')
  assert.throws(
    () => claimRunDirectory(file),
    (error) => error instanceof OpError,
  )
})
