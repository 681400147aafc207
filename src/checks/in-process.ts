/** The commands that need no program: what they answer, and how one that is under way is given up. */

import { unreachable } from '../base/assert.ts'
import type { Command, RunAs } from '../base/command.ts'
import { runProbe } from './probe.ts'
import type { Phase } from './probe-connection.ts'
import type { ProcessTable } from './processes.ts'
import type { Program } from './run-command.ts'
import type { Outcome } from './types.ts'

export type InProcess = Exclude<Command, Program>

export type Asked = {
  readonly runAs: RunAs | null
  readonly timeoutMs: number
  readonly processes: ProcessTable
  /** Called once, perhaps before `answer` returns; not after the answer was given up. */
  readonly ended: (outcome: Outcome) => void
  readonly passed?: (phase: Phase) => void
}

/** Returns what gives it up. */
export function answer(command: InProcess, asked: Asked): () => void {
  const { runAs, timeoutMs, processes, ended, passed } = asked
  switch (command.kind) {
    case 'process': {
      const ok = processes.find(command, runAs, performance.now())
      ended({ kind: 'probe', ok, detail: ok ? 'running' : `no process ${command.name}` })
      return () => undefined
    }
    case 'broken':
      ended({ kind: 'unable', why: command.why })
      return () => undefined
    case 'probe':
      return runProbe(command.probe, timeoutMs, ended, passed).cancel
    default:
      return unreachable(command)
  }
}
