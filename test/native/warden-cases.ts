/** What the engine tells its warden, when, and what that may cost: cases of engine.test.ts. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Plan } from '../../src/engine/contract.ts'
import { lockHolder, startEngine } from '../../src/engine/native.ts'
import { add, leadWith, spec, until, vip } from './lan.ts'
import { quiet } from './remote.ts'

const dir = mkdtempSync(join(tmpdir(), 'vipd-warden-'))
after(() => rmSync(dir, { recursive: true, force: true }))
const built =
  process.env['VIPD_ADDON'] ??
  fileURLToPath(new URL('../../../build/Release/vipd.node', import.meta.url))
const lock = join(dir, 'warden.lock')

const childrenCalled = (name: string): readonly number[] =>
  readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      try {
        const [, comm, , parent] = /^\d+ \((.*)\) (\S) (\d+)/.exec(
          readFileSync(`/proc/${pid}/stat`, 'utf8'),
        ) ?? ['', '', '', '']
        return comm === name && Number(parent) === process.pid
      } catch {
        return false
      }
    })
    .map(Number)

test('a warden holds the lock, tells that it lives, and is gone when it was ended', async () => {
  const { engine, guard } = startEngine(quiet, () => undefined)
  guard.startWarden(lock, 'text')
  await until(() => lockHolder(lock) !== null)
  assert.deepEqual([lockHolder(lock)], childrenCalled('vipd-warden'))
  const beats = guard.beats()
  await until(() => guard.beats() > beats)
  await until(() => guard.endWarden())
  assert.equal(lockHolder(lock), null)
  assert.deepEqual(childrenCalled('vipd-warden'), [])
  engine.stop()
})

test('a warden without the lock does not serve', async () => {
  // A directory can be opened, but not for a lock of this kind: nothing can be started.
  const { engine, guard } = startEngine(quiet, () => undefined)
  assert.throws(() => guard.startWarden(dir, 'text'), { op: 'open', code: 'EISDIR' })
  engine.stop()
})

/** In the real one's place: notes whether it was told anything before it said that it is ready, and after. */
const fake = `#!/usr/bin/env python3
import os, select, socket, sys, time
there = socket.socket(fileno=3)
def told(seconds): return bool(select.select([there], [], [], seconds)[0])
while not os.path.exists(GO): time.sleep(0.01)
early = told(0)
there.send(b"r")
late = told(30)
with open(GO + ".seen", "w") as out: out.write(f"{early} {late}")
os.rename(GO + ".seen", GO + ".done")
`

/** Leads with a warden, and ends when its input does. */
const leading = `
const { startEngine } = await import(process.argv[1])
const { writeFileSync } = await import('node:fs')
const options = { realtimePriority: 0, rttimeUs: 0, lockMemory: false, livenessUs: 0 }
const { engine, guard } = startEngine(options, () => undefined)
guard.startWarden(process.argv[2], process.argv[4] ?? 'text')
const link = engine.openLink({ family: 4, interface: 'lo', ifindex: 1, source: '127.0.0.1', group: null, ttl: 255,
  filter: new Uint8Array(0), receiveBufferBytes: null })
engine.addSlot(1, link, 51)
engine.order([{ slot: 1, generation: 1,
  order: { kind: 'lead', now: [], repeats: [], resign: [{ kind: 'datagram', link, to: '127.0.0.1', bytes: new Uint8Array(8) }], lateUs: 60e6, wardenLateUs: 59e6 } }])
await engine.flush()
while (process.argv[4] !== undefined && guard.beats() < 2) await new Promise((resolve) => setTimeout(resolve, 10))
writeFileSync(process.argv[3], '')
process.stdin.resume().on('end', () => process.exit(0))`

test('nothing is told to a warden before it has said that it holds the lock', async () => {
  copyFileSync(built, join(dir, 'vipd.node'))
  const go = join(dir, 'go')
  const warden = join(dir, 'vipd-warden')
  writeFileSync(warden, fake.replaceAll('GO', JSON.stringify(go)))
  chmodSync(warden, 0o755)
  const native = new URL('../../src/engine/native.js', import.meta.url).href
  const child: ChildProcess = spawn(
    process.execPath,
    ['--input-type=module', '-e', leading, native, lock, go],
    {
      env: { ...process.env, VIPD_ADDON: join(dir, 'vipd.node') },
      stdio: ['pipe', 'inherit', 'inherit'],
    },
  )
  await until(() => existsSync(`${go}.done`), 60_000)
  assert.equal(readFileSync(`${go}.done`, 'utf8'), 'False True')
  child.stdin?.end()
})

test('what it writes has the form of the log: text, for journald, JSON', async () => {
  const native = new URL('../../src/engine/native.js', import.meta.url).href
  const gone = 'vipd-warden: the daemon is gone: gave up leadership'
  const day = String.raw`\d{4}-\d\d-\d\d`
  const forms = {
    text: new RegExp(String.raw`^${day} \d\d:\d\d:\d\d\.\d{3} error ${gone}\n$`),
    journal: new RegExp(`^<3>${gone}\n$`),
    json: new RegExp(
      String.raw`^\{"level":"error","time":"${day}T\d\d:\d\d:\d\d\.\d{3}Z","pid":\d+,"msg":"${gone}"\}\n$`,
    ),
  }
  for (const [form, line] of Object.entries(forms)) {
    const go = join(dir, `leads-${form}`)
    const child = spawn(
      process.execPath,
      ['--input-type=module', '-e', leading, native, lock, go, form],
      { stdio: ['pipe', 'inherit', 'pipe'], env: { ...process.env, TZ: 'Asia/Tokyo' } },
    )
    let written = ''
    child.stderr.on('data', (text) => {
      written += text
    })
    const closed = new Promise((resolve) => child.once('close', resolve))
    await until(() => existsSync(go), 60_000)
    const beforeMs = Date.now()
    child.kill('SIGKILL')
    await closed
    assert.match(written, line)
    const said = form === 'text' ? `${written.slice(0, 23).replace(' ', 'T')}+09:00` : ''
    if (said !== '') assert.ok(Math.abs(Date.parse(said) - beforeMs) < 60_000, written)
    if (form === 'json') assert.equal(JSON.parse(written).msg, gone)
  }
})

test('a warden that does not read costs no memory', async (t) => {
  const { engine, guard } = startEngine(quiet, () => undefined)
  const link = engine.openLink(spec({ receiveBufferBytes: null }))
  const slots = Array.from({ length: 20 }, (_, i) => i + 1)
  for (const slot of slots) engine.addSlot(slot, link, slot)
  guard.startWarden(lock, 'text')
  await until(() => childrenCalled('vipd-warden').length === 1 && guard.beats() > 0)
  const [pid = 0] = childrenCalled('vipd-warden')
  process.kill(pid, 'SIGSTOP')
  t.after(() => {
    process.kill(pid, 'SIGCONT')
    engine.stop()
  })
  /** A new way to give up the lead each time, of some 60 kB. */
  const resign = (round: number): Plan =>
    Array.from({ length: 600 }, (_, i) => add(vip(`10.${round % 200}.${i >> 8}.${i & 255}`))).flat()
  const rounds = async (count: number) => {
    for (let round = 0; round < count; round++) {
      const order = leadWith([], { repeats: [], resign: resign(round) })
      engine.order(slots.map((slot) => ({ slot, generation: round, order })))
      await engine.flush()
    }
  }
  await rounds(20)
  const before = process.memoryUsage().rss
  await rounds(100)
  const grown = (process.memoryUsage().rss - before) / 2 ** 20
  // ThreadSanitizer keeps some octets of its own beside each of ours.
  const bound = process.env['TSAN_OPTIONS'] === undefined ? 60 : 240
  assert.ok(grown < bound, `${grown.toFixed(0)} MiB more`)
})
