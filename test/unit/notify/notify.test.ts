/** The notifier with its real worker: order, arguments, FIFO bytes, hanging scripts, the end. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Command } from '../../../src/base/command.ts'
import { notifyQueuedMax } from '../../../src/base/limits.ts'
import type { UserCommand } from '../../../src/config/user-command.ts'
import { withWords } from '../../../src/notify/command.ts'
import { silent } from '../router/facts.ts'
import { directory, linesOf, start, until, user } from './a-notifier.ts'

const shell = (text: string): UserCommand => user({ kind: 'shell', shell: '/bin/sh', text }, text)

test('the script of the state, then the general one with its four words, in the order of events', async () => {
  const out = join(directory, 'order')
  const record = join(directory, 'record.sh')
  writeFileSync(record, `#!/bin/sh\necho "$@" >> ${out}\n`, { mode: 0o755 })
  const general = user({ kind: 'argv', argv: [record, 'own'] })
  const slow = shell(`sleep 0.3; echo master >> ${out}`)
  const notify = {
    ...silent,
    master: slow,
    backup: shell(`echo backup >> ${out}`),
    fault: shell(`echo fault >> ${out}`),
    masterRxLowerPri: shell(`echo lower >> ${out}`),
    any: general,
  }
  const { notifier, lines } = start()
  notifier.instance({ name: 'VI_1', state: 'BACKUP', priority: 100, notify })
  notifier.instance({ name: 'VI_1', state: 'MASTER', priority: 150, notify })
  notifier.instance({ name: 'VI_1', state: 'MASTER_RX_LOWER_PRI', priority: 150, notify })
  notifier.instance({ name: 'VI_1', state: 'FAULT', priority: 150, notify })
  await until(() => linesOf(out).length >= 7, 'seven lines')
  assert.deepEqual(linesOf(out), [
    'backup',
    'own INSTANCE VI_1 BACKUP 100',
    'master',
    'own INSTANCE VI_1 MASTER 150',
    'lower',
    'fault',
    'own INSTANCE VI_1 FAULT 150',
  ])
  notifier.group({ name: 'G1', state: 'MASTER', notify: { ...silent, any: general } })
  await until(() => linesOf(out).length >= 8, 'the group')
  assert.equal(linesOf(out)[7], 'own GROUP G1 MASTER 0')
  await notifier.stop()
  assert.deepEqual(lines, [])
})

test('a deleted instance without a script for that reports FAULT', async () => {
  const out = join(directory, 'deleted')
  const any = user({ kind: 'shell', shell: '/bin/sh', text: `echo "$3" >> ${out}` })
  const { notifier } = start()
  notifier.instance({ name: 'VI_1', state: 'DELETED', priority: 1, notify: { ...silent, any } })
  const deleted = shell(`echo script >> ${out}`)
  notifier.instance({
    name: 'VI_1',
    state: 'DELETED',
    priority: 1,
    notify: { ...silent, any, deleted, saysDeleted: true },
  })
  await until(() => linesOf(out).length >= 3, 'three lines')
  assert.deepEqual(linesOf(out), ['FAULT', 'script', 'DELETED'])
  await notifier.stop()
})

test('words reach a program, the last command of a shell text, or its parameters', () => {
  const words = ['INSTANCE', "VI 'x'", 'MASTER', '100']
  const cases: readonly [Command, readonly string[]][] = [
    [{ kind: 'argv', argv: ['/a', 'b'] }, ['/a', 'b', ...words]],
    [
      { kind: 'shell', shell: '/bin/sh', text: '/a >> /log 2>&1' },
      [
        '/bin/sh',
        '-c',
        `/a >> /log 2>&1 'INSTANCE' 'VI '\\''x'\\''' 'MASTER' '100'`,
        '/bin/sh',
        ...words,
      ],
    ],
    ...['/a "$2"', '/a $@', 'if a; then b; fi', 'a; { b; }', 'a &', 'a;'].map(
      (text): [Command, readonly string[]] => [
        { kind: 'shell', shell: '/bin/sh', text },
        ['/bin/sh', '-c', text, '/bin/sh', ...words],
      ],
    ),
  ]
  for (const [command, argv] of cases) {
    assert.deepEqual(withWords(command, words), { ok: true, program: { kind: 'argv', argv } })
    const confined = withWords({ ...command, noNewPrivs: true } as Command, words)
    assert.ok(confined.ok && confined.program.noNewPrivs === true)
  }
  assert.deepEqual(withWords({ kind: 'broken', why: 'no' }, []), { ok: false, why: 'no' })
  assert.equal(withWords({ kind: 'process', like: 'pidof', name: 'h' }, []).ok, false)
})

test('failures are reported with the last line of output, and do not stop the queue', async () => {
  const out = join(directory, 'after-failures')
  const { notifier, lines } = start()
  const notify = {
    ...silent,
    master: shell('echo first; echo cannot promote >&2; exit 3'),
    backup: user({ kind: 'broken', why: '/x: not there' }),
    fault: user({ kind: 'argv', argv: [join(directory, 'missing')] }, 'missing'),
    any: shell(`echo "$3" >> ${out}`),
  }
  for (const state of ['MASTER', 'BACKUP', 'FAULT'] as const) {
    notifier.instance({ name: 'VI_1', state, priority: 1, notify })
  }
  await until(() => linesOf(out).length >= 3, 'three general scripts')
  await notifier.stop()
  const text = lines.join('\n')
  assert.match(text, /\(VI_1\) .* for MASTER failed \(exited with status 3\): cannot promote/)
  assert.match(text, /for BACKUP cannot run: \/x: not there/)
  assert.match(text, /missing for FAULT failed \(cannot run: .*no such file/)
  assert.deepEqual(linesOf(out), ['MASTER', 'BACKUP', 'FAULT'])
  const { scripts, mails, waiting } = notifier.figures
  const { took, tookSumMs, ...counts } = scripts
  // One cannot run, and was not started.
  assert.deepEqual(counts, { started: 5, succeeded: 3, failed: 2, lost: 0, dropped: 0 })
  assert.deepEqual([took.at(-1)?.untilMs, took.at(-1)?.count], [null, 5])
  assert.ok(tookSumMs > 0)
  assert.deepEqual([mails.started, waiting], [0, 0])
})

test('a hanging script delays only its own instance, and that not for ever', async () => {
  const out = join(directory, 'hanging')
  const pidFile = join(directory, 'hanging-pid')
  const { notifier, lines } = start({ times: { overdueMs: 3_000, stopMs: 200 } })
  const hanging = { ...silent, master: shell(`echo $$ > ${pidFile}; exec sleep 1000`) }
  const notify = { ...silent, any: shell(`echo "$2" >> ${out}`) }
  const begun = performance.now()
  notifier.instance({ name: 'A', state: 'MASTER', priority: 1, notify: hanging })
  notifier.instance({ name: 'A', state: 'BACKUP', priority: 1, notify })
  notifier.instance({ name: 'B', state: 'BACKUP', priority: 1, notify })
  assert.ok(performance.now() - begun < 500, 'the caller does not wait')
  await until(() => linesOf(out).includes('B'), 'the other instance')
  assert.deepEqual(linesOf(out), ['B'])
  await until(() => linesOf(out).includes('A'), 'its own, when it is overdue')
  assert.ok(performance.now() - begun >= 3_000)
  assert.match(lines.join('\n'), /\(A\) notify script still busy after 3000 ms/)
  const pid = Number(readFileSync(pidFile, 'utf8'))
  assert.ok(process.kill(pid, 0), 'an overdue script is not killed')
  process.kill(pid, 'SIGKILL')
  await notifier.stop()
})

test('a queue behind a hanging script is bounded: the oldest go, and it is said', async () => {
  const out = join(directory, 'bounded')
  const gate = join(directory, 'gate')
  assert.equal(spawnSync('mkfifo', [gate]).status, 0)
  const { notifier, lines } = start()
  const first = { ...silent, master: shell(`read line < ${gate}`) }
  notifier.instance({ name: 'A', state: 'MASTER', priority: 1, notify: first })
  const extra = 5
  for (let i = 0; i < notifyQueuedMax + extra; i++) {
    const notify = { ...silent, any: shell(`echo "$4" >> ${out}`) }
    notifier.instance({ name: 'A', state: 'BACKUP', priority: i, notify })
  }
  assert.equal(notifier.figures.waiting, notifyQueuedMax)
  assert.equal(notifier.figures.scripts.dropped, extra)
  const said = () => lines.filter((line) => line.includes('too many')).length
  assert.equal(said(), 1, 'one line for the first of many')
  writeFileSync(gate, 'go\n')
  await until(() => linesOf(out).length >= notifyQueuedMax, 'the rest')
  const expected = Array.from({ length: notifyQueuedMax }, (_, i) => String(i + extra))
  assert.deepEqual(linesOf(out), expected)
  await notifier.stop()
})

test('at the end STOP scripts run, for a second at most, and whatever is in their way is ended', async () => {
  const out = join(directory, 'stop')
  const pids = ['way', 'stop'].map((who) => join(directory, `${who}-pid`))
  const { notifier, lines } = start({ times: { stopMs: 300 } })
  const notify = {
    ...silent,
    master: shell(`echo $$ > ${pids[0]}; exec sleep 1000`),
    backup: shell(`echo backup >> ${out}`),
    stop: shell(
      `echo $$ > ${pids[1]}; echo stop >> ${out}; trap '' TERM; while :; do sleep 1000; done`,
    ),
    any: shell(`echo "$3" >> ${out}`),
  }
  notifier.instance({ name: 'A', state: 'MASTER', priority: 1, notify: { ...notify, any: null } })
  notifier.instance({ name: 'A', state: 'BACKUP', priority: 1, notify })
  notifier.instance({ name: 'A', state: 'STOP', priority: 1, notify })
  await until(() => existsSync(pids[0] ?? ''), 'the one in the way runs')
  const begun = performance.now()
  await notifier.stop()
  assert.ok(performance.now() - begun < 3_000)
  assert.deepEqual(linesOf(out), ['stop', 'STOP'])
  assert.match(lines.join('\n'), /dropped: the daemon stops/)
  for (const file of pids) {
    const pid = Number(readFileSync(file, 'utf8'))
    await until(() => !existsSync(`/proc/${pid}/fd/0`), `${file} is gone`)
  }
})
