/** The configuration's checks as the check pool wants them. */
import type { CheckSpec } from '../checks/verdict/types.ts'
import type { Script } from '../config/types.ts'

export const checkSpecs = (scripts: readonly Script[]): readonly CheckSpec[] =>
  scripts.map((script) => ({
    name: script.name,
    command: script.run.command,
    runAs: script.run.runAs,
    intervalMs: script.intervalUs / 1000,
    timeoutMs: script.timeoutUs / 1000,
    rise: script.rise,
    fall: script.fall,
    ...(script.fastIntervalUs === null ? {} : { fastIntervalMs: script.fastIntervalUs / 1000 }),
    ...(script.downIntervalUs === null ? {} : { downIntervalMs: script.downIntervalUs / 1000 }),
    jitter: script.jitter,
    initialDelayMs: script.initialDelayUs / 1000,
  }))
