/** Log lines as journald's entries with fields: what they say, and a journald that is full, away or back. */
import assert from 'node:assert/strict'
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { after, test } from 'node:test'
import { type JournalEntry, journalDatagram } from '../../../src/daemon/journal-entry.ts'
import { JournalSink } from '../../../src/daemon/journal-sink.ts'
import { until } from '../../../src/lab/wait.ts'

const soonMs = 30_000
const directory = mkdtempSync(join(tmpdir(), 'vipd-entries-'))
after(() => rmSync(directory, { recursive: true }))

/** Binds, and reads once a line comes on standard input; prints each datagram as JSON. Python builds the addon, so it is there. */
const receiver = `
import json, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print(json.dumps(''), flush=True)
sys.stdin.readline()
while True: print(json.dumps(s.recv(1 << 18).decode()), flush=True)
`

class Receiver {
  readonly got: string[] = []
  readonly #child: ChildProcessByStdio<Writable, Readable, null>

  constructor(path: string) {
    this.#child = spawn('python3', ['-c', receiver, path], { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface({ input: this.#child.stdout })
    lines.on('line', (line) => this.got.push(JSON.parse(line) as string))
    after(() => this.#child.kill('SIGKILL'))
  }

  static async open(path: string): Promise<Receiver> {
    const it = new Receiver(path)
    await until('it is bound', soonMs, () => it.got.length === 1)
    it.got.length = 0
    return it
  }

  read(): void {
    this.#child.stdin.write('\n')
  }

  async close(path: string): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve))
    this.#child.kill('SIGKILL')
    await ended
    if (existsSync(path)) rmSync(path)
  }
}

const entry = (text: string, fields?: JournalEntry['fields']): JournalEntry => ({
  priority: 6,
  text,
  fields,
})

function sinkAt(path: string) {
  const streamed: string[] = []
  const stream = {
    write: (text: string) => {
      streamed.push(text)
    },
    flush: async () => true,
  }
  const lost = (count: number) => ({ ...entry(`${count} lost`), priority: 4 })
  return { sink: new JournalSink({ path, stream, lost }), streamed }
}

test('the fields of a transition, of a check, of whatever else a line carries', () => {
  const cause = { kind: 'timeout', master: '10.0.0.2' }
  const fields = { instance: 'VI_1', from: 'backup', to: 'master', transition: 3, cause }
  assert.deepEqual(journalDatagram(entry('(VI_1) Entering MASTER STATE', fields)).split('\n'), [
    'MESSAGE=(VI_1) Entering MASTER STATE',
    'PRIORITY=6',
    'SYSLOG_IDENTIFIER=vipd',
    'SYSLOG_FACILITY=3',
    'VIPD_INSTANCE=VI_1',
    'VIPD_FROM=backup',
    'VIPD_TO=master',
    'VIPD_TRANSITION=3',
    'VIPD_CAUSE=timeout',
    'VIPD_CAUSE_DETAIL={"kind":"timeout","master":"10.0.0.2"}',
    '',
  ])
  const check = { check: 'web', output: '', durationMs: 1.5, error: new Error('no') }
  const lines = journalDatagram(entry('x', check)).split('\n').slice(4)
  assert.deepEqual(lines, ['VIPD_CHECK=web', 'VIPD_DURATION_MS=1.5', 'VIPD_ERROR=no', ''])
})

test('what a check prints adds no field and no second line, and has a bound', () => {
  const output = 'ok\nPRIORITY=0\nMESSAGE=forged\u0000'
  const text = journalDatagram(entry('x', { output, 'odd name\n=': 'y' }))
  assert.equal(text.split('\n').length, 7)
  assert.match(text, /^VIPD_OUTPUT=ok\\nPRIORITY=0\\nMESSAGE=forged\\u0000$/m)
  assert.match(text, /^VIPD_ODD_NAME__=y$/m)
  const huge = 'ü'.repeat(1_000_000)
  const many = Object.fromEntries(Array.from({ length: 99 }, (_, i) => [`f${i}`, huge]))
  const bounded = journalDatagram(entry(huge, many))
  assert.ok(Buffer.byteLength(bounded) < 200_000)
  assert.match(bounded, /^MESSAGE=ü+…$/m)
})

test('while its queue is full entries wait, as many as there is room for; what was dropped is counted', async () => {
  const path = join(directory, 'full')
  const { sink, streamed } = sinkAt(path)
  const journald = await Receiver.open(path)
  const long = 'x'.repeat(10_000)
  for (let i = 0; i < 500; i++) sink.write(entry(`${i} ${long}`))
  journald.read()
  await until('the loss is told', soonMs, () => journald.got.some((it) => / lost$/m.test(it)))
  assert.equal(await sink.flush(soonMs), true)
  const numbers = journald.got.flatMap((it) => /^MESSAGE=(\d+) x/m.exec(it)?.[1] ?? [])
  const lost = Number(/^MESSAGE=(\d+) lost$/m.exec(journald.got.at(-1) ?? '')?.[1])
  assert.ok(numbers.length > 50)
  assert.deepEqual(
    numbers,
    numbers.map((_, i) => String(i)),
  )
  assert.equal(numbers.length + lost, 500)
  assert.deepEqual(streamed, [])
  await journald.close(path)
})

test('where there is none, the stream has the line with its severity; it is found again', async () => {
  const path = join(directory, 'away')
  const { sink, streamed } = sinkAt(path)
  sink.write(entry('one'))
  assert.deepEqual(streamed, ['<6>one\n'])
  const journald = await Receiver.open(path)
  journald.read()
  sink.write(entry('two'))
  await until('it has two', soonMs, () => /^MESSAGE=two$/m.test(journald.got[0] ?? ''))
  await journald.close(path)
  sink.write(entry('three'))
  assert.deepEqual(streamed, ['<6>one\n', '<6>three\n'])
})
