/**
 * The commands that need no program: each as a prober that is run again and again, remembers what makes the next run
 * cheap, and may have a hint that a run is worth it now.
 */
import type { Command, RunAs } from '../../base/command.ts'
import type { Outcome } from '../../programs/outcome.ts'
import type { Program } from '../../programs/run.ts'
import type { Files } from '../local/files.ts'
import { Module } from '../local/module.ts'
import {
  matchesName,
  type ProcessFacts,
  type ProcessQuery,
  type ProcessTable,
} from '../local/processes.ts'
import { Quorum } from '../local/quorum.ts'
import type { Phase } from '../probes/connection.ts'
import { runProbe } from '../probes/probe.ts'

/** What is carried out in-process. (Results that are pushed, and combinations of other checks, are not.) */
export type InProcess = Exclude<Command, Program | { readonly kind: 'push' | 'combination' }>

export type ProbeRequest = {
  readonly runAs: RunAs | null
  readonly timeoutMs: number
  /** Called once, perhaps before `run` returns, and not after the run was given up. */
  readonly ended: (outcome: Outcome, output?: string) => void
  readonly passed?: (phase: Phase) => void
}

export type Prober = {
  /** Returns what gives the run up. */
  run(request: ProbeRequest): () => void
  /** What the kernel may report that concerns it; absent: nothing. */
  readonly hints?: Hints
  close?(): void
}

export type Hints = {
  readonly of: Hint['kind']
  /** Would the answer be another one, now that this process began or ended, or this file changed. */
  concerns(hint: Hint): boolean
}

export type Hint =
  | { readonly kind: 'process'; readonly process: ProcessFacts; readonly ended: boolean }
  | { readonly kind: 'file'; readonly path: string }

/** What the probers of one thread share. */
export type Tools = { readonly processes: ProcessTable; readonly files: Files }

type Make<C> = (command: C, tools: Tools) => Prober
type Makers = {
  readonly [K in InProcess['kind']]: Make<Extract<InProcess, { readonly kind: K }>>
}

/** One entry for each kind of command. */
const makers: Makers = {
  process: (query, { processes }) => processProber(query, processes),
  processes: (wanted, { processes }) => quorumProber(new Quorum(wanted, processes)),
  broken: ({ why }) => ({ run: ({ ended }) => now(ended, { kind: 'unable', why }) }),
  probe: ({ probe }) => ({
    run: ({ timeoutMs, ended, passed }) => runProbe(probe, timeoutMs, ended, passed).cancel,
  }),
  file: fileProber,
  value: fileProber,
  module: ({ path }) => moduleProber(new Module(path)),
}

export const isProbed = (command: Command): command is InProcess =>
  Object.hasOwn(makers, command.kind)

export const proberFor = (command: InProcess, tools: Tools): Prober =>
  (makers[command.kind] as Make<InProcess>)(command, tools)

function now(ended: ProbeRequest['ended'], outcome: Outcome): () => void {
  ended(outcome)
  return () => undefined
}

function processProber(query: ProcessQuery, processes: ProcessTable): Prober {
  let known: number | null = null
  /** One that began, and may be it: looking at it is cheaper than looking at all. */
  let candidate: number | null = null
  return {
    run: ({ runAs, ended }) => {
      known = processes.find(query, runAs, known ?? candidate, performance.now())
      candidate = null
      const ok = known !== null
      return now(ended, { kind: 'probe', ok, detail: ok ? 'running' : `no process ${query.name}` })
    },
    hints: {
      of: 'process',
      concerns: (hint) => {
        if (hint.kind !== 'process') return false
        if (hint.ended) return hint.process.pid === known
        if (known !== null || !matchesName(query, hint.process)) return false
        candidate = hint.process.pid
        return true
      },
    },
  }
}

const quorumProber = (quorum: Quorum): Prober => ({
  run: ({ ended }) => now(ended, quorum.look(performance.now())),
  hints: {
    of: 'process',
    concerns: (hint) => hint.kind === 'process' && quorum.concerns(hint.process, hint.ended),
  },
})

function fileProber(
  question: Extract<Command, { kind: 'file' | 'value' }>,
  { files }: Tools,
): Prober {
  return {
    run: (request) =>
      within(request, (settle) =>
        files.ask(question, ({ ok, detail, value }) => {
          if (question.kind === 'file') settle({ kind: 'probe', ok, detail })
          else settle(ok ? { kind: 'value', value } : { kind: 'unable', why: detail })
        }),
      ),
    hints: {
      of: 'file',
      concerns: (hint) => hint.kind === 'file' && hint.path === question.path,
    },
  }
}

const moduleProber = (module: Module): Prober => ({
  run: (request) =>
    within(request, (settle) =>
      module.ask(({ ok, message: detail }, output) =>
        settle({ kind: 'probe', ok, detail }, output),
      ),
    ),
  close: () => module.close(),
})

/** Gives up at the deadline. The answer may lie behind a late timer: the loop looks at its events once more. */
function within(
  { timeoutMs, ended }: ProbeRequest,
  start: (settle: ProbeRequest['ended']) => () => void,
): () => void {
  let over = false
  const end = () => {
    over = true
    clearTimeout(deadline)
  }
  const deadline = setTimeout(() => setImmediate(atDeadline), timeoutMs)
  const giveUp = start((outcome, output) => {
    if (over) return
    end()
    ended(outcome, output)
  })
  return () => {
    end()
    giveUp()
  }

  function atDeadline(): void {
    if (over) return
    end()
    giveUp()
    ended({ kind: 'timeout', afterMs: timeoutMs })
  }
}
