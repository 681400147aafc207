/** The vipd command as a process: what it prints where, and its exit status. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Log } from '../../../src/base/log.ts'
import { commands } from '../../../src/cli/commands.ts'
import { EventFeed } from '../../../src/control/event-feed.ts'
import { startControl } from '../../../src/control/server.ts'
import type { ReloadResult } from '../../../src/daemon/types.ts'
import type { HandOver } from '../../../src/report/hand-over.ts'
import type { Observation } from '../../../src/report/observation.ts'
import type { Status } from '../../../src/report/status.ts'
import { aStatus } from './a-status.ts'

const dir = mkdtempSync(join(tmpdir(), 'vipd-cli-'))
after(() => rmSync(dir, { recursive: true }))
const bin = fileURLToPath(new URL('../../../src/cli/run.js', import.meta.url))

async function vipd(...args: string[]) {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const out = { status: -1 as number | null, stdout: '', stderr: '' }
  child.stdout.on('data', (part) => {
    out.stdout += part
  })
  child.stderr.on('data', (part) => {
    out.stderr += part
  })
  out.status = ((await once(child, 'close')) as [number | null])[0]
  return out
}

const silent: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  flush: async () => {},
}

const nothingSeen: Observation = {
  schema: 1,
  host: 'lb1',
  configPath: '/etc/vipd/vipd.conf',
  fromMs: 0,
  untilMs: 0,
  checks: [],
  instances: [],
}

async function answering(
  status: Status,
  reload: ReloadResult,
  act: () => Promise<void>,
  handOver: readonly HandOver[] = [],
  pushed: (string | null)[] = [],
  observe: () => Observation = () => nothingSeen,
  results = new Float64Array(),
) {
  const control = await startControl({
    path: join(dir, 'vipd.sock'),
    log: silent,
    handlers: {
      transitions: async () => ({ directory: null, lines: new Uint8Array(), next: null }),
      events: new EventFeed(),
      status: () => status,
      reload: async () => reload,
      failover: async (name) => {
        if (name !== 'VI_web') throw new Error(`no instance or sync group is called ${name}`)
        return handOver
      },
      drain: async () => handOver,
      upgrade: () => Promise.reject(new Error('it is process 1')),
      left: () => undefined,
      observe,
      results: () => new Uint8Array(results.buffer),
      push: (name, failure) => {
        if (name !== 'job') throw new Error(`no check ${name} waits to be told (probe push)`)
        pushed.push(failure)
      },
      resume: (name) => (name === null ? ['VI_web', 'VI_db'] : [name]),
      stop() {},
    },
  })
  try {
    await act()
  } finally {
    await control.close()
  }
}

const accepted = { ok: true, diagnostics: [], changes: ['VI_web: priority 100 -> 150'] }
const rejected = { ok: false, diagnostics: ['a.conf:3:1: no such thing [bad]'], changes: [] }

test('help and version', async () => {
  const help = await vipd('--help')
  assert.equal(help.status, 0)
  for (const word of ['run', 'check', 'status', 'reload', 'failover', 'drain', 'resume', 'history'])
    assert.match(help.stdout, RegExp(`^ {2}${word} `, 'm'))
  for (const args of [['version'], ['-V'], ['--version']]) {
    const { status, stdout } = await vipd(...args)
    assert.equal(status, 0)
    assert.match(stdout, /^vipd \d+\.\d+\.\d+\n$/)
  }
})

test('the help of every command fits 80 columns, and says what its exit statuses mean', async () => {
  for (const name of Object.keys(commands)) {
    if (name === 'keepalived') continue
    const { status, stdout } = await vipd(name, '--help')
    assert.equal(status, 0, name)
    for (const line of stdout.split('\n')) assert.ok(line.length <= 80, `${name}: ${line}`)
    const plain = ['version', 'completion', 'complete', 'bench'].includes(name)
    assert.ok(plain || /^Exit status/m.test(stdout), name)
  }
})

test('in keepalived’s place --help is keepalived’s, on standard error as there', async () => {
  for (const option of ['--help', '-h']) {
    const { status, stdout, stderr } = await vipd('keepalived', option)
    assert.deepEqual([status, stdout], [0, ''])
    assert.match(stderr, /^Usage: keepalived \[OPTION\.\.\.\][\s\S]*--use-file/)
  }
})

test('wrong usage is 3, on standard error', async () => {
  const wrong = [
    [],
    ['bogus'],
    ['status', '--bogus'],
    ['status', 'a', 'b'],
    ['run', '--workers', '0'],
    ['run', '--log-format', 'xml'],
  ]
  for (const args of wrong) {
    const { status, stdout, stderr } = await vipd(...args)
    assert.equal(status, 3, args.join(' '))
    assert.equal(stdout, '')
    assert.notEqual(stderr, '')
  }
})

test('no daemon is 2', async () => {
  for (const args of [['status'], ['status', '--json'], ['reload'], ['history']]) {
    const { status, stdout, stderr } = await vipd(...args, '--run-dir', dir)
    assert.equal(status, 2)
    assert.equal(stdout, '')
    assert.match(stderr, /^vipd: no vipd is running with .*vipd\.sock\n$/)
  }
})

test('status: 0 all well, 1 degraded, 3 for a name that nothing has', async () => {
  const well = { ...aStatus, warnings: [] }
  await answering(well, accepted, async () => {
    const text = await vipd('status', '--run-dir', dir)
    assert.equal(text.status, 0)
    assert.match(text.stdout, /^VI_web +51 +eth0 +MASTER/m)
    const json = await vipd('status', '--json', '--run-dir', dir)
    assert.equal(json.status, 0)
    assert.deepEqual(JSON.parse(json.stdout), well)
    const one = await vipd('status', 'VI_db', '--run-dir', dir)
    assert.equal(one.status, 0)
    assert.match(one.stdout, /90 = 100 base - 10 chk_pg/)
    assert.equal((await vipd('status', 'nobody', '--run-dir', dir)).status, 3)
  })
  await answering(aStatus, accepted, async () => {
    assert.equal((await vipd('status', '--run-dir', dir)).status, 1, 'it warns of something')
  })
  const checks = aStatus.checks.map((c) => ({ ...c, good: false }))
  await answering({ ...aStatus, checks, warnings: [] }, accepted, async () => {
    assert.equal((await vipd('status', '--run-dir', dir)).status, 1)
    assert.equal((await vipd('status', '--json', '--run-dir', dir)).status, 1)
    const quiet = await vipd('status', '--quiet', '--run-dir', dir)
    assert.deepEqual(quiet, { status: 1, stdout: '', stderr: '' })
    assert.equal((await vipd('status', 'VI_db', '--run-dir', dir)).status, 0)
  })
})

test('status of a name: its own warnings and those of the host count, those of another instance do not', async () => {
  const about = 'VI_web is MASTER, and so is 10.0.0.2 (priority 100)'
  const instances = aStatus.instances.map((it) =>
    it.name === 'VI_web' ? { ...it, warnings: [about] } : { ...it, state: 'BACKUP' as const },
  )
  const exits = async (warnings: readonly string[], names: readonly string[]) => {
    const seen: (number | null)[] = []
    await answering({ ...aStatus, instances, warnings }, accepted, async () => {
      for (const name of names) seen.push((await vipd('status', name, '--run-dir', dir)).status)
    })
    return seen
  }
  const names = ['VI_web', 'VG', 'VI_db', 'chk_haproxy']
  assert.deepEqual(await exits([about], names), [1, 1, 0, 0])
  assert.deepEqual(await exits([about, 'no warden'], names), [1, 1, 1, 1])
  const db = aStatus.instances.map((it) =>
    it.name === 'VI_db' ? { ...it, state: 'FAULT' as const } : it,
  )
  await answering({ ...aStatus, instances: db, warnings: [] }, accepted, async () => {
    assert.equal((await vipd('status', 'VI_web', '--run-dir', dir)).status, 0)
    assert.equal((await vipd('status', 'VI_db', '--run-dir', dir)).status, 1)
  })
})

test('reload: 0 with the changes, 1 with the diagnostics', async () => {
  await answering(aStatus, accepted, async () => {
    const { status, stdout } = await vipd('reload', '--run-dir', dir)
    assert.equal(status, 0)
    assert.equal(stdout, 'VI_web: priority 100 -> 150\n')
  })
  await answering(aStatus, rejected, async () => {
    const { status, stdout, stderr } = await vipd('reload', '--run-dir', dir)
    assert.equal(status, 1)
    assert.equal(stdout, '')
    assert.equal(stderr, 'a.conf:3:1: no such thing [bad]\nvipd: rejected, nothing has changed\n')
  })
})

test('history, of all and of one', async () => {
  await answering(aStatus, accepted, async () => {
    const all = await vipd('history', '--run-dir', dir)
    assert.equal(all.status, 0)
    assert.equal(all.stdout.split('\n').length, 1 + 2)
    const one = await vipd('history', 'VI_web', '--json', '--run-dir', dir)
    assert.equal((JSON.parse(one.stdout) as unknown[]).length, 1)
    const unknown = await vipd('history', 'nobody', '--run-dir', dir)
    assert.equal(unknown.status, 3)
    assert.equal(unknown.stderr, 'vipd: no instance is called nobody\n')
  })
})

test('check takes the file as a word, once, and says what is wrong with a link; its columns stay apart', async () => {
  const file = join(dir, 'word.conf')
  writeFileSync(
    file,
    'global_defs {\n dynamic_interfaces\n}\nvrrp_instance V {\n interface e9\n virtual_router_id 5\n virtual_ipaddress {\n 10.9.9.9/24\n }\n}\n',
  )
  const { status, stdout } = await vipd('check', file)
  assert.equal(status, 0, stdout)
  assert.equal(stdout, (await vipd('check', '-f', file)).stdout)
  assert.match(stdout, /^ {2}address lifetime {2}8 s$/m)
  assert.equal((await vipd('check', file, '-f', file)).status, 3)
  const loop = join(dir, 'loop.conf')
  symlinkSync(loop, loop)
  const refused = await vipd('check', loop)
  assert.equal(refused.status, 4)
  assert.match(
    refused.stdout,
    /loop\.conf: its symbolic links lead in a circle \[file-unreadable\]/,
  )
  writeFileSync(file, `include ${loop}\n`)
  assert.match((await vipd('check', file)).stdout, /its symbolic links lead in a circle/)
})

const brokenText = 'vrrp_instance VI_1 {\n  virtual_router_id\n}\n'

test('check prints the report, and exits as it says; keepalived -t means the same', async () => {
  const good = join(dir, 'good.conf')
  writeFileSync(good, 'global_defs {\n  router_id lb1\n  enable_script_security\n}\n')
  const broken = join(dir, 'broken.conf')
  writeFileSync(broken, brokenText)
  const well = await vipd('check', '-f', good)
  assert.equal(well.status, 0)
  assert.match(well.stdout, /router lb1/)
  const ill = await vipd('check', '-f', broken)
  assert.equal(ill.status, 2)
  assert.match(ill.stdout, /broken\.conf:2:\d+: .*\[[a-z-]+\]/)
  assert.equal((await vipd('-t', '--use-file', broken)).status, 2)
  const json = await vipd('check', '--json', '-f', broken)
  assert.equal(json.status, 2)
  assert.equal((JSON.parse(json.stdout) as { schema: number }).schema, 1)
  assert.equal((await vipd('check', '-f', join(dir, 'none.conf'))).status, 4)
})

test('check prints what is wrong as editors and CI read it, with the same exit status', async () => {
  const broken = join(dir, 'broken.conf')
  writeFileSync(broken, brokenText)
  const gcc = await vipd('check', '--format', 'gcc', broken)
  assert.equal(gcc.status, 2)
  assert.match(gcc.stdout, /^\S+\/broken\.conf:2:\d+: error: .+ \[[a-z-]+\]$/m)
  assert.doesNotMatch(gcc.stdout, /exit 2/, 'nothing but what is wrong')
  const github = await vipd('check', '--format', 'github', broken)
  assert.equal(github.status, 2)
  assert.match(github.stdout, /^::error file=\S+\/broken\.conf,line=2,col=\d+,title=[a-z-]+::./m)
  assert.equal((await vipd('check', '--format', 'xml', broken)).status, 3)
})

test('failover, drain and resume: what became of each, and whether all is given away', async () => {
  const given = { name: 'VI_web', outcome: 'handed-over', tookMs: 3_604, to: '10.0.0.3' } as const
  const kept = { name: 'VI_db', outcome: 'kept', tookMs: 5_625, to: null } as const
  await answering(
    aStatus,
    accepted,
    async () => {
      const moved = await vipd('failover', 'VI_web', '--run-dir', dir)
      assert.equal(moved.status, 0)
      assert.equal(moved.stdout, 'VI_web: handed over to 10.0.0.3 after 3.60 s\n')
      const unknown = await vipd('failover', 'VI_mail', '--run-dir', dir)
      assert.equal(unknown.status, 1)
      assert.match(unknown.stderr, /no instance or sync group is called VI_mail/)
      assert.equal((await vipd('failover', '--run-dir', dir)).status, 3)
      const one = await vipd('resume', 'VI_web', '--run-dir', dir)
      assert.equal(one.stdout, 'VI_web: takes part as configured\n')
      assert.equal((await vipd('resume', '--run-dir', dir)).stdout.split('\n').length, 3)
    },
    [given],
  )
  await answering(
    aStatus,
    accepted,
    async () => {
      const drained = await vipd('drain', '--run-dir', dir)
      assert.equal(drained.status, 1)
      assert.match(
        drained.stdout,
        /^VI_db: still MASTER with its own priority again, no peer took over within 5\.6\d s/m,
      )
    },
    [given, kept],
  )
  assert.equal((await vipd('drain', '--run-dir', dir)).status, 2)
})

test('run refuses: a configuration that cannot run, a directory where a daemon lives', async () => {
  const broken = join(dir, 'broken.conf')
  writeFileSync(broken, brokenText)
  const free = join(dir, 'free')
  const refused = await vipd('run', '-f', broken, '--run-dir', free)
  assert.equal(refused.status, 2)
  assert.match(refused.stderr, /broken\.conf:2:\d+: /)
  const none = await vipd('run', '-f', join(dir, 'none.conf'), '--run-dir', free)
  assert.equal(none.status, 4)
  await answering({ ...aStatus, warnings: [] }, accepted, async () => {
    const empty = join(dir, 'empty.conf')
    writeFileSync(empty, '')
    const second = await vipd('run', '-f', empty, '--run-dir', dir, '--log-format', 'text')
    assert.equal(second.status, 1)
    assert.match(second.stderr, / error .*a vipd is already running with /)
    assert.equal((await vipd('status', '--run-dir', dir)).status, 0)
  })
})

test('probe: each run and its phases, the distribution, and the status of it all', async () => {
  const server = createServer((_, response) => response.end('well')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => server.close())
  const { port } = server.address() as AddressInfo
  const file = join(dir, 'probe.conf')
  const script = (name: string, line: string) => `vrrp_script ${name} {\n ${line}\n}\n`
  writeFileSync(
    file,
    `${script('web', `probe http http://127.0.0.1:${port}/ body well`)}${script('no', 'script "/bin/false"')}
vrrp_instance V {\n interface lo\n virtual_router_id 1\n unicast_src_ip 127.0.0.1\n unicast_peer {\n 127.0.0.2\n }\n track_script {\n web\n no\n }\n virtual_ipaddress {\n 10.0.0.1/32\n }\n}\n`,
  )
  const good = await vipd('probe', 'web', '-n', '3', '-f', file)
  assert.equal(good.status, 0, good.stderr)
  const run =
    /^ {2}succeeded {2}resolve [\d.]+ ms {2}connect [\d.]+ ms {2}first byte [\d.]+ ms {2}total [\d.]+ ms$/
  const lines = good.stdout.trimEnd().split('\n')
  assert.equal(lines.filter((line) => run.test(line)).length, 3, good.stdout)
  assert.match(lines[0] ?? '', /^web: in-process: GET http:\/\/127\.0\.0\.1/)
  assert.match(
    lines.at(-1) ?? '',
    /^3 of 3 good; min [\d.]+ ms, median .*, 99 % .*, max [\d.]+ ms$/,
  )
  const bad = await vipd('probe', 'no', '-f', file)
  assert.equal(bad.status, 1)
  assert.match(bad.stdout, /failed \(exited with status 1\) {2}total/)
  const elsewhere = join(dir, 'elsewhere.conf')
  writeFileSync(elsewhere, readFileSync(file, 'utf8').replace('interface lo', 'interface none9'))
  assert.equal((await vipd('probe', 'no', '-f', elsewhere)).status, 1, 'no interface is needed')
  const nobody = await vipd('probe', 'nobody', '-f', file)
  assert.equal(nobody.status, 3)
  assert.match(nobody.stderr, /no tracked check is called nobody; there are: web, no/)
})

test('push: taken, refused, and by a daemon that is not there', async () => {
  const pushed: (string | null)[] = []
  const act = async () => {
    assert.equal((await vipd('push', 'job', '--run-dir', dir)).status, 0)
    assert.equal((await vipd('push', 'job', '--fail', 'disk full', '--run-dir', dir)).status, 0)
    const refused = await vipd('push', 'web', '--run-dir', dir)
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /^vipd: no check web waits to be told \(probe push\)\n$/)
  }
  await answering(aStatus, accepted, act, [], pushed)
  assert.deepEqual(pushed, [null, 'disk full'])
  assert.equal((await vipd('push', 'job', '--run-dir', dir)).status, 2)
})

test('tune: the daemon is asked; what cannot be written or read is said at once; it may vanish meanwhile', async () => {
  const timing = { intervalMs: 1_000, fastIntervalMs: null, downIntervalMs: null, timeoutMs: 1_000 }
  const check = { name: 'web', how: 'tcp', tunable: true, timing: { ...timing, rise: 1, fall: 1 } }
  const seen: Observation = { ...nothingSeen, checks: [{ ...check, results: [] }] }
  const results = Float64Array.of(1_000, 2, 0, 0)
  const saved = join(dir, 'seen.json')
  const tune = (...args: string[]) => vipd('tune', ...args, '--run-dir', dir)
  const act = async () => {
    const told = await tune('--save', saved)
    assert.equal(told.status, 0, told.stderr)
    assert.match(
      told.stdout,
      /check web: interval 1, timeout 1, fall 1, rise 1\n {2}seen +1 runs, 0 failed/,
    )
    assert.equal((await tune('web')).status, 0)
    const waited = await tune('db', '--observe', '1h')
    assert.deepEqual([waited.status, waited.stderr], [3, 'vipd tune: no check is called db\n'])
    const unknown = await tune('db')
    assert.deepEqual([unknown.status, unknown.stderr], [3, 'vipd tune: no check is called db\n'])
    for (const args of [
      ['--save', dir],
      ['--out', saved],
    ]) {
      const refused = await tune('--observe', '1h', ...args)
      assert.equal(refused.status, 3, args.join(' '))
      assert.match(refused.stderr, /^vipd tune: E(ISDIR|EXIST|NOTDIR)/, args.join(' '))
    }
  }
  await answering(aStatus, accepted, act, [], [], () => seen, results)
  const replayed = await tune('--replay', saved, '--set', 'timeout=0.001')
  assert.match(replayed.stdout, /check web: 1 runs, 1 failure/)
  writeFileSync(saved, '{')
  const bad = await tune('--replay', saved)
  assert.equal(bad.status, 3)
  assert.match(bad.stderr, /^vipd tune: .*seen\.json: .*JSON/)
  assert.equal((await tune('--replay', `${saved}.not`)).status, 3)
  assert.equal((await tune('--set', 'fall=1.5')).status, 3)
  assert.equal((await tune('--observe', 'soon')).status, 3)
  let vanished: ReturnType<typeof tune> | null = null
  let asked = () => {}
  const once = new Promise<void>((resolve) => {
    asked = resolve
  })
  const leave = async () => {
    vanished = tune('--observe', '3s')
    await once
    // The answer is on its way, and has seconds for it.
    await new Promise((resolve) => setTimeout(resolve, 1_000))
  }
  const observe = () => {
    asked()
    return seen
  }
  await answering(aStatus, accepted, leave, [], [], observe, results)
  const { status, stderr } = (await vanished) ?? { status: null, stderr: '' }
  assert.deepEqual([status, /^vipd: no vipd is running/.test(stderr)], [2, true], stderr)
})
