/** Notifications through FIFOs, and the worker behind them all. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  openSync,
  readFileSync,
  readSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Fifo } from '../../../src/config/notify.ts'
import type { UserCommand } from '../../../src/config/user-command.ts'
import { openFifo } from '../../../src/notify/fifo.ts'
import { NotifyWorker } from '../../../src/notify/worker-handle.ts'
import { silent } from '../router/facts.ts'
import { directory, linesOf, place, runs, start, until, user } from './a-notifier.ts'

function fifo(path: string, script: UserCommand | null = null): Fifo {
  return { path, owner: null, script, place }
}

function readAll(fd: number): string {
  const buffer = Buffer.alloc(65_536)
  try {
    return buffer.subarray(0, readSync(fd, buffer)).toString()
  } catch {
    return ''
  }
}

test('FIFO lines byte for byte, the global FIFO first; unread ones are dropped; removed at the end', async () => {
  const paths = ['global.fifo', 'vrrp.fifo'].map((name) => join(directory, name))
  const { notifier, lines } = start({ fifos: paths.map((path) => fifo(path)) })
  for (const path of paths) {
    assert.ok(lstatSync(path).isFIFO())
    assert.equal(lstatSync(path).mode & 0o777, 0o644)
  }
  const readers = paths.map((path) => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK))
  const loud = { ...silent, priorityChanges: true }
  notifier.instance({ name: 'VI_1', state: 'BACKUP', priority: 100, notify: silent })
  notifier.instance({ name: 'VI_1', state: 'MASTER_PRIORITY', priority: 90, notify: silent })
  notifier.instance({ name: 'VI_1', state: 'MASTER', priority: 254, notify: loud })
  notifier.instance({ name: 'VI_1', state: 'MASTER_PRIORITY', priority: 90, notify: loud })
  notifier.instance({ name: 'VI_1', state: 'MASTER_RX_LOWER_PRI', priority: 90, notify: loud })
  notifier.instance({ name: 'VI_1', state: 'BACKUP_PRIORITY', priority: 80, notify: loud })
  notifier.group({ name: 'G 1', state: 'FAULT', notify: silent })
  notifier.instance({ name: 'VI_1', state: 'STOP', priority: 80, notify: silent })
  const expected = [
    'INSTANCE "VI_1" BACKUP 100\n',
    'INSTANCE "VI_1" MASTER 254\n',
    'INSTANCE "VI_1" MASTER_PRIORITY 90\n',
    'INSTANCE "VI_1" MASTER_RX_LOWER_PRI 90\n',
    'INSTANCE "VI_1" BACKUP_PRIORITY 80\n',
    'GROUP "G 1" FAULT 0\n',
    'INSTANCE "VI_1" STOP 80\n',
  ].join('')
  for (const reader of readers) assert.equal(readAll(reader), expected)

  const begun = performance.now()
  for (let i = 0; i < 5_000; i++) {
    notifier.instance({ name: 'VI_1', state: 'BACKUP', priority: 100, notify: silent })
  }
  assert.ok(performance.now() - begun < 5_000, 'a full FIFO delays nothing')
  assert.equal(lines.filter((line) => line.includes('is full')).length, 2, 'said once for each')
  for (const reader of readers) assert.ok(readAll(reader).endsWith('INSTANCE "VI_1" BACKUP 100\n'))
  notifier.instance({ name: 'VI_1', state: 'BACKUP', priority: 100, notify: silent })
  assert.match(lines.at(-1) ?? '', /is read again, lost \d+ lines/)
  await notifier.stop()
  for (const reader of readers) closeSync(reader)
  for (const path of paths) assert.equal(existsSync(path), false)
})

test('a FIFO that was there stays there; anything else at its path is refused', () => {
  const there = join(directory, 'there.fifo')
  assert.equal(spawnSync('mkfifo', ['-m', '600', there]).status, 0)
  const writer = openFifo({
    path: there,
    owner: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
  })
  assert.equal(writer.write('x\n'), true)
  writer.close()
  assert.ok(lstatSync(there).isFIFO())
  const file = join(directory, 'a-file')
  writeFileSync(file, 'precious')
  assert.throws(() => openFifo({ path: file, owner: null }), /EEXIST/)
  assert.throws(() => openFifo({ path: join(directory, 'no', 'where'), owner: null }), /mkfifo/)
  assert.equal(readFileSync(file, 'utf8'), 'precious')
})

test('a FIFO script reads the lines, ends with the daemon, and a reload leaves both alone', async () => {
  const path = join(directory, 'script.fifo')
  const out = join(directory, 'fifo-lines')
  const pidFile = join(directory, 'fifo-pid')
  // Opened for reading and writing it never sees the end of the FIFO: only a signal ends this script.
  const text = `#!/bin/sh\necho $$ >> ${pidFile}\nwhile read -r line; do echo "$line" >> ${out}; done <> "$1"\n`
  const program = join(directory, 'fifo.sh')
  writeFileSync(program, text, { mode: 0o755 })
  const fifos = [fifo(path, user({ kind: 'argv', argv: [program] }))]
  const { notifier } = start({ fifos })
  notifier.instance({ name: 'VI_1', state: 'BACKUP', priority: 7, notify: silent })
  await until(() => linesOf(out).length === 1, 'the first line')
  notifier.reconfigure({
    mail: null,
    routerId: 'lb1',
    fifos: structuredClone(fifos),
    noEmailFaults: false,
  })
  notifier.instance({ name: 'VI_1', state: 'MASTER', priority: 7, notify: silent })
  await until(() => linesOf(out).length === 2, 'the second line')
  assert.equal(linesOf(pidFile).length, 1, 'one script for both')
  await notifier.stop()
  assert.deepEqual(linesOf(out), ['INSTANCE "VI_1" BACKUP 7', 'INSTANCE "VI_1" MASTER 7'])
  const pid = Number(linesOf(pidFile)[0])
  await until(() => !existsSync(`/proc/${pid}/fd/0`), 'its end')
  assert.equal(existsSync(path), false)
})

test('a program that is signalled before it is known to run is ended when it is', async () => {
  const word = '61.0731'
  const body = `
    import { spawn } from 'node:child_process'
    import { parentPort } from 'node:worker_threads'
    parentPort.on('message', ({ id }) => {
      const { pid } = spawn('sleep', ['${word}'], { detached: true, stdio: 'ignore' })
      setTimeout(() => parentPort.postMessage({ kind: 'started', id, pid }), 200)
    })`
  const workerFile = new URL(`data:text/javascript,${encodeURIComponent(body)}`)
  const link = new NotifyWorker({ workerFile, patienceMs: 10_000, onLost: () => undefined })
  const program = { kind: 'argv', argv: ['/bin/true'] } as const
  const job = { kind: 'run', program, runAs: null, timeoutMs: null } as const
  const handle = link.submit(job, () => undefined)
  await until(() => runs(word), 'its start')
  handle.signal('SIGTERM')
  await link.close()
  await until(() => !runs(word), 'its end')
})

test('the end waits for no worker that hangs in a system call', async () => {
  const pipe = join(directory, 'hanging-worker')
  execFileSync('mkfifo', [pipe])
  const body = `
    import { openSync, writeFileSync } from 'node:fs'
    import { parentPort } from 'node:worker_threads'
    parentPort.on('message', ({ id, job }) => {
      const [pipe] = job.program.argv
      writeFileSync(pipe + '.next', '')
      openSync(pipe, 'r')
    })`
  const workerFile = new URL(`data:text/javascript,${encodeURIComponent(body)}`)
  const worker = new NotifyWorker({ workerFile, patienceMs: 60_000, onLost: () => undefined })
  const program = { kind: 'argv', argv: [pipe] } as const
  worker.submit({ kind: 'run', program, runAs: null, timeoutMs: null }, () => undefined)
  await until(() => existsSync(`${pipe}.next`), 'the system call comes next')
  await worker.close()
  openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK)
})

test('a notify worker that crashes or hangs is replaced and takes up what was not started', async () => {
  const why: string[] = []
  const link = new NotifyWorker({
    workerFile: new URL('./faulty-notify-worker.js', import.meta.url),
    patienceMs: 2_000,
    onLost: (text) => why.push(text),
  })
  const job = (word: string) =>
    ({
      kind: 'run',
      program: { kind: 'argv', argv: ['/bin/echo', word] },
      runAs: null,
      timeoutMs: null,
    }) as const
  const results: string[] = []
  const submit = (word: string) =>
    new Promise<void>((resolve) => {
      link.submit(job(word), (result) => {
        results.push(`${word} ${result.kind}`)
        resolve()
      })
    })
  await submit('good')
  await Promise.all([submit('hang'), submit('after-hang')])
  await submit('crash')
  await submit('after-crash')
  assert.deepEqual(results, [
    'good run',
    'hang lost',
    'after-hang run',
    'crash lost',
    'after-crash run',
  ])
  assert.match(why[0] ?? '', /gave no answer/)
  assert.match(why.at(-1) ?? '', /crashed: planted fault/)
  await link.close()
})
