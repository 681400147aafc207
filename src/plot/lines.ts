/** A line chart on two logarithmic axes, with a band from the least to the greatest, and the theory drawn in. */
import { logScale, type Scale } from './scale.ts'
import { element, picture, place, seriesClass, text } from './svg.ts'

/** All values above 0. */
export type Point = {
  readonly x: number
  readonly y: number
  readonly low: number
  readonly high: number
}
export type LineChart = {
  readonly title: string
  readonly subtitle: string
  readonly xLabel: string
  readonly yLabel: string
  readonly xFormat: (value: number) => string
  readonly yFormat: (value: number) => string
  readonly series: readonly { readonly name: string; readonly points: readonly Point[] }[]
  /** Dashed. */
  readonly theory: {
    readonly name: string
    readonly points: readonly { readonly x: number; readonly y: number }[]
  }
}

const size = { width: 760, height: 440 }
const plot = { left: 78, right: 736, top: 92, bottom: 384 }

export function lineChart(chart: LineChart): string {
  const { series, theory } = chart
  const points = series.flatMap((s) => s.points)
  const x = logScale(
    [...points, ...theory.points].map((p) => p.x),
    plot.left,
    plot.right,
    chart.xFormat,
  )
  const ys = [...points.flatMap((p) => [p.low, p.high]), ...theory.points.map((p) => p.y)]
  const y = logScale(ys, plot.bottom, plot.top, chart.yFormat)
  return picture(
    size.width,
    size.height,
    `${chart.title}: ${chart.subtitle}`,
    text(plot.left, 28, chart.title, { class: 'title' }),
    text(plot.left, 48, chart.subtitle, { class: 'soft' }),
    legend(chart),
    axes(x, y, chart),
    path(theory.points, x, y, 'theory'),
    ...series.map((s, i) => drawn(s.points, x, y, i)),
  )
}

function legend({ series, theory }: LineChart): string {
  const y = 72
  let left = plot.left
  const entry = (name: string, sample: string): string => {
    const out = element('g', { transform: `translate(${left} 0)` }, sample, text(30, y, name))
    left += 48 + 7.2 * name.length
    return out
  }
  const stroke = { x1: 0, x2: 24, y1: y - 4, y2: y - 4 }
  return [
    ...series.map(({ name }, i) =>
      entry(name, element('line', { ...stroke, class: `line ${seriesClass(i)}` })),
    ),
    ...(theory.points.length === 0
      ? []
      : [entry(theory.name, element('line', { ...stroke, class: 'theory' }))]),
  ].join('')
}

function axes(x: Scale, y: Scale, { xLabel, yLabel }: LineChart): string {
  const { left, right, top, bottom } = plot
  const middle = (top + bottom) / 2
  return [
    ...x.ticks.flatMap(({ at, label }) => [
      element('line', { class: 'grid', x1: at, x2: at, y1: top, y2: bottom }),
      text(at, bottom + 18, label, { 'text-anchor': 'middle' }),
    ]),
    ...y.ticks.flatMap(({ at, label }) => [
      element('line', { class: 'grid', x1: left, x2: right, y1: at, y2: at }),
      text(left - 8, at + 4, label, { 'text-anchor': 'end' }),
    ]),
    text((left + right) / 2, bottom + 42, xLabel, { class: 'soft', 'text-anchor': 'middle' }),
    text(16, middle, yLabel, {
      class: 'soft',
      'text-anchor': 'middle',
      transform: `rotate(-90 16 ${middle})`,
    }),
  ].join('')
}

type Place = { readonly x: number; readonly y: number }

function path(points: readonly Place[], x: Scale, y: Scale, kind: string): string {
  if (points.length === 0) return ''
  const d = points.map((p, i) => `${i === 0 ? 'M' : 'L'}${place(x.at(p.x))} ${place(y.at(p.y))}`)
  return element('path', { class: kind, d: d.join('') })
}

function drawn(points: readonly Point[], x: Scale, y: Scale, index: number): string {
  const colour = seriesClass(index)
  const upper = points.map((p) => `${place(x.at(p.x))},${place(y.at(p.high))}`)
  const lower = points.map((p) => `${place(x.at(p.x))},${place(y.at(p.low))}`)
  const band = [...upper, ...lower.reverse()].join(' ')
  return [
    points.length > 1 ? element('polygon', { class: `band ${colour}`, points: band }) : '',
    path(points, x, y, `line ${colour}`),
    ...points.map((p) =>
      element('circle', { class: `dot ${colour}`, cx: x.at(p.x), cy: y.at(p.y), r: 3.5 }),
    ),
  ].join('')
}
