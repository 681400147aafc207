import assert from 'node:assert/strict'
import { test } from 'node:test'
import { octetsOf } from '../../../src/config/scripts/probe-octets.ts'
import { check, findings, instanceText } from './reading.ts'

const tracked = instanceText('track_script {\n c\n }')
const withLines = (...lines: string[]) =>
  check(`vrrp_script c {\n${lines.map((line) => `  ${line}\n`).join('')}}\n${tracked}`)

test('escapes become octets, everything else is UTF-8', () => {
  assert.deepEqual(
    [...octetsOf('a\\r\\n\\t\\\\\\x00\\xFFé\\q')],
    [...[97, 13, 10, 9, 92, 0, 255], ...Buffer.from('é\\q')],
  )
})

const mistakes: readonly (readonly [line: string, message: RegExp])[] = [
  [
    'probe gopher h:70',
    /gopher is no probe; there are tcp, unix, tls, udp, smtp, redis, http, https, dns, icmp/,
  ],
  ['probe constructor h:70', /constructor is no probe/],
  ['probe tcp 10.0.0.1', /10\.0\.0\.1 is not HOST:PORT/],
  ['probe tcp ::1:80', /::1:80 is not HOST:PORT \(an IPv6 address stands in brackets\)/],
  ['probe tcp h:0', /h:0 is not HOST:PORT/],
  ['probe tcp h:65536', /h:65536 is not HOST:PORT/],
  ['probe unix run/x.sock', /run\/x\.sock is not an absolute path/],
  ['probe tcp h:1 status 200', /probe tcp has no option status: it takes send, send_hex/],
  ['probe redis h send x', /probe redis has no option send: it takes none/],
  ['probe tcp h:1 expect', /expect needs a value/],
  ['probe tcp h:1 send_hex 1', /1 is not hexadecimal/],
  ['probe tcp h:1 expect_regex "("', /\( is not a regular expression/],
  ['probe http ftp://h/', /ftp:\/\/h\/ is not an http\(s\) URL/],
  ['probe http http://h/ status 2xx', /2xx is not a list of statuses/],
  ['probe http http://h/ status 299-200', /299-200 is not a list of statuses/],
  ['probe http http://h/ method get', /get is not a method/],
  ['probe http http://h/ header novalue', /novalue is not 'NAME: REGEX'/],
  ['probe tls h:1 days soon', /soon is not a whole number from 0 to 9999/],
  ['probe tls h:1 ca /nowhere.pem', /\/nowhere\.pem cannot be read/],
  ['probe tls h:1 cert /c.conf', /cert needs a key as well/],
  ['probe tls h:1 key /c.conf', /key needs a cert as well/],
  ['probe http http://h/ sha256 abc', /abc is not a SHA-256 in 64 hexadecimal digits/],
  ['probe udp h:1 send a expect b send c', /udp takes one send and one expect/],
  ['probe dns www.example A', /dns needs the server to ask, as @ADDRESS/],
  ['probe dns a..b @10.0.0.1', /a\.\.b is no DNS name/],
  ['probe dns a @10.0.0.1 SPF', /probe dns has no option SPF: it takes rcode, answer/],
  ['probe dns a @10.0.0.1 rcode FINE', /FINE is not one of NOERROR/],
  ['probe icmp h size 2000', /2000 is not a whole number from 0 to 1400/],
  ['probe haproxy /run/h.sock', /haproxy needs BACKEND or BACKEND\/SERVER/],
  ['probe haproxy /run/h.sock web/a/b', /web\/a\/b is not BACKEND or BACKEND\/SERVER/],
  ['probe process httpd quorum 3 quorum_max 2', /2 is not a whole number from 3 to 65535/],
  ['probe process httpd match fuzzy', /fuzzy is not one of exact, initial, partial/],
  ['probe file etc/passwd', /etc\/passwd is not an absolute path/],
  ['probe file /etc/passwd fresher never', /never is not a number of seconds above 0/],
  ['probe file /etc/passwd readable maybe', /maybe is not one of yes, no/],
  ['probe module /opt/check.py', /\/opt\/check\.py is no ES module/],
  ['probe module /opt/check.mjs', /\/opt\/check\.mjs cannot be read/],
  ['probe push 1', /probe push has no option 1: it takes none/],
  ['probe tcp', /probe tcp needs a target/],
]

test('what makes no sense is an error at its word, and the check cannot run', () => {
  for (const [line, message] of mistakes) {
    const report = withLines(line)
    const found = report.diagnostics.filter(({ code }) => code === 'bad-probe')
    assert.equal(found.length, 1, line)
    assert.match(found[0]?.message ?? '', message)
    assert.equal(found[0]?.place.line, 2, line)
    const { command } = report.config?.scripts[0]?.run ?? {}
    assert.deepEqual(command, { kind: 'broken', why: 'the probe makes no sense' }, line)
  }
})

test('a script and a probe: the first one counts', () => {
  assert.deepEqual(findings(withLines('probe tcp h:1', 'script "/usr/bin/true"')), [
    'script-and-probe@3',
  ])
  assert.ok(
    findings(withLines('script "/usr/bin/true"', 'probe tcp h:1')).includes('script-and-probe@3'),
  )
})

test('a probe needs no user and no shell, and vipd check says what it asks', () => {
  const report = withLines('probe https https://[::1]:8443/health?x=1 host web.example')
  assert.deepEqual(findings(report), [])
  assert.match(report.text, /in-process: GET https:\/\/web\.example\/health\?x=1/)
  const dialogue = withLines('probe tls h send "a" expect "b"')
  assert.match(dialogue.text, /connects to h port 443 with TLS as h, 1 expected answer/)
})

test('options may stand in braces, one per line', () => {
  const inline = withLines('probe http http://h/ method HEAD header "X-A: 1" header "X-B: 2"')
  const block = withLines(
    'probe http http://h/ {',
    'method HEAD',
    'header "X-A: 1"',
    'header "X-B: 2"',
    '}',
  )
  assert.deepEqual(findings(block), [])
  const commands = [inline, block].map(({ config }) => config?.scripts[0]?.run.command)
  assert.deepEqual(commands[0], commands[1])
  assert.deepEqual(findings(withLines('probe http http://h/ {', 'method', '}')), ['bad-probe@3'])
})

test('combine: all, any and a number of checks that stand above', () => {
  const members = ['a', 'b', 'c'].map((name) => `vrrp_script ${name} {\n probe push\n}\n`).join('')
  const combined = (line: string) =>
    check(
      `${members}vrrp_script d {\n combine ${line}\n}\n${instanceText('track_script {\n d\n }')}`,
    )
  const leastOf = (line: string) => {
    const command = combined(line).config?.scripts.find(({ name }) => name === 'd')?.run.command
    return command?.kind === 'combination' ? command.least : command
  }
  assert.deepEqual(['all a b c', 'any of a b c', '2 of a b c'].map(leastOf), [3, 1, 2])
  const report = combined('2 of a b')
  assert.deepEqual(
    report.config?.scripts.map(({ name }) => name),
    ['a', 'b', 'd'],
  )
  assert.deepEqual(findings(report), ['unused-script@7'], 'c is not tracked, a and b are used')
  for (const line of ['3 of a b', '0 of a', 'some a', 'all', 'all a x', 'all d'])
    assert.ok(
      findings(combined(line)).some((found) => found.startsWith('bad-combination')),
      line,
    )
})

test('how often: fast, down, jitter and the first delay', () => {
  const report = withLines(
    ...['probe push', 'interval 0.1', 'fast_interval 0.02', 'down_interval 1', 'jitter 10'],
    'initial_delay 3',
  )
  const [script] = report.config?.scripts ?? []
  assert.deepEqual(findings(report), [])
  assert.deepEqual(
    [script?.fastIntervalUs, script?.downIntervalUs, script?.jitter, script?.initialDelayUs],
    [20_000, 1_000_000, 0.1, 3_000_000],
  )
  assert.deepEqual(findings(withLines('probe push', 'jitter 51')), ['bad-number@3'])
})

test('a private key is nowhere in what vipd check prints', () => {
  const files = { '/k.pem': { text: 'SECRET-KEY' }, '/c.pem': { text: 'CERTIFICATE' } }
  const text = `vrrp_script c {\n probe https https://h/ cert /c.pem key /k.pem\n}\n${tracked}`
  const report = check(text, { files })
  assert.deepEqual(findings(report), [])
  const command = report.config?.scripts[0]?.run.command
  assert.ok(command?.kind === 'probe' && command.probe.kind === 'http')
  assert.equal(command.probe.tls?.client?.key, 'SECRET-KEY')
  assert.doesNotMatch(report.text, /SECRET-KEY/)
  assert.doesNotMatch(JSON.stringify(report.json), /SECRET-KEY/)
})
