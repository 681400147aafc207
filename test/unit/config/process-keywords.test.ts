/** What the process is to the system: umask, processors, names, groups, buffers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FakeMachine } from './fake-world.ts'
import { check, instanceText } from './reading.ts'

const withGlobals = (lines: string, machine: FakeMachine = {}, more = '') =>
  check(`global_defs {\n${lines}\n}\n${instanceText(more)}`, machine)

test('umask: numbers as strtol reads them and names of bits; what 2.2.7 refuses is refused', () => {
  for (const [text, mask] of [
    ['022', 0o22],
    ['0x12', 0o22],
    ['18', 0o22],
    ['8', 8],
    ['IWGRP|IWOTH', 0o22],
    ['IWGRP | IXUSR', 0o120],
    ['0777', 0o777],
  ] as const) {
    const report = withGlobals(`umask ${text}`)
    assert.deepEqual([report.exit, report.config?.globals.umask], [0, mask], text)
  }
  for (const text of ['1000', '01000', '09', 'S_IWGRP', 'IRWXG', 'IWGRP |', '-1']) {
    const report = withGlobals(`umask ${text}`)
    assert.deepEqual([report.exit, report.config?.globals.umask], [5, null], text)
  }
})

test('vrrp_cpu_affinity: each word a processor', () => {
  assert.deepEqual(withGlobals('vrrp_cpu_affinity 0 3').config?.globals.processors, [0, 3])
  assert.equal(withGlobals('').config?.globals.processors, null)
  const partly = withGlobals('vrrp_cpu_affinity 1 x 4096')
  assert.deepEqual([partly.exit, partly.config?.globals.processors], [5, [1]])
  assert.equal(withGlobals('vrrp_cpu_affinity').exit, 5)
})

test('names of the process have at most 15 characters', () => {
  const { globals } = withGlobals('process_name lb\nvrrp_process_name lb-vrrp').config ?? {}
  assert.deepEqual([globals?.processName, globals?.vrrpProcessName], ['lb', 'lb-vrrp'])
  const long = withGlobals(`process_name ${'x'.repeat(16)}`)
  assert.deepEqual([long.exit, long.config?.globals.processName], [5, null])
})

test('vrrp_rx_bufs_policy: MTUs, adverts as 2.2.7 counts them, or bytes; kernel_rx_buf_size counts before it', () => {
  const buffer = (lines: string, more = '', machine: FakeMachine = { mtus: { eth0: 1500 } }) =>
    withGlobals(lines, machine, more).config?.instances[0]?.receiveBufferBytes
  assert.equal(buffer(''), null)
  assert.equal(buffer('vrrp_rx_bufs_policy MTU'), 4500)
  assert.equal(buffer('vrrp_rx_bufs_policy MTU', '', {}), null)
  assert.equal(buffer('vrrp_rx_bufs_policy MTU\nvrrp_rx_bufs_multiplier 4'), 6000)
  // Seen of 2.2.7: 176 bytes for two addresses in version 2; one has 4 octets less.
  assert.equal(buffer('vrrp_rx_bufs_policy ADVERT\nvrrp_rx_bufs_multiplier 4'), 160)
  assert.equal(buffer('vrrp_rx_bufs_policy 5000\nvrrp_rx_bufs_multiplier 4'), 5000)
  assert.equal(buffer('vrrp_rx_bufs_policy MTU', 'kernel_rx_buf_size 9000'), 9000)
  for (const bad of ['foo', 'NO_SEND_RX', '0', '-1'])
    assert.equal(withGlobals(`vrrp_rx_bufs_policy ${bad}`).exit, 5, bad)
})

test('set_supplementary_groups: all groups of the user, wherever the line stands', () => {
  const users = { web: { uid: 33, gid: 33, groups: [33, 44] } }
  const groups = { web: 33 }
  const script = 'vrrp_script s {\n script "/usr/bin/true"\n}\n'
  const of = (lines: string) =>
    check(`global_defs {\n${lines}\n}\n${script}${instanceText('track_script {\n s\n }')}`, {
      users,
      groups,
    }).config?.scripts[0]?.run.runAs
  assert.deepEqual(of('script_user web')?.groups, null)
  assert.deepEqual(of('script_user web\nset_supplementary_groups')?.groups, [33, 44])
  assert.deepEqual(of('set_supplementary_groups\nscript_user web web')?.groups, [33, 44])
  assert.deepEqual(of('script_user web\nset_supplementary_groups off')?.groups, null)
})
