/** The vipd command as a process: what it prints where, and its exit status. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commands } from '../../../src/cli/commands.ts'
import { aStatus } from './a-status.ts'
import { accepted, answering, dir, vipd } from './asked.ts'

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

test('push: taken, refused, and by a daemon that is not there', async () => {
  const pushed: (string | null)[] = []
  const act = async () => {
    assert.equal((await vipd('push', 'job', '--run-dir', dir)).status, 0)
    assert.equal((await vipd('push', 'job', '--fail', 'disk full', '--run-dir', dir)).status, 0)
    const refused = await vipd('push', 'web', '--run-dir', dir)
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /^vipd: no push check is called web \(probe push\)\n$/)
  }
  await answering(aStatus, accepted, act, [], pushed)
  assert.deepEqual(pushed, [null, 'disk full'])
  assert.equal((await vipd('push', 'job', '--run-dir', dir)).status, 2)
})
