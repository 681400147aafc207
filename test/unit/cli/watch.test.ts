/** `vipd watch` on a real pseudo-terminal (script(1)), with a daemon that the test plays; and its rows for any screen. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type WatchState, watchRows } from '../../../src/cli/watch-screen.ts'
import { EventFeed } from '../../../src/control/event-feed.ts'
import { startControl } from '../../../src/control/server.ts'
import { until } from '../../../src/lab/wait.ts'
import type { DaemonEvent } from '../../../src/report/event.ts'
import type { Status } from '../../../src/report/status.ts'
import { packageRoot } from '../../config/ask-both.ts'
import { aStatus } from './a-status.ts'

const dir = mkdtempSync(join(tmpdir(), 'vipd-watch-'))
after(() => rmSync(dir, { recursive: true, force: true }))
const bin = join(packageRoot, 'dist/src/cli/run.js')
const soonMs = 60_000

/** As much of a terminal as watch uses. */
class Screen {
  rows: string[] = []
  alternate = false
  cursorHidden = false
  #row = 0
  #column = 0

  take(text: string): void {
    const parts = /\p{Cc}\[([?\d;]*)([A-Za-z])|([^\p{Cc}]+)/gu
    for (const [, numbers = '', letter, plain] of text.matchAll(parts)) {
      if (plain !== undefined) this.#put(plain)
      else this.#obey(numbers, letter ?? '')
    }
  }

  get text(): string {
    return this.rows.map((row) => row ?? '').join('\n')
  }

  #put(plain: string): void {
    const before = (this.rows[this.#row] ?? '').padEnd(this.#column)
    const end = this.#column + plain.length
    this.rows[this.#row] = before.slice(0, this.#column) + plain + before.slice(end)
    this.#column = end
  }

  #obey(numbers: string, letter: string): void {
    if (letter === 'H') {
      const [row = 1, column = 1] = numbers.split(';').map(Number)
      this.#row = row - 1
      this.#column = column - 1
    } else if (letter === 'K')
      this.rows[this.#row] = (this.rows[this.#row] ?? '').slice(0, this.#column)
    else if (letter === 'J') this.rows = []
    else if (numbers === '?1049') this.alternate = letter === 'h'
    else if (numbers === '?25') this.cursorHidden = letter === 'l'
  }
}

class Session {
  readonly screen = new Screen()
  raw = ''
  readonly child: ChildProcess
  readonly ended: Promise<void>

  constructor(name: string, runDir: string) {
    const start = `exec '${process.execPath}' '${bin}' watch --run-dir '${runDir}'`
    writeFileSync(`${dir}/${name}.sh`, `echo $$ > ${dir}/${name}.pid\n${start}\n`)
    const inner = `stty rows 24 cols 100; tty > ${dir}/${name}.tty; stty -g > ${dir}/${name}.before; sh ${dir}/${name}.sh; echo $? > ${dir}/${name}.status; stty -g > ${dir}/${name}.after`
    this.child = spawn('script', ['-qfc', inner, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, TERM: 'xterm', SHELL: '/bin/sh' },
    })
    this.child.stdout?.on('data', (bytes: Buffer) => {
      this.raw += bytes.toString()
      this.screen.take(bytes.toString())
    })
    this.ended = new Promise((resolve) => this.child.once('close', () => resolve()))
  }

  type(keys: string): void {
    this.child.stdin?.write(keys)
  }

  shows(what: RegExp): Promise<unknown> {
    return until(`${what} on the screen`, soonMs, () => what.test(this.screen.text))
  }
}

const read = (file: string) => readFileSync(join(dir, file), 'utf8').trim()
const quiet = () => undefined
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet, flush: async () => undefined }
const unused = () => {
  throw new Error('not asked for')
}

async function daemon(status: () => Status, events: EventFeed) {
  return await startControl({
    path: join(dir, 'vipd.sock'),
    log,
    handlers: {
      ...{ status, events, transitions: unused, reload: unused, failover: unused, drain: unused },
      ...{ resume: unused, observe: unused, results: unused, push: unused, stop: unused },
    },
  })
}

const failedOver: DaemonEvent = {
  ...{ kind: 'transition', at: new Date().toISOString(), number: 7, instance: 'VI_web' },
  ...{ from: 'MASTER', to: 'FAULT', why: 'link eth0 down', cause: 'faults' },
}

test('a fail-over is on the screen, a resize, a daemon that goes and comes; the terminal is restored', async () => {
  let status: Status = aStatus
  const feed = new EventFeed()
  const first = await daemon(() => status, feed)
  const session = new Session('life', dir)
  await session.shows(/VI_web +\d+ +eth0 +MASTER/)
  assert.ok(session.screen.alternate && session.screen.cursorHidden)

  const instances = status.instances.map((it) =>
    it.name === 'VI_web' ? { ...it, state: 'FAULT' as const, why: 'link eth0 down' } : it,
  )
  status = { ...status, instances }
  feed.publish(failedOver)
  await session.shows(/VI_web +\d+ +eth0 +FAULT/)
  await session.shows(/ago {2}VI_web {2}MASTER -> FAULT {2}link eth0 down/)

  session.type('f')
  await session.shows(/ONLY WHAT IS NOT WELL/)
  session.type('f')
  await session.shows(/f all/)
  spawn('stty', ['-F', read('life.tty'), 'rows', '12', 'cols', '50'])
  await until('the rows are cut', soonMs, () => {
    const rows = session.screen.rows.filter((row) => row !== undefined)
    return rows.length <= 12 && rows.length > 2 && rows.every((row) => row.length <= 50)
  })

  await first.close()
  await session.shows(/^NO ANSWER for/)
  const second = await daemon(() => status, new EventFeed())
  await session.shows(/^vipd /)
  session.type('q')
  await session.ended
  assert.equal(session.screen.alternate || session.screen.cursorHidden, false)
  assert.equal(read('life.after'), read('life.before'))
  assert.equal(read('life.status'), '0')
  await second.close()
})

test('the terminal is restored by Ctrl-C, Esc and SIGTERM', async () => {
  const control = await daemon(() => aStatus, new EventFeed())
  for (const [name, how, status] of [
    ['ctrl-c', '\u0003', '0'],
    ['esc', '\u001b', '0'],
    ['term', 'SIGTERM', '143'],
  ] as const) {
    const session = new Session(name, dir)
    await session.shows(/VI_web/)
    if (how === 'SIGTERM') process.kill(Number(read('term.pid')), how)
    else session.type(how)
    await session.ended
    assert.equal(session.screen.alternate || session.screen.cursorHidden, false, name)
    assert.equal(read(`${name}.after`), read(`${name}.before`))
    assert.equal(read(`${name}.status`), status)
  }
  await control.close()
})

test('the rows fit every screen, and what is not well is left when only that is wanted', () => {
  const state: WatchState = {
    ...{ status: aStatus, statusAt: 0, away: null, events: [failedOver] },
    ...{ order: 'configured', onlyUnwell: false, scrolled: 0 },
  }
  for (let rows = 1; rows <= 40; rows += 3)
    for (const columns of [1, 20, 40, 80, 200]) {
      const shown = watchRows(state, { columns, rows }, 1_000, false)
      assert.ok(shown.length <= rows, `${shown.length} rows of ${rows}`)
      for (const row of shown) assert.ok(row.length <= columns, row)
    }
  const all = watchRows(state, { columns: 100, rows: 40 }, 1_000, false).join('\n')
  assert.ok(!all.includes('\u001b'))
  const well = { ...aStatus.instances[0], warnings: [], standsBy: null, name: 'VI_well' }
  const status = { ...aStatus, instances: [well as Status['instances'][number]] }
  const only = watchRows(
    { ...state, status, onlyUnwell: true },
    { columns: 100, rows: 40 },
    0,
    false,
  )
  assert.doesNotMatch(only.join('\n'), /^VI_well/m)
})
