/** keepalived's command line, and the form of its log. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readKeepalivedOptions } from '../../../src/cli/keepalived-options.ts'
import { argumentsOf } from '../../../src/cli/like-keepalived.ts'
import { syslogLine } from '../../../src/daemon/syslog.ts'

const read = (line: string) => {
  const result = readKeepalivedOptions(line === '' ? [] : line.split(' '))
  assert.ok('options' in result, `${line} ends: ${JSON.stringify(result)}`)
  return result.options
}

const ended = (line: string) => {
  const result = readKeepalivedOptions(line.split(' '))
  assert.ok('ended' in result, `${line} ends nothing`)
  return result.ended
}

test('options that are seen in the wild', () => {
  const cases: readonly [string, object][] = [
    ['', { action: 'run', foreground: false, console: false, syslog: true, facility: 3 }],
    ['-D', { detail: 1 }],
    ['-D -D', { detail: 2 }],
    ['-l -n', { console: true, foreground: true }],
    ['-nld', { foreground: true, console: true, dumpConfiguration: true }],
    ['-nlDf a.conf', { foreground: true, detail: 1, file: 'a.conf' }],
    ['-fa.conf', { file: 'a.conf' }],
    [
      '--log-detail --log-console --dont-fork --vrrp -f a.conf',
      { detail: 1, console: true, foreground: true, file: 'a.conf' },
    ],
    ['--use-file=a.conf', { file: 'a.conf' }],
    ['--use-file a.conf --pid /run/a.pid', { file: 'a.conf', pidFile: '/run/a.pid' }],
    ['-p /run/a.pid -r /run/b.pid', { pidFile: '/run/a.pid', vrrpPidFile: '/run/b.pid' }],
    ['-S 0', { facility: 16 }],
    ['-S local7', { facility: 23 }],
    ['-S user', { facility: 1 }],
    ['-S daemon', { facility: 3 }],
    ['-G -P -B --all -R -X -a', { syslog: false, notes: [] }],
    ['-u 027', { umask: 0o27 }],
    ['-u 23', { umask: 23 }],
    ['-s blue -m -M core.%p', { namespace: 'blue', core: true, corePattern: 'core.%p' }],
    ['-e -i lb1', { includeAll: true, configId: 'lb1' }],
    ['-t', { action: 'check', reportFile: null }],
    ['-t -f a.conf', { action: 'check', file: 'a.conf' }],
    ['-l -t -f a.conf', { action: 'check', file: 'a.conf' }],
    ['--config-test=/tmp/log -f a.conf', { action: 'check', reportFile: '/tmp/log' }],
    ['--config-te', { action: 'check' }],
    ['-t -v', { action: 'version' }],
    ['-v -t', { action: 'version' }],
    ['-h', { action: 'help' }],
  ]
  for (const [line, wanted] of cases)
    assert.deepEqual({ ...read(line), ...wanted }, read(line), line)
})

test('what is complained about and goes on', () => {
  assert.deepEqual(read('-S 9').notes, ["Invalid log facility '9'"])
  assert.deepEqual(read('-u 999').notes, ['Invalid --umask option 999'])
  assert.deepEqual(read('-n foo -- -x').notes, ['Unexpected argument(s): foo -x '])
  for (const line of ['-C', '-I', '-c /run/c.pid'])
    assert.match(read(line).notes.join(), /belongs to LVS/, line)
})

test('what ends it, with keepalived’s words and status', () => {
  assert.deepEqual(ended('--bogus'), { status: 1, error: 'Unknown option --bogus' })
  assert.deepEqual(ended('-z'), { status: 1, error: 'Unknown option -z' })
  assert.deepEqual(ended('-nz'), { status: 1, error: 'Unknown option -z' })
  assert.deepEqual(ended('--vrrp=1'), { status: 1, error: 'Unknown option --vrrp' })
  assert.deepEqual(ended('-n -f'), { status: 1, error: 'Missing parameter for option -f' })
  assert.deepEqual(ended('--pid'), { status: 1, error: 'Missing parameter for option --pid' })
  assert.match(ended('-T').error ?? '', /belongs to LVS/)
  const numbers = { STOP: 15, RELOAD: 1, DATA: 10, STATS: 12, STATS_CLEAR: 63, JSON: 36 }
  for (const [name, number] of Object.entries(numbers))
    for (const line of [`--signum=${name}`, `--signum ${name}`])
      assert.deepEqual(ended(line), { status: 0, output: `${number}` }, line)
  assert.deepEqual(ended('--signum=X'), { status: 1, error: 'Unknown sigfunc X' })
})

test('under the name keepalived every word is keepalived’s', () => {
  assert.deepEqual(argumentsOf(['node', '/usr/sbin/keepalived', '-V']), ['keepalived', '-V'])
  assert.deepEqual(argumentsOf(['node', '/usr/bin/vipd', '-V']), ['-V'])
  assert.deepEqual(argumentsOf(['node', '/usr/bin/vipd', '-t', '-f', 'a']), ['check', '-f', 'a'])
})

test('a line of syslog: facility and severity, local time, name and number, one line', () => {
  const at = new Date(2026, 10, 8, 0, 9, 6)
  assert.equal(
    syslogLine(3, 'info', 'Keepalived_vrrp', 67, '(VI_1) Entering MASTER STATE', at),
    '<30>Nov  8 00:09:06 Keepalived_vrrp[67]: (VI_1) Entering MASTER STATE',
  )
  assert.match(syslogLine(16, 'error', 'a', 1, 'x\ny\u001b[1m', at), /^<131>.*: x\\ny\\u001b\[1m$/)
  assert.match(syslogLine(18, 'warn', 'a', 1, 'z', at), /^<148>/)
  assert.ok(Buffer.byteLength(syslogLine(3, 'debug', 'a', 1, 'ä'.repeat(9_000), at)) < 8_192)
})
