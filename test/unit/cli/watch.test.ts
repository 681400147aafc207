/** `vipd watch` on a real pseudo-terminal (script(1)), with a daemon that the test plays. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { EventFeed } from '../../../src/control/event-feed.ts'
import { startControl } from '../../../src/control/server.ts'
import { until } from '../../../src/lab/wait.ts'
import type { DaemonEvent } from '../../../src/report/event.ts'
import type { Status } from '../../../src/report/status.ts'
import { packageRoot } from '../../config/ask-both.ts'
import { aStatus } from './a-status.ts'
import { Session, soonMs } from './a-terminal.ts'

const dir = mkdtempSync(join(tmpdir(), 'vipd-watch-'))
const bin = join(packageRoot, 'dist/src/cli/run.js')

type Environment = Readonly<Record<string, string | undefined>>

function session(name: string, env: Environment = {}, shell?: (run: string) => string): Session {
  return new Session({
    ...{ dir, name, program: `exec '${process.execPath}' '${bin}' watch --run-dir '${dir}'` },
    ...(shell === undefined ? {} : { shell }),
    start: (args, onData) => {
      const child = spawn('script', args, {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: { ...process.env, NO_COLOR: '', TERM: 'xterm', SHELL: '/bin/sh', ...env },
      })
      child.stdout.on('data', onData)
      sessions.set(name, child.pid ?? 0)
      return {
        write: (text) => child.stdin.write(text),
        ended: new Promise<void>((resolve) => {
          child.once('close', () => {
            sessions.delete(name)
            resolve()
          })
        }),
      }
    },
  })
}

/** Of those that have not ended, by name: the process of script(1). */
const sessions = new Map<string, number>()
// A test that has failed leaves its session, which would keep this process waiting, and a watch that may be stopped.
after(() => {
  for (const [name, pid] of sessions) for (const one of [pid, watchOf(name)]) kill(one)
  rmSync(dir, { recursive: true, force: true })
})

/** The process in that terminal; null: none that runs yet. */
function watchOf(name: string): number | null {
  const file = join(dir, `${name}.pid`)
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : null
}

function kill(pid: number | null): void {
  // 0 is this process's own group.
  if (pid === null || pid === 0) return
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

const quiet = () => undefined
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet, flush: async () => undefined }
const unused = () => {
  throw new Error('not asked for')
}

async function daemon(t: TestContext, status: () => Status, events = new EventFeed()) {
  const control = await startControl({
    path: join(dir, 'vipd.sock'),
    log,
    handlers: {
      ...{
        status,
        events,
        transitions: unused,
        claims: unused,
        reload: unused,
        failover: unused,
        drain: unused,
      },
      ...{
        resume: unused,
        upgrade: unused,
        left: unused,
        observe: unused,
        results: unused,
        push: unused,
        stop: unused,
      },
    },
  })
  t.after(() => control.close())
  return control
}

const failedOver: DaemonEvent = {
  ...{ kind: 'transition', at: new Date().toISOString(), number: 7, instance: 'VI_web' },
  ...{ from: 'MASTER', to: 'FAULT', why: 'link eth0 down', cause: 'faults' },
}

const inFault: Status = {
  ...aStatus,
  instances: aStatus.instances.map((it) =>
    it.name === 'VI_web' ? { ...it, state: 'FAULT' as const, why: 'link eth0 down' } : it,
  ),
}

function resize(tty: string, rows: number, columns: number): void {
  const words = ['-F', tty, 'rows', String(rows), 'cols', String(columns)]
  assert.equal(spawnSync('stty', words).status, 0)
}

/** The shell has the terminal as it gave it. */
function restored(of: Session, status: string): void {
  assert.equal(of.screen.alternate || of.screen.cursorHidden, false)
  assert.equal(of.read('after'), of.read('before'))
  assert.equal(of.read('status'), status)
}

test('a fail-over is on the screen, a resize, a daemon that goes and comes; the terminal is restored', async (t) => {
  let status: Status = aStatus
  const feed = new EventFeed()
  const first = await daemon(t, () => status, feed)
  const it = session('life')
  await it.shows(/VI_web +\d+ +eth0 +MASTER/)
  assert.ok(it.screen.alternate && it.screen.cursorHidden)

  status = inFault
  feed.publish(failedOver)
  await it.shows(/VI_web +\d+ +eth0 +FAULT/)
  await it.shows(/ago {2}VI_web {2}MASTER -> FAULT {2}link eth0 down/)

  it.type('f')
  await it.shows(/ONLY WHAT IS NOT WELL/)
  it.type('f')
  await it.shows(/f all/)
  const fits = (rows: number, columns: number) =>
    until(`${rows} rows of ${columns} columns`, soonMs, () => {
      const shown = it.screen.rows.filter((row) => row !== undefined)
      return shown.length === rows && shown.every((row) => row.length <= columns)
    })
  resize(it.read('tty'), 6, 50)
  await fits(6, 50)
  for (const [rows, columns] of [
    [1, 1],
    [2, 3],
    [1, 200],
    [3, 1],
  ] as const) {
    resize(it.read('tty'), rows, columns)
    await fits(rows, columns)
  }
  resize(it.read('tty'), 24, 100)
  await it.shows(/VI_web +\d+ +eth0 +FAULT/)

  await first.close()
  await it.shows(/^NO ANSWER for/)
  const again = new EventFeed()
  again.publish({ ...failedOver, at: new Date().toISOString(), to: 'BACKUP', why: 'started' })
  await daemon(t, () => aStatus, again)
  await it.shows(/^vipd /)
  // What the new daemon does not know is still told.
  await it.shows(
    /VI_web +\d+ +eth0 +MASTER[\s\S]*-> FAULT {2}link eth0 down[\s\S]*-> BACKUP {2}started/,
  )
  it.type('q')
  await it.ended
  restored(it, '0')
})

test('the terminal is restored by Ctrl-C, Esc and signals', async (t) => {
  await daemon(t, () => aStatus)
  for (const [name, how, status] of [
    ['ctrl-c', '\u0003', '0'],
    ['esc', '\u001b', '0'],
    ['term', 'SIGTERM', '143'],
    ['hup', 'SIGHUP', '129'],
    ['quit', 'SIGQUIT', '131'],
  ] as const) {
    const it = session(name)
    await it.shows(/VI_web/)
    if (how.startsWith('SIG')) process.kill(Number(it.read('pid')), how as NodeJS.Signals)
    else it.type(how)
    await it.ended
    restored(it, status)
  }
})

test('an error that nothing expects: the terminal is restored, then the trace is written', async (t) => {
  await daemon(t, () => aStatus)
  for (const [name, how] of [
    ['thrown', "throw new Error('torn apart')"],
    ['rejected', "void Promise.reject(new Error('torn apart'))"],
  ] as const) {
    const file = join(dir, `${name}.mjs`)
    writeFileSync(file, `process.on('SIGUSR2', () => { ${how} })\n`)
    const it = session(name, { NODE_OPTIONS: `--import=${file}` })
    await it.shows(/VI_web/)
    process.kill(Number(it.read('pid')), 'SIGUSR2')
    await it.ended
    restored(it, '1')
    const back = it.raw.lastIndexOf('\u001b[?1049l')
    assert.ok(back > 0 && it.raw.indexOf('torn apart') > back, it.raw.slice(-2_000))
  }
})

/** A shell with job control: watch is stopped, the shell has the terminal, `fg` when a line was typed. */
const jobs = (name: string, meanwhile: string) => (run: string) =>
  `set -m; ${run}; ${meanwhile}; stty -g > '${dir}/${name}.stopped'; read line; fg`

test('Ctrl-Z and SIGTSTP give the shell its terminal, fg takes it again, with the size of now', async (t) => {
  await daemon(t, () => aStatus)
  for (const how of ['ctrl-z', 'SIGTSTP', 'SIGSTOP'] as const) {
    // SIGSTOP cannot be noticed: the shell makes its terminal usable itself.
    const it = session(how, {}, jobs(how, how === 'SIGSTOP' ? 'stty sane' : 'true'))
    await it.shows(/VI_web/)
    if (how === 'ctrl-z') it.type('\u001a')
    else process.kill(Number(it.read('pid')), how)
    await until('the shell goes on', soonMs, () => it.has('stopped'))
    if (how !== 'SIGSTOP') {
      // What it wrote comes through script(1), behind the shell's file.
      await until(`${how}: the screen is the shell's`, soonMs, () => {
        return !it.screen.alternate && !it.screen.cursorHidden
      })
      assert.equal(it.read('stopped'), it.read('before'), how)
    }
    resize(it.read('tty'), 7, 60)
    const from = it.raw.length
    it.type('\n')
    await until('it is on the alternate screen', soonMs, () =>
      it.raw.slice(from).includes('\u001b[?1049h'),
    )
    await until('rows of the new size', soonMs, () => {
      const shown = it.screen.rows.filter((row) => row !== undefined)
      return shown.length === 7 && shown.every((row) => row.length <= 60)
    })
    // Raw: no line has to be ended.
    it.type('q')
    await it.ended
    restored(it, '0')
  }
})

test('Ctrl-Z where no shell could continue it (ssh -t HOST vipd watch): it goes on', async (t) => {
  await daemon(t, () => aStatus)
  const it = session('orphan')
  await it.shows(/VI_web/)
  const from = it.raw.length
  it.type('\u001a')
  await until('left and entered', soonMs, () =>
    /\?1049l[\s\S]*\?1049h[\s\S]*VI_web/.test(it.raw.slice(from)),
  )
  it.type('q')
  await it.ended
  restored(it, '0')
})

test('a terminal that is gone ends it', async (t) => {
  await daemon(t, () => aStatus)
  const it = session('gone')
  await it.shows(/VI_web/)
  const pid = Number(it.read('pid'))
  process.kill(sessions.get('gone') ?? 0, 'SIGKILL')
  await until('it has ended', soonMs, () => {
    try {
      process.kill(pid, 0)
      return false
    } catch {
      return true
    }
  })
})

test('colours: only without NO_COLOR; no terminal, or one that cannot place its cursor, is said', async (t) => {
  await daemon(t, () => inFault)
  const colours = /\p{Cc}\[(?!0m)[\d;]*m/u
  for (const [name, NO_COLOR] of [
    ['coloured', ''],
    ['plain', '1'],
  ] as const) {
    const it = session(name, { NO_COLOR })
    await it.shows(/VI_web +\d+ +eth0 +FAULT/)
    it.type('q')
    await it.ended
    restored(it, '0')
    assert.equal(colours.test(it.raw), name === 'coloured', name)
  }
  for (const [name, TERM] of [
    ['dumb', 'dumb'],
    ['unset', undefined],
  ] as const) {
    const it = session(name, { TERM })
    await it.ended
    restored(it, '3')
    assert.ok(!it.raw.includes('\u001b'))
    assert.match(it.raw, new RegExp(`TERM is ${name === 'dumb' ? 'dumb' : 'not set'}.*vipd events`))
  }
  const piped = spawnSync(process.execPath, [bin, 'watch', '--run-dir', dir], { encoding: 'utf8' })
  assert.deepEqual([piped.status, piped.stdout], [3, ''])
  assert.match(piped.stderr, /no terminal.*vipd status and vipd events/)
})
