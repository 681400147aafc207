import assert from 'node:assert/strict'
import { test } from 'node:test'
import { filesOf } from '../../../src/config/scripts/run-files.ts'
import { shellCommands } from '../../../src/config/scripts/shell-words.ts'
import { unsafePart } from '../../../src/config/scripts/trusted-path.ts'
import type { UserCommand } from '../../../src/config/user-command.ts'
import { type FakeMachine, fakeWorld } from './fake-world.ts'
import { check, findings, instanceText } from './reading.ts'

const program = { text: '', mode: 0o755 }
const nobodys = { text: '#!/bin/sh\n', mode: 0o755, uid: 65_534 }
const files: NonNullable<FakeMachine['files']> = {
  '/bin/bash': program,
  '/bin/sh': program,
  '/bin/true': program,
  '/usr/bin/env': program,
  '/usr/bin/perl': program,
  '/usr/bin/sudo': program,
  '/usr/bin/su': program,
  '/usr/bin/timeout': program,
  '/usr/bin/xargs': program,
  '/usr/bin/flock': program,
  '/usr/bin/find': program,
  '/usr/bin/grep': program,
  '/safe/c.sh': { text: '#!/bin/sh\n', mode: 0o755 },
  '/safe/by-nobody.sh': { text: '#! /n/c.sh -x\n', mode: 0o755 },
  '/safe/by-env.pl': { text: '#!/usr/bin/env perl\n', mode: 0o755 },
  '/safe/m.mjs': 'export default () => true',
  '/n/c.sh': nobodys,
  '/n/data': { text: '', uid: 65_534 },
  '/n/m.mjs': { text: '', uid: 65_534 },
}
const users = { a: { uid: 5, gid: 5 } }

const security = 'enable_script_security\n script_user root'

const read = (line: string, globals = security, machine: FakeMachine = {}) =>
  check(
    `global_defs {\n ${globals}\n}\nvrrp_script s {\n ${line}\n}\n${instanceText('track_script {\n s\n }')}`,
    { files, users, directories: { '/w': 0o777 }, ...machine },
  )

const refused = (use: UserCommand | null | undefined): boolean =>
  use?.command.kind === 'broken' && use.command.why.startsWith('script security: ')

/** What root would run although another user may change it, on every path to a program. */
const unsafe = [
  '/n/c.sh',
  '/n/c.sh > /dev/null 2>&1',
  '/n/c.sh || exit 1',
  '/bin/true && /n/c.sh',
  '/bin/true & /n/c.sh',
  '/bin/true | /n/c.sh',
  'if /bin/true; then /n/c.sh; fi',
  'if ! /n/c.sh; then exit 1; fi',
  'while ! /n/c.sh; do :; done',
  'for i in 1 2; do /n/c.sh $i; done',
  'case x in y) /bin/true ;; x|z) /n/c.sh ;; esac',
  '( cd / && /n/c.sh )',
  '((/n/c.sh) )',
  '{ /n/c.sh; }',
  'f() { /n/c.sh; }; f',
  'test "$(/n/c.sh)" = up',
  'test "`/n/c.sh`" = up',
  'X=$(/n/c.sh) && test "$X" = 1',
  'test $(( $(/n/c.sh) + 1 )) = 2',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's text
  'echo ${X:-$(/n/c.sh)}',
  '/bin/true < <(/n/c.sh)',
  '[[ -f /n/data && -x /n/c.sh ]] && /n/c.sh',
  "'/n/c.sh' | grep -q up",
  '/n/"c".sh | grep -q up',
  'cd /n && ./c.sh',
  'cd /n; sh c.sh',
  '. /n/data; exit 0',
  'eval "/n/c.sh -x"; exit 0',
  'trap "/n/c.sh" EXIT; exit 0',
  'exec /n/c.sh',
  'sh /n/c.sh',
  '/bin/sh -c "/n/c.sh; exit 0"',
  '/bin/bash -eu /n/c.sh',
  '/usr/bin/perl -I/safe /n/c.sh',
  '/usr/bin/perl -I/w /safe/c.sh',
  '/usr/bin/sudo /n/c.sh',
  '/usr/bin/sudo -n perl /n/c.sh',
  '/usr/bin/su -c /n/c.sh',
  '/usr/bin/timeout 5 /n/c.sh',
  '/usr/bin/env A=1 sh /n/c.sh',
  'echo a | xargs /n/c.sh',
  '/usr/bin/flock -n /n/data -c "/n/c.sh"',
  '/usr/bin/find / -name x -exec /n/c.sh {} +',
  'PATH=/n; c.sh',
  'export PATH=/w:/bin; true',
  'LD_PRELOAD=/n/data /bin/true',
  '/safe/by-nobody.sh',
  'by-nobody.sh || exit 1',
  // What cannot be told.
  '$X || exit 1',
  'for f in /n/*; do $f; done',
  '/n/*.sh',
  'sh -c "$X"',
]

const safe = [
  '/safe/c.sh',
  '/safe/c.sh > /n/data 2>&1',
  '/safe/c.sh < /n/data || exit 1',
  'grep -q up /n/data && exit 0',
  '/safe/c.sh /n/c.sh',
  'test -x /n/c.sh && exit 0',
  '[[ -x /n/c.sh && $X == y ]] && exit 0',
  '(( X > 1 && $Y )) && exit 0',
  'case $X in a) exit 0 ;; *) /safe/c.sh ;; esac',
  'X=/n/c.sh; test "$X" = y',
  'command -v c.sh > /dev/null',
  'echo "a; /n/c.sh" > /dev/null',
  "echo 'a | /n/c.sh' | grep -q a # and /n/c.sh",
  '/usr/bin/sudo -u a /n/c.sh',
  '/usr/bin/su a -c /n/c.sh',
  '/usr/bin/flock -n /n/data /safe/c.sh',
  '/safe/by-env.pl',
  'killall -0 httpd',
]

for (const text of unsafe) {
  test(`root does not run: ${text}`, () => {
    const quoted = `script "${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
    const path = ['/bin', '/usr/bin', '/safe']
    const report = read(quoted, security, { path })
    const use = report.config?.scripts[0]?.run
    assert.ok(refused(use), JSON.stringify(use?.command))
    assert.equal(report.exit, 5)
    assert.ok(findings(report).includes('unsafe-path@6'), findings(report).join())
    const asAnother = read(`${quoted}\n user a`, security, { path }).config?.scripts[0]?.run
    assert.ok(!refused(asAnother), 'as another user it is that user’s own matter')
  })
}

for (const text of safe) {
  test(`root runs: ${text}`, () => {
    const use = read(`script "${text.replaceAll('"', '\\"')}"`).config?.scripts[0]?.run
    assert.ok(!refused(use), JSON.stringify(use?.command))
  })
}

test('a module is loaded by the daemon: its path is looked at, whatever user the check has', () => {
  const use = (line: string, machine = {}) => read(line, security, machine).config?.scripts[0]?.run
  assert.equal(use('probe module /safe/m.mjs')?.command.kind, 'module')
  assert.ok(refused(use('probe module /n/m.mjs')))
  assert.ok(refused(use('probe module /n/m.mjs\n user a')))
  assert.ok(refused(use('probe module /safe/m.mjs', { directories: { '/safe': 0o777 } })))
  const open = read('probe module /n/m.mjs', 'script_user root')
  assert.equal(open.config?.scripts[0]?.run.command.kind, 'module')
  assert.ok(findings(open).includes('unsafe-path@5'))
})

test('notify, FIFO, start and stop scripts are looked at like checks', () => {
  const bad = '"/n/c.sh || exit 1"'
  const text = `global_defs {\n ${security}\n notify_fifo /run/f\n notify_fifo_script ${bad}\n startup_script ${bad}\n shutdown_script ${bad}\n}\n${instanceText(`notify_master ${bad}\n notify_stop /n/c.sh\n notify ${bad}`)}`
  const { config } = check(text, { files })
  const globals = config?.globals
  const notify = config?.instances[0]?.notify
  for (const use of [
    globals?.notifyFifos[0]?.script,
    globals?.startupScript?.command,
    globals?.shutdownScript?.command,
    notify?.master,
    notify?.stop,
    notify?.any,
  ]) {
    assert.ok(refused(use), JSON.stringify(use))
  }
})

test('an included file that another user may write names no program for root', () => {
  const main = `global_defs {\n ${security}\n}\ninclude /n/i.conf\n${instanceText('track_script {\n s\n }')}`
  const included = 'vrrp_script s {\n script "/safe/c.sh"\n}\n'
  const use = (facts: object) =>
    check(main, { files: { ...files, '/n/i.conf': { text: included, ...facts } } }).config
      ?.scripts[0]?.run
  assert.ok(refused(use({ uid: 65_534 })))
  assert.ok(refused(use({ mode: 0o666 })))
  assert.equal(use({})?.command.kind, 'argv')
})

test('every directory and link on the way counts, and what is not there yet', () => {
  const at = (path: string, machine: FakeMachine) =>
    unsafePart(path, fakeWorld({ files: { '/a/b/x.sh': program }, ...machine }))
  const shared = { directories: { '/t': 0o1777 } }
  assert.equal(at('/l', { links: { '/l': '/a/b/x.sh' } }), null)
  assert.equal(at('/a/c', { links: { '/a/c': 'b/x.sh' } }), null)
  assert.match(at('/t/l', { ...shared, links: { '/t/l': '/a/b/x.sh' } }) ?? '', /symbolic link in/)
  assert.match(at('/t/later.sh', shared) ?? '', /is not there, and others may make it in \/t/)
  assert.match(
    at('/w/l', { directories: { '/w': 0o777 }, links: { '/w/l': '/a/b/x.sh' } }) ?? '',
    /\/w is writable by every user/,
  )
  assert.match(at('/l', { links: { '/l': '/l' } }) ?? '', /too many symbolic links/)
})

test('a program behind another user’s link is run by its own name', () => {
  const machine = { directories: { '/w': 0o777 }, links: { '/w/l': '/safe/c.sh' } }
  const report = read('script "/w/l -x"', security, machine)
  assert.deepEqual(report.config?.scripts[0]?.run.command, {
    kind: 'argv',
    argv: ['/safe/c.sh', '-x'],
  })
  assert.ok(refused(read('script "/w/l || exit 1"', security, machine).config?.scripts[0]?.run))
})

test('a daemon without root runs its own scripts as it likes', () => {
  const use = read('script "/n/c.sh || exit 1"', 'enable_script_security', { uid: 7 })
  assert.ok(!refused(use.config?.scripts[0]?.run))
})

test('arbitrary text is read to its end, however deep it nests', () => {
  for (const piece of [
    '$(',
    '`',
    '((',
    '$'.concat('{'),
    '<(',
    '"$(',
    "'",
    'case x in ',
    '[[ ',
    '\\',
    'a=(',
  ]) {
    for (const end of ['', ')', '"', '/n/c.sh']) {
      assert.ok(Array.isArray(shellCommands(piece.repeat(400) + end)))
    }
  }
  const deep = { kind: 'shell', shell: '/bin/sh', text: `${'('.repeat(400)}/n/c.sh` } as const
  assert.notEqual(filesOf(deep, fakeWorld({ files })).unknown, null)
})

test('vipd_script_no_new_privs reaches every program, and check recommends it where no script needs privileges', () => {
  const confined = (globals: string, script: string) => {
    const text = `global_defs {\n ${globals}\n startup_script /safe/c.sh\n}\nvrrp_script s {\n script "${script}"\n user a\n}\n${instanceText('track_script {\n s\n }\n notify "/safe/c.sh || exit 1"')}`
    const report = check(text, { files, users })
    const uses = [
      report.config?.scripts[0]?.run,
      report.config?.instances[0]?.notify.any,
      report.config?.globals.startupScript?.command,
    ]
    const flags = uses.map(
      (use) => use !== null && use !== undefined && 'noNewPrivs' in use.command,
    )
    return { flags, recommended: report.diagnostics.some(({ code }) => code === 'no-new-privs') }
  }
  const on = `${security}\n vipd_script_no_new_privs`
  assert.deepEqual(confined(on, '/safe/c.sh'), { flags: [true, true, true], recommended: false })
  assert.deepEqual(confined(security, '/safe/c.sh'), {
    flags: [false, false, false],
    recommended: true,
  })
  assert.equal(confined(security, '/usr/bin/sudo /safe/c.sh').recommended, false)
  assert.equal(confined('script_user root', '/safe/c.sh').recommended, false)
})
