/** Hosts and groups written with a prefix length or as a range: keepalived 2.2.7 cuts both and says nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Transport } from '../../../src/config/types.ts'
import { check, findings, instanceText, only } from './reading.ts'

const unicast = (text: string): Transport & { kind: 'unicast' } => {
  const { transport } = only(check(instanceText(text)))
  assert.ok(transport.kind === 'unicast', 'it speaks multicast')
  return transport
}
const peers = (text: string) => unicast(`unicast_peer {\n${text}\n}`).peers

test('a peer with a prefix length is a peer, and the instance speaks unicast', () => {
  assert.deepEqual(peers('10.99.0.2/24\n10.99.0.3/24 min_ttl 3\n10.99.0.4'), [
    { address: '10.99.0.2', minTtl: 0, maxTtl: 255 },
    { address: '10.99.0.3', minTtl: 3, maxTtl: 255 },
    { address: '10.99.0.4', minTtl: 0, maxTtl: 255 },
  ])
})

test('whatever stands behind the address is cut', () => {
  const read = (text: string) => peers(text).map((peer) => peer.address)
  const four = ['10.99.0.2/zz', '10.99.0.3/', '10.99.0.5/99', '10.99.0.7-9', '10.99.0.10-12/24']
  assert.deepEqual(read(four.join('\n')), [
    '10.99.0.2',
    '10.99.0.3',
    '10.99.0.5',
    '10.99.0.7',
    '10.99.0.10',
  ])
  // The end of a range goes first; what is left is no address.
  const report = check(instanceText('unicast_peer {\n10.99.0.2\n10.99.0.11/24-7\nfe80::2%eth0\n}'))
  assert.deepEqual(findings(report), ['bad-address@6', 'bad-address@7'])
  assert.equal(report.exit, 5)
})

test('so are source addresses and groups; a warning names the place and changes no verdict', () => {
  const sent = unicast('unicast_src_ip 10.0.0.1/24\nunicast_peer {\n10.0.0.2\n}')
  assert.equal(sent.source, '10.0.0.1')
  const text = `global_defs {\n  vrrp_mcast_group4 224.0.0.19-22\n}\n${instanceText('mcast_src_ip 10.0.0.1/24')}`
  const report = check(text)
  assert.deepEqual(findings(report), ['bad-address@2', 'bad-address@7'])
  assert.equal(report.exit, 0)
  const group = { kind: 'multicast', group: '224.0.0.19', source: '10.0.0.1' }
  assert.deepEqual(only(report).transport, group)
})

test('virtual addresses and their broadcast addresses are read strictly, as there', () => {
  for (const vip of ['10.0.0.100-101/24', '10.0.0.100/24 brd 10.0.0.255/24'])
    assert.equal(check(instanceText('', vip)).exit === 0, false, vip)
})

test('several on one line, or with commas: said so, and the first of a line without a comma is kept', () => {
  const messages = (text: string) =>
    check(instanceText(text)).diagnostics.map(({ code, message }) => `${code}: ${message}`)
  const lines =
    '10.99.0.2 10.99.0.3\n10.99.0.4, 10.99.0.5\n10.99.0.6,10.99.0.7\n10.99.0.8 fe80::1 min_ttl 3'
  assert.deepEqual(peers(lines), [
    { address: '10.99.0.2', minTtl: 0, maxTtl: 255 },
    { address: '10.99.0.8', minTtl: 3, maxTtl: 255 },
  ])
  const commas = 'is not an IP address (one a line, without commas); it is left out'
  const another = 'does not belong here: one peer a line; it is left out'
  assert.deepEqual(messages(`unicast_peer {\n${lines}\n}`).slice(0, 4), [
    `unknown-word: 10.99.0.3 ${another}`,
    `bad-address: peer 10.99.0.4, ${commas}`,
    `bad-address: peer 10.99.0.6,10.99.0.7 ${commas}`,
    `unknown-word: fe80::1 ${another}`,
  ])
  const vips = messages('virtual_ipaddress_excluded {\n10.9.9.9,10.9.9.8\n10.9.9.7 10.9.9.6/24\n}')
  assert.match(
    vips.join('\n'),
    /10\.9\.9\.9,10\.9\.9\.8 is not an IP address \(one a line, without commas\)/,
  )
  assert.match(vips.join('\n'), /10\.9\.9\.6\/24 does not belong here: one address a line/)
})
