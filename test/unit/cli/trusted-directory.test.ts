import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { daemonSocket, requirePrivate } from '../../../src/cli/trusted-directory.ts'

const cli = fileURLToPath(new URL('../../../src/cli/run.js', import.meta.url))
const isRoot =
  process.getuid?.() === 0 &&
  /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'))

const root = mkdtempSync(join(tmpdir(), 'vipd-trust-'))
after(() => rmSync(root, { recursive: true }))

function made(name: string, mode = 0o755): string {
  const path = join(root, name)
  mkdirSync(path)
  chmodSync(path, mode)
  return path
}

const refused = { code: 'EPERM', message: /another user could take the daemon's place in/ }

test('a run directory of our own, one that is missing, and one behind a link of ours pass', () => {
  const own = made('own')
  symlinkSync(own, join(root, 'link'))
  for (const path of [
    own,
    join(root, 'link'),
    join(root, 'none'),
    join(made('private', 0o700), 'none'),
  ]) {
    requirePrivate(path)
    assert.match(daemonSocket(path), /vipd\.sock$/)
  }
})

test('a run directory in which others may make or rename files is refused', () => {
  const below = (parent: string): string => {
    const path = join(parent, 'run')
    mkdirSync(path)
    return path
  }
  const open = made('open', 0o777)
  const sticky = made('sticky', 0o1777)
  symlinkSync(made('target'), join(sticky, 'link'))
  for (const path of [open, sticky, below(made('ancestor', 0o777)), join(sticky, 'link')]) {
    assert.throws(() => requirePrivate(path), refused, path)
    assert.throws(() => daemonSocket(path), { failure: 'denied' }, path)
  }
  // What is ours in a sticky directory can be replaced by no other user.
  requirePrivate(below(sticky))
})

test('another user’s directory is none for the daemon; one who asks goes by who it belongs to', () => {
  const theirs = made('theirs')
  if (!isRoot) return assert.equal(daemonSocket(theirs), join(theirs, 'vipd.sock'))
  chownSync(theirs, 65_534, 65_534)
  assert.throws(() => requirePrivate(theirs), /belongs to uid 65534/)
  assert.equal(daemonSocket(theirs), join(theirs, 'vipd.sock'))
  const group = made('group', 0o775)
  chownSync(group, 0, 65_534)
  assert.throws(() => requirePrivate(group), refused)
})

test('every command that trusts the run directory refuses it, and writes nothing there', () => {
  const open = made('for-commands', 0o777)
  const run = (...args: readonly string[]) => {
    const { status, stderr } = spawnSync(process.execPath, [cli, ...args, '--run-dir', open], {
      encoding: 'utf8',
    })
    return { status, refused: stderr.includes("could take the daemon's place in") }
  }
  assert.deepEqual(run('run', '-f', '/dev/null'), { status: 1, refused: true })
  assert.deepEqual(run('cleanup', '-f', '/dev/null'), { status: 1, refused: true })
  for (const asking of [
    ['status'],
    ['reload'],
    ['history'],
    ['drain'],
    ['resume'],
    ['push', 'x'],
    ['failover', 'x'],
    ['tune'],
  ]) {
    assert.deepEqual(run(...asking), { status: 2, refused: true }, asking[0])
  }
  assert.deepEqual(readdirSync(open), [])
})
