import assert from 'node:assert/strict'
import { test } from 'node:test'
import { octetsOf } from '../../../src/config/probe-octets.ts'
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
  ['probe gopher h:70', /gopher is no probe; there are tcp, tls, unix, smtp, redis, http, https/],
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
  ['probe tls h:1 days soon', /days is a whole number, not soon/],
  ['probe tls h:1 ca /nowhere.pem', /\/nowhere\.pem cannot be read/],
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
