import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check, findings, instanceText, only } from './reading.ts'

const article = `global_defs {
  notification_email {
    a@example.org
    b@example.org
  }
  notification_email_from x@example.org
  smtp_server 127.0.0.1
  smtp_connect_timeout 30
  router_id http_master
}
vrrp_script check_httpd {
  script "killall -0 httpd"
  interval 2
}
vrrp_instance HA_1 {
  state MASTER
  interface eth0
  virtual_router_id 80
  priority 100
  advert_int 2
  authentication {
    auth_type PASS
    auth_pass 1111
  }
  notify_master "/etc/x.sh master"
  notify_backup "/etc/x.sh backup"
  notify_fault "/etc/x.sh fault"
  track_script {
    check_httpd
  }
  virtual_ipaddress {
    172.16.80.100
  }
}
`

test('the article: every value, with the defaults', () => {
  const report = check(article)
  assert.equal(report.exit, 6)
  assert.deepEqual(findings(report), ['script-security@12'])
  const instance = only(report)
  assert.equal(instance.vrid, 80)
  assert.equal(instance.version, 2)
  assert.equal(instance.priority, 100)
  assert.equal(instance.stateMaster, true)
  assert.equal(instance.advertIntervalUs, 2_000_000)
  assert.equal(instance.downTimerAdverts, 3)
  assert.deepEqual([...(instance.password ?? [])], [0x31, 0x31, 0x31, 0x31, 0, 0, 0, 0])
  assert.deepEqual(instance.transport, { kind: 'multicast', group: '224.0.0.18', source: null })
  assert.equal(instance.addresses[0]?.prefixLength, 32)
  assert.deepEqual(instance.garp, {
    masterDelayUs: 5_000_000,
    masterRepeat: 5,
    masterRefreshUs: 0,
    masterRefreshRepeat: 1,
    lowerPrioDelayUs: 5_000_000,
    lowerPrioRepeat: 5,
    arpIntervalUs: 0,
    naIntervalUs: 0,
    extraEveryUs: 0,
    extraAll: false,
  })
  assert.deepEqual(instance.notify.master?.command, { kind: 'argv', argv: ['/etc/x.sh', 'master'] })
  const [script] = report.config?.scripts ?? []
  assert.deepEqual(script?.run.command, { kind: 'process', like: 'killall', name: 'httpd' })
  assert.equal(script?.intervalUs, 2_000_000)
  assert.equal(script?.timeoutUs, 2_000_000)
  assert.deepEqual(report.config?.globals.mail?.to, ['a@example.org', 'b@example.org'])
  assert.equal(report.config?.globals.routerId, 'http_master')
  assert.equal(report.config?.globals.livenessUs, 3_000_000)
})

const values: readonly (readonly [string, (i: ReturnType<typeof only>) => unknown, unknown])[] = [
  ['', (i) => i.priority, 100],
  ['state MASTER', (i) => i.priority, 255],
  ['priority 255', (i) => i.stateMaster, true],
  ['state MASTER\n priority 0', (i) => i.priority, 100],
  ['priority 120', (i) => i.stateMaster, false],
  ['advert_int 0.3', (i) => i.advertIntervalUs, 1_000_000],
  ['advert_int 2.5', (i) => i.advertIntervalUs, 3_000_000],
  ['version 3\n advert_int 0.3', (i) => i.advertIntervalUs, 300_000],
  ['version 3\n advert_int 0.015', (i) => i.advertIntervalUs, 20_000],
  ['version 3\n advert_int 41', (i) => i.advertIntervalUs, 40_950_000],
  ['advert_int 0.001', (i) => i.advertIntervalUs, 1_000_000],
  ['nopreempt', (i) => i.preempt, false],
  ['nopreempt\n state MASTER\n priority 100', (i) => i.preempt, true],
  ['nopreempt\n priority 255', (i) => i.preempt, true],
  ['preempt_delay 5', (i) => i.preemptDelayUs, 5_000_000],
  ['nopreempt\n preempt_delay 5', (i) => i.preemptDelayUs, 0],
  ['strict_mode\n preempt_delay 5', (i) => i.preemptDelayUs, 0],
  ['strict_mode', (i) => i.accept, false],
  ['strict_mode\n priority 255\n state MASTER', (i) => i.accept, true],
  ['strict_mode\n version 3\n accept', (i) => i.accept, true],
  ['strict_mode\n accept', (i) => i.accept, false],
  ['strict_mode\n state MASTER\n priority 100', (i) => i.stateMaster, false],
  ['strict_mode\n down_timer_adverts 7', (i) => i.downTimerAdverts, 3],
  ['strict_mode', (i) => i.garp.lowerPrioRepeat, 0],
  ['strict_mode', (i) => i.ownerIgnoreAdverts, true],
  ['garp_master_delay 1', (i) => i.garp.lowerPrioDelayUs, 5_000_000],
  ['garp_master_repeat 0', (i) => i.garp.masterRepeat, 1],
  ['garp_lower_prio_repeat 0', (i) => i.garp.lowerPrioRepeat, 0],
  ['version 3\n authentication {\n auth_type PASS\n auth_pass x\n }', (i) => i.password, null],
  ['authentication {\n auth_pass x\n }', (i) => i.password, null],
  ['authentication {\n auth_type pass\n auth_pass x\n }', (i) => i.password, null],
  [
    'authentication {\n auth_type PASS\n auth_pass 123456789\n }',
    (i) => new TextDecoder().decode(i.password ?? undefined),
    '12345678',
  ],
  ['mcast_src_ip 10.0.0.1', (i) => i.transport.source, '10.0.0.1'],
  [
    'unicast_src_ip 10.0.0.1\n unicast_peer {\n 10.0.0.2 min_ttl 254\n }\n unicast_ttl 64',
    (i) => i.transport,
    {
      kind: 'unicast',
      source: '10.0.0.1',
      peers: [{ address: '10.0.0.2', minTtl: 254, maxTtl: 255 }],
      ttl: 64,
      checkSource: true,
      faultNoPeer: false,
    },
  ],
  ['unicast_src_ip 10.0.0.1', (i) => i.transport.kind, 'multicast'],
  ['unicast_fault_no_peer\n unicast_peer {\n }', (i) => i.transport.kind, 'unicast'],
  ['track_interface {\n eth1 weight -20\n eth0\n }', (i) => i.trackInterfaces.map((t) => [t.name, t.weight]), [['eth1', -20]]],
  ['smtp_alert off', (i) => i.notify.mail, false],
] // biome-ignore format: a table

for (const [lines, value, expected] of values) {
  test(`instance: ${lines.replace(/\s+/g, ' ') || 'nothing more'} → ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(value(only(check(instanceText(lines)))), expected)
  })
}

const addresses: readonly (readonly [string, Record<string, unknown> | null, string[]])[] = [
  ['10.0.0.9', { address: '10.0.0.9', prefixLength: 32, nodad: false, preferredSeconds: null }, []],
  ['10.0.0.9/24 brd +', { broadcast: '10.0.0.255' }, []],
  ['10.0.0.9/24 brd -', { broadcast: '10.0.0.0' }, []],
  ['10.0.0.9 brd +', { broadcast: null }, ['bad-address@6']],
  ['10.0.0.9/33', { prefixLength: 32 }, ['bad-number@6']],
  ['10.0.0.9/24 dev eth1 label eth1:1 scope link', { interface: 'eth1', label: 'eth1:1', scope: 253 }, []],
  ['10.0.0.9 peer 10.0.0.8/32', { peer: { address: '10.0.0.8', prefixLength: 32 } }, []],
  ['10.0.0.9 home mngtmpaddr noprefixroute autojoin no_track', { home: true, mngtmpaddr: true, noprefixroute: true, autojoin: true, track: false }, []],
  ['10.0.0.9 netmask 255.255.255.0', { prefixLength: 32 }, ['unknown-word@6', 'unknown-word@6']],
  ['10.0.0.9 label sixteen-letters0', null, ['no-address@1', 'bad-label@6']],
  ['10.0.0.9 dev', null, ['no-address@1', 'missing-value@6']],
  ['10.0.0.300', null, ['no-address@1', 'bad-address@6']],
  ['fe80::9', { prefixLength: 128, nodad: true, preferredSeconds: 0 }, []],
  ['fe80::9/64 -nodad preferred_lft forever', { nodad: false, preferredSeconds: null }, []],
  ['fe80::9 label x', { label: null }, ['bad-label@6']],
] // biome-ignore format: a table

for (const [entry, expected, found] of addresses) {
  test(`address: ${entry}`, () => {
    const report = check(instanceText('', entry))
    assert.deepEqual(findings(report), found)
    const [address] = report.config?.instances[0]?.addresses ?? []
    if (expected === null) assert.equal(address, undefined)
    else
      for (const [key, value] of Object.entries(expected)) {
        assert.deepEqual((address as unknown as Record<string, unknown>)[key], value, key)
      }
  })
}

test('an instance takes the family of its first address; others are left out, excluded ones are not', () => {
  const text = instanceText(
    'virtual_ipaddress_excluded {\n 10.0.0.1\n fd00::1\n }',
    'fd00::5\n 10.0.0.5',
  )
  const report = check(text)
  const instance = only(report)
  assert.equal(instance.family, 6)
  assert.equal(instance.version, 3)
  assert.deepEqual(
    instance.excluded.map((a) => a.address),
    ['10.0.0.1', 'fd00::1'],
  )
  assert.ok(findings(report).some((found) => found.startsWith('mixed-families')))
})

test('more addresses than an advert holds move to the excluded ones', () => {
  const many = Array.from({ length: 300 }, (_, i) => `10.1.${i >> 8}.${i & 255}`).join('\n')
  const instance = only(check(instanceText('', many)))
  assert.equal(instance.addresses.length, 255)
  assert.equal(instance.excluded.length, 45)
})

test('version 3 without an address would not start; no_virtual_ipaddress allows it', () => {
  assert.equal(check(instanceText('version 3', '')).config, null)
  assert.equal(
    only(check(instanceText('version 3\n no_virtual_ipaddress', ''))).addresses.length,
    0,
  )
  assert.ok(check(instanceText('version 2', '')).config !== null)
})

const refusals: readonly (readonly [string, string])[] = [
  ['auth_hmac {\n key 1 hex:00\n }', 'auth_hmac'],
]

for (const [lines, name] of refusals) {
  test(`${name}: the instance is left out with the reason, the rest runs`, () => {
    const other = instanceText().replace(' V ', ' W ').replace('51', '52')
    const report = check(instanceText(lines) + other)
    assert.equal(report.exit, 5)
    assert.deepEqual(
      report.config?.instances.map((i) => i.name),
      ['W'],
    )
    const reason = report.diagnostics.find((d) => d.code === 'refused-instance')
    assert.ok(reason?.message.includes(name), reason?.message)
  })
}

test('everything is diagnosed, also beside a missing operand', () => {
  const text = instanceText('priority\n advert_int x\n statte MASTER\n garp_master_delay -1')
  const report = check(text)
  assert.equal(report.exit, 2)
  assert.equal(report.config, null)
  assert.deepEqual(findings(report), [
    'missing-operand@4', 'bad-number@5', 'unknown-keyword@6', 'bad-number@7', 'cannot-start@0',
  ]) // biome-ignore format: a list
})

test('an unknown block is skipped whole and leaks nothing', () => {
  const report = check(`${instanceText('foo {\n priority 7\n bar {\n }\n }\n priority 99')}`)
  assert.equal(only(report).priority, 99)
  assert.deepEqual(findings(report), ['unknown-keyword@4'])
})

const service = (lines: string) =>
  `virtual_server 10.0.0.1 80 {\n lb_algo rr\n lb_kind NAT\n protocol TCP\n ${lines}\n}\n`
const server = (lines: string) => service(`real_server 10.0.0.2 80 {\n ${lines}\n }`)

test('good blocks of the load balancer are one note', () => {
  const lvs = server('TCP_CHECK {\n connect_timeout 3\n }')
  const report = check(instanceText() + lvs + lvs)
  assert.equal(report.exit, 0)
  assert.deepEqual(
    report.diagnostics.map((d) => d.code),
    ['lvs-skipped'],
  )
})

test('a mistake in a block of the load balancer counts, as in keepalived', () => {
  const codes = (text: string) => {
    const { exit, diagnostics } = check(instanceText() + text)
    return [exit, ...diagnostics.filter((d) => d.severity === 'error').map((d) => d.code)]
  }
  const rows: readonly (readonly [string, number, string])[] = [
    [server('nonsense'), 5, 'unknown-keyword'],
    [service('nat_mask 255.255.255.0\n real_server 10.0.0.2 80 {\n }'), 5, 'unknown-keyword'],
    [service('quorum 0\n real_server 10.0.0.2 80 {\n }'), 5, 'bad-number'],
    [service('persistence_timeout 0\n real_server 10.0.0.2 80 {\n }'), 5, 'bad-number'],
    [server('TCP_CHECK {\n nb_get_retry 3\n }'), 5, 'unknown-keyword'],
    [server('HTTP_GET {\n url {\n path /\n }\n nb_get_retry 3\n }'), 5, 'deprecated'],
    [server('HTTP_GET {\n }'), 5, 'incomplete-server'],
    [server('TCP_CHECK {\n connect_port 0\n }'), 5, 'bad-number'],
    [server('TCP_CHECK {\n bindto <ip>\n }'), 5, 'bad-address'],
    [service(''), 5, 'incomplete-server'],
    [server('weight'), 2, 'missing-operand'],
    [service('real_server X 80 {\n }'), 5, 'bad-address'],
    [service('real_server 10.0.0.2 0 {\n }'), 5, 'bad-number'],
    ['virtual_server 10.0.0.1 80\n', 5, 'missing-block'],
    [server('').replace('10.0.0.1 80', 'fwmark 1'), 5, 'protocol-ignored'],
    ['virtual_server_group g {\n 10.0.0.1-300 80\n}\n', 5, 'bad-address'],
    ['virtual_server_group g {\n fwmark x\n}\n', 5, 'bad-number'],
  ]
  for (const [text, exit, code] of rows)
    assert.deepEqual(codes(text).slice(0, 2), [exit, code], text)
})

test('global_defs counts wherever it stands', () => {
  const report = check(
    `${instanceText()}global_defs {\n vrrp_version 3\n vrrp_garp_master_refresh 60\n}\n`,
  )
  assert.equal(only(report).version, 3)
  assert.equal(only(report).garp.masterRefreshUs, 60_000_000)
})

test('vrrp_min_garp leaves what is written above it', () => {
  const report = check(
    `global_defs {\n vrrp_garp_master_repeat 3\n vrrp_min_garp\n}\n${instanceText()}`,
  )
  assert.equal(only(report).garp.masterRepeat, 3)
  assert.equal(only(report).garp.masterDelayUs, 0)
})

test('garp_extra_if: its own, else that of global_defs; 0 switches it off', () => {
  const found = (lines: string, globals = '') => {
    const { garp } = only(check(`global_defs {\n ${globals}\n}\n${instanceText(lines)}`))
    return [garp.extraEveryUs / 1_000_000, garp.extraAll]
  }
  assert.deepEqual(found(''), [0, false])
  assert.deepEqual(found('garp_extra_if 10'), [10, false])
  assert.deepEqual(found('', 'vrrp_garp_extra_if all 86400'), [86_400, true])
  assert.deepEqual(found('garp_extra_if 0', 'vrrp_garp_extra_if all 5'), [0, false])
  assert.deepEqual(found('garp_extra_if all 7', 'vrrp_vmac_garp_intvl 5'), [7, true])
  const wrong = (lines: string) => findings(check(instanceText(lines)))
  assert.deepEqual(wrong('garp_extra_if all'), ['missing-operand@4'])
  assert.deepEqual(wrong('garp_extra_if 86401'), ['bad-number@4'])
  assert.deepEqual(findings(check('global_defs {\n vrrp_garp_extra_if 0\n}\n')), ['bad-number@2'])
})

test('a keyword of the table that is not implemented is named, and its arguments are checked', () => {
  const report = check(instanceText('linkbeat_use_polling\n debug 9'))
  assert.deepEqual(findings(report), ['deprecated@4', 'not-supported@4', 'bad-number@5'])
  assert.equal(only(report).vrid, 51)
})

test('interfaces must exist unless they are dynamic', () => {
  const text = instanceText('track_interface {\n eth7\n }', '10.0.0.1 dev eth8').replace(
    'eth0',
    'eth9',
  )
  const report = check(text)
  assert.equal(report.config, null)
  assert.equal(report.exit, 5)
  assert.deepEqual(findings(report), [
    'no-interface@2',
    'no-interface@5',
    'no-interface@8',
    'cannot-start@0',
  ])
  assert.equal(only(check(`global_defs {\n dynamic_interfaces\n}\n${text}`)).interface, 'eth9')
})

test('a VRID is used once per interface, family and group or peers', () => {
  const second = (lines: string) => instanceText(lines).replace(' V ', ' W ')
  assert.equal(check(instanceText() + second('')).config, null)
  assert.ok(check(instanceText() + second('').replace('eth0', 'eth1')).config !== null)
  assert.ok(check(instanceText() + second('mcast_dst_ip 224.0.0.99')).config !== null)
  const peers = (ip: string) => `unicast_peer {\n ${ip}\n }`
  assert.equal(check(instanceText(peers('10.0.0.2')) + second(peers('10.0.0.2'))).config, null)
})

const groupText = (lines: string) => `vrrp_sync_group G {\n group {\n V\n W\n }\n ${lines}\n}\n`
const scriptText = 'vrrp_script s {\n script "/usr/bin/true"\n weight 10\n}\n'
const two = (lines: string) =>
  instanceText(lines) + instanceText().replace(' V ', ' W ').replace('51', '52')

test('sync group: weighted trackers of members are dropped without sync_group_tracking_weight', () => {
  const trackers = 'track_script {\n s\n }\n track_interface {\n eth1 weight 5\n }'
  const without = check(scriptText + groupText('') + two(trackers)).config
  assert.deepEqual(without?.instances[0]?.trackChecks, [])
  assert.equal(without?.instances[0]?.trackInterfaces[0]?.weight, 0)
  const withIt = check(scriptText + groupText('sync_group_tracking_weight') + two(trackers)).config
  assert.equal(withIt?.instances[0]?.trackChecks[0]?.weight, 10)
  assert.equal(withIt?.instances[0]?.trackInterfaces[0]?.weight, 5)
  assert.deepEqual(withIt?.groups[0]?.members, ['V', 'W'])
})

test('sync group: members that do not exist, belong elsewhere or are alone', () => {
  const lonely = check(`vrrp_sync_group G {\n group {\n V X\n }\n}\n${instanceText()}`)
  assert.deepEqual(findings(lonely), ['small-group@1', 'unknown-instance@3'])
  const twice = check(groupText('') + groupText('').replace(' G ', ' H ') + two(''))
  assert.equal(twice.config?.groups.length, 1)
})

test('an owner keeps no weighted trackers', () => {
  const report = check(scriptText + instanceText('priority 255\n track_script {\n s\n }'))
  assert.deepEqual(only(report).trackChecks, [])
  assert.ok(findings(report).includes('tracker-dropped@10'))
})

test('a script must stand above what tracks it; one that is not tracked is not run', () => {
  const below = check(instanceText('track_script {\n s\n }') + scriptText)
  assert.deepEqual(findings(below).slice(0, 2), ['unknown-script@5', 'unused-script@11'])
  assert.deepEqual(below.config?.scripts, [])
})

test('a track_script line overrides weight and reverse of the script', () => {
  const track = (line: string) =>
    only(check(scriptText + instanceText(`track_script {\n ${line}\n }`))).trackChecks[0]
  assert.equal(track('s')?.weight, 10)
  assert.deepEqual(
    [track('s weight -5 reverse')?.weight, track('s weight -5 reverse')?.reverse],
    [-5, true],
  )
  assert.equal(track('s weight 300')?.weight, 10)
})

test('a missing { outside blocks: the lines that belong into such a block are its lines', () => {
  const text = `vrrp_script s\n script "/usr/bin/true"\n interval 3\n}\n${instanceText('track_script {\n s\n }')}`
  const report = check(text)
  assert.equal(report.config?.scripts[0]?.intervalUs, 3_000_000)
  assert.ok(findings(report).includes('missing-block@1'))
  assert.equal(check(instanceText().replace(' {', '')).config?.instances[0]?.vrid, 51)
})
