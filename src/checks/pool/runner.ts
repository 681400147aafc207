/**
 * The checks of one worker: each with its own turns, its own deadline and at most one run at a time. Starts pass through a
 * queue (start-queue.ts); what the kernel reports makes a check run before its turn (hints.ts).
 */
import type { Outcome } from '../../programs/outcome.ts'
import { type OutputPipe, openPipes } from '../../programs/output.ts'
import { isProgram, type Program, runCommand } from '../../programs/run.ts'
import { succeeded } from '../verdict/describe.ts'
import { paceOf } from '../verdict/pace.ts'
import { advance, overrun } from '../verdict/progress.ts'
import { type Recorded, ResultRing } from '../verdict/record.ts'
import { anchored, isDue, phaseOf, takeTurns, withInterval } from '../verdict/schedule.ts'
import type { Result } from '../verdict/types.ts'
import { type Entry, newEntry, type Run, reportOf } from './entry.ts'
import { HintSource } from './hints.ts'
import type { Assignment, FromWorker, SharedState } from './messages.ts'
import { Movements } from './movements.ts'
import { isProbed, proberFor } from './prober.ts'
import { StartQueue } from './start-queue.ts'

/** setTimeout's largest delay; beyond it the timer is armed again. */
const timerMaxMs = 2 ** 31 - 1
/** `stop` waits so long for what was killed. */
const stopMs = 500

export class Runner {
  readonly #post: (message: FromWorker) => void
  readonly #shared: SharedState
  readonly #entries = new Map<number, Entry>()
  readonly #movements: Movements
  readonly #starts = new StartQueue((entry) => this.#start(entry))
  readonly #hints = new HintSource((entry) => this.#nudge(entry))

  constructor(post: (message: FromWorker) => void, shared: SharedState) {
    this.#post = post
    this.#shared = shared
    this.#movements = new Movements(post)
  }

  set(assignments: readonly Assignment[]): void {
    const wanted = new Set(assignments.map(({ id }) => id))
    for (const entry of this.#entries.values()) if (!wanted.has(entry.id)) this.#remove(entry)
    const added = assignments.filter((assignment) => !this.#update(assignment))
    const programs = added.filter(({ spec }) => isProgram(spec.command)).length
    const pipes = Array.from(openPipes(programs))
    for (const assignment of added) {
      const output = isProgram(assignment.spec.command) ? (pipes.pop() ?? null) : null
      this.#add(assignment, output)
    }
    this.#hints.listenFor(this.#entries.values())
  }

  /** Answers a ping, and reports what has moved. */
  pong(): void {
    this.#post({ kind: 'pong' })
    this.#movements.report()
  }

  /** The result of a push check; its time counts from now. */
  push(id: number, ok: boolean, detail: string): void {
    const entry = this.#entries.get(id)
    if (entry?.spec.command.kind !== 'push') return
    const now = performance.now()
    this.#countFrom(entry, now)
    const run = { startedAt: now, latenessMs: 0, hinted: false, ended: false, kill: nothing }
    this.#take(entry, { kind: 'probe', ok, detail }, run)
  }

  /** As after a hint of the kernel's: an answer that is known already does not count once more. */
  runNow(id: number): void {
    const entry = this.#entries.get(id)
    if (entry !== undefined && entry.spec.command.kind !== 'push') this.#nudge(entry)
  }

  /** Kills what runs; resolves when it is gone, or soon. */
  async stop(): Promise<void> {
    this.set([])
    this.#hints.close()
    const until = performance.now() + stopMs
    while (this.#shared.groups().length > 0 && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  #add({ id, spec, progress, ring: memory }: Assignment, output: OutputPipe | null): void {
    const { command } = spec
    const prober = isProbed(command) ? proberFor(command, this.#hints.tools) : null
    const ring = new ResultRing(memory)
    const entry = newEntry({ id, spec, progress, ring, prober, output })
    this.#entries.set(id, entry)
    this.#begin(entry)
  }

  #update({ id, spec }: Assignment): boolean {
    const entry = this.#entries.get(id)
    if (entry === undefined) return false
    entry.spec = spec
    this.#repace(entry)
    return true
  }

  #remove(entry: Entry): void {
    entry.removed = true
    if (entry.timer !== null) clearTimeout(entry.timer)
    entry.run?.kill()
    entry.prober?.close?.()
    if (entry.run === null) entry.output?.close()
    this.#entries.delete(entry.id)
    this.#movements.delete(entry)
  }

  /** The interval may be another one now: by a reload, or by what the last result came to. */
  #repace(entry: Entry): void {
    if (entry.schedule === null) return
    const { intervalMs } = paceOf(entry.spec, entry.progress)
    if (intervalMs === entry.schedule.intervalMs) return
    entry.schedule = withInterval(entry.schedule, intervalMs, performance.now())
    this.#arm(entry)
  }

  /** `fall` and `rise` count results an interval apart: one that came before its turn begins the grid anew. */
  #countFrom(entry: Entry, at: number): void {
    entry.schedule = anchored(paceOf(entry.spec, entry.progress), at, 0)
    this.#arm(entry)
  }

  /** The first run is at once, unless it shall wait. A push check has an interval for its first result. */
  #begin(entry: Entry): void {
    const { spec } = entry
    // A check that comes from a worker that died has waited already.
    const delayMs = entry.progress.runs > 0 ? 0 : (spec.initialDelayMs ?? 0)
    if (spec.command.kind === 'push') this.#countFrom(entry, performance.now() + delayMs)
    else if (delayMs === 0) this.#starts.add(entry)
    else entry.timer = setTimeout(() => this.#starts.add(entry), delayMs)
  }

  #arm(entry: Entry): void {
    if (entry.schedule === null || entry.removed) return
    if (entry.timer !== null) clearTimeout(entry.timer)
    const delay = Math.max(0, entry.schedule.dueAt - performance.now())
    entry.timer = setTimeout(() => this.#turn(entry), Math.min(delay, timerMaxMs))
  }

  #turn(entry: Entry): void {
    const now = performance.now()
    if (entry.schedule === null) return
    if (isDue(entry.schedule, now)) {
      const { dueAt } = entry.schedule
      const pace = paceOf(entry.spec, entry.progress)
      const { schedule, turns } = takeTurns(entry.schedule, pace, now, Math.random())
      entry.schedule = schedule
      if (entry.run === null) {
        entry.dueAt = dueAt
        entry.hinted = false
        this.#starts.add(entry)
      } else this.#passOver(entry, entry.run, turns)
    }
    this.#arm(entry)
  }

  #passOver(entry: Entry, run: Run, turns: number): void {
    entry.progress = overrun(entry.progress, turns)
    this.#movements.add(entry)
    // Even SIGKILL does not end it (a dead file server, say): every turn is one more failure.
    if (run.ended) this.#take(entry, { kind: 'timeout', afterMs: entry.spec.timeoutMs }, run)
  }

  #nudge(entry: Entry): void {
    // Before its first start it has not begun yet; in the queue it will see what was reported.
    if (entry.removed || entry.schedule === null || entry.queued) return
    if (entry.run !== null) {
      entry.again = true
      return
    }
    entry.hinted = true
    this.#starts.add(entry)
  }

  #start(entry: Entry): void {
    const startedAt = performance.now()
    if (entry.schedule === null) {
      entry.schedule = anchored(paceOf(entry.spec, entry.progress), startedAt, phaseOf(entry.id))
      this.#arm(entry)
    }
    this.#shared.starting = entry.id
    this.#launch(entry, startedAt)
    this.#shared.starting = 0
  }

  #launch(entry: Entry, startedAt: number): void {
    const { command, runAs, timeoutMs, intervalMs } = entry.spec
    const latenessMs = entry.dueAt === null ? 0 : Math.max(0, startedAt - entry.dueAt)
    entry.dueAt = null
    const run: Run = { startedAt, latenessMs, hinted: entry.hinted, ended: false, kill: nothing }
    entry.hinted = false
    entry.run = run
    const ended = (outcome: Outcome, output?: string) => {
      this.#take(entry, outcome, run, output)
      this.#over(entry)
    }
    if (isProgram(command)) this.#spawn(entry, run, command)
    else if (entry.prober !== null) run.kill = entry.prober.run({ runAs, timeoutMs, ended })
    else ended({ kind: 'probe', ok: false, detail: `silent for ${intervalMs / 1_000} s` })
  }

  #spawn(entry: Entry, run: Run, program: Program): void {
    const { output } = entry
    const { runAs, timeoutMs } = entry.spec
    output?.clear()
    const command = runCommand({
      program,
      runAs,
      timeoutMs,
      output,
      ended: (outcome) => this.#take(entry, outcome, run),
      gone: () => {
        if (command.pid !== null) this.#shared.leave(command.pid)
        this.#over(entry)
        if (entry.removed) output?.close()
      },
    })
    if (command.pid !== null) this.#shared.enter(command.pid)
    run.kill = () => command.signal('SIGKILL')
  }

  #over(entry: Entry): void {
    entry.run = null
    if (!entry.again) return
    entry.again = false
    this.#nudge(entry)
  }

  #take(entry: Entry, outcome: Outcome, run: Run, output = entry.output?.text() ?? ''): void {
    run.ended = true
    if (entry.removed || (run.hinted && isKnown(entry.progress.last, outcome))) return
    const durationMs = performance.now() - run.startedAt
    const result = { name: entry.spec.name, outcome, output, durationMs }
    const { progress, news } = advance(entry.progress, result, entry.spec, Date.now())
    entry.progress = progress
    const atMs = performance.timeOrigin + run.startedAt
    entry.ring.add({ atMs, durationMs, latenessMs: run.latenessMs, outcome: recorded(outcome) })
    if (run.hinted) this.#countFrom(entry, run.startedAt)
    else this.#repace(entry)
    if (news.verdict || news.returned) {
      this.#movements.delete(entry)
      this.#post({ kind: 'news', report: reportOf(entry), news })
    } else {
      this.#movements.add(entry)
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

function recorded(outcome: Outcome): Recorded['outcome'] {
  if (succeeded(outcome)) return 'good'
  return outcome.kind === 'timeout' || outcome.kind === 'unable' ? outcome.kind : 'failed'
}

const nothing = () => undefined
