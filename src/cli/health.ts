/** Is all well? The judgement behind the exit status of `vipd status`, so that it can serve as a probe. */
import type { Status, StatusInstance } from '../daemon/status-types.ts'

/** One sentence for each thing that is not as it should be; empty when all is well. */
export function degradations(status: Status): string[] {
  const down = status.checks.filter((c) => c.good === false && c.usedBy.length > 0)
  return [
    ...status.instances.flatMap(instanceFaults),
    ...down.map((check) => `check ${check.name} is down`),
  ]
}

function instanceFaults({ name, state, master, addresses, why }: StatusInstance): string[] {
  if (state === 'FAULT') return [`${name} is in FAULT: ${why}`]
  if (state !== 'MASTER') return []
  const missing = addresses.filter((a) => !a.present)
  return [
    ...(master !== null && !master.self ? [`${name}: ${master.address} is master as well`] : []),
    ...missing.map((a) => `${name} is MASTER but ${a.address} is not on ${a.interface}`),
  ]
}
