/** What the process says of itself; the same in each of its threads, so that this one can read it. */
import { readdirSync } from 'node:fs'
import type { LoopDelay, ProcessFacts } from '../metrics/process-names.ts'

export function processFacts(loopDelay: LoopDelay | null): ProcessFacts {
  const { user, system } = process.cpuUsage()
  return {
    cpuSeconds: (user + system) / 1e6,
    residentBytes: process.memoryUsage.rss(),
    openDescriptors: descriptors(),
    loopDelay,
  }
}

function descriptors(): number | null {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return null
  }
}
