/** How spans and tables look to a person. Pure: text in the answer is a function of the arguments. */

/** An age, coarse: 31ms, 0.4s, 12.3s, 5m12s, 3h04m, 3d04h, 12d. Milliseconds; negative counts as 0. */
export function age(ms: number): string {
  const t = Math.max(0, ms)
  if (t < 100) return `${Math.round(t)}ms`
  const seconds = Math.floor(t / 1_000)
  if (seconds < 60) return `${(Math.floor(t / 100) / 10).toFixed(1)}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}m${two(seconds % 60)}s`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return `${hours}h${two(minutes % 60)}m`
  const days = Math.floor(hours / 24)
  return days < 10 ? `${days}d${two(hours % 24)}h` : `${days}d`
}

/** A configured or derived span, exact enough to compare: 10ms, 361.3ms, 1s, 3.61s. Milliseconds. */
export function span(ms: number): string {
  return ms < 1_000 ? `${trimmed(ms, 1)}ms` : `${trimmed(ms / 1_000, 2)}s`
}

const two = (n: number) => String(n).padStart(2, '0')
const trimmed = (n: number, digits: number) => String(Number(n.toFixed(digits)))

/** Without control characters: what a script printed must not drive the operator's terminal. */
export const printable = (text: string) => text.replace(/\p{Cc}/gu, '\ufffd')

/** The same for text of several lines; what a file of configuration says is quoted in them. */
export const printableLines = (text: string) => text.replace(/[^\P{Cc}\n]/gu, '\ufffd')

export type Column<Row> = {
  readonly title: string
  readonly cell: (row: Row) => string
  readonly right?: boolean
  /** Applied after padding, so that colours do not count as width. */
  readonly paint?: (row: Row, text: string) => string
  /** Left out of a terminal that is too narrow, the highest first; absent: never. */
  readonly dispensable?: number
}

const gap = '  '
/** What the last column keeps before other columns are left out. */
const lastColumnMin = 20

/**
 * Rows under their titles, columns padded, no borders. With a `width` (characters), dispensable columns are left out
 * and the last column is cut with … until lines fit; null never cuts, for pipes.
 */
export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  width: number | null,
): string[] {
  const measured = columns.map((column) => {
    const cells = rows.map((row) => printable(column.cell(row)))
    return { column, cells, width: Math.max(column.title.length, ...cells.map((c) => c.length)) }
  })
  const kept = width === null ? measured : fitting(measured, width)
  const used = kept.slice(0, -1).reduce((sum, c) => sum + c.width + gap.length, 0)
  const room = width === null ? Number.POSITIVE_INFINITY : Math.max(1, width - used)
  const line = (textOf: (c: (typeof kept)[number]) => string, row: Row | null) =>
    kept
      .map((c, i) => {
        const last = i === kept.length - 1
        const text = last ? cut(textOf(c), room) : textOf(c)
        const padded = last && !c.column.right ? text : pad(text, c.width, c.column.right === true)
        return row !== null && c.column.paint ? c.column.paint(row, padded) : padded
      })
      .join(gap)
      .trimEnd()
  return [
    line((c) => c.column.title, null),
    ...rows.map((row, i) => line((c) => c.cells[i] ?? '', row)),
  ]
}

type Measured = { readonly column: { readonly dispensable?: number }; readonly width: number }

function fitting<T extends Measured>(columns: readonly T[], width: number): readonly T[] {
  const last = columns.at(-1)
  const fixed = columns.slice(0, -1).reduce((sum, c) => sum + c.width + gap.length, 0)
  if (fixed + Math.min(last?.width ?? 0, lastColumnMin) <= width) return columns
  const ranks = columns.map((c) => c.column.dispensable ?? 0)
  const highest = Math.max(...ranks)
  if (highest === 0) return columns
  return fitting(
    columns.filter((c) => (c.column.dispensable ?? 0) !== highest),
    width,
  )
}

const pad = (text: string, width: number, right: boolean) =>
  right ? text.padStart(width) : text.padEnd(width)

const cut = (text: string, room: number) =>
  text.length <= room ? text : `${text.slice(0, Math.max(0, room - 1))}…`
