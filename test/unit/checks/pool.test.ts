/** The check pool with real workers and real programs: every form of check, and what goes wrong with them. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Command } from '../../../src/base/command.ts'
import { startCheckPool, startCheckPoolWith } from '../../../src/checks/pool/pool.ts'
import type { CheckEvent } from '../../../src/checks/verdict/pool-contract.ts'
import { until as lookUntil } from '../../../src/lab/wait.ts'
import { check, Events, withPool } from './pool-watch.ts'

const directory = mkdtempSync(join(tmpdir(), 'vipd-test-'))
chmodSync(directory, 0o755)
after(() => rmSync(directory, { recursive: true }))

function script(name: string, text: string, mode = 0o755): string {
  const path = join(directory, name)
  writeFileSync(path, text, { mode })
  return path
}

const argv = (...words: readonly string[]): Command => ({ kind: 'argv', argv: words })
const shell = (text: string): Command => ({ kind: 'shell', shell: '/bin/sh', text })

const until = (condition: () => boolean, what: string) => lookUntil(what, 30_000, condition)

function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}

const pidIn = (path: string): number => (existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0)

const tcp = (host: string, port: number): Command => ({
  kind: 'probe',
  probe: { kind: 'dialogue', to: { kind: 'tcp', host, port }, tls: null, turns: [] },
})

test('each form of check passes and fails', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  after(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const closed = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => closed.once('listening', resolve))
  const closedAddress = closed.address()
  assert.ok(closedAddress !== null && typeof closedAddress === 'object')
  await new Promise((resolve) => closed.close(resolve))
  const { port } = address
  const name = `form${process.pid}`
  const running = spawn('/bin/sh', ['-c', `printf ${name} > /proc/$$/comm; read line`])
  after(() => running.kill())
  await until(() => readFileSync(`/proc/${running.pid}/comm`, 'utf8') === `${name}\n`, 'renamed')

  const forms: readonly [string, Command, good: boolean, text: RegExp][] = [
    ['argv-ok', argv('/bin/true'), true, /^exit 0/],
    ['argv-ko', argv('/bin/sh', '-c', 'exit 7'), false, /^exit 7/],
    ['shell-ok', shell('echo a b | grep -q "a b" && true'), true, /^exit 0/],
    ['shell-ko', shell('echo a | grep b'), false, /^exit 1/],
    ['signal', shell('kill -SEGV $$'), false, /^signal SIGSEGV/],
    ['tcp-ok', tcp('127.0.0.1', port), true, /^probe connected/],
    ['tcp-name', tcp('localhost', port), true, /^probe connected/],
    ['tcp-ko', tcp('127.0.0.1', closedAddress.port), false, /^probe connection refused/],
    ['process-ok', { kind: 'process', like: 'killall', name }, true, /^probe running/],
    [
      'process-ko',
      { kind: 'process', like: 'pgrep', name: `${name}x` },
      false,
      /^probe no process/,
    ],
    ['broken', { kind: 'broken', why: 'no shell here' }, false, /^unable no shell here/],
    ['missing', argv(join(directory, 'missing')), false, /^unable .*missing: no such file/],
    [
      'not-executable',
      argv(script('plain', '#!/bin/sh\n', 0o644)),
      false,
      /^unable .*not executable/,
    ],
    ['bad-interpreter', argv(script('odd', '#!/nowhere/sh\n')), false, /^unable .*interpreter/],
    ['directory', argv(directory), false, /^unable /],
  ]
  await withPool(async (pool, events) => {
    pool.set(forms.map(([form, command]) => check(form, command)))
    for (const [form, , good, text] of forms) {
      const { good: got, result } = await events.verdict(form)
      const { outcome } = result
      const parts = Object.values(outcome).filter((part) => typeof part !== 'boolean')
      assert.match(parts.join(' '), text, form)
      assert.equal(got, good, form)
      assert.equal(pool.status(form)?.good, good)
      assert.equal(pool.status(form)?.failures, good ? 0 : 1)
    }
    assert.equal(pool.status('nobody'), null)
  })
})

test('output of both streams is kept, the end of it, also when a script opens /dev/stderr itself', async () => {
  await withPool(async (pool, events) => {
    pool.set([
      check(
        'both',
        shell('echo one; echo two >&2; echo three > /dev/stderr; echo four > /dev/stdout'),
      ),
      check(
        'megabytes',
        shell('head -c 8000000 /dev/zero | tr "\\0" x; echo; echo the end; exit 1'),
      ),
    ])
    assert.equal((await events.verdict('both')).result.output, 'one\ntwo\nthree\nfour')
    const { result } = await events.verdict('megabytes')
    assert.deepEqual(result.outcome, { kind: 'exit', status: 1 })
    assert.match(result.output, /^x+\nthe end$/)
    assert.ok(result.output.length <= 4096 && result.output.length > 4000)
  })
})

test('a script runs with a clean environment, no input, as leader of its own group', async () => {
  const before = { ...process.env }
  Object.assign(process.env, { LD_LIBRARY_PATH: '/nowhere', IFS: 'x', VIPD_TEST_KEPT: 'kept' })
  await withPool(async (pool, events) => {
    pool.set([
      check(
        'env',
        shell('env | grep -E "^(IFS|LD_|VIPD_TEST_KEPT)"; cat; [ $(ps -o pgid= -p $$) = $$ ]'),
      ),
    ])
    const { good, result } = await events.verdict('env')
    assert.equal(result.output, 'VIPD_TEST_KEPT=kept')
    assert.equal(good, true, 'its group is its own')
  })
  for (const key of ['LD_LIBRARY_PATH', 'IFS', 'VIPD_TEST_KEPT']) delete process.env[key]
  Object.assign(process.env, before)
})

test('user, group and supplementary groups; an identity that cannot be had is a failure', async () => {
  const nobody = { uid: 65534, gid: 65534 }
  const id = argv('/usr/bin/id')
  await withPool(async (pool, events) => {
    pool.set([
      check('user', id, { runAs: { ...nobody, groups: null } }),
      check('groups', id, { runAs: { ...nobody, groups: [4, 24] } }),
      check('cleared', id, { runAs: { ...nobody, groups: [] } }),
      check('impossible', id, { runAs: { uid: 0xffff_fffe, gid: 0xffff_fffe, groups: null } }),
    ])
    const user = await events.verdict('user')
    // In a namespace that maps a single user there is no other user to be: then all of these must fail.
    if (user.good) {
      assert.match(user.result.output, /^uid=65534.* gid=65534/)
      assert.match((await events.verdict('groups')).result.output, /groups=65534\S*,4\S*,24/)
      assert.match((await events.verdict('cleared')).result.output, /groups=65534[^,]*$/)
    } else {
      for (const name of ['user', 'groups', 'cleared', 'impossible']) {
        assert.equal((await events.verdict(name)).good, false, name)
      }
    }
  })
})

test('a hanging script fails at its timeout, and its whole group is killed', async () => {
  const pids = ['leader', 'child'].map((who) => join(directory, who))
  const path = script(
    'hang',
    `#!/bin/sh\ntrap '' TERM INT HUP\n(trap '' TERM; echo $$ > ${pids[0]}; sleep 1000) &\necho $! > ${pids[1]}\necho waiting\nwhile :; do sleep 1000; done\n`,
  )
  await withPool(async (pool, events) => {
    pool.set([check('hang', argv(path), { timeoutMs: 3_000 })])
    const { good, result } = await events.verdict('hang')
    assert.equal(good, false)
    assert.deepEqual(result.outcome, { kind: 'timeout', afterMs: 3_000 })
    assert.equal(result.output, 'waiting')
    assert.ok(result.durationMs >= 2_999 && result.durationMs < 60_000, `${result.durationMs} ms`)
    for (const file of pids) {
      const pid = pidIn(file)
      assert.ok(pid > 0)
      await until(() => !isAlive(pid), `end of ${file}`)
    }
    assert.equal(pool.status('hang')?.timeouts, 1)
  })
})

test('a child that stays neither delays the result nor is killed, and can go on writing', async () => {
  const pidFile = join(directory, 'stayer')
  const mark = join(directory, 'stayer-wrote')
  const text = `(echo late; read line < ${directory}/go; echo later && echo done > ${mark}) & echo $! > ${pidFile}; echo started`
  assert.equal(spawnSync('mkfifo', [join(directory, 'go')]).status, 0)
  await withPool(async (pool, events) => {
    pool.set([check('stays', shell(text), { timeoutMs: 60_000 })])
    const { good, result } = await events.verdict('stays')
    assert.equal(good, true)
    assert.ok(result.durationMs < 59_000)
    assert.ok(isAlive(pidIn(pidFile)))
    writeFileSync(join(directory, 'go'), 'go\n')
    await until(() => existsSync(mark), 'the child wrote to its inherited output')
  })
})

test('a tcp check whose server never answers fails at its timeout', async () => {
  // A listener with a full queue: further connections are not answered.
  const listener = spawn(process.execPath, [
    '-e',
    'const s=require("net").createServer().listen(0,"127.0.0.1",1,()=>{console.log(s.address().port);process.kill(process.pid,"SIGSTOP")})',
  ])
  after(() => listener.kill('SIGKILL'))
  const port = await new Promise<number>((resolve) =>
    listener.stdout.once('data', (text) => resolve(Number(text))),
  )
  const target: Command = tcp('127.0.0.1', port)
  await withPool(async (pool, events) => {
    const checks = Array.from({ length: 8 }, (_, i) => check(`tcp${i}`, target, { timeoutMs: 300 }))
    pool.set(checks)
    const results = await Promise.all(checks.map(({ name }) => events.verdict(name)))
    const late = results.filter(({ result }) => result.outcome.kind === 'timeout')
    assert.ok(late.length > 0, 'the queue holds only a few')
    for (const { result } of late) {
      assert.ok(result.durationMs >= 299 && result.durationMs < 60_000, `${result.durationMs} ms`)
    }
  })
})

test('two hundred checks run at once, each with its own deadline', async () => {
  const count = 200
  const timeoutOf = (i: number) => 1_500 + 10 * i
  await withPool(async (pool, events) => {
    const checks = Array.from({ length: count }, (_, i) =>
      check(`c${i}`, argv('/bin/sleep', '1000'), { timeoutMs: timeoutOf(i) }),
    )
    const begun = performance.now()
    pool.set(checks)
    const results = await Promise.all(checks.map(({ name }) => events.verdict(name)))
    const took = performance.now() - begun
    for (const [i, { result }] of results.entries()) {
      assert.equal(result.outcome.kind, 'timeout')
      assert.ok(result.durationMs >= timeoutOf(i) - 1, `c${i} at ${result.durationMs} ms`)
      assert.ok(result.durationMs < timeoutOf(i) + 30_000, `c${i} at ${result.durationMs} ms`)
    }
    const inTurn = checks.reduce((sum, { timeoutMs }) => sum + timeoutMs, 0)
    assert.ok(took < inTurn / 10, `side by side: ${took} ms, one after the other ${inTurn} ms`)
  })
})

test('turns keep their spacing from start to start, and a busy turn is counted, never queued', async () => {
  const log = join(directory, 'starts')
  const slow = join(directory, 'slow')
  await withPool(async (pool) => {
    pool.set([
      check('quick', shell(`date +%s%3N >> ${log}; sleep 0.03`), { intervalMs: 100 }),
      check('slow', shell(`echo start >> ${slow}; sleep 0.25; echo end >> ${slow}`), {
        intervalMs: 100,
      }),
    ])
    const lines = (path: string) =>
      existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : []
    await until(() => lines(log).length >= 21, '21 starts')
    const starts = lines(log).slice(0, 21).map(Number)
    const span = (starts.at(-1) ?? 0) - (starts[0] ?? 0)
    assert.ok(span > 1_900, `20 intervals in ${span} ms: not faster than the clock`)
    await until(() => (pool.status('slow')?.overruns ?? 0) >= 6, 'overruns')
    const nested = lines(slow).join(' ')
    assert.match(nested, /^(start end ?)+(start)?$/, 'never twice at once')
  })
})

test('an exit status that changes is told even when the verdict stays', async () => {
  const path = join(directory, 'status')
  writeFileSync(path, '1')
  await withPool(async (pool, events) => {
    pool.set([check('code', shell(`exit $(cat ${path})`), { intervalMs: 30 })])
    await events.verdict('code')
    const from = events.seen.length
    writeFileSync(path, '4')
    const told = await events.next('returned', 'code', from)
    assert.ok(told.kind === 'returned')
    assert.deepEqual(told.result.outcome, { kind: 'exit', status: 4 })
    assert.equal(events.seen.filter(({ kind }) => kind === 'verdict').length, 1)
  })
})

test('a new set keeps what is unchanged, starts changed checks anew, and kills what was removed', async () => {
  const pidFile = join(directory, 'removed')
  const kept = check('kept', argv('/bin/true'))
  const changed = check('changed', argv('/bin/true'))
  const removed = check('removed', shell(`echo $$ > ${pidFile}; exec sleep 1000`), {
    timeoutMs: 600_000,
  })
  await withPool(async (pool, events) => {
    pool.set([kept, changed, removed])
    await events.verdict('kept')
    await events.verdict('changed')
    await until(() => pidIn(pidFile) > 0, 'the long one runs')
    const runsBefore = pool.status('kept')?.last
    const from = events.seen.length
    pool.set([
      { ...kept, intervalMs: 200_000, rise: 3 },
      { ...changed, command: argv('/bin/false') },
    ])
    assert.equal(pool.status('changed')?.good, null, 'starts anew')
    assert.equal(pool.status('removed'), null)
    assert.equal(pool.status('kept')?.good, true)
    assert.equal((await events.verdict('changed', from)).good, false)
    await until(() => !isAlive(pidIn(pidFile)), 'the removed one is killed')
    assert.deepEqual(pool.status('kept')?.last, runsBefore, 'kept was not run again')
    assert.equal(
      events.seen.slice(from).some((e) => 'name' in e && e.name === 'kept'),
      false,
    )
  })
})

test('stop kills what runs', async () => {
  const pidFile = join(directory, 'stopped')
  const events = new Events()
  const pool = startCheckPool({ workers: 1, onEvent: (event) => events.add(event) })
  pool.set([
    check('long', shell(`echo $$ > ${pidFile}; trap '' TERM; while :; do sleep 1000; done`)),
  ])
  await until(() => pidIn(pidFile) > 0, 'it runs')
  await pool.stop()
  await until(() => !isAlive(pidIn(pidFile)), 'it is killed')
  assert.equal(events.seen.length, 0, 'a check that was stopped has no result')
})

for (const fault of ['crash', 'hang', 'hang-in-start']) {
  test(`a worker with the fault "${fault}" is replaced and its checks run on`, async () => {
    const pidFile = join(directory, `${fault}-orphan`)
    const trigger = join(directory, `${fault}-trigger`)
    Object.assign(process.env, { VIPD_TEST_FAULT: fault, VIPD_TEST_TRIGGER: trigger })
    const start = (onEvent: (event: CheckEvent) => void) =>
      startCheckPoolWith({
        workers: 1,
        onEvent,
        workerFile: new URL('./faulty-worker.js', import.meta.url),
        heartbeatMs: 100,
        hangMs: 1_000,
      })
    await withPool(async (pool, events) => {
      pool.set([
        check('first', argv('/bin/true'), { intervalMs: 50 }),
        check('second', argv('/bin/true'), { intervalMs: 50 }),
        check('orphan', shell(`echo $$ > ${pidFile}; exec sleep 1000`), { timeoutMs: 600_000 }),
      ])
      await Promise.all([events.verdict('first'), events.verdict('second')])
      await until(() => pidIn(pidFile) > 0, 'the long one runs')
      const orphan = pidIn(pidFile)
      writeFileSync(trigger, '')
      const lost = await events.next('worker')
      assert.ok(lost.kind === 'worker')
      assert.match(lost.message, fault === 'crash' ? /crashed: planted fault/ : /gave no answer/)
      assert.equal(pool.status('second')?.good, true, 'the verdict survives')
      const runs = pool.status('second')?.runs ?? 0
      await until(() => (pool.status('second')?.runs ?? 0) > runs, 'it runs again')
      await until(() => !isAlive(orphan), 'the old worker left nothing running')
      await until(() => pidIn(pidFile) !== orphan, 'and the long one was started again')
      if (fault === 'hang-in-start') {
        assert.match(lost.message, /while starting first/)
        assert.equal(pool.status('first')?.good, false, 'the check at which it hung has failed')
        assert.equal(pool.status('first')?.last?.outcome.kind, 'unable')
      } else {
        assert.equal(events.seen.filter(({ kind }) => kind === 'verdict').length, 2)
      }
    }, start)
  })
}
