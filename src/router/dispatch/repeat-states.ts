/** fifo_write_vrrp_states_on_reload: a reader that has lost its place learns how things stand from the FIFOs alone. */
import type { State } from '../../election/types.ts'
import type { GroupState, Notifier } from '../../notify/notify.ts'
import type { Roster } from './roster.ts'

const words: Readonly<Record<State['kind'], GroupState | null>> = {
  init: null,
  backup: 'BACKUP',
  master: 'MASTER',
  fault: 'FAULT',
  stopped: 'STOP',
}

/** One line for each sync group and each instance that has been reported before; no script is run, no mail sent. */
export function repeatStates(
  { groups, instances }: Pick<Roster, 'groups' | 'instances'>,
  notifier: Pick<Notifier, 'repeat'>,
): void {
  for (const { cfg, state } of groups) {
    const word = words[state]
    if (word !== null) notifier.repeat({ kind: 'group', name: cfg.name, state: word, priority: 0 })
  }
  for (const { name, state, machine } of instances) {
    const held = state.kind === 'fault' && state.silent
    const word = held ? null : words[state.kind]
    const { effective: priority } = machine
    if (word !== null) notifier.repeat({ kind: 'instance', name, state: word, priority })
  }
}
