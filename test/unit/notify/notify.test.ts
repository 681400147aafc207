/** The notifier with its real worker: order, arguments, FIFO bytes, hanging scripts, the end. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Command } from '../../../src/base/command.ts'
import { notifyQueuedMax } from '../../../src/base/limits.ts'
import type { Log } from '../../../src/base/log.ts'
import type { Fifo } from '../../../src/config/notify.ts'
import type { UserCommand } from '../../../src/config/types.ts'
import { until as lookUntil } from '../../../src/lab/wait.ts'
import { withWords } from '../../../src/notify/command.ts'
import { openFifo } from '../../../src/notify/fifo.ts'
import {
  type CountingNotifier,
  type Notifier,
  type NotifierOptions,
  startNotifier,
} from '../../../src/notify/notify.ts'
import { NotifyWorker } from '../../../src/notify/worker-handle.ts'
import { silent } from '../router/facts.ts'

const directory = mkdtempSync(join(tmpdir(), 'vipd-test-'))
/** A case that fails leaves its notifier running: then its thread would keep this process for ever. */
const started: Notifier[] = []
after(async () => {
  await Promise.all(started.map((notifier) => notifier.stop()))
  rmSync(directory, { recursive: true })
})

const place = { file: 'test.conf', line: 1, column: 1 }
const user = (command: Command, raw = 'the script'): UserCommand => ({
  raw,
  command,
  runAs: null,
  place,
})
const shell = (text: string): UserCommand => user({ kind: 'shell', shell: '/bin/sh', text }, text)

function recorder(): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = []
  const add = (message: string) => void lines.push(message)
  return {
    lines,
    log: { debug: add, info: add, warn: add, error: add, flush: async () => undefined },
  }
}

function start(more: Partial<NotifierOptions> = {}): {
  readonly notifier: CountingNotifier
  readonly lines: string[]
} {
  const { log, lines } = recorder()
  const settings = { mail: null, routerId: 'lb1', fifos: [], noEmailFaults: false }
  const notifier = startNotifier({ ...settings, log, ...more })
  started.push(notifier)
  return { notifier, lines }
}

const until = (condition: () => boolean, what: string) => lookUntil(what, 30_000, condition)

const linesOf = (path: string): readonly string[] =>
  existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : []

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

test('the script of the state, then the general one with its four words, in the order of events', async () => {
  const out = join(directory, 'order')
  const record = join(directory, 'record.sh')
  writeFileSync(record, `#!/bin/sh\necho "$@" >> ${out}\n`, { mode: 0o755 })
  const general = user({ kind: 'argv', argv: [record, 'own'] })
  const slow = shell(`sleep 0.3; echo master >> ${out}`)
  const notify = {
    ...silent,
    master: slow,
    backup: shell(`echo backup >> ${out}`),
    fault: shell(`echo fault >> ${out}`),
    masterRxLowerPri: shell(`echo lower >> ${out}`),
    any: general,
  }
  const { notifier, lines } = start()
  notifier.instance({ name: 'VI_1', state: 'BACKUP', priority: 100, notify })
  notifier.instance({ name: 'VI_1', state: 'MASTER', priority: 150, notify })
  notifier.instance({ name: 'VI_1', state: 'MASTER_RX_LOWER_PRI', priority: 150, notify })
  notifier.instance({ name: 'VI_1', state: 'FAULT', priority: 150, notify })
  await until(() => linesOf(out).length >= 7, 'seven lines')
  assert.deepEqual(linesOf(out), [
    'backup',
    'own INSTANCE VI_1 BACKUP 100',
    'master',
    'own INSTANCE VI_1 MASTER 150',
    'lower',
    'fault',
    'own INSTANCE VI_1 FAULT 150',
  ])
  notifier.group({ name: 'G1', state: 'MASTER', notify: { ...silent, any: general } })
  await until(() => linesOf(out).length >= 8, 'the group')
  assert.equal(linesOf(out)[7], 'own GROUP G1 MASTER 0')
  await notifier.stop()
  assert.deepEqual(lines, [])
})

test('a deleted instance without a script for that reports FAULT', async () => {
  const out = join(directory, 'deleted')
  const any = user({ kind: 'shell', shell: '/bin/sh', text: `echo "$3" >> ${out}` })
  const { notifier } = start()
  notifier.instance({ name: 'VI_1', state: 'DELETED', priority: 1, notify: { ...silent, any } })
  const deleted = shell(`echo script >> ${out}`)
  notifier.instance({
    name: 'VI_1',
    state: 'DELETED',
    priority: 1,
    notify: { ...silent, any, deleted, saysDeleted: true },
  })
  await until(() => linesOf(out).length >= 3, 'three lines')
  assert.deepEqual(linesOf(out), ['FAULT', 'script', 'DELETED'])
  await notifier.stop()
})

test('words reach a program, the last command of a shell text, or its parameters', () => {
  const words = ['INSTANCE', "VI 'x'", 'MASTER', '100']
  const cases: readonly [Command, readonly string[]][] = [
    [{ kind: 'argv', argv: ['/a', 'b'] }, ['/a', 'b', ...words]],
    [
      { kind: 'shell', shell: '/bin/sh', text: '/a >> /log 2>&1' },
      [
        '/bin/sh',
        '-c',
        `/a >> /log 2>&1 'INSTANCE' 'VI '\\''x'\\''' 'MASTER' '100'`,
        '/bin/sh',
        ...words,
      ],
    ],
    ...['/a "$2"', '/a $@', 'if a; then b; fi', 'a; { b; }', 'a &', 'a;'].map(
      (text): [Command, readonly string[]] => [
        { kind: 'shell', shell: '/bin/sh', text },
        ['/bin/sh', '-c', text, '/bin/sh', ...words],
      ],
    ),
  ]
  for (const [command, argv] of cases) {
    assert.deepEqual(withWords(command, words), { ok: true, program: { kind: 'argv', argv } })
    const confined = withWords({ ...command, noNewPrivs: true } as Command, words)
    assert.ok(confined.ok && confined.program.noNewPrivs === true)
  }
  assert.deepEqual(withWords({ kind: 'broken', why: 'no' }, []), { ok: false, why: 'no' })
  assert.equal(withWords({ kind: 'process', like: 'pidof', name: 'h' }, []).ok, false)
})

test('failures are reported with the last line of output, and do not stop the queue', async () => {
  const out = join(directory, 'after-failures')
  const { notifier, lines } = start()
  const notify = {
    ...silent,
    master: shell('echo first; echo cannot promote >&2; exit 3'),
    backup: user({ kind: 'broken', why: '/x: not there' }),
    fault: user({ kind: 'argv', argv: [join(directory, 'missing')] }, 'missing'),
    any: shell(`echo "$3" >> ${out}`),
  }
  for (const state of ['MASTER', 'BACKUP', 'FAULT'] as const) {
    notifier.instance({ name: 'VI_1', state, priority: 1, notify })
  }
  await until(() => linesOf(out).length >= 3, 'three general scripts')
  await notifier.stop()
  const text = lines.join('\n')
  assert.match(text, /\(VI_1\) .* for MASTER failed \(exited with status 3\): cannot promote/)
  assert.match(text, /for BACKUP cannot run: \/x: not there/)
  assert.match(text, /missing for FAULT failed \(cannot run: .*no such file/)
  assert.deepEqual(linesOf(out), ['MASTER', 'BACKUP', 'FAULT'])
  const { scripts, mails, waiting } = notifier.figures
  const { took, tookSumMs, ...counts } = scripts
  // One cannot run, and was not started.
  assert.deepEqual(counts, { started: 5, succeeded: 3, failed: 2, lost: 0, dropped: 0 })
  assert.deepEqual([took.at(-1)?.untilMs, took.at(-1)?.count], [null, 5])
  assert.ok(tookSumMs > 0)
  assert.deepEqual([mails.started, waiting], [0, 0])
})

test('a hanging script delays only its own instance, and that not for ever', async () => {
  const out = join(directory, 'hanging')
  const pidFile = join(directory, 'hanging-pid')
  const { notifier, lines } = start({ times: { overdueMs: 3_000, stopMs: 200 } })
  const hanging = { ...silent, master: shell(`echo $$ > ${pidFile}; exec sleep 1000`) }
  const notify = { ...silent, any: shell(`echo "$2" >> ${out}`) }
  const begun = performance.now()
  notifier.instance({ name: 'A', state: 'MASTER', priority: 1, notify: hanging })
  notifier.instance({ name: 'A', state: 'BACKUP', priority: 1, notify })
  notifier.instance({ name: 'B', state: 'BACKUP', priority: 1, notify })
  assert.ok(performance.now() - begun < 500, 'the caller does not wait')
  await until(() => linesOf(out).includes('B'), 'the other instance')
  assert.deepEqual(linesOf(out), ['B'])
  await until(() => linesOf(out).includes('A'), 'its own, when it is overdue')
  assert.ok(performance.now() - begun >= 3_000)
  assert.match(lines.join('\n'), /\(A\) notify script still busy after 3000 ms/)
  const pid = Number(readFileSync(pidFile, 'utf8'))
  assert.ok(process.kill(pid, 0), 'an overdue script is not killed')
  process.kill(pid, 'SIGKILL')
  await notifier.stop()
})

test('a queue behind a hanging script is bounded: the oldest go, and it is said', async () => {
  const out = join(directory, 'bounded')
  const gate = join(directory, 'gate')
  assert.equal(spawnSync('mkfifo', [gate]).status, 0)
  const { notifier, lines } = start()
  const first = { ...silent, master: shell(`read line < ${gate}`) }
  notifier.instance({ name: 'A', state: 'MASTER', priority: 1, notify: first })
  const extra = 5
  for (let i = 0; i < notifyQueuedMax + extra; i++) {
    const notify = { ...silent, any: shell(`echo "$4" >> ${out}`) }
    notifier.instance({ name: 'A', state: 'BACKUP', priority: i, notify })
  }
  assert.equal(notifier.figures.waiting, notifyQueuedMax)
  assert.equal(notifier.figures.scripts.dropped, extra)
  const said = () => lines.filter((line) => line.includes('too many')).length
  assert.equal(said(), 1, 'one line for the first of many')
  writeFileSync(gate, 'go\n')
  await until(() => linesOf(out).length >= notifyQueuedMax, 'the rest')
  const expected = Array.from({ length: notifyQueuedMax }, (_, i) => String(i + extra))
  assert.deepEqual(linesOf(out), expected)
  await notifier.stop()
})

test('at the end STOP scripts run, for a second at most, and whatever is in their way is ended', async () => {
  const out = join(directory, 'stop')
  const pids = ['way', 'stop'].map((who) => join(directory, `${who}-pid`))
  const { notifier, lines } = start({ times: { stopMs: 300 } })
  const notify = {
    ...silent,
    master: shell(`echo $$ > ${pids[0]}; exec sleep 1000`),
    backup: shell(`echo backup >> ${out}`),
    stop: shell(
      `echo $$ > ${pids[1]}; echo stop >> ${out}; trap '' TERM; while :; do sleep 1000; done`,
    ),
    any: shell(`echo "$3" >> ${out}`),
  }
  notifier.instance({ name: 'A', state: 'MASTER', priority: 1, notify: { ...notify, any: null } })
  notifier.instance({ name: 'A', state: 'BACKUP', priority: 1, notify })
  notifier.instance({ name: 'A', state: 'STOP', priority: 1, notify })
  await until(() => existsSync(pids[0] ?? ''), 'the one in the way runs')
  const begun = performance.now()
  await notifier.stop()
  assert.ok(performance.now() - begun < 3_000)
  assert.deepEqual(linesOf(out), ['stop', 'STOP'])
  assert.match(lines.join('\n'), /dropped: the daemon stops/)
  for (const file of pids) {
    const pid = Number(readFileSync(file, 'utf8'))
    await until(() => !existsSync(`/proc/${pid}/fd/0`), `${file} is gone`)
  }
})

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

/** Is a process alive that was started with this word? */
const runs = (word: string): boolean =>
  readdirSync('/proc').some((pid) => {
    if (!/^\d+$/.test(pid)) return false
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(word)
    } catch {
      return false
    }
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
