/**
 * The checks of one worker: each with its own turns, its own deadline and at most one run at a time. Starts
 * pass through a queue, one per turn of the event loop, so that exits and deadlines of running checks are
 * seen between two forks; the first start anchors a check's grid, which spreads checks of equal interval by
 * itself.
 */
import { answer } from './in-process.ts'
import type { Assignment, Board, FromWorker, Report } from './messages.ts'
import { type OutputPipe, openPipes } from './output.ts'
import { ProcessTable } from './processes.ts'
import { advance, overrun, type Progress } from './progress.ts'
import { isProgram, type Program, runCommand } from './run-command.ts'
import { anchored, isDue, type Schedule, takeTurns, withInterval } from './schedule.ts'
import type { CheckSpec, Outcome } from './types.ts'

type Live = {
  readonly id: number
  spec: CheckSpec
  progress: Progress
  /** null until the first start. */
  schedule: Schedule | null
  timer: NodeJS.Timeout | null
  run: Run | null
  readonly output: OutputPipe | null
  removed: boolean
}

type Run = {
  readonly startedAt: number
  /** Its result has been taken, yet it is still there: killed and not dying. */
  ended: boolean
  kill(): void
}

/** setTimeout's largest delay; beyond it the timer is armed again. */
const timerMaxMs = 2 ** 31 - 1

export class Runner {
  readonly #post: (message: FromWorker) => void
  readonly #board: Board
  readonly #checks = new Map<number, Live>()
  readonly #moved = new Set<Live>()
  readonly #processes = new ProcessTable()
  #queue: Live[] = []
  #draining = false

  constructor(post: (message: FromWorker) => void, board: Board) {
    this.#post = post
    this.#board = board
  }

  set(assignments: readonly Assignment[]): void {
    const wanted = new Set(assignments.map(({ id }) => id))
    for (const live of this.#checks.values()) if (!wanted.has(live.id)) this.#remove(live)
    const added = assignments.filter((assignment) => !this.#update(assignment))
    const pipes = Array.from(openPipes(added.filter(({ spec }) => isProgram(spec.command)).length))
    for (const { id, spec, progress } of added) {
      const output = isProgram(spec.command) ? (pipes.pop() ?? null) : null
      const idle = { schedule: null, timer: null, run: null, removed: false }
      const live: Live = { id, spec, progress, output, ...idle }
      this.#checks.set(id, live)
      this.#enqueue(live)
    }
  }

  /** Answers a ping. */
  pong(): void {
    const reports = Array.from(this.#moved, reportOf)
    this.#moved.clear()
    this.#post({ kind: 'pong', reports })
  }

  /** Kills what runs; resolves when it is gone, or soon. */
  async stop(): Promise<void> {
    this.set([])
    const patience = 500
    const until = performance.now() + patience
    while (this.#board.groups().length > 0 && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  #update({ id, spec }: Assignment): boolean {
    const live = this.#checks.get(id)
    if (live === undefined) return false
    live.spec = spec
    if (live.schedule !== null) {
      live.schedule = withInterval(live.schedule, spec.intervalMs, performance.now())
      this.#arm(live)
    }
    return true
  }

  #remove(live: Live): void {
    live.removed = true
    if (live.timer !== null) clearTimeout(live.timer)
    live.run?.kill()
    if (live.run === null) live.output?.close()
    this.#checks.delete(live.id)
    this.#moved.delete(live)
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
      const { schedule, turns } = takeTurns(live.schedule, now)
      live.schedule = schedule
      if (live.run === null) this.#enqueue(live)
      else this.#passOver(live, live.run, turns)
    }
    this.#arm(live)
  }

  #passOver(live: Live, run: Run, turns: number): void {
    live.progress = overrun(live.progress, turns)
    this.#moved.add(live)
    // Even SIGKILL does not end it (a dead file server, say): every turn is one more failure.
    if (run.ended) this.#take(live, { kind: 'timeout', afterMs: live.spec.timeoutMs }, run)
  }

  #enqueue(live: Live): void {
    this.#queue.push(live)
    if (this.#draining) return
    this.#draining = true
    setImmediate(() => this.#drain())
  }

  #drain(): void {
    const live = this.#queue.shift()
    if (live !== undefined && !live.removed && live.run === null) this.#start(live)
    this.#draining = this.#queue.length > 0
    if (this.#draining) setImmediate(() => this.#drain())
  }

  #start(live: Live): void {
    const startedAt = performance.now()
    if (live.schedule === null) {
      live.schedule = anchored(live.spec.intervalMs, startedAt)
      this.#arm(live)
    }
    this.#board.starting = live.id
    this.#launch(live, startedAt)
    this.#board.starting = 0
  }

  #launch(live: Live, startedAt: number): void {
    const { command, runAs, timeoutMs } = live.spec
    const run: Run = { startedAt, ended: false, kill: () => undefined }
    live.run = run
    const end = (outcome: Outcome) => {
      this.#take(live, outcome, run)
      live.run = null
    }
    const processes = this.#processes
    if (isProgram(command)) this.#spawn(live, run, command)
    else run.kill = answer(command, { runAs, timeoutMs, processes, ended: end })
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
        if (command.pid !== null) this.#board.leave(command.pid)
        live.run = null
        if (live.removed) output?.close()
      },
    })
    if (command.pid !== null) this.#board.enter(command.pid)
    run.kill = () => command.signal('SIGKILL')
  }

  #take(live: Live, outcome: Outcome, run: Run): void {
    run.ended = true
    if (live.removed) return
    const result = {
      name: live.spec.name,
      outcome,
      output: live.output?.text() ?? '',
      durationMs: performance.now() - run.startedAt,
    }
    const { progress, news } = advance(live.progress, result, live.spec, Date.now())
    live.progress = progress
    if (news.verdict || news.returned) {
      this.#moved.delete(live)
      this.#post({ kind: 'news', report: reportOf(live), news })
    } else {
      this.#moved.add(live)
    }
  }
}

const reportOf = ({ id, progress }: Live): Report => ({ id, progress })
