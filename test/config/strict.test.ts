/** vrrp_strict: each consequence as the installed keepalived's check has it, by its exit status and in sense by its words. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { askBoth } from './ask-both.ts'
import type { Asked } from './corpus-inside.ts'

const four = 'virtual_ipaddress {\n 10.0.0.100\n }\n'
const six = 'virtual_ipaddress {\n fe80::100\n }\n'
const auth = (type: string) => `${four} authentication {\n auth_type ${type}\n auth_pass x\n }`

/** Lines of the instance; what keepalived says, null for nothing; our code, null for none that counts. */
const rows: readonly (readonly [lines: string, keepalived: RegExp | null, vipd: string | null])[] =
  [
    [four, null, null],
    ['', /at least one is required/, 'no-address'],
    ['version 3', /at least one is required/, 'no-address'],
    ['no_virtual_ipaddress', /at least one is required/, 'no-address'],
    [`${four} unicast_peer {\n 10.0.0.2\n }`, null, null],
    [`${four} unicast_src_ip 10.0.0.1`, /unicast keyword .*without any unicast peers/, 'no-peer'],
    [auth('PASS'), /Strict mode does not support authentication/, 'auth-dropped'],
    [auth('AH'), /Strict mode does not support authentication/, 'auth-dropped'],
    [`${four} state MASTER\n priority 100`, /State MASTER must match/, 'strict-mode'],
    [`${four} state BACKUP\n priority 255`, /State MASTER must match/, 'strict-mode'],
    [`${four} priority 255`, null, null],
    [`${four} preempt_delay 5`, /preempt_delay is incompatible with strict/, 'preempt'],
    [`${four} nopreempt\n state BACKUP`, null, null],
    [`${four} down_timer_adverts 4`, /down_timer_adverts is incompatible/, 'strict-mode'],
    [`${four} down_timer_adverts 3`, null, null],
    [`${four} accept`, /accept mode for VRRP version 2 does not comply/, 'strict-mode'],
    [`${four} accept\n version 3`, null, null],
    [`${four} accept\n priority 255`, null, null],
    [`${four} no_accept`, null, null],
    [`${six} version 2`, /version 2 conflicts/, 'version-conflict'],
    [six, null, null],
    ['virtual_ipaddress {\n fd00::100\n }', /first IPv6 VIP address must be link/, 'strict-mode'],
    [`${four} garp_lower_prio_repeat 1`, /requires no repeat garps/, 'strict-mode'],
    [`${four} garp_lower_prio_repeat 0`, null, null],
    [`${four} garp_lower_prio_delay 1`, /requires no repeat garp delay/, 'strict-mode'],
    [`${four} lower_prio_no_advert`, null, null],
    [`${four} lower_prio_no_advert false`, /requires no lower priority advert/, 'strict-mode'],
    [`${four} higher_prio_send_advert`, /higher_prio_send_advert to be clear/, 'strict-mode'],
    [`${four} higher_prio_send_advert false`, null, null],
    [`${four} advert_int 0.5`, /must be an integer/, 'advert-int'],
    [`${four} strict_mode off\n state MASTER\n priority 100\n accept`, null, null],
    [`${four} skip_check_adv_addr`, null, null],
  ]

function askAll(): readonly Asked[] {
  const folder = mkdtempSync(join(tmpdir(), 'vipd-strict-'))
  try {
    const paths = rows.map(([lines], i) => {
      const path = join(folder, `${i}.conf`)
      const instance = `vrrp_instance V {\n interface eth0\n virtual_router_id 51\n ${lines}\n}\n`
      writeFileSync(path, `global_defs {\n vrrp_strict\n}\n${instance}`)
      return path
    })
    return askBoth(paths)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const asked = askAll()

for (const [i, [lines, theirs, ours]] of rows.entries())
  test(`vrrp_strict and ${lines === '' ? 'no address' : lines.replace(/\s+/g, ' ')}`, () => {
    const { keepalived, vipd } = asked[i] ?? assert.fail()
    const said = keepalived.log.split('\n').filter((it) => /\(V\)/.test(it))
    const counted = vipd.found.filter(({ counts, code }) => counts && code !== 'cannot-start')
    assert.deepEqual(
      counted.map(({ code }) => code),
      ours === null ? [] : [ours],
    )
    if (theirs === null) assert.deepEqual(said, [])
    else
      assert.ok(
        said.some((it) => theirs.test(it)),
        said.join('\n'),
      )
    assert.equal(vipd.exit, keepalived.exit)
  })
