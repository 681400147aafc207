/**
 * One mistake at a time: small files, each with one thing wrong or unusual, read by vipd and by the installed
 * keepalived. The exit status must be the same, so that whatever validates a file today goes on doing so.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { askBoth } from './ask-both.ts'
import type { Asked } from './corpus-inside.ts'

const instance = (lines = '', address = '10.0.0.100') =>
  `vrrp_instance V {\n interface eth0\n virtual_router_id 51\n priority 100\n ${lines}\n virtual_ipaddress {\n  ${address}\n }\n}\n`
const other = instance().replace(' V ', ' W ').replace('51', '52')
const secured = 'global_defs {\n enable_script_security\n script_user root\n}\n'
const group = (lines: string) =>
  `${secured}vrrp_sync_group G {\n ${lines}\n}\n${instance()}${other}`
const members = 'group {\n V\n W\n }'
const script = (lines: string, globals = secured) =>
  `${globals}vrrp_script s {\n ${lines}\n}\n${instance('track_script {\n s\n }')}`
const tracking = (line: string) =>
  `${secured}vrrp_script s {\n script "/usr/bin/env"\n}\n${instance(`track_script {\n ${line}\n }`)}`
const globals = (line: string) => `global_defs {\n ${line}\n}\n${instance()}`

const inInstance: readonly string[] = [
  '', 'state MASTER\n nopreempt', 'state BACKUP\n nopreempt', 'nopreempt\n preempt_delay 5', 'state SLAVE',
  'state MASTER\n state BACKUP', 'priority 0', 'priority 256', 'priority x', 'priority 1 zz', 'priority 1x', 'priority',
  'virtual_router_id 0', 'virtual_router_id 300', 'virtual_router_id', 'advert_int 0', 'advert_int 0.5', 'advert_int 2.5',
  'advert_int -1', 'advert_int 1s', 'version 3\n advert_int 0.5', 'version 3\n advert_int 0.015', 'version 3\n advert_int 41',
  'version 4', 'native_ipv6', 'strict_mode', 'strict_mode\n state MASTER', 'strict_mode\n accept', 'strict_mode maybe',
  'strict_mode\n preempt_delay 5', 'preempt_delay 1001', 'preempt_delay abc', 'authentication {\n auth_type PASS\n auth_pass 1111\n }',
  'authentication {\n auth_type pass\n auth_pass 1111\n }', 'authentication {\n auth_pass 1111\n }', 'authentication {\n auth_type PASS\n }',
  'authentication {\n auth_type PASS\n auth_pass 123456789\n }', 'authentication {\n auth_type PASS\n auth_pass\n }',
  'version 3\n authentication {\n auth_type PASS\n auth_pass 1\n }', 'strict_mode\n authentication {\n auth_type PASS\n auth_pass 1\n }',
  'unicast_peer {\n 10.0.0.2\n }', 'unicast_peer {\n 10.0.0.2 min_ttl 300\n }', 'unicast_peer {\n x\n }', 'unicast_peer {\n }',
  'unicast_src_ip 10.0.0.1', 'unicast_src_ip x', 'unicast_ttl 5', 'unicast_fault_no_peer\n unicast_src_ip 10.0.0.1',
  'mcast_src_ip 10.0.0.1', 'mcast_src_ip', 'mcast_src_ip fe80::1', 'mcast_dst_ip 224.0.0.19', 'mcast_dst_ip 10.1.1.1',
  'track_interface {\n eth1\n }', 'track_interface {\n eth0\n }', 'track_interface {\n Eth9\n }', 'track_interface {\n eth1 weight 5\n }',
  'track_interface {\n eth1 weight 500\n }', 'track_interface {\n eth1\n eth1\n }', 'track_script {\n nope\n }', 'track_file {\n nope\n }',
  'foo', 'foo {\n bar\n }', 'garp_master_delay 5', 'garp_master_delay x', 'garp_master_repeat 0', 'garp_extra_if', 'smtp_alert',
  'smtp_alert maybe', 'lower_prio_no_advert yes', 'kernel_rx_buf_size', 'kernel_rx_buf_size 1 2', 'debug 5', 'vmac_xmit_base',
  'lvs_sync_daemon_interface eth0', 'linkbeat_use_polling', 'interface Eth9', 'notify_master', 'notify_master /usr/bin/env x',
  'notify_master "/nope"', 'notify "/usr/bin/env"', 'dont_track_primary', 'virtual_ipaddress_excluded {\n 10.0.0.101\n fe80::5\n }',
  'virtual_routes {\n foo\n }', 'virtual_rules {\n from 1.2.3.4 table 5\n }', 'down_timer_adverts 0', 'auth_type PASS',
] // biome-ignore format: a list

const addresses: readonly string[] = [
  '10.0.0.100/24', '10.0.0.100/33', '10.0.0.100/x', '10.0.0.300', 'fd00::1/64', '10.0.0.1\n 10.0.0.2', '10.0.0.1\n fd00::1',
  'fd00::1\n 10.0.0.1', '10.0.0.1 dev eth1', '10.0.0.1 dev Eth9', '10.0.0.1 dev', '10.0.0.1 label eth0:1', '10.0.0.1 label eth0:12345678901234',
  '10.0.0.1 scope link', '10.0.0.1 scope foo', '10.0.0.1/24 brd +', '10.0.0.1 brd +', '10.0.0.1 brd foo', '10.0.0.1 peer 10.0.0.7',
  'fd00::1 -nodad home', '10.0.0.1 nodad', '10.0.0.1 no_track', '10.0.0.1 preferred_lft x', 'fd00::1 label x', 'fd00::1 brd fd00::2', '', 'x',
  '10.0.0.1 10.0.0.2', '10.0.0.1 netmask 255.255.255.0',
] // biome-ignore format: a list

const scripts: readonly string[] = [
  'script "/usr/bin/env"', 'script "/nope"', 'script "env -i"', 'script "nosuchcommand"', 'script ""', 'script', 'interval 2', 'script /usr/bin/env -i',
  'script "/usr/bin/env"\n interval 0', 'script "/usr/bin/env"\n interval x', 'script "/usr/bin/env"\n weight 300', 'script "/usr/bin/env"\n weight 5 foo',
  'script "/usr/bin/env"\n weight', 'script "/usr/bin/env"\n rise 0', 'script "/usr/bin/env"\n user nosuchuser', 'script "/usr/bin/env"\n user',
  'script "/usr/bin/env"\n foo', 'script "/usr/bin/env"\n timeout 3\n fall 2', 'script "</dev/tcp/127.0.0.1/80"',
] // biome-ignore format: a list

const lines: readonly string[] = [
  'notification_email {\n a@example.org\n }', 'notification_email {\n }', 'smtp_server 127.0.0.1 25', 'smtp_server 127.0.0.1 x', 'smtp_server',
  'smtp_connect_timeout 0', 'router_id', 'router_id a b', 'vrrp_version 4', 'vrrp_mcast_group4 10.1.1.1', 'vrrp_garp_interval 0', 'vrrp_garp_interval 0.001',
  'dynamic_interfaces maybe', 'vrrp_rt_priority 300', 'vrrp_priority', 'vrrp_priority 50', 'max_auto_priority', 'max_auto_priority 300', 'script_user nosuchuser',
  'script_user', 'foo', 'garp_master_delay 5', 'notify_fifo', 'notify_fifo /tmp/x', 'vrrp_strict on', 'vrrp_min_garp maybe', 'vrrp_startup_delay 0', 'umask x',
  'lvs_timeouts', 'process_name', 'snmp_socket a b', 'startup_script "/nope"', 'startup_script "/usr/bin/env"',
] // biome-ignore format: a list

const files: readonly string[] = [
  '', secured, ...inInstance.map((one) => instance(one)), ...addresses.map((one) => instance('', one)),
  ...scripts.map((one) => script(one)), ...scripts.map((one) => script(one, '')), ...lines.map(globals),
  ...['s', 's weight 5', 's weight 300', 's weight', 's foo', 's weight 5 reverse', 's\n s', 's s', ''].map(tracking),
  group(members), group('group {\n V\n X\n }'), group('group { V W }'), group(''), group('group {\n }'), group(`${members}\n foo`),
  group(`${members}\n global_tracking`), group(`${members}\n track_interface {\n eth1\n }`), group(`${members}\n notify_deleted "/nope"`),
  instance() + instance(), instance() + instance().replace(' V ', ' W '), instance() + other, instance().replace(' V ', ' '),
  instance().replace(' V ', ' V X '), instance().replace('virtual_router_id 51', ''), instance().replace('interface eth0', ''),
  instance().replace('eth0', 'lo'), instance().replace('eth0', 'Eth9'), `${instance()}foo\n`, `${instance()}}\n`, `${instance()}{\n`,
  instance().replace(/\}\n$/, ''), `${instance()}virtual_server_group g {\n 10.0.0.1 80\n}\n`, `${instance()}vrrp_script {\n}\n`,
  `${instance()}child_wait_time\n`, `${instance()}track_file f {\n}\n`, `${instance()}vrrp_track_process p {\n process x\n}\n`,
  `${instance()}static_ipaddress {\n 10.9.9.9/24 dev eth0\n}\n`, `${instance()}include /nope/x.conf\n`,
] // biome-ignore format: a list

function askAll(): readonly Asked[] {
  const folder = mkdtempSync(join(tmpdir(), 'vipd-variations-'))
  try {
    // The first file only names the interfaces.
    const texts = ['interface eth0\ninterface eth1\n', ...files]
    const paths = texts.map((text, i) => {
      const path = join(folder, `${i}.conf`)
      writeFileSync(path, text)
      return path
    })
    return askBoth(paths).slice(1)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const asked = askAll()

test('every file was read by both', () => assert.equal(asked.length, files.length))

for (const [i, { keepalived, vipd }] of asked.entries()) {
  test(`as keepalived: ${(files[i] ?? '').replace(/\s+/g, ' ')}`, () => {
    const found = vipd.found.map(({ line, code }) => `${code}@${line}`).join(' ')
    assert.equal(
      vipd.exit,
      keepalived.exit,
      `${files[i]}\nkeepalived: ${keepalived.log}\nvipd: ${found}`,
    )
  })
}
