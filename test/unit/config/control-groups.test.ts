/** `vipd_control_group` and `vipd_push_group`: which group, and that one which is not there opens nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check, findings, instanceText } from './reading.ts'

const groups = (...lines: readonly string[]) => {
  const machine = { groups: { monitoring: 120, probes: 121 } }
  const report = check(`global_defs {\n${lines.join('\n')}\n}\n${instanceText()}`, machine)
  const { controlGroup, pushGroup } = report.config?.globals ?? {}
  return { controlGroup, pushGroup, found: findings(report), text: report.text }
}

test('a group that reads, a group that reports results', () => {
  const { found, text, ...both } = groups('vipd_control_group monitoring', 'vipd_push_group probes')
  assert.deepEqual(found, [])
  assert.deepEqual(both, {
    controlGroup: { name: 'monitoring', gid: 120 },
    pushGroup: { name: 'probes', gid: 121 },
  })
  assert.match(text, /may read +group monitoring \(vipd-read\.sock\)\n/)
  assert.match(text, /may push +group probes \(vipd-push\.sock\)\n/)
})

test('none, and one that does not exist: the daemon’s user alone', () => {
  const none = groups()
  assert.deepEqual([none.controlGroup, none.pushGroup], [null, null])
  assert.doesNotMatch(none.text, /may read|may push/)
  const unknown = groups('vipd_control_group nowhere')
  assert.equal(unknown.controlGroup, null)
  assert.match(unknown.found.join(), /unknown-group/)
})
