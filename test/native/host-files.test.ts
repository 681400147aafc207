/** FIFOs and files in directories that other users may write. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { hostFiles, writeFileSafely } from '../../src/addon/host-files.ts'
import { look } from '../../src/checks/local/file-look.ts'
import { until } from '../../src/lab/wait.ts'
import { openFifo } from '../../src/notify/fifo.ts'

const nobody = { uid: 65_534, gid: 65_534 }
const isRoot =
  process.getuid?.() === 0 &&
  /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'))

const directory = mkdtempSync(join(tmpdir(), 'vipd-files-'))
after(() => rmSync(directory, { recursive: true }))

const fresh = (name: string): string => {
  const path = join(directory, name)
  mkdirSync(path)
  return path
}

const readAll = (fd: number): string => {
  const buffer = Buffer.alloc(4_096)
  try {
    return buffer.toString('utf8', 0, readSync(fd, buffer))
  } catch (error) {
    return String(error instanceof Error && 'code' in error ? error.code : error)
  }
}

test('a FIFO needs no program, and is gone when it is closed', () => {
  const path = join(directory, 'plain.fifo')
  const { PATH: before } = process.env
  process.env['PATH'] = ''
  try {
    const fifo = openFifo({ path, owner: null })
    assert.equal(statSync(path).mode & 0o7777, 0o644)
    fifo.close()
  } finally {
    process.env['PATH'] = before
  }
  assert.equal(existsSync(path), false)
})

/** cat has nothing to wait for but the open of its FIFO. */
function waits(pid: number | undefined): boolean {
  const stat = readFileSync(`/proc/${pid ?? 0}/stat`, 'latin1')
  return /\(cat\) S/.test(stat)
}

test('a FIFO that a dead daemon left is made anew: its reader sees the end, and no line of ours', async () => {
  const path = join(directory, 'stale.fifo')
  assert.equal(hostFiles().makePipe(path, 0o640), 0)
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  // It waits in open() until there is a writer, as a reader does that the end of the daemon let go.
  const waiting = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'inherit'] })
  after(() => waiting.kill('SIGKILL'))
  const said: string[] = []
  waiting.stdout.on('data', (text: Buffer) => said.push(text.toString()))
  const over = new Promise((resolve) => waiting.stdout.once('close', resolve))
  const before = statSync(path)
  await until('the reader waits in open()', 20_000, () => waits(waiting.pid))
  const fifo = openFifo({ path, owner: null })
  assert.notEqual(statSync(path).ino, before.ino)
  assert.equal(statSync(path).mode & 0o7777, 0o640, 'the mode that it was given stays')
  assert.ok(fifo.write('INSTANCE "V" MASTER 100\n'))
  assert.equal(readAll(reader), '')
  await over
  assert.equal(said.join(''), '')
  const anew = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  assert.equal(readAll(anew), 'INSTANCE "V" MASTER 100\n')
  for (const fd of [reader, anew]) closeSync(fd)
  fifo.close()
  assert.ok(lstatSync(path).isFIFO(), 'it was there before us')
})

test('a FIFO never stands for something else', () => {
  const there = fresh('elsewhere')
  const target = join(there, 'a-file')
  writeFileSync(target, 'precious', { mode: 0o600 })
  const link = join(fresh('links'), 'fifo')
  symlinkSync(target, link)
  assert.throws(() => openFifo({ path: link, owner: null }), /EEXIST.*not a FIFO/)
  assert.throws(() => openFifo({ path: target, owner: null }), /EEXIST.*not a FIFO/)
  assert.throws(() => openFifo({ path: there, owner: null }), /EEXIST/)
  assert.throws(
    () => openFifo({ path: join(directory, 'no', 'f'), owner: null }),
    /ENOENT \(the directory no is missing\)/,
  )
  assert.throws(
    () => openFifo({ path: join(target, 'f'), owner: null }),
    /ENOTDIR \(.* is not a directory\)/,
  )
  assert.equal(readFileSync(target, 'utf8'), 'precious')
})

test('the owner of a directory gains no file of another by a FIFO in it', () => {
  const mine = fresh('mine')
  const theirs = fresh('theirs')
  // Another FIFO of the daemon's user, under the name of ours.
  const precious = join(mine, 'initctl')
  assert.equal(hostFiles().makePipe(precious, 0o600), 0)
  linkSync(precious, join(theirs, 'fifo'))
  if (isRoot) chownSync(theirs, nobody.uid, nobody.gid)
  const owner = isRoot ? nobody : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  const before = statSync(precious)
  const fifo = openFifo({ path: join(theirs, 'fifo'), owner })
  const { uid, ino } = statSync(join(theirs, 'fifo'))
  assert.equal(uid, owner.uid)
  assert.notEqual(ino, before.ino)
  assert.deepEqual(
    [statSync(precious).uid, statSync(precious).ino, statSync(precious).mode],
    [before.uid, before.ino, before.mode],
  )
  fifo.close()
})

test('a link of another user is not followed, one of ours is', () => {
  const target = fresh('target')
  const links = fresh('followed')
  symlinkSync('../target', join(links, 'ours'))
  const fifo = openFifo({ path: join(links, 'ours', 'fifo'), owner: null })
  assert.ok(lstatSync(join(target, 'fifo')).isFIFO())
  fifo.close()
  writeFileSafely(join(links, 'ours', 'number'), '1\n', true)
  symlinkSync('../target/number', join(links, 'number'))
  writeFileSafely(join(links, 'number'), '2\n', true)
  assert.equal(readFileSync(join(target, 'number'), 'utf8'), '2\n')
  symlinkSync('turn', join(links, 'turn'))
  assert.throws(() => writeFileSafely(join(links, 'turn'), '3\n', true), /ELOOP/)
  if (!isRoot) return
  for (const name of ['theirs', 'their-number']) {
    symlinkSync(name === 'theirs' ? '../target' : '../target/number', join(links, name))
    assert.equal(spawnSync('chown', ['-h', '65534', join(links, name)]).status, 0)
  }
  assert.throws(
    () => openFifo({ path: join(links, 'theirs', 'fifo'), owner: nobody }),
    /ELOOP.*theirs belongs to uid 65534/,
  )
  assert.equal(existsSync(join(target, 'fifo')), false)
  assert.throws(() => writeFileSafely(join(links, 'their-number'), '4\n', true), /ELOOP/)
  assert.equal(readFileSync(join(target, 'number'), 'utf8'), '2\n')
})

test('init_file writes a regular file with one name, and nothing else', () => {
  const here = fresh('numbers')
  const write = (name: string, overwrite: boolean) =>
    look({ kind: 'write', path: join(here, name), value: 7, overwrite }, 0)
  assert.deepEqual(write('new', false), { ok: true, detail: 'written', value: 0 })
  assert.equal(statSync(join(here, 'new')).mode & 0o111, 0)
  assert.equal(write('new', false).detail, 'there already')
  writeFileSync(join(here, 'longer'), '1234567890\n')
  assert.ok(write('longer', true).ok)
  assert.equal(readFileSync(join(here, 'longer'), 'utf8'), '7\n')
  const precious = join(fresh('hosts'), 'shadow')
  writeFileSync(precious, 'precious')
  linkSync(precious, join(here, 'second-name'))
  assert.match(write('second-name', true).detail, /a second name/)
  symlinkSync(precious, join(here, 'link'))
  assert.equal(write('link', false).detail, 'there already')
  assert.equal(hostFiles().makePipe(join(here, 'fifo'), 0o600), 0)
  const reader = openSync(join(here, 'fifo'), constants.O_RDONLY | constants.O_NONBLOCK)
  assert.match(write('fifo', true).detail, /no regular file/)
  closeSync(reader)
  mkdirSync(join(here, 'directory'))
  assert.match(write('directory', true).detail, /directory/)
  assert.equal(readFileSync(precious, 'utf8'), 'precious')
  chmodSync(precious, 0o600)
})
