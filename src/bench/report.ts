/** The failover bench's results, as a table for a terminal and a document, and as pictures for people. */

import { type Summary, summarise } from '../base/statistics.ts'
import { lineChart } from '../plot/lines.ts'
import { page, type Section, type Table } from '../plot/page.ts'
import { duration } from '../plot/scale.ts'
import { stripChart } from '../plot/strips.ts'
import { type Cause, causes } from './causes.ts'
import type { Case } from './failover.ts'
import { patienceMs, type Trial } from './trial.ts'

type Figure = 'advertMs' | 'arpMs' | 'answerMs' | 'outageMs'

const figures: Readonly<Record<Figure, string>> = {
  advertMs: 'first advert',
  arpMs: 'first ARP',
  answerMs: 'first answer to the client',
  outageMs: 'outage seen by the client',
}

/** What never came counts as the patience, so that it is not lost from the percentiles. */
export const valuesOf = ({ trials }: Case, figure: Figure): number[] =>
  trials.map((trial) => trial[figure] ?? patienceMs)

export function failoverTable(cases: readonly Case[]): Table {
  const head = [
    ...['cause', 'advert_int', 'daemon', 'n', 'early', 'never'],
    ...['advert p50', 'p99', 'max', 'ARP p50', 'p99', 'answer p50', 'p99', 'max'],
    ...['outage min', 'p50', 'max'],
  ]
  return { head, rows: cases.map(row) }
}

function row(one: Case): string[] {
  const cells = (figure: Figure, ...which: (keyof Summary)[]): string[] => {
    const summary = summarise(valuesOf(one, figure))
    return which.map((key) => (summary === null ? '-' : summary[key].toFixed(2)))
  }
  const never = one.trials.filter((trial) => trial.answerMs === null).length
  return [
    causes[one.cause],
    String(one.advertInt),
    one.daemon,
    String(one.trials.length),
    String(one.early),
    String(never),
    // The master that returns is the reference itself: its first advert is where time begins.
    ...(one.cause === 'return' ? ['-', '-', '-'] : cells('advertMs', 'p50', 'p99', 'max')),
    ...cells('arpMs', 'p50', 'p99'),
    ...cells('answerMs', 'p50', 'p99', 'max'),
    ...cells('outageMs', 'min', 'p50', 'max'),
  ]
}

/** Markdown, which a terminal shows well enough too. */
export function tableText({ head, rows }: Table): string {
  const left = (column: number) => head[column] === 'cause' || head[column] === 'daemon'
  const width = head.map((word, i) =>
    Math.max(2, word.length, ...rows.map((cells) => cells[i]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (left(i) ? cell.padEnd(width[i] ?? 0) : cell.padStart(width[i] ?? 0))).join(' | ')} |`
  const rule = width.map((n, i) => (left(i) ? '-'.repeat(n) : `${'-'.repeat(n - 1)}:`))
  return [line(head), line(rule), ...rows.map(line)].join('\n')
}

export type Machine = { readonly words: string }

export function failoverPage(cases: readonly Case[], machine: Machine): string {
  return page('Failover, seen from the wire', [
    {
      heading: 'The whole outage',
      words: [
        machine.words,
        'From the last answer of the old master to the first of the new one; the line is the median, the band reaches from the least to the greatest, the dashed line is what the protocol itself wants to be waited after the last advert (after a resignation less: where daemons differ, the longer one is drawn).',
        'An outage far below it means that the old master goes on answering beside the new one: killed, and its address left behind, or with a failed check until the other has taken over.',
      ],
      pictures: outagePictures(cases).map(({ svg }) => svg),
      table: null,
    },
    {
      heading: 'Past the floor',
      words: [
        'What the daemon adds to the protocol: each dot is one failover, all advertisement intervals together; the long mark is the median, the short one the 99th percentile.',
      ],
      pictures: distributionPictures(cases).map(({ svg }) => svg),
      table: null,
    },
    {
      heading: 'Figures',
      words: [
        `Milliseconds, counted from the protocol's floor but for the outage. early: the heir took over before the strike. never: the client was not answered within ${patienceMs / 1_000} s.`,
      ],
      pictures: [],
      table: failoverTable(cases),
    },
  ] satisfies Section[])
}

export type Picture = { readonly name: string; readonly svg: string }

const has = <T>(values: readonly T[]): boolean => values.length > 0
const unique = <T>(values: readonly T[]): T[] => [...new Set(values)]

/** A picture per cause: latency against advert_int. */
export function outagePictures(cases: readonly Case[]): Picture[] {
  return unique(cases.map(({ cause }) => cause)).map((cause) => ({
    name: `failover-outage-${cause}`,
    svg: outagePicture(
      cause,
      cases.filter((one) => one.cause === cause),
    ),
  }))
}

function outagePicture(cause: Cause, cases: readonly Case[]): string {
  const daemons = unique(cases.map(({ daemon }) => daemon))
  const floors = cases.flatMap(({ advertInt, trials }) => {
    const y = summarise(trials.map((trial: Trial) => trial.floorMs).filter((ms) => ms > 0))
    return y === null ? [] : [{ x: advertInt * 1_000, y: y.max }]
  })
  // One point per interval: two daemons may stand on different floors, the higher one is the protocol's.
  const theory = unique(floors.map(({ x }) => x))
    .sort((a, b) => a - b)
    .map((x) => ({ x, y: Math.max(...floors.filter((f) => f.x === x).map((f) => f.y)) }))
  const pointsOf = (daemon: string) =>
    cases
      .filter((one) => one.daemon === daemon)
      .toSorted((a, b) => a.advertInt - b.advertInt)
      .flatMap((one) => {
        const outage = summarise(valuesOf(one, 'outageMs'))
        const { min: low, p50: y, max: high } = outage ?? { min: 0, p50: 0, max: 0 }
        return low > 0 ? [{ x: one.advertInt * 1_000, y, low, high }] : []
      })
  return lineChart({
    title: causes[cause],
    subtitle: 'how long the client gets no answer',
    xLabel: 'advert_int',
    yLabel: 'outage',
    xFormat: duration,
    yFormat: duration,
    series: daemons.map((name) => ({ name, points: pointsOf(name) })),
    theory: { name: "the protocol's floor", points: theory },
  })
}

/** A picture per figure: every failover past its floor. */
export function distributionPictures(cases: readonly Case[]): Picture[] {
  const wanted = ['advertMs', 'arpMs', 'answerMs'] as const
  return wanted.map((figure) => ({
    name: `failover-past-floor-${figure.replace('Ms', '')}`,
    svg: distributionPicture(figure, cases),
  }))
}

function distributionPicture(figure: Figure, cases: readonly Case[]): string {
  const daemons = unique(cases.map(({ daemon }) => daemon))
  const shown = unique(cases.map(({ cause }) => cause)).filter(
    (cause) => figure !== 'advertMs' || cause !== 'return',
  )
  const strips = shown.flatMap((cause) =>
    daemons.map((daemon, series) => {
      const of = cases.filter((one) => one.cause === cause && one.daemon === daemon)
      const values = of.flatMap((one) => valuesOf(one, figure))
      const { p50 = null, p99 = null } = summarise(values) ?? {}
      return { label: `${causes[cause]}, ${daemon}`, series, values, p50, p99 }
    }),
  )
  return stripChart({
    title: `${figures[figure]}, past the floor`,
    subtitle: 'every failover of the run, by cause and daemon',
    xLabel: 'after the protocol allowed it',
    xFormat: duration,
    strips: strips.filter((strip) => has(strip.values)),
  })
}
