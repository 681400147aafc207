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
import { lockHolder, startEngine } from '../../src/engine/native.ts'
import type { Plan } from '../../src/engine/order.ts'
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
const names = JSON.parse(process.argv[5] ?? '["VI_1"]')
let link
names.forEach((name, i) => {
  if (i % 255 === 0) link = engine.openLink({ family: 4, interface: 'lo', ifindex: 1, source: '127.0.0.1', group: null, ttl: 255,
    filter: new Uint8Array(0), receiveBufferBytes: null })
  engine.addSlot(i + 1, link, i % 255 + 1, [], name)
  engine.order([{ slot: i + 1, generation: 1,
    order: { kind: 'lead', now: [], repeats: [], resign: [{ kind: 'datagram', link, to: '127.0.0.1', bytes: new Uint8Array(8) }], lateUs: 60e6, wardenLateUs: 59e6 } }])
})
await engine.flush()
// Two beats after all has been told.
const beats = guard.beats() + 2
while (process.argv[4] !== undefined && guard.beats() < beats) await new Promise((resolve) => setTimeout(resolve, 10))
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

/** In a mount namespace with an empty /run; with `journald`, datagrams to its socket are written to that file. */
const asService = `
import os, socket, subprocess, sys
subprocess.run(['mount', '-t', 'tmpfs', 'tmpfs', '/run'], check=True)
seen, wanted = sys.argv[1], int(sys.argv[2])
if wanted > 0:
    os.makedirs('/run/systemd/journal')
    there = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    there.bind('/run/systemd/journal/socket')
    if os.fork() == 0:
        told = [there.recv(1 << 20) for _ in range(wanted)]
        with open(seen + '.part', 'wb') as out: out.write(bytes(1).join(told))
        os.rename(seen + '.part', seen)
        os._exit(0)
os.execvp(sys.argv[3], sys.argv[3:])
`

type Died = {
  readonly line: string
  readonly entries: readonly string[]
  readonly beforeMs: number
}

/** What the warden of a daemon with these instances writes when the daemon is killed. `entries`: journald is to get so many. */
async function killed(form: string, names: readonly string[], entries = 0): Promise<Died> {
  const native = new URL('../../src/engine/native.js', import.meta.url).href
  const go = join(dir, `leads-${form}-${names.length}-${entries}`)
  const node = ['--input-type=module', '-e', leading, native, lock, go, form, JSON.stringify(names)]
  // The library of a sanitizer is for Node.js alone: with that of TSan the other two do not even start.
  const { LD_PRELOAD: preload, ...env } = process.env
  const sanitized = preload === undefined ? [] : ['env', `LD_PRELOAD=${preload}`]
  const daemon = [...sanitized, process.execPath, ...node]
  const child = spawn(
    'unshare',
    ['-m', 'python3', '-c', asService, `${go}.seen`, `${entries}`, ...daemon],
    { stdio: ['pipe', 'inherit', 'pipe'], env: { ...env, TZ: 'Asia/Tokyo' } },
  )
  let line = ''
  child.stderr.on('data', (text) => {
    line += text
  })
  const closed = new Promise((resolve) => child.once('close', resolve))
  await until(() => existsSync(go), 60_000)
  const beforeMs = Date.now()
  child.kill('SIGKILL')
  if (entries > 0) await until(() => existsSync(`${go}.seen`), 60_000)
  await closed
  const told = entries > 0 ? readFileSync(`${go}.seen`, 'utf8').split('\0') : []
  return { line, entries: told, beforeMs }
}

const gone = 'vipd-warden: the daemon is gone: gave up leadership of'
const odd = 'a "b" \\c\td'

test('what it writes has the form of the log: text, for journald, JSON', async () => {
  const text = await killed('text', ['VI_1', odd])
  const day = String.raw`\d{4}-\d\d-\d\d`
  const time = String.raw`\d\d:\d\d:\d\d\.\d{3}`
  assert.match(text.line, new RegExp(`^${day} ${time} error ${gone} VI_1, a "b"`))
  assert.ok(text.line.endsWith(' \\c\\td\n'), text.line)
  const said = `${text.line.slice(0, 23).replace(' ', 'T')}+09:00`
  assert.ok(Math.abs(Date.parse(said) - text.beforeMs) < 60_000, text.line)

  const { line } = await killed('json', ['VI_1', odd])
  const { time: at, pid, ...rest } = JSON.parse(line)
  assert.match(`${at}`, new RegExp(`^${day}T${time}Z$`))
  assert.equal(typeof pid, 'number')
  assert.deepEqual(rest, {
    ...{ level: 'error', cause: { kind: 'daemon-gone' }, instances: ['VI_1', odd] },
    msg: `${gone} VI_1, ${odd}`,
  })
})

test('for journald an entry with fields, as many as it takes; without its socket a line with a priority', async () => {
  const away = await killed('journal', ['VI_1'])
  assert.equal(away.line, `<3>${gone} VI_1\n`)

  const { entries, line } = await killed('journal', ['VI_1', odd], 1)
  assert.equal(line, '')
  assert.deepEqual(entries[0]?.split('\n'), [
    ...[`MESSAGE=${gone} VI_1, a "b" \\c\\td`, 'PRIORITY=3', 'SYSLOG_IDENTIFIER=vipd'],
    ...['SYSLOG_FACILITY=3', 'VIPD_FROM=master', 'VIPD_CAUSE=daemon-gone'],
    ...['VIPD_INSTANCE=VI_1', 'VIPD_INSTANCE=a "b" \\c\\td', ''],
  ])

  // Long names too: one that is cut, at the end of a character.
  const many = Array.from({ length: 1_100 }, (_, i) => `VI_${i}`)
  many[7] = `x${'ä'.repeat(200)}`
  const all = (await killed('journal', many, 3)).entries
  const fields = all.flatMap((it) =>
    it.split('\n').filter((field) => /^VIPD_INSTANCE=/.test(field)),
  )
  const names = fields.map((field) => field.slice('VIPD_INSTANCE='.length))
  assert.deepEqual(
    names,
    many.map((name, i) => (i === 7 ? `x${'ä'.repeat(127)}` : name)),
  )
  for (const entry of all) assert.match(entry, / and 1092 others\nPRIORITY=3\n/)

  // Names that take six times their place in JSON: the line is whole all the same.
  const escaped = Array.from({ length: 9 }, (_, i) => `${i}${'\u0001'.repeat(250)}`)
  const { msg, instances: few, untold: rest } = JSON.parse((await killed('json', escaped)).line)
  assert.match(msg, / and 7 others$/)
  assert.equal(few.length + rest, escaped.length)

  const json = (await killed('json', many)).line
  const { instances, untold } = JSON.parse(json)
  assert.ok(json.length <= 4_096 && instances.length > 100, json)
  assert.equal(instances.length + untold, many.length)
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
