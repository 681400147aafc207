/** use_ipvlan and vrf: words in any order, what is wrong with them, and what cannot stand beside them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check, findings, instanceText, only } from './reading.ts'

const ipvlan = (words: string, more = '') => instanceText(`use_ipvlan ${words}\n ${more}`)
const linkOf = (words: string, more = '') => only(check(ipvlan(words, more))).virtualLinks[0]

test('words in any order; the usual name is that of a virtual link', () => {
  const usual = { kind: 'ipvlan', base: 'eth0', mode: 'bridge', group: null }
  const address = { address: '10.9.0.51', prefixLength: 24 }
  const cases: readonly [string, object][] = [
    ['10.9.0.51/24', { ...usual, name: 'vrrp.51', address }],
    ['ipv0 10.9.0.51', { ...usual, name: 'ipv0', address: { ...address, prefixLength: 32 } }],
    [
      'private 10.9.0.51/24 name vepa group 7',
      { ...usual, name: 'vepa', mode: 'private', group: 7, address },
    ],
  ]
  for (const [words, expected] of cases) assert.deepEqual(linkOf(words), expected, words)
  assert.equal(only(check(ipvlan('ipv0 10.9.0.51'))).ipvlan, 'ipv0')
  const own = linkOf('', 'mcast_src_ip 10.9.0.52')
  assert.ok(own?.kind === 'ipvlan')
  assert.deepEqual(own.address, { address: '10.9.0.52', prefixLength: 32 })
})

test('what is wrong is said', () => {
  const cases: readonly [string, readonly string[]][] = [
    ['10.9.0.51 private vepa', ['ipvlan@4']],
    ['10.9.0.51 10.9.0.52', ['ipvlan@4']],
    ['10.9.0.51 one two', ['ipvlan@4']],
    ['10.9.0.51/33', ['bad-number@4']],
    ['', ['refused-instance@4']],
    ['fd09::51', ['ipvlan@4', 'refused-instance@4']],
    ['10.9.0.51\n use_ipvlan 10.9.0.52', ['ipvlan@5']],
    ['10.9.0.51\n use_vmac', ['ipvlan@5']],
    ['10.9.0.51\n vrf eth0', ['vrf@5']],
  ]
  for (const [words, expected] of cases)
    assert.deepEqual(findings(check(ipvlan(words))), expected, words)
})

test('an interface has virtual MAC addresses or ipvlans, and these in one mode', () => {
  const second = (lines: string) =>
    instanceText(lines).replace(' V ', ' W ').replace('51', '52').replace('10.0.0.1', '10.0.0.2')
  for (const lines of ['use_vmac', 'use_ipvlan 10.9.0.52 vepa']) {
    const report = check(ipvlan('10.9.0.51') + second(lines))
    assert.deepEqual(
      report.config?.instances.map(({ name }) => name),
      ['V'],
      lines,
    )
    assert.match(
      report.diagnostics.at(-1)?.message ?? '',
      /eth0 has ipvlan links in mode bridge of V/,
    )
  }
  const both = check(ipvlan('10.9.0.51') + second('use_ipvlan 10.9.0.52'))
  assert.equal(both.config?.instances.length, 2)
})

test('check says where IPv6 settings of own links cannot be written, and what allows for it', () => {
  const path = '/proc/sys/net/ipv6/conf'
  const codes = (text: string, readOnly: readonly string[]) =>
    check(text, { readOnly }).diagnostics.filter(({ code }) => code === 'read-only-settings')
  const [found] = codes(ipvlan('10.9.0.51'), [path])
  assert.match(found?.message ?? '', /vrrp\.51 .*ReadWritePaths=.*ProtectKernelTunables/)
  assert.deepEqual(codes(ipvlan('10.9.0.51'), []), [])
  assert.deepEqual(codes(instanceText(), [path]), [])
})
