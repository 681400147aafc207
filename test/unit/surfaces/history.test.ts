/** Transitions over restarts: what is on the disk after an orderly end, a crash, a torn line, a disk that refuses. */
import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Log } from '../../../src/base/log.ts'
import { until } from '../../../src/lab/wait.ts'
import {
  type KeptQuery,
  type KeptTransition,
  type LatestQuery,
  transitionsOf,
} from '../../../src/report/kept.ts'
import {
  fileBytesMax,
  historyFile,
  NewerSchema,
  olderFiles,
  readLatest,
  readPage,
} from '../../../src/surfaces/history/files.ts'
import { HistoryStore } from '../../../src/surfaces/history/store.ts'
import { HistorySurface } from '../../../src/surfaces/history/surface.ts'

const root = mkdtempSync(join(tmpdir(), 'vipd-history-'))
after(() => rmSync(root, { recursive: true, force: true }))
const soonMs = 30_000
let directories = 0
const fresh = () => join(root, `${directories++}`)

const all: KeptQuery = { name: null, after: 0, sinceMs: 0, untilMs: Number.MAX_SAFE_INTEGER }
const move = (instance = 'VI_1', at = '2026-11-28T03:00:00.000Z', why = 'because') => ({
  ...{ instance, at, why },
  ...{ from: 'BACKUP', to: 'MASTER', cause: 'timeout' as const },
})
const numbered = (number: number, ...more: Parameters<typeof move>): KeptTransition => ({
  number,
  ...move(...more),
})

function kept(directory: string, query: Partial<KeptQuery> = {}): readonly KeptTransition[] {
  const found: KeptTransition[] = []
  for (let after: number | null = query.after ?? 0; after !== null; ) {
    const page = readPage(directory, { ...all, ...query, after })
    const lines = Buffer.from(page.lines).toString().trimEnd()
    if (lines !== '') found.push(...lines.split('\n').map((it) => JSON.parse(it) as KeptTransition))
    after = page.next
  }
  return found
}
const numbers = (directory: string, query: Partial<KeptQuery> = {}) =>
  kept(directory, query).map(({ number }) => number)

test('an orderly end leaves no gap, a crash leaves one, and no number is given twice', () => {
  const directory = fresh()
  const first = new HistoryStore(directory)
  assert.equal(first.next, 1)
  first.keep([numbered(1), numbered(2)])
  first.close(2)
  const second = new HistoryStore(directory)
  assert.equal(second.next, 3)
  second.keep([numbered(3)])
  // Number 4 was told to readers of events, and never written.
  second.abandon()
  const third = new HistoryStore(directory)
  assert.ok(third.next > second.reserved - 1, `${third.next} after ${second.reserved}`)
  third.keep([numbered(third.next)])
  third.close(third.next)
  assert.deepEqual(numbers(directory), [1, 2, 3, third.next])
  assert.equal(statSync(directory).mode & 0o777, 0o700)
  assert.equal(statSync(historyFile(directory, 0)).mode & 0o777, 0o600)
})

test('a torn last line is passed over, and what follows it is not', () => {
  const directory = fresh()
  const before = new HistoryStore(directory)
  before.keep([numbered(1)])
  before.abandon()
  appendFileSync(historyFile(directory, 0), '{"number":2,"at":"2026-11-28T03:0')
  assert.deepEqual(numbers(directory), [1])
  const next = new HistoryStore(directory)
  next.keep([numbered(next.next)])
  next.abandon()
  assert.deepEqual(numbers(directory), [1, next.next])
  // Only the head is there, and torn.
  const other = fresh()
  mkdirSync(other, { mode: 0o700 })
  writeFileSync(historyFile(other, 0), '{"schema":1,"fir')
  const begun = new HistoryStore(other)
  begun.keep([numbered(begun.next)])
  begun.close(begun.next)
  assert.deepEqual(numbers(other), [1])
})

test('what is passed twice is kept once', () => {
  const directory = fresh()
  const store = new HistoryStore(directory)
  store.keep([numbered(1), numbered(2)])
  store.keep([numbered(1), numbered(2), numbered(3)])
  store.abandon()
  assert.deepEqual(numbers(directory), [1, 2, 3])
})

test('files are rotated: a bounded place, the latest kept, in order', () => {
  const directory = fresh()
  const store = new HistoryStore(directory)
  const why = 'x'.repeat(4_000)
  const count = Math.ceil(((olderFiles + 2) * fileBytesMax) / 4_000)
  let number = 0
  for (let batch = 0; batch < count / 50; batch += 1)
    store.keep(Array.from({ length: 50 }, () => numbered(++number, 'VI_1', undefined, why)))
  store.close(number)
  const files = readdirSync(directory)
  assert.equal(files.length, olderFiles + 1)
  for (const file of files) assert.ok(statSync(join(directory, file)).size < fileBytesMax + 300_000)
  const found = numbers(directory)
  assert.equal(found.at(-1), number)
  assert.deepEqual(
    found,
    found.map((_, i) => number - found.length + 1 + i),
  )
  assert.ok(found.length > (olderFiles * fileBytesMax) / 4_200)
  const next = new HistoryStore(directory)
  assert.equal(next.next, number + 1)
  next.abandon()
})

test('by name, by time, from a number on', () => {
  const directory = fresh()
  const store = new HistoryStore(directory)
  store.keep([
    numbered(1, 'a', '2026-11-28T03:00:00.000Z'),
    numbered(2, 'b', '2026-11-28T04:00:00.000Z'),
    numbered(3, 'a', '2026-11-28T05:00:00.000Z'),
  ])
  store.abandon()
  assert.deepEqual(numbers(directory, { name: 'a' }), [1, 3])
  assert.deepEqual(numbers(directory, { after: 1 }), [2, 3])
  const [sinceMs, untilMs] = [Date.parse('2026-11-28T03:30Z'), Date.parse('2026-11-28T04:30Z')]
  assert.deepEqual(numbers(directory, { sinceMs, untilMs }), [2])
  assert.deepEqual(numbers(join(directory, 'none')), [])
})

test('the latest, as many as are wanted, and the older ones from there on', () => {
  const directory = fresh()
  const store = new HistoryStore(directory)
  const made = Array.from({ length: 7 }, (_, i) =>
    numbered(i + 1, i % 2 === 0 ? 'a' : 'b', `2026-11-28T03:0${i}:00.000Z`),
  )
  store.keep(made)
  store.abandon()
  // Of an older file, too.
  renameSync(historyFile(directory, 0), historyFile(directory, 1))
  const again = new HistoryStore(directory)
  again.keep([numbered(8, 'b', '2026-11-28T03:07:00.000Z')])
  again.abandon()
  const any: LatestQuery = {
    name: null,
    before: null,
    sinceMs: 0,
    untilMs: Number.MAX_SAFE_INTEGER,
    limit: 3,
  }
  const latest = (query: Partial<LatestQuery> = {}) => {
    const page = readLatest(directory, { ...any, ...query })
    return [transitionsOf(page).map(({ number }) => number), page.next]
  }
  assert.deepEqual(latest(), [[6, 7, 8], 6])
  assert.deepEqual(latest({ before: 6 }), [[3, 4, 5], 3])
  assert.deepEqual(latest({ before: 3 }), [[1, 2], null])
  assert.deepEqual(latest({ limit: 8 }), [[1, 2, 3, 4, 5, 6, 7, 8], null])
  assert.deepEqual(latest({ name: 'b' }), [[4, 6, 8], 4])
  const [sinceMs, untilMs] = [Date.parse('2026-11-28T03:01Z'), Date.parse('2026-11-28T03:03Z')]
  assert.deepEqual(latest({ sinceMs, untilMs }), [[2, 3, 4], null])
  const long = 'x'.repeat(64 * 1024)
  const more = new HistoryStore(directory)
  more.keep([9, 10, 11, 12, 13].map((number) => ({ ...numbered(number, 'a'), why: long })))
  more.abandon()
  assert.deepEqual(latest({ limit: 100 }), [[12, 13], 12], 'no more than a message may hold')
})

test('the files of a newer vipd, and a directory of another user, are left alone', () => {
  const newer = fresh()
  mkdirSync(newer, { mode: 0o700 })
  const text = '{"schema":2,"first":1,"reserved":10}\n'
  writeFileSync(historyFile(newer, 0), text)
  assert.throws(() => new HistoryStore(newer), NewerSchema)
  assert.equal(statSync(historyFile(newer, 0)).size, text.length)
  const open = fresh()
  mkdirSync(open)
  chmodSync(open, 0o777)
  assert.throws(() => new HistoryStore(open), /others may write there/)
})

class Daemon {
  readonly lines: string[] = []
  readonly history = new HistorySurface(this.#log())

  #log(): Log {
    const line = (text: string) => void this.lines.push(text)
    return { debug: line, info: line, warn: line, error: line, flush: async () => undefined }
  }
}

test('the daemon’s side: numbered, kept before the end, read while it runs', async () => {
  const directory = fresh()
  const { history } = new Daemon()
  assert.equal(history.keep(move()), null)
  assert.equal((await history.read(all)).directory, null)
  history.follow(directory)
  // Before the files have been read it has no number yet, and gets one all the same.
  assert.equal(history.keep(move('VI_1')), null)
  await until('a number', soonMs, () => history.keep(move('VI_2')) !== null)
  const page = await history.read({ ...all, name: 'VI_1' })
  assert.match(Buffer.from(page.lines).toString(), /"number":1,"instance":"VI_1"/)
  const last = history.keep(move('VI_3'))
  await history.stop()
  const found = kept(directory)
  assert.deepEqual([found.at(-1)?.number, found.at(-1)?.instance], [last, 'VI_3'])
  const again = new Daemon()
  again.history.follow(directory)
  await again.history.settled(soonMs)
  const next = again.history.keep(move())
  assert.ok((next ?? 0) > (last ?? 0))
  await again.history.stop()
  assert.equal(new Set(numbers(directory)).size, numbers(directory).length)
})

test('a directory that cannot be made is told in status, tried again, and nothing is lost', async () => {
  const parent = fresh()
  writeFileSync(parent, 'in the way')
  const directory = join(parent, 'kept')
  const { history, lines } = new Daemon()
  history.follow(directory)
  for (const name of ['a', 'b', 'c']) history.keep(move(name))
  // A start does not wait for a disk that refuses.
  await history.settled(soonMs)
  assert.notEqual(history.warnings.length, 0)
  assert.match(history.warnings[0] ?? '', /^transitions are not kept over a restart: .*ENOTDIR/)
  rmSync(parent)
  await until('no warning', soonMs, () => history.warnings.length === 0)
  await history.stop()
  assert.deepEqual(
    kept(directory).map(({ instance }) => instance),
    ['a', 'b', 'c'],
  )
  assert.equal(lines.filter((line) => line.includes('not kept')).length, 1)
  assert.ok(lines.some((line) => line.includes('are kept in')))
})
