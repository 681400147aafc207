/** SNMP: what each keyword switches on, and where the master agent is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  defaultSnmpSocket,
  isSnmpOn,
  noSnmp,
  overridden,
  readSnmpSocket,
} from '../../../src/config/snmp.ts'
import { check, findings, instanceText } from './reading.ts'

const snmp = (...lines: readonly string[]) => {
  const report = check(`global_defs {\n${lines.join('\n')}\n}\n${instanceText()}`)
  return { found: report.config?.globals.snmp, findings: findings(report), text: report.text }
}

test('each keyword switches on its MIB', () => {
  const cases: readonly (readonly [string, Partial<typeof noSnmp>])[] = [
    ['enable_snmp_vrrp', { keepalived: true }],
    ['enable_snmp_keepalived', { keepalived: true }],
    ['enable_snmp_rfc', { rfc2787: true, rfc6527: true }],
    ['enable_snmp_rfcv2', { rfc2787: true }],
    ['enable_snmp_rfcv3', { rfc6527: true }],
    ['enable_traps', { traps: true }],
    ['snmp_socket unix:/run/a.sock', { socket: { kind: 'unix', path: '/run/a.sock' } }],
    ['router_id x', {}],
  ]
  for (const [line, on] of cases) {
    const { found, findings } = snmp(line)
    assert.deepEqual(found, { ...noSnmp, ...on }, line)
    assert.deepEqual(findings, [], line)
  }
  const { text } = snmp('enable_snmp_vrrp', 'enable_snmp_rfcv3', 'enable_traps')
  assert.match(
    text,
    /SNMP +KEEPALIVED-MIB, VRRPV3-MIB \(RFC 6527\), traps, through \/var\/agentx\/master/,
  )
  assert.doesNotMatch(snmp('enable_traps').text, /SNMP/)
})

test('where the master agent is, as net-snmp writes it', () => {
  const tcp = (host: string, port: number) => ({ kind: 'tcp', host, port })
  const cases: readonly (readonly [string, unknown])[] = [
    ['unix:/var/agentx/master', defaultSnmpSocket],
    ['/var/agentx/master', defaultSnmpSocket],
    ['tcp:localhost:705', tcp('127.0.0.1', 705)],
    ['tcp:7050', tcp('127.0.0.1', 7050)],
    ['tcp:192.0.2.1', tcp('192.0.2.1', 705)],
    ['192.0.2.1:7050', tcp('192.0.2.1', 7050)],
    ['tcp6:[::1]:7050', tcp('::1', 7050)],
    ['[::1]', tcp('::1', 705)],
    ['udp:localhost:705', null],
    ['tcp:lb1.example.org:705', null],
    ['unix:agentx', null],
    ['tcp:localhost:0', null],
    ['tcp:localhost:70500', null],
    ['::1', null],
    [`/${'x'.repeat(107)}`, null],
  ]
  for (const [text, socket] of cases) assert.deepEqual(readSnmpSocket(text), socket, text)
  const { found, findings } = snmp('enable_snmp_vrrp', 'snmp_socket udp:localhost:705')
  assert.deepEqual(found?.socket, defaultSnmpSocket)
  assert.equal(findings.length, 1)
  assert.match(findings[0] ?? '', /bad-snmp-socket/)
  const elsewhere = snmp('enable_snmp_vrrp', 'snmp_socket tcp:192.0.2.1:705')
  assert.match(elsewhere.findings[0] ?? '', /agentx-in-clear/)
})

test('the command line counts before the file', () => {
  const written = { ...noSnmp, traps: true }
  const socket = { kind: 'unix', path: '/a' } as const
  assert.equal(isSnmpOn(written), false)
  assert.deepEqual(overridden(written, { all: false, socket: null }), written)
  assert.deepEqual(overridden(written, { all: true, socket }), {
    ...{ keepalived: true, rfc2787: true, rfc6527: true, traps: true, socket },
  })
})
