/** The log: what a line looks like, and that a reader who stopped costs lines and nothing else. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, type StdioPipe, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  constants,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Log } from '../../../src/base/log.ts'
import { formatLine, limitRepeats, openLog } from '../../../src/daemon/log.ts'

const dir = mkdtempSync(join(tmpdir(), 'vipd-log-'))
after(() => rmSync(dir, { recursive: true }))
const flood = fileURLToPath(new URL('./log-flood.js', import.meta.url))

test('a line of text', () => {
  const at = new Date(2026, 2, 1, 6, 40, 11, 42)
  assert.equal(
    formatLine('info', '(VI_1) Entering MASTER STATE', undefined, at),
    '2026-03-01 06:40:11.042 info  (VI_1) Entering MASTER STATE',
  )
  assert.equal(
    formatLine('warn', 'gap', { ms: 3.5, why: 'link down', from: '10.0.0.2', no: undefined }, at),
    '2026-03-01 06:40:11.042 warn  gap ms=3.5 why="link down" from=10.0.0.2',
  )
})

test('for journald: a severity instead of the time', () => {
  assert.equal(formatLine('error', 'x', {}, null), '<3>x')
  assert.equal(formatLine('warn', 'x', {}, null), '<4>x')
  assert.equal(formatLine('info', 'x', {}, null), '<6>x')
  assert.equal(formatLine('debug', 'x', {}, null), '<7>x')
})

test('one event is one line, whatever the text holds', () => {
  const line = formatLine(
    'info',
    'a\nb\u001b[2J\u009b\u007f',
    { c: 'd\ne', error: new Error('f\ng') },
    null,
  )
  assert.equal(line, '<6>a\\nb\\u001b[2J\\u009b\\u007f c="d\\ne" error="f\\ng"')
})

test('JSON lines and levels', async () => {
  const path = join(dir, 'json')
  const fd = openSync(path, 'a')
  const log = openLog({ format: 'auto', level: 'warn', fd })
  log.info('not this one')
  log.warn('this one', { instance: 'VI_1' })
  log.error('and this')
  await log.flush()
  closeSync(fd)
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  const [first, second] = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.equal(lines.length, 2)
  assert.equal(first?.['msg'], 'this one')
  assert.equal(first?.['level'], 'warn')
  assert.equal(first?.['instance'], 'VI_1')
  assert.equal(first?.['pid'], process.pid)
  assert.match(String(first?.['time']), /^\d{4}-.*Z$/)
  assert.equal(second?.['level'], 'error')
})

test('measured numbers have three digits behind the point, in both formats', async () => {
  for (const format of ['json', 'text'] as const) {
    const path = join(dir, `numbers-${format}`)
    const fd = openSync(path, 'a')
    const log = openLog({ format, level: 'info', fd })
    log.info('ran', { durationMs: 2.8301309999988007, n: 3, whole: 12_345.5 })
    await log.flush()
    closeSync(fd)
    assert.match(
      readFileSync(path, 'utf8'),
      /durationMs"?[=:]2\.83[ ,].*n"?[=:]3[ ,].*12345\.5[\n,]/,
    )
  }
})

test('journald gets text with severities, and only where the log is its stream', async () => {
  const logged = async (name: string, stream: (fd: number) => string) => {
    const path = join(dir, name)
    const fd = openSync(path, 'a')
    process.env['JOURNAL_STREAM'] = stream(fd)
    try {
      const log = openLog({ format: 'auto', level: 'info', fd, journal: dir })
      log.warn('a gap')
      await log.flush()
    } finally {
      delete process.env['JOURNAL_STREAM']
    }
    closeSync(fd)
    return readFileSync(path, 'utf8')
  }
  const own = (fd: number) => `${fstatSync(fd).dev}:${fstatSync(fd).ino}`
  assert.equal(await logged('journal', own), '<4>a gap\n')
  assert.match(await logged('elsewhere', () => '1:2'), /^\{"level":"warn"/)
})

test('text keeps to its level too', async () => {
  const path = join(dir, 'text')
  const fd = openSync(path, 'a')
  const log = openLog({ format: 'text', level: 'info', fd })
  log.debug('not this one')
  for (let i = 0; i < 2_000; i++) log.info(`line ${i}`)
  await log.flush()
  closeSync(fd)
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  assert.equal(lines.length, 2_000)
  assert.match(lines[1_999] ?? '', /info {2}line 1999$/)
})

test('a repeated message is held back and counted', () => {
  const said: [string, unknown][] = []
  const say = (message: string, fields?: unknown) => said.push([message, fields])
  const log: Log = { debug: say, info: say, warn: say, error: say, flush: async () => {} }
  let now = 0
  const limited = limitRepeats(log, 1_000, () => now)
  for (now = 0; now < 1_000; now += 100) limited.warn('bad packet')
  limited.warn('other')
  now = 1_000
  limited.warn('bad packet', { from: '10.0.0.9' })
  now = 2_000
  limited.warn('bad packet')
  assert.deepEqual(said, [
    ['bad packet', undefined],
    ['other', undefined],
    ['bad packet', { from: '10.0.0.9', repeated: 9 }],
    ['bad packet', undefined],
  ])
})

/** Starts the flood with that standard error; resolves with what it measured while nothing was read. */
async function flooded(format: string, stderr: StdioPipe | number) {
  const child = spawn(process.execPath, [flood, format], {
    stdio: ['pipe', 'pipe', stderr],
    // One thread: a write that hangs in it would keep the flood's own stat() from ever returning.
    env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
  })
  after(() => child.kill('SIGKILL'))
  child.stderr?.pause()
  const out = child.stdout
  assert.ok(out !== null)
  const [report] = (await once(out, 'data')) as [Buffer]
  const { worstMs } = JSON.parse(report.toString()) as { worstMs: number }
  return { child, worstMs }
}

async function finish(child: ChildProcess) {
  const exited = once(child, 'exit')
  child.stdin?.write('go')
  const [status] = (await exited) as [number | null]
  assert.equal(status, 0)
}

// Three seconds are far above a busy machine's hiccups and far below "until it is read".
const stuckMs = 3_000

test('a pipe that is not read: the loop turns, the pool is free, the process can exit', {
  timeout: 30_000,
}, async () => {
  for (const format of ['json', 'text']) {
    const path = join(dir, `stuck-${format}`)
    execFileSync('mkfifo', [path])
    const fifo = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
    const { child, worstMs } = await flooded(format, openSync(path, constants.O_WRONLY))
    assert.ok(worstMs < stuckMs, `${worstMs} ms`)
    const before = performance.now()
    await finish(child)
    assert.ok(performance.now() - before < stuckMs)
    closeSync(fifo)
  }
})

test('a socket that is not read', { timeout: 30_000 }, async () => {
  const { child, worstMs } = await flooded('json', 'pipe')
  assert.ok(worstMs < stuckMs, `${worstMs} ms`)
  await finish(child)
})

test('a reader that comes back reads whole lines, and how many are missing', {
  timeout: 30_000,
}, async () => {
  const path = join(dir, 'late')
  execFileSync('mkfifo', [path])
  const fifo = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  const { child } = await flooded('json', openSync(path, constants.O_WRONLY))
  let text = ''
  const read = setInterval(() => {
    const part = Buffer.alloc(1 << 20)
    try {
      text += part.subarray(0, readSync(fifo, part)).toString()
    } catch {
      // EAGAIN: nothing there yet.
    }
  }, 1)
  while (!text.includes('were lost')) await new Promise((resolve) => setImmediate(resolve))
  await finish(child)
  while (!text.includes('the last line')) await new Promise((resolve) => setImmediate(resolve))
  clearInterval(read)
  closeSync(fifo)
  const messages = text
    .trimEnd()
    .split('\n')
    .map((line) => String((JSON.parse(line) as { msg: string }).msg))
  const lost = messages.flatMap((m) => m.match(/^(\d+) log lines were lost/)?.[1] ?? [])
  const kept = messages.filter((m) => m.startsWith('line ')).length
  assert.equal(kept + lost.reduce((sum, n) => sum + Number(n), 0), 10_000)
  assert.equal(messages.at(-1), 'the last line')
})
