/** Checks of this host: processes, files, modules, what others push, and what is made of other checks. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { copyFileSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Command } from '../../../src/base/command.ts'
import { Files } from '../../../src/checks/local/files.ts'
import { meaning, outcomeOf } from './asking.ts'
import { check, withPool } from './pool-watch.ts'

const directory = mkdtempSync(join(tmpdir(), 'vipd-local-'))
after(() => rmSync(directory, { recursive: true }))

const program = join(directory, `loc${process.pid}`)
copyFileSync('/bin/sleep', program)
const name = `loc${process.pid}`

function run(...args: readonly string[]): ChildProcess {
  const child = spawn(program, args, { stdio: 'ignore' })
  after(() => child.kill('SIGKILL'))
  return child
}

const ended = (child: ChildProcess): Promise<unknown> => {
  const exit = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  return exit
}

async function said(line: string, timeoutMs?: number): Promise<string> {
  const outcome = await outcomeOf(meaning(line), timeoutMs)
  if (outcome.kind === 'probe') return `${outcome.ok ? 'yes' : 'no'} ${outcome.detail}`
  return outcome.kind === 'unable' ? `unable ${outcome.why}` : outcome.kind
}

test('process: so many of that name, path and arguments, and no more', async () => {
  assert.equal(await said(`process ${name}`), `no 0 of ${name}, quorum 1`)
  run('100000')
  run('100000', '1')
  assert.equal(await said(`process ${name}`), `yes 2 of ${name}, quorum 1`)
  assert.equal(await said(`process ${name} quorum 3`), `no 2 of ${name}, quorum 3`)
  assert.equal(await said(`process ${name} quorum_max 1`), `no 2 of ${name}, quorum 1 to 1`)
  const path = `process ${program}`
  assert.equal(await said(path), `yes 2 of ${program}, quorum 1`)
  assert.match(await said(`${path} arguments 100000`), /^yes 1 of/)
  assert.match(await said(`${path} arguments 100000 match initial`), /^yes 2 of/)
  assert.match(await said(`${path} arguments 1000 match partial`), /^yes 2 of/)
  assert.match(await said(`${path} arguments 1000`), /^no 0 of/)
  assert.match(await said(`${path} arguments "100000 1"`), /^yes 1 of/)
  assert.match(await said(`${path} arguments ""`), /^no 0 of/)
})

const processes = (more: Partial<Extract<Command, { kind: 'processes' }>> = {}): Command => ({
  kind: 'processes',
  name: program,
  full: true,
  parameters: ['100001'],
  match: 'exact',
  least: 1,
  most: Number.POSITIVE_INFINITY,
  gainDelayMs: 0,
  lossDelayMs: 0,
  ...more,
})

test('hints make the first failure come sooner, and count no failure twice', async () => {
  const child = run('100003')
  await withPool(async (pool, events) => {
    const timing = { intervalMs: 200, fall: 3 }
    pool.set([check('p', processes({ parameters: ['100003'] }), timing)])
    assert.equal((await events.verdict('p')).good, true)
    const at = performance.now()
    await ended(child)
    assert.equal((await events.verdict('p', 1)).good, false)
    const took = performance.now() - at
    assert.ok(took >= 395, `two intervals after the first failure, not ${took} ms`)
    assert.equal(pool.status('p')?.failures, 3)
  })
})

test('a change of the quorum counts when it has lasted', async () => {
  await withPool(async (pool, events) => {
    const slow = processes({ parameters: ['100002'], gainDelayMs: 150 })
    pool.set([check('p', slow, { intervalMs: 10 })])
    assert.equal((await events.verdict('p')).good, false)
    const seen = events.seen.length
    const at = performance.now()
    run('100002')
    assert.equal((await events.verdict('p', seen)).good, true)
    assert.ok(performance.now() - at >= 150)
  })
})

test('file: there, readable, fresh, with what should be in it', async () => {
  const path = join(directory, 'state')
  assert.equal(await said(`file ${path}`), 'no not there')
  writeFileSync(path, 'state: ready\n')
  assert.equal(await said(`file ${path}`), 'yes there')
  assert.equal(await said(`file ${path} readable yes`), 'yes readable')
  assert.equal(
    await said(`file ${path} content "^state: ready$"`),
    'no /^state: ready$/ is not in it',
  )
  assert.equal(await said(`file ${path} content ready`), 'yes as expected')
  assert.equal(await said(`file ${path} fresher 60`), 'yes there')
  utimesSync(path, Date.now() / 1000 - 100, Date.now() / 1000 - 100)
  assert.match(
    await said(`file ${path} fresher 60`),
    /^no changed 1\d\d\.\d s ago, not within 60 s$/,
  )
  assert.equal(await said(`file ${path}/x`), 'no a part of its path is not a directory')
  const fifo = join(directory, 'fifo')
  execFileSync('mkfifo', [fifo])
  assert.equal(await said(`file ${fifo} content x`), 'no /x/ is not in it', 'it has no writer')
})

test('a file that hangs is left alone: others are answered, it is not asked twice, and it comes back', async () => {
  const files = new Files(() => undefined, new URL('./hanging-files.js', import.meta.url))
  const keepAlive = setInterval(() => undefined, 1_000)
  const ask = (path: string) =>
    new Promise<string>((resolve) =>
      files.ask({ kind: 'value', path }, ({ detail }) => resolve(detail)),
    )
  const hangs = join(directory, 'hang')
  try {
    assert.equal(await ask('/a'), '/a')
    assert.equal(await ask('/b'), '/b')
    const lasting = ask(hangs)
    const behind = ['/a', '/b', '/c'].map(ask)
    assert.deepEqual(await Promise.all(behind), ['/a', '/b', '/c'])
    assert.equal(await ask(hangs), 'an earlier look at it still hangs')
    // So many more, each with a thread of its own; then no file is asked any more.
    const more = Array.from({ length: 15 }, (_, i) => `${hangs}${i}`)
    const all: Promise<string>[] = []
    for (const path of more) {
      all.push(ask(path))
      assert.equal(await ask('/a'), '/a')
    }
    assert.equal(await ask('/a'), '16 looks at files hang already')
    for (const path of [hangs, ...more]) writeFileSync(`${path}.back`, '')
    assert.deepEqual(await Promise.all([lasting, ...all]), [hangs, ...more])
    assert.equal(await ask(hangs), hangs, 'it is asked again')
  } finally {
    clearInterval(keepAlive)
    files.close()
  }
})

test('a look that lasts takes its watches along: what it watched is asked again', async () => {
  const again: string[] = []
  const changed = new Set<() => void>()
  const hanging = new URL('./hanging-files.js', import.meta.url)
  const files = new Files((path) => {
    again.push(path)
    for (const look of changed) look()
  }, hanging)
  const told = (path: string) =>
    new Promise<void>((resolve) => {
      const look = () => again.includes(path) && resolve()
      changed.add(look)
      look()
    })
  const keepAlive = setInterval(() => undefined, 1_000)
  const ask = (path: string) =>
    new Promise<string>((resolve) =>
      files.ask({ kind: 'value', path }, ({ detail }) => resolve(detail)),
    )
  const slow = join(directory, 'hang-and-return')
  try {
    await ask('/a')
    const lasting = ask(slow)
    await told('/a')
    assert.ok(!again.includes(slow), 'not before it has returned')
    writeFileSync(`${slow}.back`, '')
    assert.equal(await lasting, slow)
    await told(slow)
  } finally {
    clearInterval(keepAlive)
    files.close()
  }
})

test('a tracked file is read when it changes, comes and goes', async () => {
  const path = join(directory, 'weight')
  const value: Command = { kind: 'value', path }
  await withPool(async (pool, events) => {
    pool.set([check('f', value, { intervalMs: 60_000, timeoutMs: 5_000 })])
    const holds = async (from: number) => {
      const event = await events.next('value', 'f', from)
      return 'result' in event ? event.result.outcome : null
    }
    assert.equal((await events.verdict('f')).good, true, 'missing is 0')
    const steps = [
      ['12 and more', 12],
      ['-0x10', -16],
      ['010', 8],
      ['none', 0],
    ] as const
    for (const [text, number] of steps) {
      const from = events.seen.length
      writeFileSync(`${path}.new`, text)
      renameSync(`${path}.new`, path)
      assert.deepEqual(await holds(from), { kind: 'value', value: number }, text)
    }
    const before = events.seen.length
    writeFileSync(path, '7')
    assert.deepEqual(await holds(before), { kind: 'value', value: 7 })
    const from = events.seen.length
    rmSync(path)
    assert.deepEqual(await holds(from), { kind: 'value', value: 0 })
  })
})

function moduleFile(text: string): string {
  const path = join(directory, `check-${modules++}.mjs`)
  writeFileSync(path, text)
  return path
}
let modules = 0

const module = (text: string): Command => ({ kind: 'module', path: moduleFile(text), digest: '' })

test('module: a boolean, an object, a mistake, a crash, and one that spins', async () => {
  const one = async (text: string, timeoutMs = 5_000) => {
    const outcome = await outcomeOf(module(text), timeoutMs)
    return outcome.kind === 'probe'
      ? `${outcome.ok ? 'yes' : 'no'} ${outcome.detail}`
      : outcome.kind
  }
  assert.equal(await one('export default () => true'), 'yes true')
  assert.equal(
    await one('export default async () => ({ ok: false, message: "lag 9 s" })'),
    'no lag 9 s',
  )
  assert.equal(
    await one('export default async () => { throw new Error("no route") }'),
    'no no route',
  )
  assert.equal(
    await one('export default () => 7'),
    'no the module answered neither a boolean nor { ok, message }',
  )
  assert.equal(
    await one('export const x = 1'),
    'no the module has no function as its default export',
  )
  assert.match(await one('import "./not-there.mjs"'), /^no Cannot find module/)
  assert.match(await one('export default ('), /^no (Unexpected|missing)/)
  assert.equal(await one('export default () => process.exit(3)'), 'no its thread ended')
  assert.match(
    await one(
      'export default () => { setTimeout(() => { throw new Error("later") }); return new Promise(() => {}) }',
    ),
    /^no it crashed: Error: later/,
  )
  assert.match(
    await one(
      'export default () => { const all = []; for (;;) all.push(new Array(1e5).fill(1)) }',
      60_000,
    ),
    /^no it crashed: .*memory/,
  )
  assert.equal(await one('export default () => { for (;;); }', 300), 'timeout')
  assert.equal(await one('export default () => new Promise(() => {})', 200), 'timeout')
})

test('module: its thread stays between runs, hears that its time is up, and is replaced when it does not come back', async () => {
  const counting = module('let n = 0; export default () => ({ ok: ++n < 3, message: "run " + n })')
  const listening = module(
    'let aborted = 0; export default (signal) => aborted > 0 ? true : new Promise((_, no) => signal.addEventListener("abort", () => { aborted++; no(new Error("aborted")) }))',
  )
  const spinning = module('export default () => { for (;;); }')
  await withPool(async (pool, events) => {
    pool.set([
      check('count', counting, { intervalMs: 20 }),
      check('listen', listening, { intervalMs: 500, timeoutMs: 250 }),
      check('spin', spinning, { intervalMs: 200, timeoutMs: 100 }),
    ])
    assert.equal((await events.verdict('count')).good, true)
    const third = await events.verdict(
      'count',
      events.seen.findIndex((e) => 'name' in e && e.name === 'count') + 1,
    )
    assert.deepEqual(third.result.outcome, { kind: 'probe', ok: false, detail: 'run 3' })
    assert.equal((await events.verdict('listen')).good, false)
    const from = events.seen.findIndex((e) => e.kind === 'verdict' && e.name === 'listen') + 1
    assert.equal((await events.verdict('listen', from)).good, true, 'the same thread, told to stop')
    assert.equal((await events.verdict('spin')).good, false)
    assert.equal(
      events.seen.some(({ kind }) => kind === 'worker'),
      false,
      'and no check worker was lost',
    )
  })
})

test('push: good while told so, failed at once when told so, failed after silence', async () => {
  await withPool(async (pool, events) => {
    pool.set([
      check('job', { kind: 'push' }, { intervalMs: 600_000 }),
      check('silent', { kind: 'push' }, { intervalMs: 150 }),
      check('other', { kind: 'process', like: 'pidof', name }),
    ])
    assert.equal(pool.push('nobody', true, ''), false)
    assert.equal(pool.push('other', true, ''), false)
    assert.equal(pool.push('job', true, 'pushed'), true)
    assert.equal((await events.verdict('job')).good, true)
    const from = events.seen.length
    pool.push('job', false, 'backup failed')
    const failed = await events.verdict('job', from)
    assert.deepEqual(failed.result.outcome, { kind: 'probe', ok: false, detail: 'backup failed' })
    // It has been waited for since it was set: on a busy machine it has been silent for too long once already.
    const told = events.seen.length
    const at = performance.now()
    pool.push('silent', true, 'pushed')
    const good = await events.verdict('silent', told)
    assert.equal(good.good, true)
    const silent = await events.verdict('silent', events.seen.indexOf(good) + 1)
    assert.deepEqual(silent.result.outcome, {
      kind: 'probe',
      ok: false,
      detail: 'silent for 0.15 s',
    })
    assert.ok(performance.now() - at >= 148)
  })
})

test('a check that is made of others follows them', async () => {
  const push: Command = { kind: 'push' }
  const made = (least: number, ...of: string[]): Command => ({ kind: 'combination', least, of })
  await withPool(async (pool, events) => {
    const members = ['a', 'b', 'c'].map((one) => check(one, push))
    pool.set([...members, check('two', made(2, 'a', 'b', 'c')), check('both', made(2, 'two', 'c'))])
    pool.push('a', true, '')
    await events.verdict('a')
    assert.equal(pool.status('two')?.good, null, 'not decided yet')
    pool.push('b', true, '')
    assert.equal((await events.verdict('two')).good, true)
    assert.equal(pool.status('both')?.good, null)
    pool.push('c', false, 'broken')
    const both = await events.verdict('both')
    assert.deepEqual(both.result.outcome, {
      kind: 'probe',
      ok: false,
      detail: '1 of 2 good, 2 needed: c failed',
    })
    const from = events.seen.length
    pool.push('b', false, 'broken')
    assert.equal((await events.verdict('two', from)).good, false)
  })
})

test('told to, a check runs before its turn, and a known answer counts no second time; others refuse', async () => {
  await withPool(async (pool, events) => {
    const path = join(directory, 'now')
    const timing = { intervalMs: 3_600_000, rise: 1, fall: 2 }
    pool.set([
      check('f', { kind: 'shell', shell: '/bin/sh', text: `test -e ${path}` }, timing),
      check('job', { kind: 'push' }),
      check('both', { kind: 'combination', least: 1, of: ['f', 'job'] }),
    ])
    assert.equal((await events.verdict('f')).good, false)
    for (const name of ['job', 'both', 'none']) assert.equal(pool.runNow(name), false, name)
    writeFileSync(path, '')
    const from = events.seen.length
    assert.equal(pool.runNow('f'), true)
    assert.equal((await events.verdict('f', from)).good, true)
  })
})

test('how often: fast while it turns, rarely while it is down', async () => {
  await withPool(async (pool, events) => {
    const path = join(directory, 'flag')
    const timing = {
      intervalMs: 2_000,
      fastIntervalMs: 10,
      downIntervalMs: 60_000,
      fall: 5,
      rise: 1,
    }
    writeFileSync(path, '')
    pool.set([check('f', { kind: 'shell', shell: '/bin/sh', text: `test -e ${path}` }, timing)])
    assert.equal((await events.verdict('f')).good, true)
    const at = performance.now()
    rmSync(path)
    assert.equal((await events.verdict('f', 1)).good, false)
    const took = performance.now() - at
    assert.ok(took < 8_000, `${took} ms, where four intervals more than the first are 8000`)
    const runs = pool.status('f')?.runs ?? 0
    // That it does not run shows in time alone.
    await new Promise((resolve) => setTimeout(resolve, 300))
    assert.ok((pool.status('f')?.runs ?? 0) <= runs + 1, 'none of three intervals')
  })
})
