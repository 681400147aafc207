/** What the strips show, as numbers from 0 (the beginning of the window) to 1 (now). */
import type { Gap } from '../../report/observation.ts'
import type { StatusInstance, StatusTransition } from '../../report/status.ts'

export type Segment = {
  readonly from: number
  readonly to: number
  readonly state: string
  /** The transition that it began with; null: it began before what is known. */
  readonly began: StatusTransition | null
}

export type Window = { readonly nowMs: number; readonly lengthMs: number }

/**
 * In which states it was. `knownMs`: before that nothing is known, unless the history says more. `ageMs`: of what it says
 * of itself.
 */
export function segmentsOf(
  { state, sinceMs, history }: Pick<StatusInstance, 'state' | 'sinceMs' | 'history'>,
  { nowMs, lengthMs }: Window,
  knownMs: number,
  ageMs: number,
): readonly Segment[] {
  const startMs = nowMs - lengthMs
  const place = (atMs: number): number => Math.min(1, Math.max(0, (atMs - startMs) / lengthMs))
  const known = history.filter(({ at }) => Number.isFinite(Date.parse(at)))
  const [first] = known
  if (first === undefined)
    return [{ from: place(nowMs - ageMs - sinceMs), to: 1, state, began: null }]
  const firstMs = Date.parse(first.at)
  const before = {
    from: place(Math.min(knownMs, firstMs)),
    to: place(firstMs),
    state: first.from,
    began: null,
  }
  const segments = known.map((began, i) => {
    const next = known[i + 1]
    return {
      from: place(Date.parse(began.at)),
      to: next === undefined ? 1 : place(Date.parse(next.at)),
      state: began.to,
      began,
    }
  })
  return [before, ...segments].filter(({ from, to }) => to > from)
}

export type Bar = { readonly at: number; readonly share: number; readonly gap: Gap }

/** The worst pause of each of `columns` places, as a share of the down interval. */
export function barsOf(
  gaps: readonly Gap[],
  downMs: number,
  { nowMs, lengthMs }: Window,
  columns = 250,
): readonly Bar[] {
  const worst = new Map<number, Bar>()
  for (const gap of gaps) {
    const at = 1 - (nowMs - gap.atMs) / lengthMs
    const column = Math.min(columns - 1, Math.floor(at * columns))
    const share = gap.gapMs / downMs
    if (column >= 0 && share > (worst.get(column)?.share ?? 0))
      worst.set(column, { at: column / columns, share, gap })
  }
  return [...worst.values()]
}

/** The pause that came nearest to a take-over, of those within the window. */
export function closestCall(gaps: readonly Gap[], { nowMs, lengthMs }: Window): Gap | null {
  const within = gaps.filter(({ atMs }) => nowMs - atMs <= lengthMs)
  return within.reduce<Gap | null>(
    (worst, gap) => (worst === null || gap.gapMs > worst.gapMs ? gap : worst),
    null,
  )
}
