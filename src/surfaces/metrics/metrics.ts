/** All that is told to Prometheus, as one text. */
import type { Status } from '../../report/status.ts'
import type { ExemplarOf } from './exemplars.ts'
import { exposition, type Format } from './exposition.ts'
import { keepalivedFamilies } from './keepalived-names.ts'
import { type ProcessFacts, processFamilies } from './process-names.ts'
import { vipdFamilies } from './vipd-names.ts'

export type MetricsOf = {
  readonly status: Status
  readonly facts: ProcessFacts
  /** The wall clock when the status was made, in milliseconds. */
  readonly atMs: number
  readonly exemplarOf: ExemplarOf
}

export const metricsText = (
  { status, facts, atMs, exemplarOf }: MetricsOf,
  format: Format,
): string =>
  exposition(
    [
      ...keepalivedFamilies(status),
      ...vipdFamilies(status, atMs, exemplarOf),
      ...processFamilies(facts),
    ],
    format,
  )
