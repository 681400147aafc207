/** What the tables of RFC 2787 and RFC 6527 have in common. */
import { macOctets, virtualMac } from '../../base/mac.ts'
import type { DumpCounts } from '../../report/dump.ts'
import { keepalivedCounts } from '../../report/keepalived-counts.ts'
import type { Value } from '../../wire/agentx-parts.ts'
import type { Oid } from '../../wire/oid.ts'
import type { Table } from './tables.ts'
import { noAddress, octets } from './values.ts'
import { type InstanceRow, type MibClock, takesPart, type View } from './view.ts'

/** An instance that has an interface: its number there is the first part of the index. */
export type RouterRow = InstanceRow & {
  readonly ifindex: number
  readonly counts: DumpCounts
  readonly clock: MibClock
}

export function routerRows(
  { instances, clock }: View,
  which: (row: InstanceRow) => boolean,
): readonly RouterRow[] {
  return instances.flatMap((row) =>
    row.link !== null && which(row)
      ? [{ ...row, ifindex: row.link.ifindex, counts: keepalivedCounts(row.now), clock }]
      : [],
  )
}

/** initialize(1), backup(2), master(3). */
export const operState = ({ now }: InstanceRow): number =>
  ({ BACKUP: 2, MASTER: 3 })[now.state as string] ?? 1

/** The master's address as far as it is known: 0.0.0.0 or :: without one. */
export const masterAddress = ({ now }: InstanceRow): string =>
  takesPart(now.state) && now.master !== null ? now.master.address : noAddress[now.family]

export const primaryAddress = ({ now, source }: InstanceRow): string =>
  source ?? noAddress[now.family]

/** That from which it speaks. */
export function macOf({ config, now, link }: InstanceRow): Value | null {
  if (config.virtualMac) return octets(macOctets(virtualMac(now.family, now.vrid)))
  return link === null || link.mac === null ? null : octets(macOctets(link.mac))
}

export const ownAddresses = ({ now }: InstanceRow): readonly string[] =>
  now.addresses.filter(({ excluded }) => !excluded).map(({ address }) => address)

export const rejected = ({ now }: InstanceRow, reason: string): number => now.rejects[reason] ?? 0

export const total = (rows: readonly InstanceRow[], reason: string): number =>
  rows.reduce((sum, row) => sum + rejected(row, reason), 0)

/** sysUpTime at an instant that was so many milliseconds before the status; 0: before the master agent began. */
export const sysUpTimeAt = (clock: MibClock, beforeMs: number): number =>
  Math.max(0, clock.sysUpTime() - (clock.age() + beforeMs) / 10)

/** What a MIB of an RFC is to the agent. */
export type RfcMib = {
  readonly subtree: Oid
  tables(view: View, traps: boolean): readonly Table[]
}
