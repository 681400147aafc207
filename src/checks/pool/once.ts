/** One run of one check, outside of the pool: for an operator who wants to see what it does and how long it takes. */
import type { Command } from '../../base/command.ts'
import type { Outcome } from '../../programs/outcome.ts'
import { isProgram, runCommand } from '../../programs/run.ts'
import { Files } from '../local/files.ts'
import { ProcessTable } from '../local/processes.ts'
import type { Phase } from '../probes/connection.ts'
import type { CheckSpec } from '../verdict/types.ts'
import { isProbed, proberFor } from './prober.ts'

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
    } else if (isProbed(command)) {
      const files = new Files(() => undefined)
      const prober = proberFor(command, { processes: new ProcessTable(), files })
      const end = (outcome: Outcome) => {
        ended(outcome)
        prober.close?.()
        files.close()
      }
      // An answer may come before `run` returns.
      setImmediate(() => prober.run({ runAs, timeoutMs, ended: end, passed }))
    } else {
      const why = command.kind === 'push' ? 'it is a push check' : 'it is made of other checks'
      ended({ kind: 'unable', why: `${why}; ask the daemon` })
    }
  })
}
