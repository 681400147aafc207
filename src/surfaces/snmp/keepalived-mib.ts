/**
 * KEEPALIVED-MIB, the parts of VRRP: names and numbers of keepalived's, values as its 2.2.7 answers, but for what it gets
 * wrong (docs/snmp.md).
 */
import { oid } from '../../wire/oid.ts'
import { globalTables } from './keepalived-globals.ts'
import { groupTables } from './keepalived-groups.ts'
import { addressTable, instanceTable } from './keepalived-instances.ts'
import { trackerTables } from './keepalived-trackers.ts'
import type { Table } from './tables.ts'
import type { View } from './view.ts'

/** What is registered: the settings, and VRRP. The rest, the load balancer's, vipd does not have. */
export const keepalivedSubtrees = [
  oid('1.3.6.1.4.1.9586.100.5.1'),
  oid('1.3.6.1.4.1.9586.100.5.2'),
] as const

export const keepalivedTables = (view: View, traps: boolean): readonly Table[] => [
  ...globalTables(view, traps),
  ...groupTables(view),
  instanceTable(view),
  addressTable(view),
  ...trackerTables(view),
]
