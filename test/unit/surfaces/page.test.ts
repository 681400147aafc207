/** What the page computes and says, without a browser. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { StatusInstance } from '../../../src/report/status.ts'
import { ofDrain, ofFailover, ofReload, ofResume } from '../../../src/surfaces/page/consequences.ts'
import { matches, wordsOf } from '../../../src/surfaces/page/filter.ts'
import { barsOf, closestCall, segmentsOf } from '../../../src/surfaces/page/strip.ts'
import { clockText, measuredText, spanText } from '../../../src/surfaces/page/words.ts'
import { packageRoot } from '../../config/ask-both.ts'
import { aStatus } from '../cli/a-status.ts'

const [web, db] = aStatus.instances as [StatusInstance, StatusInstance]
const nowMs = Date.parse('2026-03-01T12:00:00Z')
const window = { nowMs, lengthMs: 3_600_000 }
const ago = (minutes: number): string => new Date(nowMs - minutes * 60_000).toISOString()

test('the strip is whole: what was before the first transition, each state, and nothing outside', () => {
  const history = [
    { at: ago(90), from: 'INIT', to: 'BACKUP', why: 'started', cause: 'start' },
    { at: ago(30), from: 'BACKUP', to: 'MASTER', why: 'lb2 timed out', cause: 'timeout' },
    { at: ago(15), from: 'MASTER', to: 'FAULT', why: 'eth0 down', cause: 'faults' },
  ] as const
  const it = { state: 'FAULT', sinceMs: 900_000, history } as const
  const segments = segmentsOf(it, window, nowMs - 5_400_000, 0)
  assert.deepEqual(
    segments.map(({ from, to, state }) => [from, to, state]),
    [
      [0, 0.5, 'BACKUP'],
      [0.5, 0.75, 'MASTER'],
      [0.75, 1, 'FAULT'],
    ],
  )
  assert.equal(segments[1]?.began?.why, 'lb2 timed out')
})

test('without a transition the strip shows the present state as long as it lasts', () => {
  const it = { state: 'BACKUP', sinceMs: 1_800_000, history: [] } as const
  const [only, ...more] = segmentsOf(it, window, nowMs - 5_400_000, 0)
  assert.deepEqual([only?.from, only?.to, only?.state, more], [0.5, 1, 'BACKUP', []])
})

test('of the pauses in one place the worst is shown, as a share of the down interval', () => {
  const gaps = [
    { atMs: nowMs - 1_800_000, gapMs: 900 },
    { atMs: nowMs - 1_799_999, gapMs: 1_800 },
    { atMs: nowMs - 7_200_000, gapMs: 3_000 },
  ]
  const bars = barsOf(gaps, 3_600, window, 60)
  assert.deepEqual(
    bars.map(({ share }) => share),
    [0.5],
  )
  assert.equal(closestCall(gaps, window)?.gapMs, 1_800)
  assert.equal(closestCall([], window), null)
})

test('spans, measurements and times', () => {
  const spans = [40, 400, 12_000, 200_000, 15_000_000, 273_600_000].map(spanText)
  assert.deepEqual(spans, ['40 ms', '0.4 s', '12 s', '3 min', '4 h 10 min', '3 d 4 h'])
  const measured = [0.234, 2.1, 31.26, 104.2, 3_640.6].map(measuredText)
  assert.deepEqual(measured, ['0.23 ms', '2.1 ms', '31.3 ms', '104 ms', '3.64 s'])
  assert.match(clockText(nowMs, nowMs), /^\d\d:\d\d:\d\d$/)
  assert.match(clockText(nowMs - 172_800_000, nowMs), /^02-27 \d\d:\d\d:\d\d$/)
})

test('a button says what will happen: who takes over, what goes along, what is not known', () => {
  const unknown = ofFailover(web, aStatus, () => null).lines.join('\n')
  assert.match(unknown, /VI_web is master here with priority 150/)
  assert.match(unknown, /cannot be seen from here/)
  const heard = () => 'lb2 said 0.3 s ago: BACKUP with priority 100.'
  const grouped = {
    ...aStatus,
    groups: [{ name: 'VG', state: 'MASTER', members: ['VI_web', 'VI_db'] }],
  }
  const known = ofFailover({ ...web, basePriority: 255 }, grouped, heard).lines.join('\n')
  assert.match(known, /VG moves as a whole: VI_web, VI_db/)
  assert.match(known, /priority 255/)
  assert.match(known, /lb2 said 0\.3 s ago/)
  assert.doesNotMatch(known, /cannot be seen/)
  assert.match(ofDrain(aStatus, () => null).lines.join('\n'), /1 instance will be given away/)
  const back = { ...db, basePriority: 200 }
  assert.match(
    ofResume(aStatus, back).lines.join('\n'),
    /comes back here: VI_db \(200 against 150\)/,
  )
})

test('the filter: every word in the name, the state, the interface or an address', () => {
  const shown = (text: string) =>
    [web, db].filter((it) => matches(wordsOf(text), it)).map(({ name }) => name)
  assert.deepEqual(shown(''), ['VI_web', 'VI_db'])
  assert.deepEqual(shown('  WEB '), ['VI_web'])
  assert.deepEqual(shown('vi_ backup'), ['VI_db'])
  assert.deepEqual(shown(`master ${web.addresses[0]?.address}`), ['VI_web'])
  assert.deepEqual(shown(`vrid:${db.vrid}`), ['VI_db'])
  assert.deepEqual(shown('vrid:5'), [], 'a number is a whole one')
  assert.deepEqual(shown('master backup'), [])
})

test('a reload says whether there is something to read', () => {
  const lines = (unchangedOnDisk: boolean | 'unknown') =>
    ofReload({ ...aStatus, config: { ...aStatus.config, unchangedOnDisk } }).lines[0] ?? ''
  assert.match(lines(true), /nothing will change, unless/)
  assert.match(lines(false), /has changed since it was read/)
  assert.match(lines('unknown'), /does not answer/)
})

test('the page writes what it is told as text only, and takes nothing from elsewhere', () => {
  const folder = join(packageRoot, 'src/surfaces/page')
  const files = readdirSync(folder).filter((name) => /\.(ts|html|css)$/.test(name))
  assert.ok(files.length > 5)
  for (const name of files) {
    const text = readFileSync(join(folder, name), 'utf8')
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacent|document\.write|\beval\(/, name)
    assert.doesNotMatch(text.replaceAll('http://www.w3.org/2000/svg', ''), /https?:\/\//, name)
    assert.doesNotMatch(text, /\sstyle=|\son[a-z]+=/, name)
    for (const [, from] of text.matchAll(/^import (?!type )[^']*'([^']+)'/gm))
      assert.match(from ?? '', /^\.\/[a-z-]+\.ts$/, `${name} takes code from ${from}`)
  }
})
