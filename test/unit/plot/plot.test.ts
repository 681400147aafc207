import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lineChart } from '../../../src/plot/lines.ts'
import { page } from '../../../src/plot/page.ts'
import { duration, logScale } from '../../../src/plot/scale.ts'
import { stripChart } from '../../../src/plot/strips.ts'
import { element, escapeXml } from '../../../src/plot/svg.ts'

/** Every element opened is closed, in order; throws with the place otherwise. */
function wellFormed(xml: string): string[] {
  const names: string[] = []
  const open: string[] = []
  for (const [tag, closing = '', name = '', selfClosing = ''] of xml.matchAll(
    /<(\/?)([a-zA-Z]+)(?:\s[^<>]*?)?(\/?)>/g,
  )) {
    if (closing !== '') assert.equal(open.pop(), name, tag)
    else {
      names.push(name)
      if (selfClosing === '') open.push(name)
    }
  }
  assert.deepEqual(open, [])
  return names
}

const numbersOf = (xml: string, attribute: string): number[] =>
  [...xml.matchAll(new RegExp(` ${attribute}="([^"]*)"`, 'g'))].map(([, value]) => Number(value))

test('a logarithmic axis: whole steps at its ends, decades where steps are too many', () => {
  const few = logScale([12, 900], 0, 100, String)
  assert.deepEqual(
    few.ticks.map(({ label }) => label),
    ['10', '20', '50', '100', '200', '500', '1000'],
  )
  assert.deepEqual([few.at(10), few.at(100), few.at(1_000)], [0, 50, 100])
  const many = logScale([0.02, 9_000], 0, 100, String)
  assert.deepEqual(
    many.ticks.map(({ label }) => label),
    ['0.1', '1', '10', '100', '1000', '10000'],
  )
})

test('nothing, one value, and values that no logarithm has, stay on the axis', () => {
  for (const values of [[], [3], [3, 3], [0, -1, 3], [Number.NaN, 3]]) {
    const scale = logScale(values, 10, 20, String)
    for (const value of [...values, 0, 1e9].filter((v) => !Number.isNaN(v)))
      assert.ok(scale.at(value) >= 10 && scale.at(value) <= 20, `${values}: ${value}`)
    assert.ok(scale.ticks.length >= 2)
  }
})

test('durations in the unit that a person would use', () => {
  assert.deepEqual([0.05, 0.999, 1, 15, 999, 1_000, 3_609].map(duration), [
    '50 µs',
    '999 µs',
    '1 ms',
    '15 ms',
    '999 ms',
    '1 s',
    '3.61 s',
  ])
})

const formats = { xFormat: duration, yFormat: duration }

test('a line chart: a line, a band and a key for each series, and the theory; words escaped', () => {
  const points = [10, 100, 1_000].map((x) => ({ x, y: 3 * x, low: 2 * x, high: 4 * x }))
  const chart = {
    title: 'a < b & "c"',
    subtitle: '',
    xLabel: 'x',
    yLabel: 'y',
    ...formats,
    series: [
      { name: 'vipd', points },
      { name: 'alone', points: points.slice(0, 1) },
    ],
    theory: { name: 'floor', points },
  }
  const svg = lineChart(chart)
  const names = wellFormed(svg)
  assert.ok(svg.includes('a &lt; b &amp; &quot;c&quot;'))
  assert.equal(names.filter((name) => name === 'circle').length, 4)
  assert.equal(names.filter((name) => name === 'polygon').length, 1, 'one point has no band')
  for (const cx of numbersOf(svg, 'cx')) assert.ok(cx >= 78 && cx <= 736)
  const bare = lineChart({ ...chart, series: [], theory: { name: 'floor', points: [] } })
  wellFormed(bare)
  assert.ok(!bare.includes('floor'), 'no key for what is not drawn')
})

test('a strip chart: every value a dot within its row, the marks where they belong', () => {
  const values = Array.from({ length: 500 }, (_, i) => 0.1 + i / 100)
  const strip = { label: 'cut, vipd', series: 0, values, p50: 2.6, p99: 5 }
  const empty = { label: 'none', series: 1, values: [0], p50: null, p99: null }
  const svg = stripChart({
    title: 't',
    subtitle: '',
    xLabel: 'x',
    xFormat: duration,
    strips: [strip, empty],
  })
  const names = wellFormed(svg)
  assert.equal(names.filter((name) => name === 'circle').length, 501)
  const heights = numbersOf(svg, 'cy').slice(0, 500)
  assert.ok(Math.max(...heights) - Math.min(...heights) <= 12, 'within the row')
  assert.ok(new Set(heights).size > 20, 'beside one another')
  const label = 'a label as long as that of some cause and daemon 2.2.7'
  const long = stripChart({
    ...{ title: 't', subtitle: '', xLabel: 'x', xFormat: duration },
    strips: [{ ...strip, label }],
  })
  const end = Number(/<text x="([\d.]+)"[^>]*>a label/.exec(long)?.[1])
  assert.ok(end > 7 * label.length, `a label that ends at ${end} begins outside`)
})

test('a coordinate that is no number is refused, not drawn', () => {
  assert.throws(() => element('circle', { cx: Number.NaN }), /not finite/)
  assert.equal(escapeXml(`<&">`), '&lt;&amp;&quot;&gt;')
})

test('a page holds its pictures as they are and aligns numbers', () => {
  const html = page('<title>', [
    {
      heading: 'h & h',
      words: ['w'],
      pictures: ['<svg></svg>'],
      table: {
        head: ['daemon', 'ms'],
        rows: [
          ['vipd', '0.20'],
          ['keepalived', '-'],
        ],
      },
    },
  ])
  assert.ok(html.includes('&lt;title&gt;') && html.includes('h &amp; h'))
  assert.ok(html.includes('<svg></svg>'))
  assert.ok(html.includes('<td>vipd</td><td class="number">0.20</td>'))
  assert.ok(html.includes('<th>daemon</th><th class="number">ms</th>'))
})
