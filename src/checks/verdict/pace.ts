/** How often a check is asked, by where it stands. */
import type { Progress } from './progress.ts'
import { streak } from './rise-fall.ts'
import type { Pace } from './schedule.ts'
import type { CheckSpec } from './types.ts'

/** Faster while results speak against the verdict, so that it is settled soon; as `down_interval` says while it is bad. */
export function paceOf(spec: CheckSpec, { verdict }: Progress): Pace {
  return { intervalMs: intervalOf(spec, verdict), jitter: spec.jitter ?? 0 }
}

function intervalOf(spec: CheckSpec, verdict: Progress['verdict']): number {
  const { intervalMs, fastIntervalMs, downIntervalMs } = spec
  if (streak(verdict, spec) > 0) return fastIntervalMs ?? intervalMs
  return verdict.good === false ? (downIntervalMs ?? intervalMs) : intervalMs
}
