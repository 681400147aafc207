/** One run of one check, outside of the pool: for an operator who wants to see what it does and how long it takes. */
import type { Command } from '../base/command.ts'
import { answer } from './in-process.ts'
import type { Phase } from './probe-connection.ts'
import { ProcessTable } from './processes.ts'
import { isProgram, runCommand } from './run-command.ts'
import type { CheckSpec, Outcome } from './types.ts'

export type Once = {
  readonly outcome: Outcome
  readonly durationMs: number
  /** What each phase took; commands and process checks have none. */
  readonly phases: readonly { readonly phase: Phase; readonly tookMs: number }[]
}

export async function runOnce(spec: CheckSpec): Promise<Once> {
  const startedAt = performance.now()
  const phases: { phase: Phase; tookMs: number }[] = []
  let at = startedAt
  const passed = (phase: Phase): void => {
    const now = performance.now()
    phases.push({ phase, tookMs: now - at })
    at = now
  }
  const outcome = await outcomeOf(spec, spec.command, passed)
  return { outcome, durationMs: performance.now() - startedAt, phases }
}

function outcomeOf(
  { runAs, timeoutMs }: CheckSpec,
  command: Command,
  passed: (phase: Phase) => void,
): Promise<Outcome> {
  return new Promise((ended) => {
    if (isProgram(command)) {
      const gone = () => undefined
      runCommand({ program: command, runAs, timeoutMs, output: null, ended, gone })
    } else answer(command, { runAs, timeoutMs, processes: new ProcessTable(), ended, passed })
  })
}
