import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ip } from '../../../src/base/ip.ts'
import { pairInstances, placeOf } from '../../../src/config/build/instance-identity.ts'
import { keepalivedStatus } from '../../../src/config/explain/check.ts'
import type { Diagnostic } from '../../../src/config/types.ts'
import { check, findings, instanceText, only } from './reading.ts'

const finding = (verdict: Diagnostic['verdict']): Diagnostic => ({
  place: { file: 'f', line: 1, column: 1 },
  severity: 'error',
  code: 'x',
  message: 'x',
  verdict,
})

const exits: readonly (readonly [readonly Diagnostic['verdict'][], number])[] = [
  [[], 0], [['none'], 0], [['config'], 5], [['security'], 6], [['fatal'], 4], [['operand'], 2],
  [['fatal', 'config'], 5], [['config', 'security'], 6], [['security', 'operand', 'config'], 2],
] // biome-ignore format: a table

for (const [verdicts, exit] of exits) {
  test(`exit status of ${verdicts.join(' + ') || 'nothing'}: ${exit}`, () => {
    assert.equal(keepalivedStatus(verdicts.map(finding)), exit)
  })
}

const script = 'vrrp_script chk {\n script "/usr/bin/true"\n weight 2\n}\n'
const tracked = (lines: string, weight = '') =>
  `global_defs {\n enable_script_security\n script_user root\n}\n${script}${instanceText(`track_script {\n chk ${weight}\n }\n ${lines}`)}`

test('the report prints the arithmetic, the intervals and how the script runs', () => {
  const report = check(tracked('version 3\n advert_int 0.1\n priority 100'))
  assert.equal(report.exit, 0)
  assert.match(report.text, /priority +100 base, \+2 while chk succeeds → 100\.\.102/)
  assert.match(
    report.text,
    /takes over +0\.361 s after the last advert \(3 × 0\.1 s \+ 0\.061 s skew\)/,
  )
  assert.match(report.text, /runs +\/usr\/bin\/true\n +as +root\n/)
  assert.match(report.text, /ready to run \(exit 0\)\n$/)
})

test('version 2 counts its skew in seconds', () => {
  assert.match(check(instanceText('advert_int 2')).text, /6\.609 s after .* \+ 0\.609 s skew/)
})

test('the report says what would be sooner, with both figures, and nothing where there is nothing to gain', () => {
  const hinted = check(instanceText('version 3\n advert_int 1\n priority 100')).text
  assert.match(
    hinted,
    /sooner +advert_int 0\.1 with down_timer_adverts 10, .* 1\.061 s after the last advert instead of 3\.609 s, .* by mistake less than once in a million years instead of once in 12 days/,
  )
  assert.match(hinted, /sooner +priorities close to 254 .* 253 waits 0\.012 s instead of 0\.609 s/)
  const few = check(instanceText('version 3\n advert_int 0.1\n priority 253')).text
  assert.match(
    few,
    /sooner +advert_int 0\.03 with .* less than once in a million years instead of once a day/,
  )
  assert.doesNotMatch(few, /close to 254/)
  for (const text of [
    'version 3\n advert_int 0.1\n down_timer_adverts 10\n priority 240',
    'version 3\n advert_int 0.01\n priority 100',
    'version 2\n priority 250',
    'priority 255',
  ])
    assert.doesNotMatch(check(instanceText(text)).text, /sooner/, text)
  assert.doesNotMatch(check(tracked('version 2')).text, /close to 254/, 'weights need the room')
})

const lints: readonly (readonly [string, string])[] = [
  [tracked('nopreempt'), 'nopreempt-weight'],
  [tracked('', 'weight 1'), 'weight-too-small'],
  [tracked('priority 254'), 'weight-clamped'],
  [instanceText('state MASTER'), 'address-owner'],
  [instanceText('strict_mode'), 'no-accept'],
  [instanceText('no_accept'), 'no-accept'],
  [instanceText('unicast_src_ip 10.0.0.1\n unicast_peer {\n 10.0.0.1\n }'), 'peer-is-self'],
  [instanceText('authentication {\n auth_type PASS\n auth_pass ab#cd\n }'), 'password-comment'],
  [instanceText('authentication {\n auth_pass ab\n }'), 'auth-without-type'],
  [instanceText('state BACKUP priority 200'), 'extra-words'],
] // biome-ignore format: a table

for (const [text, code] of lints) {
  test(`lint ${code}: no exit status`, () => {
    const report = check(text)
    assert.ok(
      report.diagnostics.some((d) => d.code === code),
      report.text,
    )
    assert.equal(report.exit, 0, report.text)
  })
}

test('a quoted password may have a #, and is no remark', () => {
  const report = check(instanceText('authentication {\n auth_type PASS\n auth_pass "ab#cd"\n }'))
  assert.deepEqual(findings(report), [])
  assert.equal(new TextDecoder().decode(only(report).password?.subarray(0, 5)), 'ab#cd')
})

test('JSON: schema 1, every finding with its place, no password', () => {
  const report = check(
    instanceText('priority 300\n authentication {\n auth_type PASS\n auth_pass secret\n }'),
  )
  const json = JSON.parse(JSON.stringify(report.json)) as Record<string, unknown>
  assert.equal(json['schema'], 1)
  assert.equal(json['exit'], 5)
  assert.equal(json['runs'], true)
  const [first] = json['diagnostics'] as Record<string, unknown>[]
  assert.deepEqual(
    [first?.['file'], first?.['line'], first?.['code']],
    ['/c.conf', 4, 'bad-number'],
  )
  assert.ok(!JSON.stringify(json).includes('secret'))
  assert.ok(!report.text.includes('secret'))
})

test('findings come in the order of the file, what concerns all of it last', () => {
  const report = check(`${instanceText('garp_master_delay x').replace('eth0', 'eth9')}foo\n`)
  assert.deepEqual(findings(report), [
    'no-interface@2',
    'bad-number@4',
    'unknown-keyword@9',
    'cannot-start@0',
  ])
})

test('a file that is not there', () => {
  const report = check('', { files: { '/c.conf': { text: '', unreadable: true } } })
  assert.equal(report.exit, 4)
  assert.equal(report.config, null)
})

test('an instance is the same one under another name, and another one on another link', () => {
  const place = (text: string) => placeOf(only(check(text)))
  const first = place(instanceText())
  assert.equal(place(instanceText('priority 7').replace(' V ', ' X ')), first)
  assert.notEqual(place(instanceText().replace('eth0', 'eth1')), first)
  assert.notEqual(place(instanceText().replace('51', '52')), first)
  assert.notEqual(place(instanceText('mcast_dst_ip 224.0.0.99')), first)
  const unicast = place(instanceText('unicast_peer {\n 10.0.0.2\n }'))
  assert.notEqual(unicast, first)
  const sourced = 'unicast_src_ip 10.0.0.1\n unicast_peer {\n 10.0.0.3\n }'
  assert.equal(place(instanceText(sourced)), unicast)
})

test('instances of one unicast place are told apart by their peers, then by their names', () => {
  const of = (name: string, ...peers: string[]) => ({
    ...only(check(instanceText(`unicast_peer {\n ${peers.join('\n')}\n }`))),
    name,
  })
  const running = [of('A', '10.0.0.2'), of('B', '10.0.0.3'), of('C', '10.0.0.4')]
  const { kept, removed, added } = pairInstances(
    running.map((cfg) => ({ cfg })),
    [of('B', '10.0.0.2'), of('D', '10.0.0.9'), of('C', '10.0.0.5', '10.0.0.6')],
  )
  const names = kept.map(({ from, to }) => `${from.cfg.name} is ${to.name}`)
  assert.deepEqual(names, ['A is B', 'C is C', 'B is D'])
  assert.deepEqual([removed, added], [[], []])
})

test('unicast instances with one VRID and peers of their own run beside each other', () => {
  const two = (peer: string) =>
    `${instanceText('unicast_peer {\n 10.0.0.2\n }')}
${instanceText(`unicast_peer {\n ${peer}\n }`).replace(' V ', ' W ')}`
  assert.equal(check(two('10.0.0.3')).exit, 0)
  const overlapping = check(two('10.0.0.2'))
  assert.equal(overlapping.config, null)
  const clash = overlapping.diagnostics.find(({ code }) => code === 'double-vrid')
  assert.match(clash?.message ?? '', /W and V both use VRID 51 and the peer 10\.0\.0\.2/)
})

test('what keepalived passes over and yet has no effect is in the last line', () => {
  const { text } = check(instanceText('state BACKUP priority 200'))
  assert.match(text, /runs, though part of what is written has no effect \(exit 0\)\n$/)
})

test('IPv6: what a router of another make may ignore is named, and only that', () => {
  const codes = (lines: string, addresses: string) =>
    check(
      `vrrp_instance V {\n interface eth0\n virtual_router_id 51\n version 3\n ${lines}\n virtual_ipaddress {\n ${addresses}\n }\n}\n`,
    ).diagnostics.map((d) => d.code)
  assert.deepEqual(codes('', 'fe80::100\n 2001:db8::100'), [])
  assert.deepEqual(codes('', '2001:db8::100\n fe80::100'), ['first-not-link-local'])
  assert.deepEqual(codes('mcast_src_ip fe80::a', 'fe80::100'), [])
  assert.deepEqual(codes('mcast_src_ip 2001:db8::a', 'fe80::100'), ['source-not-link-local'])
})

test('5.2.4: a virtual address that is the host’s own is named, and wants priority 255', () => {
  const at = (address: string) => ({ address: address as Ip, prefixLength: 24 })
  const foreign = { eth0: [at('10.0.0.100'), at('10.0.0.1')] }
  const found = (lines: string, address?: string) => {
    const report = check(instanceText(lines, address), { foreign })
    const owned = report.diagnostics.filter((d) => /^own/.test(d.code))
    return [report.exit, ...owned.map((d) => `${d.severity} ${d.code}`)]
  }
  assert.deepEqual(found('priority 255'), [0, 'note own-address'])
  assert.deepEqual(found('priority 100'), [0, 'warning owner-priority'])
  assert.deepEqual(found('priority 100\n strict_mode'), [5, 'error owner-priority'])
  assert.deepEqual(found('priority 255', '10.0.0.100/32'), [0, 'note own-address'])
  assert.deepEqual(found('priority 100', '10.0.0.101/24'), [0])
  assert.deepEqual(found('priority 100', '10.0.0.100/24 dev eth1'), [0])
  const alone = check(instanceText('priority 255'), { foreign: { eth0: [at('10.0.0.100')] } })
  assert.match(alone.text, /accept_local is 1 there: two masters.*\[owner-source\]/)
})

test('net_namespace and instance: what tells a daemon from another, wherever it stands', () => {
  const report = check(`${instanceText('')}\nnet_namespace blue\ninstance edge\nuse_pid_dir\n`)
  assert.equal(report.exit, 0, report.text)
  const { netNamespace, instanceName, pidDirectory } = report.config?.globals ?? {}
  assert.deepEqual([netNamespace, instanceName, pidDirectory], ['blue', 'edge', true])
  assert.match(report.text, /network namespace +blue\n/)
  const missing = check(`net_namespace blue\n${instanceText('')}`, { namespaces: ['green'] })
  assert.equal(missing.exit, 4)
  assert.match(missing.text, /no network namespace blue \(ENOENT\).*\[no-namespace\]/)
  // As there: the first counts.
  const twice = check(`net_namespace blue\nnet_namespace green\n${instanceText('')}`)
  assert.deepEqual([twice.exit, twice.config?.globals.netNamespace], [5, 'blue'])
  for (const name of ['a/b', '..', 'x'.repeat(65)]) {
    const bad = check(`net_namespace ${name}\n${instanceText('')}`)
    assert.deepEqual([bad.exit, bad.config?.globals.netNamespace], [5, null], name)
  }
})
