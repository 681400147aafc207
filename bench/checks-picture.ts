/** Processor time per probe against the number of checks, by kind; what a forked command costs is the dashed line. */
import { lineChart, type Point } from '../src/plot/lines.ts'

type Row = Readonly<Record<string, string | number>>

const forked = 'forked killall -0'

export function costPicture(rows: readonly Row[]): string {
  const kinds = [...new Set(rows.map((row) => String(row['checks'])))]
  const of = (kind: string): readonly Point[] =>
    rows
      .filter((row) => row['checks'] === kind)
      .map((row) => {
        const y = Number(row['µs/probe'])
        return { x: Number(row['n']), y, low: y, high: y }
      })
  const fork = of(forked).at(-1)?.y ?? 0
  const sizes = rows.map((row) => Number(row['n']))
  return lineChart({
    title: 'What a probe costs',
    subtitle:
      'checks at 100 ms in one worker; with few of them it is the daemon’s idle work that counts',
    xLabel: 'checks',
    yLabel: 'processor time per probe',
    xFormat: (n) => String(n),
    yFormat: (us) => `${us} µs`,
    series: kinds
      .filter((kind) => kind !== forked)
      .map((kind) => ({ name: kind, points: of(kind) })),
    theory: {
      name: forked,
      points: [Math.min(...sizes), Math.max(...sizes)].map((x) => ({ x, y: fork })),
    },
  })
}
