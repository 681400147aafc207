/** All that is told to Prometheus, as one text. */
import type { Status } from '../../report/status.ts'
import { exposition } from './exposition.ts'
import { keepalivedFamilies } from './keepalived-names.ts'
import { type ProcessFacts, processFamilies } from './process-names.ts'
import { vipdFamilies } from './vipd-names.ts'

/** `atMs`: the wall clock when the status was made, in milliseconds. */
export const metricsText = (status: Status, facts: ProcessFacts, atMs: number): string =>
  exposition([
    ...keepalivedFamilies(status),
    ...vipdFamilies(status, atMs),
    ...processFamilies(facts),
  ])
