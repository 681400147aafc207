/** Claims of other machines over restarts: a bounded place beside the transitions, of which they take none. */
import assert from 'node:assert/strict'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Log } from '../../../src/base/log.ts'
import { until } from '../../../src/lab/wait.ts'
import { claimsOf, type KeptQuery, transitionsOf } from '../../../src/report/kept.ts'
import type { KeptClaim } from '../../../src/report/past-claim.ts'
import {
  ClaimsStore,
  claimsBytesMax,
  claimsFile,
  claimsPage,
  readClaims,
} from '../../../src/surfaces/history/claims-file.ts'
import { NewerSchema, readPage } from '../../../src/surfaces/history/files.ts'
import { latestPage } from '../../../src/surfaces/history/latest.ts'
import { HistoryStore } from '../../../src/surfaces/history/store.ts'
import { HistorySurface } from '../../../src/surfaces/history/surface.ts'

const root = mkdtempSync(join(tmpdir(), 'vipd-claims-'))
after(() => rmSync(root, { recursive: true, force: true }))
const soonMs = 30_000
let directories = 0
const fresh = () => join(root, `${directories++}`)
/** On no disk where there is such a place: for thousands of writes, each of which is made durable. */
const memory = '/dev/shm'
const fleeting = mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), 'vipd-claims-'))
after(() => rmSync(fleeting, { recursive: true, force: true }))

const all: KeptQuery = { name: null, after: 0, sinceMs: 0, untilMs: Number.MAX_SAFE_INTEGER }
const time = (minute: number) => new Date(Date.parse('2026-11-28T03:00Z') + minute * 60_000)
const iso = (minute: number) => time(minute).toISOString()
const claim = (minute: number, more: Partial<KeptClaim> = {}): KeptClaim => ({
  ...{ instance: 'VI_1', at: iso(minute), firstAt: iso(minute), lastAt: iso(minute) },
  ...{ address: '10.0.0.9', interface: 'eth0', mac: '02:00:00:00:00:99', how: 'used' },
  ...{ sameMac: false, count: 1, announced: 1, takeOver: null },
  ...more,
})
const move = (number: number) => ({
  ...{ number, instance: 'VI_1', at: iso(number), from: 'BACKUP', to: 'MASTER', why: 'because' },
  cause: 'timeout' as const,
})
const counts = (directory: string) => readClaims(directory).map(({ count }) => count)

test('an entry as it was told last; torn lines, and what is none of ours, are passed over', () => {
  const directory = fresh()
  const store = new ClaimsStore(directory)
  store.keep([claim(1), claim(2, { address: '10.0.0.10' })])
  store.keep([claim(1, { count: 12, lastAt: iso(9) })])
  store.close()
  assert.deepEqual(counts(directory), [12, 1])
  appendFileSync(claimsFile(directory), '{"instance":"VI_1","at":"2026-11-28T03:0')
  const again = new ClaimsStore(directory)
  again.keep([claim(3, { count: 3 })])
  again.close()
  assert.deepEqual(counts(directory), [12, 1, 3])
  const odd = [
    { ...claim(4), count: 'x' },
    { ...claim(5), at: 'never' },
    { ...claim(6), mac: 7 },
    8,
  ]
  appendFileSync(claimsFile(directory), odd.map((it) => `${JSON.stringify(it)}\n`).join(''))
  assert.deepEqual(counts(directory), [12, 1, 3])
  assert.equal(statSync(claimsFile(directory)).mode & 0o777, 0o600)
})

test('a storm takes a bounded place, the latest stay, and no transition is lost for it', () => {
  const directory = join(fleeting, 'storm')
  const moves = new HistoryStore(directory)
  moves.keep([move(1), move(2)])
  const store = new ClaimsStore(directory)
  for (let i = 0; i < 20_000; i += 10) {
    store.keep(Array.from({ length: 10 }, (_, j) => claim(i + j, { count: i + j })))
    assert.ok(statSync(claimsFile(directory)).size <= claimsBytesMax)
  }
  const kept = counts(directory)
  assert.ok(kept.length > 300, `${kept.length} entries`)
  assert.deepEqual(
    kept,
    kept.map((_, i) => 20_000 - kept.length + i),
  )
  // One that goes on for ever takes the place of one.
  for (let i = 0; i < 5_000; i += 1) store.keep([claim(20_000, { count: i })])
  assert.ok(counts(directory).length > 300)
  assert.equal(counts(directory).at(-1), 4_999)
  // As many at once as the daemon holds while a disk refuses.
  const held = () => Array.from({ length: 512 }, (_, i) => claim(30_000 + i, { count: i }))
  for (let i = 0; i < 3; i += 1) {
    store.keep(held())
    assert.ok(statSync(claimsFile(directory)).size <= claimsBytesMax)
    assert.deepEqual(
      counts(directory).slice(-512),
      held().map(({ count }) => count),
    )
  }
  store.close()
  moves.keep([move(3)])
  moves.close(3)
  const page = readPage(directory, all)
  assert.deepEqual(
    transitionsOf(page).map(({ number }) => number),
    [1, 2, 3],
  )
  assert.ok(!existsSync(join(directory, 'transitions.1.jsonl')))
})

test('a full disk: none is half there, and the next attempt keeps all', () => {
  const directory = fresh()
  const store = new ClaimsStore(directory)
  let number = 0
  const more = () => Array.from({ length: 100 }, () => claim(number, { count: number++ }))
  while (statSync(claimsFile(directory)).size < claimsBytesMax - 40_000) store.keep(more())
  // Where the shorter file would be written.
  mkdirSync(`${claimsFile(directory)}.new`)
  const before = counts(directory)
  const refused = more()
  let failed = false
  for (let i = 0; i < 3 && !failed; i += 1)
    try {
      store.keep(refused)
    } catch {
      failed = true
    }
  assert.ok(failed)
  assert.ok(statSync(claimsFile(directory)).size <= claimsBytesMax)
  assert.ok(counts(directory).length >= before.length)
  rmdirSync(`${claimsFile(directory)}.new`)
  store.keep(refused)
  assert.equal(counts(directory).at(-1), refused.at(-1)?.count)
  store.close()
})

test('the file of a newer vipd is left alone, and the transitions beside it are read and written', () => {
  const directory = fresh()
  mkdirSync(directory, { mode: 0o700 })
  const text = '{"schema":2}\n'
  writeFileSync(claimsFile(directory), text)
  assert.throws(() => new ClaimsStore(directory), NewerSchema)
  const moves = new HistoryStore(directory)
  moves.keep([move(1)])
  moves.close(1)
  assert.equal(readFileSync(claimsFile(directory), 'utf8'), text)
  const query = { name: null, before: null, sinceMs: 0, untilMs: all.untilMs, limit: 10 }
  const page = latestPage(directory, query)
  assert.deepEqual([transitionsOf(page).length, claimsOf(page.claims)], [1, []])
})

test('by name and by time: what goes on in the span is within it', () => {
  const directory = fresh()
  assert.deepEqual(claimsOf(claimsPage(directory, all)), [])
  const store = new ClaimsStore(directory)
  store.keep([
    claim(1, { lastAt: iso(40) }),
    claim(20, { instance: 'VI_2' }),
    claim(30, { address: '10.0.0.10' }),
  ])
  store.close()
  const minutes = (query: Partial<KeptQuery>) =>
    claimsOf(claimsPage(directory, { ...all, ...query })).map(
      ({ at }) => (Date.parse(at) - time(0).getTime()) / 60_000,
    )
  assert.deepEqual(minutes({}), [1, 20, 30])
  assert.deepEqual(minutes({ name: 'VI_2' }), [20])
  assert.deepEqual(minutes({ sinceMs: time(25).getTime() }), [1, 30])
  assert.deepEqual(minutes({ untilMs: time(25).getTime() }), [1, 20])
})

test('the latest transitions come with the claims of their time, each on one page', () => {
  const directory = fresh()
  const moves = new HistoryStore(directory)
  moves.keep([2, 4, 6, 8].map(move))
  moves.close(8)
  const store = new ClaimsStore(directory)
  store.keep([1, 3, 4, 5, 7, 9].map((minute) => claim(minute, { count: minute })))
  store.close()
  const seen: (readonly [readonly number[], readonly number[]])[] = []
  for (let before: number | null = null; ; ) {
    const query = { name: null, before, sinceMs: 0, untilMs: all.untilMs, limit: 2 }
    const page = latestPage(directory, query)
    seen.push([
      transitionsOf(page).map(({ number }) => number),
      claimsOf(page.claims).map(({ count }) => count),
    ])
    before = page.next
    if (before === null) break
  }
  assert.deepEqual(seen, [
    [
      [6, 8],
      [7, 9],
    ],
    [
      [2, 4],
      [1, 3, 4, 5],
    ],
  ])
})

class Daemon {
  readonly lines: string[] = []
  readonly history = new HistorySurface(this.#log())

  #log(): Log {
    const line = (text: string) => void this.lines.push(text)
    return { debug: line, info: line, warn: line, error: line, flush: async () => undefined }
  }
}

test('the daemon’s side: kept before the end and over a restart; nothing where nothing is kept', async () => {
  const directory = fresh()
  const { history } = new Daemon()
  history.keepClaim(claim(0))
  history.follow(directory)
  await history.settled(soonMs)
  assert.ok(!existsSync(claimsFile(directory)), 'no file before the first claim')
  history.keepClaim(claim(1))
  history.keepClaim(claim(1, { count: 2 }))
  assert.deepEqual(
    claimsOf((await history.claims(all)).lines).map(({ count }) => count),
    [1],
    'what is passed is read',
  )
  history.keepClaim(claim(1, { count: 3 }))
  await history.stop()
  assert.deepEqual(counts(directory), [3])
  const again = new Daemon()
  again.history.follow(directory)
  await again.history.settled(soonMs)
  again.history.keepClaim(claim(2))
  await again.history.stop()
  assert.deepEqual(counts(directory), [3, 1])
})

test('a file that cannot be written is told in status, tried again, and holds up no transition', async () => {
  const directory = fresh()
  mkdirSync(directory, { mode: 0o700 })
  mkdirSync(claimsFile(directory))
  const { history, lines } = new Daemon()
  history.follow(directory)
  await history.settled(soonMs)
  history.keepClaim(claim(1))
  history.keepClaim(claim(2))
  await until('a warning', soonMs, () => history.warnings.length > 0)
  assert.match(history.warnings[0] ?? '', /^claims of other machines are not kept .*EISDIR/)
  history.keepClaim(claim(1, { count: 5 }))
  const { number: _given, ...transition } = move(1)
  assert.equal(history.keep(transition), 1)
  const page = await history.read(all)
  assert.equal(transitionsOf(page).length, 1)
  rmdirSync(claimsFile(directory))
  await until('no warning', soonMs, () => history.warnings.length === 0)
  await history.stop()
  assert.deepEqual(counts(directory), [5, 1])
  assert.equal(lines.filter((line) => line.includes('not kept')).length, 1)
  assert.ok(lines.some((line) => line.includes('are kept again')))
})
