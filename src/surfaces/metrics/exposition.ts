/**
 * The text that Prometheus scrapes, in an order that is always the same: its own format 0.0.4, or OpenMetrics 1.0, which has
 * exemplars.
 */

export type Labels = Readonly<Record<string, string | number>>

/** What a sample came of, for instance. */
export type Exemplar = {
  readonly labels: Labels
  readonly value: number
  readonly atSeconds: number
}

export type Sample = {
  readonly labels: Labels
  readonly value: number
  /** Of a counter. */
  readonly exemplar?: Exemplar | null
}

export type Buckets = {
  readonly labels: Labels
  /** Cumulative, by growing bound; the last one has none (`null`). */
  readonly upTo: readonly { readonly bound: number | null; readonly count: number }[]
  /** Of all that was measured; null: it is not known, and no sum is told. */
  readonly sum: number | null
}

export type Family = {
  readonly name: string
  readonly help: string
} & (
  | { readonly type: 'counter' | 'gauge'; readonly samples: readonly Sample[] }
  | { readonly type: 'histogram'; readonly series: readonly Buckets[] }
)

export type Format = 'text' | 'openmetrics'

export const contentTypes: Readonly<Record<Format, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

/** What a client that sends this `Accept` is answered with. */
export function formatFor(accept: string | undefined): Format {
  const asks = /application\/openmetrics-text(?![^,]*;\s*q=0(?:\.0*)?\s*(?:[;,]|$))/i
  return accept !== undefined && asks.test(accept) ? 'openmetrics' : 'text'
}

/** A family without a sample is left out. */
export function exposition(families: readonly Family[], format: Format): string {
  const lines = families.flatMap((family) => {
    const own = family.type === 'histogram' ? histogram(family) : samples(family, format)
    const { help, type } = family
    if (own.length === 0) return []
    const name = format === 'text' ? family.name : family.name.replace(/_total$/, '')
    return [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`, ...own]
  })
  return [...lines, ...(format === 'text' ? [] : ['# EOF'])].map((line) => `${line}\n`).join('')
}

const samples = ({ name, samples: all }: Extract<Family, { samples: unknown }>, format: Format) =>
  all.map(({ labels, value, exemplar }) => {
    const line = `${name}${labelText(labels)} ${numberText(value)}`
    if (format === 'text' || exemplar === undefined || exemplar === null) return line
    const { labels: of, value: one, atSeconds } = exemplar
    return `${line} # ${labelText(of)} ${numberText(one)} ${atSeconds.toFixed(3)}`
  })

const histogram = ({ name, series }: Extract<Family, { series: unknown }>) =>
  series.flatMap(({ labels, upTo, sum }) => {
    const total = upTo.at(-1)?.count ?? 0
    const buckets = upTo.map(({ bound, count }) => {
      const le = bound === null ? '+Inf' : numberText(bound)
      return `${name}_bucket${labelText({ ...labels, le })} ${count}`
    })
    const sums = sum === null ? [] : [`${name}_sum${labelText(labels)} ${numberText(sum)}`]
    return [...buckets, ...sums, `${name}_count${labelText(labels)} ${total}`]
  })

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${escapeLabel(`${value}`)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (Number.isFinite(value)) return String(value)
  return value > 0 ? '+Inf' : '-Inf'
}

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')

const escapeLabel = (text: string): string => escapeHelp(text).replaceAll('"', '\\"')
