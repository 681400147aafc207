/** `vipd_http`: addresses, options, and what leaves a line out. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check, findings, instanceText } from './reading.ts'

const http = (...lines: readonly string[]) => {
  const report = check(`global_defs {\n${lines.join('\n')}\n}\n${instanceText()}`)
  return { found: report.config?.globals.http, findings: findings(report), text: report.text }
}

test('a socket, a port, an IPv6 address, with what protects them', () => {
  const { found, findings, text } = http(
    'vipd_http unix:/run/vipd/http.sock mode 0660 group root',
    'vipd_http 127.0.0.1:9112 action_token /etc/vipd/act',
    'vipd_http [2001:db8::1]:9112 token /t action_token /a cert /c key /k client_ca /ca name LB1 name b.example',
  )
  assert.deepEqual(findings, [])
  const open = { readToken: null, actionToken: null, tls: null, names: [] }
  assert.deepEqual(found, [
    { ...open, address: { kind: 'unix', path: '/run/vipd/http.sock', mode: 0o660, gid: 0 } },
    {
      ...open,
      address: { kind: 'tcp', host: '127.0.0.1', port: 9112 },
      actionToken: '/etc/vipd/act',
    },
    {
      address: { kind: 'tcp', host: '2001:db8::1', port: 9112 },
      readToken: '/t',
      actionToken: '/a',
      tls: { cert: '/c', key: '/k', clientCa: '/ca' },
      names: ['lb1', 'b.example'],
    },
  ])
  assert.match(text, /HTTP +\[2001:db8::1\]:9112, TLS, a token to read, a token to act/)
})

test('nothing is served without it', () => {
  assert.deepEqual(http('router_id x').found, [])
})

const wrong: readonly [line: string, code: string][] = [
  ['vipd_http 192.0.2.1:9112', 'http-needs-token'],
  ['vipd_http 0.0.0.0:9112 action_token /a', 'http-needs-token'],
  ['vipd_http [::]:9112', 'http-needs-token'],
  ['vipd_http lb1:9112', 'http-needs-token'],
  ['vipd_http 127.0.0.1', 'bad-address'],
  ['vipd_http 127.0.0.1:0', 'bad-address'],
  ['vipd_http 127.0.0.1:65536', 'bad-address'],
  ['vipd_http ::1:9112', 'bad-address'],
  ['vipd_http unix:http.sock', 'bad-path'],
  [`vipd_http unix:/${'x'.repeat(98)}`, 'bad-path'],
  ['vipd_http unix:/s mode 0888', 'bad-number'],
  ['vipd_http unix:/s group nobody-here', 'unknown-group'],
  ['vipd_http 127.0.0.1:1 mode 0660', 'no-effect'],
  ['vipd_http 127.0.0.1:1 token t', 'bad-path'],
  ['vipd_http 127.0.0.1:1 token', 'missing-value'],
  ['vipd_http 127.0.0.1:1 token /t token /t', 'duplicate'],
  ['vipd_http 127.0.0.1:1 tokens /t', 'unknown-option'],
  ['vipd_http 127.0.0.1:1 cert /c', 'http-half-tls'],
  ['vipd_http 127.0.0.1:1 client_ca /c', 'http-half-tls'],
]
for (const [line, code] of wrong) {
  test(`${line}: ${code}, and nothing is served there`, () => {
    const { found, findings } = http(line)
    assert.deepEqual([found, findings], [[], [`${code}@2`]])
  })
}

test('the same address twice: the first counts', () => {
  const { found, findings } = http('vipd_http 127.0.0.1:1', 'vipd_http 127.0.0.1:1 name x')
  assert.deepEqual([found?.length, found?.[0]?.names, findings], [1, [], ['duplicate@3']])
})

test('peers, with what they are asked with', () => {
  const report = check(
    `global_defs {\nvipd_peer_http https://LB2.example:9112/ token /t ca /c\nvipd_peer_http http://[::1]:9112 token /t\nvipd_peer_http http://192.0.2.2:9112\n}\n${instanceText()}`,
  )
  assert.deepEqual(findings(report), [])
  assert.deepEqual(report.config?.globals.httpPeers, [
    { url: 'https://lb2.example:9112', token: '/t', ca: '/c' },
    { url: 'http://[::1]:9112', token: '/t', ca: null },
    { url: 'http://192.0.2.2:9112', token: null, ca: null },
  ])
  assert.match(report.text, /HTTP peer +https:\/\/lb2\.example:9112, with a token/)
})

const wrongPeers: readonly [line: string, code: string][] = [
  ['vipd_peer_http lb2:9112', 'bad-url'],
  ['vipd_peer_http ftp://lb2', 'bad-url'],
  ['vipd_peer_http http://user@lb2', 'bad-url'],
  ['vipd_peer_http http://lb2:9112/api', 'bad-url'],
  ['vipd_peer_http http://lb2:0', 'bad-url'],
  ['vipd_peer_http http://lb2 ca /c', 'no-effect'],
  ['vipd_peer_http https://lb2 token t', 'bad-path'],
  ['vipd_peer_http https://lb2 token', 'missing-value'],
  ['vipd_peer_http https://lb2 key /k', 'unknown-option'],
]

for (const [line, code] of wrongPeers)
  test(`${line}: ${code}, and that peer is not asked`, () => {
    const report = check(`global_defs {\n${line}\n}\n${instanceText()}`)
    assert.match(findings(report).join(), new RegExp(code))
    assert.deepEqual(report.config?.globals.httpPeers, [])
  })

test('a token that would cross the network unencrypted is warned of; the peer is asked', () => {
  const report = check(
    `global_defs {\nvipd_peer_http http://192.0.2.2:9112 token /t\n}\n${instanceText()}`,
  )
  assert.match(findings(report).join(), /token-in-clear/)
  assert.equal(report.config?.globals.httpPeers.length, 1)
})
