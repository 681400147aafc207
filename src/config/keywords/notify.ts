/** The keywords that tell somebody of a state, which instances and sync groups share. */

import type { GroupDraft, InstanceDraft, NotifyDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import type { BlockName, Entry, Values } from '../grammar/entries.ts'
import { command, flag, inBlock, onOff } from '../grammar/make.ts'
import type { Node } from '../language/tree-types.ts'
import { commandOnLine } from '../scripts/command-user.ts'

type Notified = { readonly notify: NotifyDraft }

/** A keyword with nothing behind it. */
const alone = /^\S+$/

type Slot = 'master' | 'backup' | 'fault' | 'stop' | 'deleted' | 'masterRxLowerPri' | 'any'

/** Keeps the first command of a slot: a second one is reported and not used. */
function setNotify(slot: Slot) {
  return (draft: Notified, _values: Values, node: Node, lowering: Lowering) => {
    if (alone.test(node.raw)) {
      lowering.missingOperand(
        node.place,
        `${node.keyword.text} needs a command; the line is ignored`,
      )
    } else if (draft.notify[slot] !== null) {
      lowering.error(
        node.place,
        'duplicate',
        `${node.keyword.text} is written twice; the first counts`,
      )
    } else draft.notify[slot] = commandOnLine(node, lowering)
  }
}

function setNotifyDeleted(draft: Notified, values: Values, node: Node, lowering: Lowering) {
  draft.notify.saysDeleted = true
  if (!alone.test(node.raw)) setNotify('deleted')(draft, values, node, lowering)
}

const script = (name: string, slot: Slot, doc: string) => ({
  name,
  args: [command],
  doc,
  note: 'A command of several words must be quoted; what follows it on the line is a user and a group.',
  set: setNotify(slot),
})

const shared = [
  script('notify_master', 'master', 'Run on becoming master.'),
  script('notify_backup', 'backup', 'Run on becoming backup.'),
  script('notify_fault', 'fault', 'Run on entering the fault state.'),
  script('notify_stop', 'stop', 'Run when the daemon stops.'),
  script(
    'notify',
    'any',
    'Run on every state, with `INSTANCE|GROUP`, the name, the state and the priority (0 for a group) after its own arguments.',
  ),
  {
    name: 'smtp_alert',
    args: [onOff],
    default: 'the global smtp_alert_vrrp or smtp_alert',
    doc: 'A mail on every change of state.',
    set: (draft: Notified, values: Values) => {
      draft.notify.mail = flag(values)
    },
  },
  {
    name: 'notify_priority_changes',
    args: [onOff],
    default: 'vrrp_notify_priority_changes',
    doc: 'FIFO lines when the effective priority changes.',
    set: (draft: Notified, values: Values) => {
      draft.notify.priorityChanges = flag(values)
    },
  },
]

const common = <T extends Notified>(block: BlockName): readonly Entry<T>[] =>
  inBlock<T>(block, shared)

export const instanceNotify: readonly Entry<InstanceDraft>[] = [
  ...common<InstanceDraft>('vrrp_instance'),
  ...inBlock<InstanceDraft>('vrrp_instance', [
    {
      ...script(
        'notify_deleted',
        'deleted',
        'Run when a reload removes the instance, which then reports DELETED; without this keyword it reports FAULT. Without a command only the report differs.',
      ),
      set: setNotifyDeleted,
    },
    script(
      'notify_master_rx_lower_pri',
      'masterRxLowerPri',
      'Run when a master hears a router with lower priority: two masters have met.',
    ),
  ]),
]

export const groupNotify: readonly Entry<GroupDraft>[] = common<GroupDraft>('vrrp_sync_group')
