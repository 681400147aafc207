/** KEEPALIVED-MIB: sync groups, their members, and what they track. */
import type { MibGroup } from '../../report/mib.ts'
import type { StatusGroup } from '../../report/status.ts'
import { oid } from '../../wire/oid.ts'
import { hasScripts, stateNumber } from './keepalived-instances.ts'
import { trackedTables } from './keepalived-tracked.ts'
import { type Column, type Table, table } from './tables.ts'
import { column, integer, text, truth } from './values.ts'
import type { View } from './view.ts'

export type GroupRow = { readonly config: MibGroup; readonly now: StatusGroup }

export const groupEntry = oid('1.3.6.1.4.1.9586.100.5.2.1.1')

const groupColumns: readonly Column<GroupRow>[] = [
  column(2, 'vrrpSyncGroupName', ({ config }) => text(config.name)),
  column(3, 'vrrpSyncGroupState', ({ now }) => integer(stateNumber(now.state))),
  column(4, 'vrrpSyncGroupSmtpAlert', ({ config }) => truth(config.mail)),
  column(5, 'vrrpSyncGroupNotifyExec', ({ config }) => truth(hasScripts(config.notify))),
  column(6, 'vrrpSyncGroupScriptMaster', ({ config }) => text(config.notify.master)),
  column(7, 'vrrpSyncGroupScriptBackup', ({ config }) => text(config.notify.backup)),
  column(8, 'vrrpSyncGroupScriptFault', ({ config }) => text(config.notify.fault)),
  column(9, 'vrrpSyncGroupScript', ({ config }) => text(config.notify.any)),
  column(10, 'vrrpSyncGroupTrackingWeight', ({ config }) => truth(config.trackingWeight)),
  column(11, 'vrrpSyncGroupScriptStop', ({ config }) => text(config.notify.stop)),
]

const memberColumns: readonly Column<string>[] = [column(2, 'vrrpSyncGroupMemberName', text)]

/** Numbered from 1 in the order of the configuration. */
export function groupTables({ facts }: View): readonly Table[] {
  const states = new Map(facts.status.groups.map((it) => [it.name, it]))
  const rows = facts.settings.groups.flatMap((config, at) => {
    const now = states.get(config.name)
    return now === undefined ? [] : [{ index: [at + 1], row: { config, now } }]
  })
  const members = rows.flatMap(({ index, row }) =>
    row.now.members.map((name, at) => ({ index: [...index, at + 1], row: name })),
  )
  return [
    table(groupEntry, groupColumns, rows),
    table(oid('1.3.6.1.4.1.9586.100.5.2.2.1'), memberColumns, members),
    ...trackedTables(
      'vrrpSyncTracked',
      { interfaces: 14, scripts: 15, files: 16, bfd: 19, processes: 22 },
      rows.map(({ index: [number = 0], row }) => ({ number, tracked: row.config.tracked })),
    ),
  ]
}
