/** The text that Prometheus scrapes: exposition format 0.0.4, in an order that is always the same. */

export type Labels = Readonly<Record<string, string | number>>

export type Sample = { readonly labels: Labels; readonly value: number }

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

export const contentType = 'text/plain; version=0.0.4; charset=utf-8'

/** A family without a sample is left out. */
export function exposition(families: readonly Family[]): string {
  return families
    .flatMap((family) => {
      const lines = family.type === 'histogram' ? histogram(family) : samples(family)
      const { name, help, type } = family
      if (lines.length === 0) return []
      return [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`, ...lines]
    })
    .map((line) => `${line}\n`)
    .join('')
}

const samples = ({ name, samples: all }: Extract<Family, { samples: unknown }>) =>
  all.map(({ labels, value }) => `${name}${labelText(labels)} ${numberText(value)}`)

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
