/**
 * The objects of a MIB as tables: sorted rows, and columns that know how to read a row. An object is looked up, and its
 * value made, only when it is asked for: sixty thousand objects cost the memory of the rows that they are read from.
 */
import type { Binding, SearchRange, Value } from '../../wire/agentx-parts.ts'
import { compareOids, isWithin, type Oid } from '../../wire/oid.ts'

export type Column<Row> = {
  readonly number: number
  /** As the MIB calls it. */
  readonly name: string
  /** null: this row has no such object. */
  readonly read: (row: Row) => Value | null
}

export type Table = {
  /** Of the entry: a column's number and a row's index follow. */
  readonly entry: Oid
  readonly columns: readonly { readonly number: number; readonly name: string }[]
  /** At or after `from`, with `include`; else after it. */
  next(from: Oid, include: boolean): Binding | null
  get(name: Oid): Value
}

type Indexed<Row> = { readonly index: Oid; readonly row: Row }

/** `columns` by number. Of rows with the same index the first one stays. */
export function table<Row>(
  entry: Oid,
  columns: readonly Column<Row>[],
  rows: readonly Indexed<Row>[],
): Table {
  const sorted = sortedRows(rows)
  const nameOf = (column: Column<Row>, { index }: Indexed<Row>): Oid => [
    ...entry,
    column.number,
    ...index,
  ]
  return {
    entry,
    columns,
    get(name) {
      const column = columns.find(({ number }) => number === name[entry.length])
      if (!isWithin(name, entry) || column === undefined) return { type: 'noSuchObject' }
      const index = name.slice(entry.length + 1)
      const found = sorted[firstAt(sorted, index, true)]
      const value =
        found !== undefined && compareOids(found.index, index) === 0 ? column.read(found.row) : null
      return value ?? { type: 'noSuchInstance' }
    },
    next(from, include) {
      if (!isWithin(from, entry)) {
        if (compareOids(from, entry) > 0) return null
        return firstOf(columns, sorted, 0, nameOf)
      }
      const number = from[entry.length] ?? 0
      const begun = columns.find((column) => column.number === number)
      if (begun !== undefined) {
        const at = firstAt(sorted, from.slice(entry.length + 1), include)
        const found = firstOf([begun], sorted, at, nameOf)
        if (found !== null) return found
      }
      return firstOf(
        columns.filter((column) => column.number > number),
        sorted,
        0,
        nameOf,
      )
    },
  }
}

/** Objects that are there once: `GROUP.NUMBER.0`. */
export const scalars = <Row>(group: Oid, columns: readonly Column<Row>[], row: Row): Table =>
  table(group, columns, [{ index: [0], row }])

function sortedRows<Row>(rows: readonly Indexed<Row>[]): readonly Indexed<Row>[] {
  const sorted = [...rows].sort((a, b) => compareOids(a.index, b.index))
  return sorted.filter(({ index }, at) => {
    const before = sorted[at - 1]
    return before === undefined || compareOids(before.index, index) !== 0
  })
}

/** The place of the first row at (with `include`) or after an index. */
function firstAt(rows: readonly Indexed<unknown>[], index: Oid, include: boolean): number {
  let [low, high] = [0, rows.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const order = compareOids(rows[middle]?.index ?? [], index)
    if (order > 0 || (order === 0 && include)) high = middle
    else low = middle + 1
  }
  return low
}

function firstOf<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Indexed<Row>[],
  from: number,
  nameOf: (column: Column<Row>, row: Indexed<Row>) => Oid,
): Binding | null {
  for (const column of columns)
    for (let at = from; at < rows.length; at++) {
      const row = rows[at]
      const value = row === undefined ? null : column.read(row.row)
      if (row !== undefined && value !== null) return { name: nameOf(column, row), value }
    }
  return null
}

/** Tables whose names may lie between those of another one. */
export class Mib {
  readonly #tables: readonly Table[]

  constructor(tables: readonly Table[]) {
    this.#tables = [...tables].sort((a, b) => compareOids(a.entry, b.entry))
  }

  get(name: Oid): Binding {
    const values = this.#tables
      .filter(({ entry }) => isWithin(name, entry))
      .map((it) => it.get(name))
    const found = values.find(({ type }) => type !== 'noSuchObject' && type !== 'noSuchInstance')
    const known = values.find(({ type }) => type === 'noSuchInstance')
    return { name, value: found ?? known ?? { type: 'noSuchObject' } }
  }

  /** The first object of the range; `endOfMibView` under the range's own name when it has none. */
  next({ start, include, end }: SearchRange): Binding {
    let best: Binding | null = null
    for (const it of this.#tables) {
      // Whatever follows in order of the entries comes later than what was found.
      if (best !== null && compareOids(it.entry, best.name) > 0) break
      const found = it.next(start, include)
      if (found !== null && (best === null || compareOids(found.name, best.name) < 0)) best = found
    }
    const beyond = best !== null && end.length > 0 && compareOids(best.name, end) >= 0
    return best === null || beyond ? { name: start, value: { type: 'endOfMibView' } } : best
  }
}
