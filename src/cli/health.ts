/** Is all well? The judgement behind the exit status of `vipd status`, so that it can serve as a probe. */
import type { Status } from '../report/status.ts'

/** One sentence for each thing that is not as it should be; empty when all is well. */
export function degradations(status: Status): string[] {
  const faulty = status.instances.filter((it) => it.state === 'FAULT')
  const down = status.checks.filter((c) => c.good === false && c.usedBy.length > 0)
  return [
    ...faulty.map(({ name, why }) => `${name} is in FAULT: ${why}`),
    ...down.map((check) => `check ${check.name} is down`),
    ...status.warnings,
  ]
}
