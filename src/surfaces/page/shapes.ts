/** Pictures of states and measurements. Each state has a shape, a height and a word of its own beside its colour. */
import { svg } from './dom.ts'
import type { Bar, Segment } from './strip.ts'
import { clockText, measuredText } from './words.ts'

const shapes: Readonly<Record<string, string>> = {
  MASTER: 'M8 1a7 7 0 1 0 0 14a7 7 0 1 0 0-14z',
  BACKUP: 'M8 1a7 7 0 1 0 0 14a7 7 0 1 0 0-14zM8 4.5a3.5 3.5 0 1 1 0 7a3.5 3.5 0 1 1 0-7z',
  FAULT: 'M8 1L15.5 15H.5zM7.2 6v5h1.6v-5zM7.2 12v1.6h1.6v-1.6z',
  INIT: 'M8 1L15 8L8 15L1 8zM8 5L5 8L8 11L11 8z',
  STOP: 'M2 2h12v12h-12z',
}

export function stateShape(state: string): SVGElement {
  const path = svg('path', { d: shapes[state] ?? shapes['INIT'] ?? '', 'fill-rule': 'evenodd' })
  return svg('svg', { viewBox: '0 0 16 16', class: 'shape', 'aria-hidden': 'true' }, path)
}

const width = 1_000
const height = 30
/** Of 30. */
const heights: Readonly<Record<string, number>> = {
  MASTER: 30,
  BACKUP: 14,
  FAULT: 30,
  INIT: 5,
  STOP: 5,
}

const picture = (label: string, kind: string, ...children: readonly SVGElement[]): SVGElement =>
  svg(
    'svg',
    {
      ...{ viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none' },
      ...{ class: `picture ${kind}`, role: 'img', 'aria-label': label },
    },
    ...children,
  )

const titled = (shape: SVGElement, text: string): SVGElement => {
  const title = svg('title')
  title.textContent = text
  shape.append(title)
  return shape
}

export function stateStrip(segments: readonly Segment[], nowMs: number, label: string): SVGElement {
  const parts = segments.flatMap(({ from, to, state, began }) => {
    const tall = heights[state] ?? 5
    const x = from * width
    const rect = svg('rect', {
      ...{ x, y: height - tall, width: Math.max(2, (to - from) * width), height: tall },
      class: `is-${state}`,
    })
    const hint =
      began === null
        ? `${state}, since before this window`
        : `${clockText(Date.parse(began.at), nowMs)} ${began.from} → ${state}: ${began.why}`
    const shown = titled(rect, hint)
    return state === 'FAULT' ? [shown, crossed(x, Math.max(2, (to - from) * width))] : [shown]
  })
  return picture(label, 'states', ...parts)
}

/** A fault is not only another colour: it is crossed out. */
const crossed = (x: number, wide: number): SVGElement =>
  svg('line', { x1: x, y1: height, x2: x + wide, y2: 0, class: 'crossed' })

/** The top of the picture is 1.25 of the down interval. */
const gapTop = 1.25

export function gapStrip(
  bars: readonly Bar[],
  { advertMs, downMs, nowMs }: { advertMs: number; downMs: number; nowMs: number },
  label: string,
): SVGElement {
  const y = (share: number): number => height * (1 - Math.min(gapTop, share) / gapTop)
  const line = (share: number, kind: string) =>
    svg('line', { x1: 0, x2: width, y1: y(share), y2: y(share), class: kind })
  const shown = bars.map(({ at, share, gap }) =>
    titled(
      svg('rect', {
        ...{ x: at * width, y: y(share), width: 5, height: height - y(share) },
        class: share >= 1 ? 'over' : share >= 0.5 ? 'near' : 'gap',
      }),
      `${clockText(gap.atMs, nowMs)}: ${measuredText(gap.gapMs)}, ${share.toFixed(2)} of the down interval`,
    ),
  )
  return picture(label, 'gaps', line(advertMs / downMs, 'usual'), ...shown, line(1, 'limit'))
}

export type Run = { readonly atMs: number; readonly durationMs: number; readonly outcome: string }

/** Logarithmic from 0.1 ms to the timeout, which is the line at the top. */
export function runsPicture(
  runs: readonly Run[],
  timeoutMs: number,
  most: number,
  label: string,
): SVGElement {
  const floor = 0.1
  const tall = (ms: number): number =>
    Math.max(1.5, (26 * Math.log(Math.max(floor, ms) / floor)) / Math.log(timeoutMs / floor))
  const step = width / most
  const bars = runs.map(({ durationMs, outcome }, i) => {
    const is = Math.min(26, tall(durationMs))
    const x = width - (runs.length - i) * step
    return svg('rect', {
      ...{ x, y: height - is, width: step * 0.75, height: is },
      class: outcome === 'good' ? 'good' : 'bad',
    })
  })
  const line = svg('line', { x1: 0, x2: width, y1: 4, y2: 4, class: 'limit' })
  return picture(label, 'runs', ...bars, line)
}
