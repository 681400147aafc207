/**
 * What each kind of trackable says at the moment: one entry a kind. Weights, `reverse`, sync groups and `status` know only the
 * reading. A trackable that changes is assessed again (`Roster.assessTracking`, or with its interface).
 */
import { describeResult } from '../../checks/verdict/describe.ts'
import type { CheckStatus } from '../../checks/verdict/types.ts'
import type { Tracked } from '../../config/types.ts'
import type { Reading } from '../../election/priority.ts'
import type { KernelView } from '../../kernel/mirror.ts'

/** Where readings come from. */
export type Verdicts = {
  check(name: string): CheckStatus | null
  /** A check that a reload brought holds no instance until its first result. */
  holds(name: string): boolean
  /** Of a BFD session. */
  session(name: string): Reading
  readonly kernel: KernelView
}

type Read = (name: string, verdicts: Verdicts) => Reading

export const readings: Readonly<Record<Tracked['kind'], Read>> = {
  script: (name, { check }) => verdictIn(check(name)),
  process: (name, { check }) => verdictIn(check(name)),
  file: (name, { check }) => valueIn(check(name)),
  bfd: (name, { session }) => session(name),
  interface: (name, { kernel }) => {
    const link = kernel.linkByName(name)
    const detail = link === null ? 'missing' : link.up ? 'up' : 'down'
    return { kind: 'verdict', good: link?.up === true, detail }
  },
}

function verdictIn(status: CheckStatus | null): Reading {
  if (status === null || status.good === null) return { kind: 'unknown' }
  const detail = status.last === null ? '' : describeResult(status.last)
  return { kind: 'verdict', good: status.good, detail }
}

/** What cannot be read is 0; a file that hangs has no number: it is a check that has failed. */
function valueIn(status: CheckStatus | null): Reading {
  const outcome = status?.last?.outcome
  if (outcome === undefined) return { kind: 'unknown' }
  if (outcome.kind === 'timeout') return verdictIn(status)
  return { kind: 'value', value: outcome.kind === 'value' ? outcome.value : 0 }
}
