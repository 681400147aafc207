/** What `vipd watch` shows, as rows for a screen of a given size. Pure: a function of what is known and of the time. */
import { styleText } from 'node:util'
import { type DaemonEvent, eventText, subjectOf } from '../report/event.ts'
import type { Status, StatusInstance } from '../report/status.ts'
import { age, printable, table } from './format.ts'
import { bfdColumns, checkColumns, headline, instanceColumns, type Paint } from './format-status.ts'

export const orders = ['configured', 'name', 'state', 'changed'] as const
export type Order = (typeof orders)[number]

export type WatchState = {
  readonly status: Status | null
  /** When it came; milliseconds since 1970. */
  readonly statusAt: number
  /** When the question was asked that has no answer yet; milliseconds since 1970. */
  readonly askedAt: number | null
  /** Why the daemon does not answer; null: it does. */
  readonly away: string | null
  /** Oldest first. */
  readonly events: readonly DaemonEvent[]
  readonly order: Order
  /** Only what is not well. */
  readonly onlyUnwell: boolean
  /** Instances above the first one that is shown. */
  readonly scrolled: number
}

/** From then on an answer is missed, milliseconds; the question itself is given up only later. */
const lateMs = 2_000

type Size = { readonly columns: number; readonly rows: number }

export function watchRows(state: WatchState, size: Size, now: number, colour: boolean): string[] {
  const paint: Paint = (name, text) =>
    colour && name !== 'none' ? styleText(name, text, { validateStream: false }) : text
  const { columns: width, rows } = size
  const cut = (text: string) =>
    text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
  const head = [topRow(state, now, cut, paint), paint('dim', cut(keys(state)))]
  const { status } = state
  if (status === null) return head.slice(0, rows)
  const room = Math.max(0, rows - head.length)
  const events = eventRows(state, now).map(cut)
  const warnings = status.warnings.map((text) => paint('yellow', cut(`WARN  ${printable(text)}`)))
  const checks = [
    ...section(
      shown(status.checks, state, ({ good }) => good === true),
      checkColumns(paint),
      width,
    ),
    ...section(
      shown(status.bfd, state, ({ state: it }) => it === 'Up'),
      bfdColumns(paint),
      width,
    ),
  ]
  const all = ordered(shown(status.instances, state, isWell), state.order)
  const instances = section(all, instanceColumns(paint), width)
  const below = [
    ...warnings.slice(0, Math.max(1, Math.floor(room / 6))),
    ...checks.slice(0, Math.floor(room / 3)),
  ]
  const eventsLeast = Math.min(events.length, Math.floor(room / 4))
  const [title = '', ...lines] = instances
  const forInstances = Math.max(0, room - below.length - eventsLeast - 1)
  const from = Math.max(0, Math.min(state.scrolled, lines.length - forInstances))
  const body = [title, ...lines.slice(from, from + forInstances), ...below]
  const left = Math.max(0, room - body.length)
  const whole = [...head, ...body, ...events.slice(Math.max(0, events.length - left))]
  return whole.slice(0, rows).map((row) => cutPainted(row, width))
}

/** A row that is too long for a narrow terminal; what colours it has no width. */
function cutPainted(text: string, width: number): string {
  let used = 0
  return text
    .split(/(\p{Cc}\[[\d;]*m)/u)
    .map((part, i) => {
      if (i % 2 === 1) return part
      const kept = part.slice(0, Math.max(0, width - used))
      used += part.length
      return kept
    })
    .join('')
}

function topRow(
  { status, statusAt, askedAt, away }: WatchState,
  now: number,
  cut: (text: string) => string,
  paint: Paint,
): string {
  const late = askedAt !== null && now - askedAt > lateMs
  if (away === null && !late)
    return cut(status === null ? 'vipd: asked' : printable(headline(status, now)))
  const since = status === null ? '' : ` for ${age(now - statusAt)}; below is what it said then`
  return paint('red', cut(`NO ANSWER${since}${away === null ? '' : `: ${printable(away)}`}`))
}

const keys = ({ order, onlyUnwell }: WatchState): string =>
  `q quit  f ${onlyUnwell ? 'ONLY WHAT IS NOT WELL' : 'all'}  s by ${order}  arrows scroll`

const section = <Row>(
  rows: readonly Row[],
  columns: Parameters<typeof table<Row>>[1],
  width: number,
) => (rows.length === 0 ? [] : table(rows, columns, width))

const shown = <Row>(
  rows: readonly Row[],
  { onlyUnwell }: WatchState,
  well: (row: Row) => boolean,
): readonly Row[] => (onlyUnwell ? rows.filter((row) => !well(row)) : rows)

function isWell({ state, addresses, warnings, standsBy }: StatusInstance): boolean {
  const complete = state !== 'MASTER' || addresses.every(({ present }) => present)
  return state !== 'FAULT' && complete && warnings.length === 0 && standsBy === null
}

/** The worst first. */
const ranks = { FAULT: 0, STOP: 1, INIT: 2, MASTER: 3, BACKUP: 4 } as const

function ordered(instances: readonly StatusInstance[], order: Order): readonly StatusInstance[] {
  const by = {
    configured: null,
    name: (a: StatusInstance, b: StatusInstance) => a.name.localeCompare(b.name),
    state: (a: StatusInstance, b: StatusInstance) => ranks[a.state] - ranks[b.state],
    changed: (a: StatusInstance, b: StatusInstance) => a.sinceMs - b.sinceMs,
  }[order]
  return by === null ? instances : [...instances].sort(by)
}

const eventRows = ({ events }: WatchState, now: number): readonly string[] =>
  events.map((event) => {
    const ago = age(now - Date.parse(event.at)).padStart(6)
    return printable(`${ago} ago  ${subjectOf(event) ?? 'vipd'}  ${eventText(event)}`)
  })
