/** What a program that the daemon starts has of the daemon's: its identity, its rights, and its end. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { until } from '../../src/lab/wait.ts'
import type { Inside } from './programs-inside.ts'

const file = fileURLToPath(new URL('./programs-inside.js', import.meta.url))
const nobody = { uid: 65_534, gid: 65_534, groups: null }
/** Of the machine: otherwise no other user can be had here, and the daemon is one without a name. */
const isRoot =
  process.getuid?.() === 0 &&
  /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'))

/** Runs the daemon in small behind `prefix`; the lines that it and its program wrote. */
function inside(prefix: readonly string[], what: Inside): string[] {
  const [command = process.execPath, ...args] = [
    ...prefix,
    process.execPath,
    file,
    JSON.stringify(what),
  ]
  const { stdout, stderr, status } = spawnSync(command, args, { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  return stdout.trimEnd().split('\n')
}

/** A daemon without root: user 1234 with the capabilities that README names. In a user namespace it has all. */
const withoutRoot = isRoot
  ? [
      ...['setpriv', '--reuid=1234', '--regid=1234', '--clear-groups'],
      '--inh-caps=-all,+setuid,+setgid,+kill,+net_admin,+net_raw',
      '--ambient-caps=-all,+setuid,+setgid,+kill,+net_admin,+net_raw',
    ]
  : ['unshare', '--user', '--map-user=1234', '--map-group=1234', '--keep-caps']

const capabilities = 'grep -E "^Cap(Inh|Prm|Eff|Amb)" /proc/self/status'
const none = ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'].map((set) => `${set}:\t${'0'.repeat(16)}`)

test('a script of the daemon’s own user, who is not root, has no capability', () => {
  const [...said] = inside(withoutRoot, { text: `${capabilities}; id -u`, runAs: null })
  assert.deepEqual(said, [...none, '1234', '{"status":0}'])
})

test('a script of another user has no capability, and cannot become root', () => {
  // In a user namespace there is no other: the daemon's own then.
  const runAs = isRoot ? nobody : { uid: 1234, gid: 1234, groups: null }
  const become =
    'perl -e \'$< = $> = 0; print "uid $> of $<\\n"; open(F, "/etc/shadow") and print "read\\n"\''
  const said = inside(withoutRoot, { text: `${capabilities}; ${become}; id -G`, runAs })
  const { uid, gid } = runAs
  assert.deepEqual(said, [...none, `uid ${uid} of ${uid}`, `${gid}`, '{"status":0}'])
})

test('a script of root’s keeps what the daemon may do, and nothing is inherited beyond', () => {
  const prefix = isRoot
    ? ['setpriv', '--inh-caps=+net_admin', '--ambient-caps=+net_admin']
    : ['unshare', '-Ur']
  const said = inside(prefix, {
    text: 'grep -E "^Cap(Inh|Amb)" /proc/self/status; grep -c "^CapEff.*0000000000000000" /proc/self/status; true',
    runAs: { uid: 0, gid: 0, groups: null },
  })
  assert.deepEqual(said, [none[0], none[3], '0', '{"status":0}'])
})

test('without new privileges: said to the kernel, and the bounding set is empty for all but root', () => {
  const text = 'grep -E "^(CapBnd|NoNewPrivs)" /proc/self/status'
  const bounding = (lines: readonly string[]) => lines.find((line) => line.startsWith('CapBnd'))
  const prefix = isRoot ? [] : ['unshare', '--user', '--map-user=1234', '--keep-caps']
  const runAs = isRoot ? nobody : null
  const off = inside(prefix, { text, runAs })
  assert.ok(off.includes('NoNewPrivs:\t0'), off.join())
  assert.notEqual(bounding(off), `CapBnd:\t${'0'.repeat(16)}`)
  const on = inside(prefix, { text, runAs, noNewPrivs: true })
  assert.ok(on.includes('NoNewPrivs:\t1'), on.join())
  assert.equal(bounding(on), `CapBnd:\t${'0'.repeat(16)}`)
  const root = inside(isRoot ? [] : ['unshare', '-Ur'], { text, runAs: null, noNewPrivs: true })
  assert.ok(root.includes('NoNewPrivs:\t1'), root.join())
  assert.notEqual(bounding(root), `CapBnd:\t${'0'.repeat(16)}`)
})

test('an identity that the daemon has already needs no capability', () => {
  // Where only NET_ADMIN and NET_RAW are left of root, as in containers; and a user namespace without setgroups.
  const container = [
    'setpriv',
    '--bounding-set=-all,+net_admin,+net_raw',
    '--inh-caps=-all',
    '--ambient-caps=-all',
  ]
  for (const prefix of [isRoot ? container : [], ['unshare', '-Ur']]) {
    const said = inside(prefix, { text: 'id -u', runAs: { uid: 0, gid: 0, groups: null } })
    assert.deepEqual(said, ['0', '{"status":0}'])
  }
  const other = inside(['unshare', '-Ur'], { text: 'id -u', runAs: nobody })
  // A sanitizer remarks on the stack of a cloned child.
  assert.match(other.at(-1) ?? '', /^(EPERM|EINVAL)$/)
})

test('scheduling, limits, OOM score, signals and descriptors are not the daemon’s', () => {
  const text = [
    'nice',
    'cat /proc/self/oom_score_adj',
    'ulimit -Hr',
    'ls -m /proc/self/fd',
    'exec grep -E "^Sig(Blk|Ign)" /proc/self/status',
  ].join('; ')
  const daemon =
    'echo 300 > /proc/self/oom_score_adj; trap "" USR1 HUP; exec 9< /dev/null; exec "$@"'
  // A nice value can be lowered by the machine's root alone; a daemon's is below 0, if anything.
  const said = inside(['nice', '-n', isRoot ? '-5' : '0', 'bash', '-c', daemon, 'bash'], {
    text,
    runAs: null,
  })
  const zero = '0'.repeat(16)
  // The last is the folder that ls reads.
  assert.deepEqual(said.slice(0, 5), ['0', '0', '0', '0, 1, 2, 3', `SigBlk:\t${zero}`])
  assert.equal(said[5], `SigIgn:\t${zero}`)
})

/** 'Z' until its end is asked for, null when there is none. */
function stateOf(pid: number): string | null {
  try {
    return /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1] ?? null
  } catch {
    return null
  }
}

for (const [whose, prefix] of [
  ['root', []],
  ['a user with capabilities', withoutRoot],
] as const) {
  test(`a program of ${whose} ends with the daemon, and not with the thread that asked for it`, () =>
    endsWithDaemon(prefix))
}

/** A daemon in small whose worker thread has started a program, and is gone or stuck now. */
async function withoutWorker(
  prefix: readonly string[],
  end: Pick<Inside, 'fromWorker' | 'stuckAt'>,
): Promise<{ readonly daemon: ChildProcess; readonly pid: number }> {
  const text = 'echo $$; exec sleep 300 > /dev/null 2>&1'
  const what: Inside = { text, runAs: isRoot ? nobody : null, ...end }
  const [command = process.execPath, ...args] = [
    ...prefix,
    process.execPath,
    file,
    JSON.stringify(what),
  ]
  const daemon = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  after(() => daemon.kill('SIGKILL'))
  const lines = createInterface({ input: daemon.stdout })[Symbol.asyncIterator]()
  const said = [(await lines.next()).value, (await lines.next()).value]
  const pid = Number(said.find((line) => line !== 'gone'))
  assert.ok(said.includes('gone') && pid > 1, said.join())
  return { daemon, pid }
}

test('a program whose thread is gone, or stuck for ever, does not stay a zombie', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'vipd-programs-'))
  after(() => rmSync(dir, { recursive: true }))
  const fifo = join(dir, 'fifo')
  spawnSync('mkfifo', [fifo])
  for (const end of [{ fromWorker: true }, { stuckAt: fifo }]) {
    const { daemon, pid } = await withoutWorker([], end)
    process.kill(pid, 'SIGKILL')
    await until('its end is waited for', 20_000, () => stateOf(pid) === null)
    assert.equal(daemon.exitCode, null, 'while its parent lives')
    daemon.kill('SIGKILL')
  }
})

async function endsWithDaemon(prefix: readonly string[]): Promise<void> {
  const { daemon, pid } = await withoutWorker(prefix, { fromWorker: true })
  assert.match(stateOf(pid) ?? 'gone', /[SRD]/, 'it outlives the thread')
  daemon.kill('SIGKILL')
  await until('the program ends with the daemon', 20_000, () => {
    const state = stateOf(pid)
    return state === null || state === 'Z'
  })
}
