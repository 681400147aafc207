import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Command } from '../../../src/base/command.ts'
import { needsShell, resolveCommand } from '../../../src/config/scripts/command.ts'
import { unsafePart } from '../../../src/config/scripts/trusted-path.ts'
import { fakeWorld } from './fake-world.ts'
import { check, findings, instanceText } from './reading.ts'

const tcp = (host: string, port: number): Command => ({
  kind: 'probe',
  probe: { kind: 'dialogue', to: { kind: 'tcp', host, port }, tls: null, turns: [] },
})

const program = { text: '', mode: 0o755 }
const world = fakeWorld({
  files: {
    '/usr/bin/curl': program,
    '/usr/bin/killall': program,
    '/bin/bash': program,
    '/opt/plain.sh': { text: '', mode: 0o644 },
    '/opt/private.sh': { text: '', mode: 0o700 },
  },
})

const forms: readonly (readonly [string, unknown])[] = [
  ['killall -0 httpd', { kind: 'process', like: 'killall', name: 'httpd' }],
  ['/usr/bin/killall -0 httpd', { kind: 'process', like: 'killall', name: 'httpd' }],
  ['pidof nginx', { kind: 'process', like: 'pidof', name: 'nginx' }],
  ['/bin/pidof nginx', { kind: 'process', like: 'pidof', name: 'nginx' }],
  ['pgrep -x haproxy', { kind: 'process', like: 'pgrep', name: 'haproxy' }],
  ['</dev/tcp/127.0.0.1/80', tcp('127.0.0.1', 80)],
  ['</dev/tcp/localhost/443', tcp('localhost', 443)],
  ['</dev/tcp/127.0.0.1/99999', { kind: 'shell', shell: '/bin/bash', text: '</dev/tcp/127.0.0.1/99999' }],
  ['curl -fs http://h/?a=1&b=2', { kind: 'argv', argv: ['/usr/bin/curl', '-fs', 'http://h/?a=1&b=2'] }],
  ['curl  -H "A: b c" x', { kind: 'argv', argv: ['/usr/bin/curl', '-H', 'A: b c', 'x'] }],
  ['curl x | grep y', { kind: 'shell', shell: '/bin/bash', text: 'curl x | grep y' }],
  ['[ -f /tmp/x ]', { kind: 'shell', shell: '/bin/bash', text: '[ -f /tmp/x ]' }],
  ['A=1 curl x', { kind: 'shell', shell: '/bin/bash', text: 'A=1 curl x' }],
  // Close to a well-known form, and something else.
  ['killall -0 -q httpd', { kind: 'argv', argv: ['/usr/bin/killall', '-0', '-q', 'httpd'] }],
  ['killall -0 a.*', { kind: 'shell', shell: '/bin/bash', text: 'killall -0 a.*' }],
] // biome-ignore format: a table

for (const [text, expected] of forms) {
  test(`runs: ${text}`, () => {
    assert.deepEqual(resolveCommand(text, null, world).command, expected)
  })
}

const shells: readonly (readonly [string, boolean])[] = [
  ['/bin/x a b', false], ['exit 0', true], ['if true; then exit 1; fi', true], ['/bin/x > /dev/null', true],
  ['/bin/x $HOME', true], ["/bin/x '$HOME'", false], ['/bin/x "a | b"', false], ['/bin/x a\\|b', false],
  ['/bin/x `id`', true], ['/bin/x *.txt', true], ['/bin/x a;b', true], ['! /bin/x', true],
  ['wget http://h/a?b&c', false], ['wget http://h/a | wc', true], ['/bin/x --a=b', false], ['test -f /x', true],
] // biome-ignore format: a table

for (const [text, expected] of shells) {
  test(`needs a shell: ${text} → ${expected}`, () => assert.equal(needsShell(text), expected))
}

test('what cannot be run says why', () => {
  const why = (text: string, uid = 0) => {
    const { command } = resolveCommand(text, { uid, gid: uid, groups: null }, world)
    return command.kind === 'broken' ? command.why : command.kind
  }
  assert.match(why('/nope/x.sh'), /^\/nope\/x\.sh is not there$/)
  assert.match(why('nosuch -x'), /^nosuch is not in PATH/)
  assert.match(why('/opt/plain.sh'), /not executable \(mode 0644\): chmod \+x/)
  assert.match(why('/opt'), /is a directory/)
  assert.equal(why('/opt/private.sh'), 'argv')
  assert.match(why('/opt/private.sh', 7), /not executable \(mode 0700\)/)
})

test('the first command of a shell text must be there', () => {
  const said = (text: string) => resolveCommand(text, null, world).findings.map((f) => f.message)
  assert.match(said('nosuch -c 1 10.0.0.1 > /dev/null 2>&1')[0] ?? '', /^nosuch is not in PATH/)
  assert.match(said('/nope/x.sh | wc')[0] ?? '', /^\/nope\/x\.sh is not there$/)
  for (const text of [
    'killall -0 x | wc',
    'echo x | wc',
    'A=1 nosuch | wc',
    '$X | wc',
    'if x; then y; fi',
  ])
    assert.deepEqual(said(text), [], text)
})

test('without bash the shell is sh', () => {
  const { command } = resolveCommand('a | b', null, fakeWorld())
  assert.deepEqual(command, { kind: 'shell', shell: '/bin/sh', text: 'a | b' })
})

test('script security names the part of the path that is unsafe, and the remedy', () => {
  const machine = (directories: Record<string, number>, file = {}) =>
    fakeWorld({ files: { '/a/b/x.sh': { text: '', mode: 0o755, ...file } }, directories })
  assert.equal(unsafePart('/a/b/x.sh', machine({})), null)
  assert.match(
    unsafePart('/a/b/x.sh', machine({ '/a': 0o777 })) ?? '',
    /^\/a is writable.*chmod o-w \/a$/,
  )
  assert.equal(unsafePart('/a/b/x.sh', machine({ '/a': 0o1777 })), null)
  assert.match(
    unsafePart('/a/b/x.sh', machine({}, { uid: 7 })) ?? '',
    /uid 7, not root: chown root/,
  )
  assert.match(
    unsafePart('/a/b/x.sh', machine({}, { mode: 0o775, gid: 9 })) ?? '',
    /group 9: chmod g-w/,
  )
  assert.equal(unsafePart('/a/b/x.sh', machine({}, { mode: 0o775 })), null)
})

const withScript = (globals: string, script: string, more = '') =>
  `global_defs {\n ${globals}\n}\nvrrp_script s {\n script ${script}\n ${more}\n}\n${instanceText('track_script {\n s\n }')}`

const run = (globals: string, script: string, more = '', users = {}) => {
  const report = check(withScript(globals, script, more), { users, groups: { g: 9 } })
  return { report, use: report.config?.scripts[0]?.run }
}

test('the user of a script: its own, script_user, keepalived_script, the daemon’s', () => {
  const users = { a: { uid: 5, gid: 6 }, keepalived_script: { uid: 7, gid: 8 } }
  const runAs = (globals: string, more: string, known: object = users) =>
    run(globals, '"/usr/bin/true"', more, known).use?.runAs
  assert.deepEqual(runAs('script_user root', 'user a'), { uid: 5, gid: 6, groups: null })
  assert.deepEqual(runAs('', 'user a g'), { uid: 5, gid: 9, groups: null })
  assert.deepEqual(runAs('script_user a', ''), { uid: 5, gid: 6, groups: null })
  assert.deepEqual(runAs('', ''), { uid: 7, gid: 8, groups: null })
  assert.equal(runAs('', '', {}), null)
  assert.deepEqual(runAs('', 'user a :g')?.groups, [6])
})

test('a user that does not exist breaks a script, and a notifier silently for keepalived', () => {
  const { report, use } = run(
    'script_user root\n enable_script_security',
    '"/usr/bin/true"',
    'user nobody9',
  )
  assert.equal(use?.command.kind, 'broken')
  assert.equal(report.exit, 5)
  const notifier = check(instanceText('notify_master /etc/x.sh master'))
  assert.equal(notifier.exit, 0)
  assert.deepEqual(findings(notifier), ['bad-user@4'])
})

test('a script without its quotes loses its arguments, and says so', () => {
  const { report, use } = run('script_user root\n enable_script_security', '/usr/bin/true -x')
  assert.deepEqual(use?.command, { kind: 'argv', argv: ['/usr/bin/true'] })
  assert.ok(findings(report).includes('unquoted-command@6'))
})

const statuses: readonly (readonly [string, string, number])[] = [
  ['', '"/usr/bin/true"', 6],
  ['', '"/nope"', 5],
  ['', '"</dev/tcp/127.0.0.1/80"', 0],
  ['script_user root', '"killall -0 x"', 6],
  ['enable_script_security', '"/usr/bin/true"', 5],
  ['enable_script_security\n script_user root', '"/usr/bin/true"', 0],
  ['enable_script_security\n script_user root', '""', 5],
] // biome-ignore format: a table

for (const [globals, script, exit] of statuses) {
  test(`exit ${exit}: ${script} with ${globals.replace(/\s+/g, ' ') || 'no global_defs'}`, () => {
    assert.equal(run(globals, script).report.exit, exit)
  })
}

test('an unsafe path: a remark without script security, a broken script with it', () => {
  const files = { '/w/x.sh': { text: '', mode: 0o777 } }
  const read = (globals: string) => check(withScript(globals, '"/w/x.sh"'), { files })
  const open = read('script_user root')
  assert.equal(open.config?.scripts[0]?.run.command.kind, 'argv')
  const secured = read('script_user root\n enable_script_security')
  assert.equal(secured.config?.scripts[0]?.run.command.kind, 'broken')
  assert.equal(secured.exit, 5)
})
