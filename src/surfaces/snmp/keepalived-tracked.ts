/** KEEPALIVED-MIB: what an instance, or a sync group, tracks; a table for each kind. */
import type { MibTracked, MibTrackedLists } from '../../report/mib.ts'
import { oid } from '../../wire/oid.ts'
import { type Column, type Table, table } from './tables.ts'
import { column, integer, text, truth } from './values.ts'

const vrrp = oid('1.3.6.1.4.1.9586.100.5.2')

const words: Readonly<Record<keyof MibTrackedLists, string>> = {
  interfaces: 'Interface',
  scripts: 'Script',
  files: 'File',
  bfd: 'Bfd',
  processes: 'Process',
}

export type TrackedNumbers = Readonly<Record<keyof MibTrackedLists, number>>

export const instanceTracked: TrackedNumbers = {
  interfaces: 4,
  scripts: 5,
  files: 12,
  bfd: 17,
  processes: 20,
}

/** The table of interfaces begins with column 1, the others with 2. */
export function trackedColumns(
  prefix: string,
  kind: keyof MibTrackedLists,
): readonly Column<MibTracked>[] {
  const name = `${prefix}${words[kind]}`
  const first = kind === 'interfaces' ? 1 : 2
  return [
    column(first, `${name}Name`, (it) => text(it.name)),
    column(first + 1, `${name}Weight`, (it) => integer(it.weight)),
    column(first + 2, `${name}WgtRev`, (it) => truth(it.reverse)),
  ]
}

const kinds = Object.keys(words) as (keyof MibTrackedLists)[]

export const trackedTables = (
  prefix: string,
  numbers: TrackedNumbers,
  of: readonly { readonly number: number; readonly tracked: MibTrackedLists }[],
): readonly Table[] =>
  kinds.map((kind) =>
    table(
      [...vrrp, numbers[kind], 1],
      trackedColumns(prefix, kind),
      of.flatMap(({ number, tracked }) =>
        tracked[kind].map((row, at) => ({ index: [number, at + 1], row })),
      ),
    ),
  )
