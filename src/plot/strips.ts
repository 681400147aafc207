/** Every single value of several samples, one row each, on one logarithmic axis; median and 99th percentile marked. */
import { logScale, type Scale } from './scale.ts'
import { element, picture, seriesClass, text } from './svg.ts'

export type Strip = {
  readonly label: string
  /** Rows of one series share a colour. */
  readonly series: number
  /** Values of 0 and below lie on the left edge. */
  readonly values: readonly number[]
  readonly p50: number | null
  readonly p99: number | null
}
export type StripChart = {
  readonly title: string
  readonly subtitle: string
  readonly xLabel: string
  readonly xFormat: (value: number) => string
  readonly strips: readonly Strip[]
}

const top = 68
const plotWidth = 474
const margin = 24
/** Of a character of a label, generously; fonts differ. */
const labelWidth = 7.6
const rowHeight = 26
/** Points at one place are put beside one another within so much of a row. */
const spread = 12

export function stripChart(chart: StripChart): string {
  const bottom = top + rowHeight * chart.strips.length
  const longest = Math.max(0, ...chart.strips.map(({ label }) => label.length))
  const left = margin + labelWidth * longest
  const right = left + plotWidth
  const values = chart.strips.flatMap((strip) => strip.values)
  const x = logScale(values, left, right, chart.xFormat)
  const grid = x.ticks.flatMap(({ at, label }) => [
    element('line', { class: 'grid', x1: at, x2: at, y1: top, y2: bottom }),
    text(at, bottom + 18, label, { 'text-anchor': 'middle' }),
  ])
  return picture(
    right + margin,
    bottom + 54,
    `${chart.title}: ${chart.subtitle}`,
    text(16, 28, chart.title, { class: 'title' }),
    text(16, 48, chart.subtitle, { class: 'soft' }),
    ...grid,
    text((left + right) / 2, bottom + 42, chart.xLabel, {
      class: 'soft',
      'text-anchor': 'middle',
    }),
    ...chart.strips.map((strip, i) => row(strip, x, left, top + rowHeight * (i + 0.5))),
  )
}

function row(strip: Strip, x: Scale, left: number, y: number): string {
  const { label, series, values, p50, p99 } = strip
  const colour = seriesClass(series)
  // The golden ratio's multiples fall evenly between the edges of the row, and always in the same way.
  const jitter = (i: number): number => (((i + 1) * 0.618) % 1) - 0.5
  const dots = values.map((value, i) =>
    element('circle', {
      class: `faint ${colour}`,
      cx: x.at(value),
      cy: y + spread * jitter(i),
      r: 2.5,
    }),
  )
  const mark = (value: number | null, reach: number): string =>
    value === null
      ? ''
      : element('line', {
          class: `mark ${colour}`,
          x1: x.at(value),
          x2: x.at(value),
          y1: y - reach,
          y2: y + reach,
        })
  return [
    text(left - 10, y + 4, label, { 'text-anchor': 'end' }),
    ...dots,
    mark(p50, 10),
    mark(p99, 5),
  ].join('')
}
