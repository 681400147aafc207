import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StateLine } from '../../../src/notify/notify.ts'
import { repeatStates } from '../../../src/router/dispatch/repeat-states.ts'
import type { Roster } from '../../../src/router/dispatch/roster.ts'

const instance = (name: string, state: object) => ({
  name,
  state,
  machine: { effective: 90, state },
})

test('fifo_write_vrrp_states_on_reload: a line for each group and instance, none for what was never reported', () => {
  const lines: StateLine[] = []
  const roster = {
    groups: [
      { cfg: { name: 'G' }, state: 'master' },
      { cfg: { name: 'new' }, state: 'init' },
    ],
    instances: [
      instance('A', { kind: 'backup' }),
      instance('B', { kind: 'fault', silent: false, faults: [] }),
      instance('held', { kind: 'fault', silent: true, faults: [] }),
      instance('new', { kind: 'init' }),
    ],
  } as unknown as Pick<Roster, 'groups' | 'instances'>
  repeatStates(roster, { repeat: (line) => void lines.push(line) })
  assert.deepEqual(lines, [
    { kind: 'group', name: 'G', state: 'MASTER', priority: 0 },
    { kind: 'instance', name: 'A', state: 'BACKUP', priority: 90 },
    { kind: 'instance', name: 'B', state: 'FAULT', priority: 90 },
  ])
})
