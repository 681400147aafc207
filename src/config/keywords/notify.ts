/** Scripts and mail on a change of state: what instances and sync groups share. */

import type { GlobalDraft, GroupDraft, InstanceDraft, NotifyDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import type { Written } from '../draft/written.ts'
import type { BlockName, Entry, Values } from '../grammar/entries.ts'
import * as kinds from '../grammar/kinds.ts'
import { command, inBlock } from '../grammar/make.ts'
import { globalLines, Options, optionLines } from '../grammar/option.ts'
import type { Node } from '../language/tree-types.ts'
import type { NotifyOptions } from '../notify.ts'
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
]

export const notifyOptions: Options<NotifyOptions> = new Options<NotifyOptions>({
  mail: {
    name: 'smtp_alert',
    takes: kinds.onOff,
    defaultText: 'the global smtp_alert_vrrp or smtp_alert',
    defaultFrom: ({ globals }) => globals.inputs.get('mail') ?? false,
    doc: 'A mail on every change of state.',
    global: {
      name: 'smtp_alert_vrrp',
      defaultText: 'smtp_alert',
      doc: 'The same for instances and sync groups only.',
    },
    inCheck: (on) => on && 'mail',
  },
  priorityChanges: {
    name: 'notify_priority_changes',
    takes: kinds.onOff,
    default: false,
    doc: 'FIFO lines when the effective priority changes.',
    global: {
      name: 'vrrp_notify_priority_changes',
      doc: 'FIFO lines when an effective priority changes.',
    },
    inCheck: (on) => on && 'notify_priority_changes',
  },
})

export const globalNotifyLines = globalLines(
  notifyOptions,
  ({ instances }: GlobalDraft) => instances.notifyOptions,
)

const common = <T extends Notified & { readonly notifyOptions: Written<NotifyOptions> }>(
  block: BlockName,
): readonly Entry<T>[] => [
  ...inBlock<T>(block, shared),
  ...optionLines(block, notifyOptions, (draft: T) => draft.notifyOptions),
]

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
