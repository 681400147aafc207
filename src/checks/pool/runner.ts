/**
 * The checks of one worker: each with its own turns, its own deadline and at most one run at a time. Starts
 * pass through a queue, one per turn of the event loop, so that exits and deadlines of running checks are
 * seen between two forks. What the kernel tells of processes and files makes a check run before its turn.
 */

import type { Outcome } from '../../programs/outcome.ts'
import { type OutputPipe, openPipes } from '../../programs/output.ts'
import { isProgram, type Program, runCommand } from '../../programs/run.ts'
import { Files } from '../local/files.ts'
import { ProcessNews } from '../local/process-news.ts'
import { ProcessTable, processAt } from '../local/processes.ts'
import { succeeded } from '../verdict/describe.ts'
import { paceOf } from '../verdict/pace.ts'
import { advance, overrun, type Progress } from '../verdict/progress.ts'
import { type Recorded, ResultRing } from '../verdict/record.ts'
import {
  anchored,
  isDue,
  phaseOf,
  type Schedule,
  takeTurns,
  withInterval,
} from '../verdict/schedule.ts'
import type { CheckSpec, Result } from '../verdict/types.ts'
import type { Assignment, FromWorker, Report, SharedState } from './messages.ts'
import { type Asker, askerFor, type News as Hint, isAsked } from './prober.ts'

type Live = {
  readonly id: number
  spec: CheckSpec
  progress: Progress
  /** null until the first start. */
  schedule: Schedule | null
  timer: NodeJS.Timeout | null
  /** The turn that its next start is for; null: it starts for another reason. */
  dueAt: number | null
  /** That reason is a hint. */
  hinted: boolean
  readonly ring: ResultRing
  run: Run | null
  /** It is in the queue of starts. */
  queued: boolean
  /** A hint came while it ran: its answer may be older than the news. */
  again: boolean
  readonly asker: Asker | null
  readonly output: OutputPipe | null
  removed: boolean
}

type Run = {
  readonly startedAt: number
  readonly latenessMs: number
  readonly hinted: boolean
  /** Its result has been taken, yet it is still there: killed and not dying. */
  ended: boolean
  kill(): void
}

const movedPerMessage = 16
/** setTimeout's largest delay; beyond it the timer is armed again. */
const timerMaxMs = 2 ** 31 - 1
/**
 * When to look after news of a process. Those of an end come before it is one: who was waited for is still in /proc for a
 * moment, on a busy machine for longer. The later looks are for the case that the first ones were not worth a new one.
 */
const looksMs = { ended: [1, 20, 200, 2_000], began: [0, 20, 200] }

export class Runner {
  readonly #post: (message: FromWorker) => void
  readonly #shared: SharedState
  readonly #checks = new Map<number, Live>()
  readonly #moved = new Set<Live>()
  readonly #processes = new ProcessTable()
  readonly #files = new Files((path) => this.#hint({ kind: 'file', path }))
  #news: ProcessNews | null = null
  /** Those that a hint can concern. */
  #hearers: readonly Live[] = []
  #queue: Live[] = []
  #draining = false

  constructor(post: (message: FromWorker) => void, shared: SharedState) {
    this.#post = post
    this.#shared = shared
  }

  set(assignments: readonly Assignment[]): void {
    const wanted = new Set(assignments.map(({ id }) => id))
    for (const live of this.#checks.values()) if (!wanted.has(live.id)) this.#remove(live)
    const added = assignments.filter((assignment) => !this.#update(assignment))
    const pipes = Array.from(openPipes(added.filter(({ spec }) => isProgram(spec.command)).length))
    for (const { id, spec, progress, ring: memory } of added) {
      const { command } = spec
      const output = isProgram(command) ? (pipes.pop() ?? null) : null
      const tools = { processes: this.#processes, files: this.#files }
      const asker = isAsked(command) ? askerFor(command, tools) : null
      const idle = {
        schedule: null,
        timer: null,
        dueAt: null,
        run: null,
        queued: false,
        again: false,
        hinted: false,
      }
      const ring = new ResultRing(memory)
      const live: Live = { id, spec, progress, ring, output, asker, ...idle, removed: false }
      this.#checks.set(id, live)
      this.#begin(live)
    }
    this.#listen()
  }

  /** Answers a ping, and tells what has moved. */
  pong(): void {
    this.#post({ kind: 'pong' })
    this.#tellMoved(this.#moved.size)
  }

  /** A few at a time: a thousand in one message would hold up whoever is due. */
  #tellMoved(left: number): void {
    const some: Live[] = []
    for (const live of this.#moved) {
      if (some.length === Math.min(left, movedPerMessage)) break
      this.#moved.delete(live)
      some.push(live)
    }
    if (some.length === 0) return
    this.#post({ kind: 'moved', reports: some.map(reportOf) })
    if (left > some.length) setImmediate(() => this.#tellMoved(left - some.length))
  }

  /** Somebody says how a check is; its time counts from now. */
  push(id: number, ok: boolean, detail: string): void {
    const live = this.#checks.get(id)
    if (live?.spec.command.kind !== 'push') return
    const now = performance.now()
    this.#countFrom(live, now)
    const told = { startedAt: now, latenessMs: 0, hinted: false, ended: false, kill }
    this.#take(live, { kind: 'probe', ok, detail }, told)
  }

  /** Kills what runs; resolves when it is gone, or soon. */
  async stop(): Promise<void> {
    this.set([])
    this.#files.close()
    const patience = 500
    const until = performance.now() + patience
    while (this.#shared.groups().length > 0 && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  #update({ id, spec }: Assignment): boolean {
    const live = this.#checks.get(id)
    if (live === undefined) return false
    live.spec = spec
    this.#repace(live)
    return true
  }

  /** The interval may be another one now: by a reload, or by what the last result came to. */
  #repace(live: Live): void {
    if (live.schedule === null) return
    const { intervalMs } = paceOf(live.spec, live.progress)
    if (intervalMs === live.schedule.intervalMs) return
    live.schedule = withInterval(live.schedule, intervalMs, performance.now())
    this.#arm(live)
  }

  /** `fall` and `rise` count results an interval apart: one that came before its turn begins the grid anew. */
  #countFrom(live: Live, at: number): void {
    live.schedule = anchored(paceOf(live.spec, live.progress), at, 0)
    this.#arm(live)
  }

  #remove(live: Live): void {
    live.removed = true
    if (live.timer !== null) clearTimeout(live.timer)
    live.run?.kill()
    live.asker?.close()
    if (live.run === null) live.output?.close()
    this.#checks.delete(live.id)
    this.#moved.delete(live)
  }

  /** The first run is at once, unless it shall wait. Who is to be told has an interval for that. */
  #begin(live: Live): void {
    const { spec } = live
    // Whoever takes over from a worker that died need not wait again.
    const delayMs = live.progress.runs > 0 ? 0 : (spec.initialDelayMs ?? 0)
    if (spec.command.kind === 'push') {
      live.schedule = anchored(paceOf(spec, live.progress), performance.now() + delayMs, 0)
      this.#arm(live)
    } else if (delayMs === 0) this.#enqueue(live)
    else live.timer = setTimeout(() => this.#enqueue(live), delayMs)
  }

  #arm(live: Live): void {
    if (live.schedule === null || live.removed) return
    if (live.timer !== null) clearTimeout(live.timer)
    const delay = Math.max(0, live.schedule.dueAt - performance.now())
    live.timer = setTimeout(() => this.#fired(live), Math.min(delay, timerMaxMs))
  }

  #fired(live: Live): void {
    const now = performance.now()
    if (live.schedule === null) return
    if (isDue(live.schedule, now)) {
      const { dueAt } = live.schedule
      const pace = paceOf(live.spec, live.progress)
      const { schedule, turns } = takeTurns(live.schedule, pace, now, Math.random())
      live.schedule = schedule
      if (live.run === null) {
        live.dueAt = dueAt
        live.hinted = false
        this.#enqueue(live)
      } else this.#passOver(live, live.run, turns)
    }
    this.#arm(live)
  }

  #passOver(live: Live, run: Run, turns: number): void {
    live.progress = overrun(live.progress, turns)
    this.#moved.add(live)
    // Even SIGKILL does not end it (a dead file server, say): every turn is one more failure.
    if (run.ended) this.#take(live, { kind: 'timeout', afterMs: live.spec.timeoutMs }, run)
  }

  /** The kernel is asked for news of processes while a check can use them. */
  #listen(): void {
    const all = Array.from(this.#checks.values())
    this.#hearers = all.filter(({ spec: { command } }) => hears.includes(command.kind))
    if (this.#hearers.some(({ spec: { command } }) => command.kind.startsWith('process'))) {
      this.#news ??= new ProcessNews((pid, ended) =>
        this.#hint({ kind: 'process', process: processAt(pid), ended }),
      )
      return
    }
    this.#news?.close()
    this.#news = null
  }

  #hint(news: Hint): void {
    for (const live of this.#hearers) {
      if (live.asker?.concerns(news) !== true) continue
      if (news.kind === 'file') {
        this.#nudge(live)
        continue
      }
      for (const delay of news.ended ? looksMs.ended : looksMs.began)
        setTimeout(() => this.#lookAgain(live), delay)
    }
  }

  #lookAgain(live: Live): void {
    this.#processes.forget(performance.now())
    this.#nudge(live)
  }

  #nudge(live: Live): void {
    // Before its first start it has not begun yet; in the queue it will see the news.
    if (live.removed || live.schedule === null || live.queued) return
    if (live.run !== null) {
      live.again = true
      return
    }
    live.hinted = true
    this.#enqueue(live)
  }

  #enqueue(live: Live): void {
    if (live.queued) return
    live.queued = true
    this.#queue.push(live)
    if (this.#draining) return
    this.#draining = true
    setImmediate(() => this.#drain())
  }

  #drain(): void {
    const live = this.#queue.shift()
    if (live !== undefined) {
      live.queued = false
      if (!live.removed && live.run === null) this.#start(live)
    }
    this.#draining = this.#queue.length > 0
    if (this.#draining) setImmediate(() => this.#drain())
  }

  #start(live: Live): void {
    const startedAt = performance.now()
    if (live.schedule === null) {
      live.schedule = anchored(paceOf(live.spec, live.progress), startedAt, phaseOf(live.id))
      this.#arm(live)
    }
    this.#shared.starting = live.id
    this.#launch(live, startedAt)
    this.#shared.starting = 0
  }

  #launch(live: Live, startedAt: number): void {
    const { command, runAs, timeoutMs, intervalMs } = live.spec
    const latenessMs = live.dueAt === null ? 0 : Math.max(0, startedAt - live.dueAt)
    live.dueAt = null
    const run: Run = { startedAt, latenessMs, hinted: live.hinted, ended: false, kill }
    live.hinted = false
    live.run = run
    const ended = (outcome: Outcome, output?: string) => {
      this.#take(live, outcome, run, output)
      this.#over(live)
    }
    if (isProgram(command)) this.#spawn(live, run, command)
    else if (live.asker !== null) run.kill = live.asker.ask({ runAs, timeoutMs, ended })
    else ended({ kind: 'probe', ok: false, detail: `silent for ${intervalMs / 1_000} s` })
  }

  #spawn(live: Live, run: Run, program: Program): void {
    const { output } = live
    const { runAs, timeoutMs } = live.spec
    output?.clear()
    const command = runCommand({
      program,
      runAs,
      timeoutMs,
      output,
      ended: (outcome) => this.#take(live, outcome, run),
      gone: () => {
        if (command.pid !== null) this.#shared.leave(command.pid)
        this.#over(live)
        if (live.removed) output?.close()
      },
    })
    if (command.pid !== null) this.#shared.enter(command.pid)
    run.kill = () => command.signal('SIGKILL')
  }

  #over(live: Live): void {
    live.run = null
    if (!live.again) return
    live.again = false
    this.#nudge(live)
  }

  #take(live: Live, outcome: Outcome, run: Run, output = live.output?.text() ?? ''): void {
    run.ended = true
    if (live.removed || (run.hinted && isKnown(live.progress.last, outcome))) return
    const durationMs = performance.now() - run.startedAt
    const result = { name: live.spec.name, outcome, output, durationMs }
    const { progress, news } = advance(live.progress, result, live.spec, Date.now())
    live.progress = progress
    const atMs = performance.timeOrigin + run.startedAt
    live.ring.add({ atMs, durationMs, latenessMs: run.latenessMs, outcome: recorded(outcome) })
    if (run.hinted) this.#countFrom(live, run.startedAt)
    else this.#repace(live)
    if (news.verdict || news.returned) {
      this.#moved.delete(live)
      this.#post({ kind: 'news', report: reportOf(live), news })
    } else {
      this.#moved.add(live)
    }
  }
}

/** A hint that led to the answer that is known: it must not count as one more of the same kind. */
function isKnown(last: Result | null, outcome: Outcome): boolean {
  if (last === null) return false
  if (outcome.kind === 'value')
    return last.outcome.kind === 'value' && last.outcome.value === outcome.value
  return succeeded(last.outcome) === succeeded(outcome)
}

const hears: readonly string[] = ['process', 'processes', 'file', 'value']
function recorded(outcome: Outcome): Recorded['outcome'] {
  if (succeeded(outcome)) return 'good'
  return outcome.kind === 'timeout' || outcome.kind === 'unable' ? outcome.kind : 'failed'
}

const kill = () => undefined
const reportOf = ({ id, progress }: Live): Report => ({ id, progress })
