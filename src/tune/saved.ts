/** An observation in a file: JSON, with each result as [instant, duration, lateness, outcome]. */
import type { Recorded } from '../checks/verdict/record.ts'
import type { Observation } from '../report/observation.ts'

/** Why a file is no observation. */
export class BadObservation extends Error {}

const outcomes: readonly string[] = ['good', 'failed', 'timeout', 'unable']

export function saveObservation(observation: Observation): string {
  const round = (value: number) => Number(value.toFixed(3))
  return JSON.stringify({
    ...observation,
    checks: observation.checks.map((check) => ({
      ...check,
      results: check.results.map(({ atMs, durationMs, latenessMs, outcome }) => [
        ...[atMs, durationMs, latenessMs].map(round),
        outcome,
      ]),
    })),
  })
}

/** Throws BadObservation. */
export function readObservation(text: string): Observation {
  const value = parse(text)
  if (!isRecord(value) || value['schema'] !== 1)
    throw new BadObservation('it has not been written by vipd tune --save')
  const { checks, instances } = value
  if (!Array.isArray(checks) || !Array.isArray(instances))
    throw new BadObservation('it has no checks or no instances')
  const read = checks.map((check: unknown) => {
    if (!isRecord(check) || !Array.isArray(check['results']))
      throw new BadObservation('a check has no results')
    return { ...check, results: check['results'].map(readResult) }
  })
  return { ...value, checks: read } as unknown as Observation
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw new BadObservation(error instanceof Error ? error.message : String(error))
  }
}

function readResult(value: unknown): Recorded {
  const [atMs, durationMs, latenessMs, outcome] = Array.isArray(value) ? value : []
  const numbers = [atMs, durationMs, latenessMs]
  if (!numbers.every(Number.isFinite) || !outcomes.includes(String(outcome)))
    throw new BadObservation('a result is not [instant, duration, lateness, outcome]')
  return { atMs, durationMs, latenessMs, outcome }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
