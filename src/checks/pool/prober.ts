/**
 * The commands that need no program, each as somebody who can be asked again and again, remembers what makes the next answer
 * cheap, and may have a hint that it is worth asking now.
 */
import { unreachable } from '../../base/assert.ts'
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

/** What is asked. (What others push, and what is combined of others, is not.) */
export type InProcess = Exclude<Command, Program | { readonly kind: 'push' | 'combination' }>

export const isAsked = (command: Command): command is InProcess =>
  !['argv', 'shell', 'push', 'combination'].includes(command.kind)

export type Asked = {
  readonly runAs: RunAs | null
  readonly timeoutMs: number
  /** Called once, perhaps before `ask` returns, and not after the question was given up. */
  readonly ended: (outcome: Outcome, output?: string) => void
  readonly passed?: (phase: Phase) => void
}

export type Asker = {
  /** Returns what gives the question up. */
  ask(asked: Asked): () => void
  /** Would the answer be another one, now that this process began or ended, or this file changed. */
  concerns(news: News): boolean
  close(): void
}

export type News =
  | { readonly kind: 'process'; readonly process: ProcessFacts; readonly ended: boolean }
  | { readonly kind: 'file'; readonly path: string }

/** What the askers of one thread share. */
export type Tools = { readonly processes: ProcessTable; readonly files: Files }

const nothing = () => undefined
const deaf = { concerns: () => false, close: nothing }

export function askerFor(command: InProcess, tools: Tools): Asker {
  switch (command.kind) {
    case 'process':
      return processAsker(command, tools.processes)
    case 'processes':
      return quorumAsker(new Quorum(command, tools.processes))
    case 'broken': {
      const { why } = command
      return { ...deaf, ask: ({ ended }) => tell(ended, { kind: 'unable', why }) }
    }
    case 'probe': {
      const { probe } = command
      const ask = ({ timeoutMs, ended, passed }: Asked) =>
        runProbe(probe, timeoutMs, ended, passed).cancel
      return { ...deaf, ask }
    }
    case 'file':
    case 'value':
      return fileAsker(command, tools.files)
    case 'module':
      return moduleAsker(new Module(command.path))
    default:
      return unreachable(command)
  }
}

function tell(ended: Asked['ended'], outcome: Outcome): () => void {
  ended(outcome)
  return nothing
}

function processAsker(query: ProcessQuery, processes: ProcessTable): Asker {
  let known: number | null = null
  /** One that began, and may be it: looking at it is cheaper than looking at all. */
  let candidate: number | null = null
  return {
    ask: ({ runAs, ended }) => {
      known = processes.find(query, runAs, known ?? candidate, performance.now())
      candidate = null
      const ok = known !== null
      return tell(ended, { kind: 'probe', ok, detail: ok ? 'running' : `no process ${query.name}` })
    },
    concerns: (news) => {
      if (news.kind !== 'process') return false
      if (news.ended) return news.process.pid === known
      if (known !== null || !matchesName(query, news.process)) return false
      candidate = news.process.pid
      return true
    },
    close: nothing,
  }
}

const quorumAsker = (quorum: Quorum): Asker => ({
  ask: ({ ended }) => tell(ended, quorum.look(performance.now())),
  concerns: (news) => news.kind === 'process' && quorum.concerns(news.process, news.ended),
  close: nothing,
})

const fileAsker = (
  question: Extract<Command, { kind: 'file' | 'value' }>,
  files: Files,
): Asker => ({
  ask: (asked) =>
    within(asked, (settle) =>
      files.ask(question, ({ ok, detail, value }) => {
        if (question.kind === 'file') settle({ kind: 'probe', ok, detail })
        else settle(ok ? { kind: 'value', value } : { kind: 'unable', why: detail })
      }),
    ),
  concerns: (news) => news.kind === 'file' && news.path === question.path,
  close: nothing,
})

const moduleAsker = (module: Module): Asker => ({
  ask: (asked) =>
    within(asked, (settle) =>
      module.ask(({ ok, message: detail }, output) =>
        settle({ kind: 'probe', ok, detail }, output),
      ),
    ),
  concerns: () => false,
  close: () => module.close(),
})

/** Gives up at the deadline. The answer may lie behind a late timer: the loop looks at its events once more. */
function within(
  { timeoutMs, ended }: Asked,
  start: (settle: Asked['ended']) => () => void,
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
