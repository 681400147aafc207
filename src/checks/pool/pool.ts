/**
 * The checks of the daemon, spread over a few long-lived worker threads. Each worker runs many checks
 * at once and keeps their account; this side mirrors it, so `status` asks nobody and a worker that crashes
 * or hangs is replaced without any check losing its verdict.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Command } from '../../base/command.ts'
import type { Outcome } from '../../programs/outcome.ts'
import { isProgram } from '../../programs/run.ts'
import { combine } from '../verdict/combine.ts'
import { succeeded } from '../verdict/describe.ts'
import { advance, fresh, type News, type Progress, statusOf } from '../verdict/progress.ts'
import { capacityFor, ResultRing } from '../verdict/record.ts'
import type {
  CheckEvent,
  CheckPool,
  CheckSpec,
  CheckStatus,
  StartCheckPool,
} from '../verdict/types.ts'
import type { Assignment, FromWorker } from './messages.ts'
import { Lane } from './worker-handle.ts'

export type PoolOptions = {
  readonly workers: number
  readonly onEvent: (event: CheckEvent) => void
  readonly workerFile: URL
  readonly heartbeatMs: number
  /** Must exceed the longest honest stall of a worker: a few hundred forks in a row. */
  readonly hangMs: number
}

/** `workers` threads at most for programs, and as many for probes; they are started when there are checks for them. */
export const startCheckPool: StartCheckPool = (options) =>
  startCheckPoolWith({
    ...options,
    workerFile: new URL('./worker.js', import.meta.url),
    heartbeatMs: 500,
    hangMs: 4_000,
  })

export function startCheckPoolWith(options: PoolOptions): CheckPool {
  return new Pool(options)
}

type Check = {
  readonly id: number
  /** null: made of other checks, here. */
  readonly slot: Slot | null
  spec: CheckSpec
  progress: Progress
  readonly ring: ResultRing
  /** Kept away from the workers since starting it hung one. */
  heldBack: NodeJS.Timeout | null
  hangs: number
}

/**
 * A place for a worker; workers come and go, the checks stay assigned. A fork stops its thread for as long as
 * it takes, so programs and what is asked in-process share none.
 */
type Slot = {
  readonly takes: 'programs' | 'probes'
  /** Checks that it has. */
  load: number
  lane: Lane | null
  restart: NodeJS.Timeout | null
  losses: number
}

/** A worker that lived this long is replaced at once; one that did not, with growing delay. */
const stableMs = 30_000
const restartMs = { first: 100, most: 5_000 }
const holdBackMs = { first: 5_000, most: 60_000 }

class Pool implements CheckPool {
  readonly #options: PoolOptions
  readonly #slots: readonly Slot[]
  #checks = new Map<string, Check>()
  #byId = new Map<number, Check>()
  #lastId = 0
  #stopped = false

  constructor(options: PoolOptions) {
    this.#options = options
    const each = Array.from({ length: Math.max(1, options.workers) })
    this.#slots = (['programs', 'probes'] as const).flatMap((takes) =>
      each.map(() => ({ takes, load: 0, lane: null, restart: null, losses: 0 })),
    )
  }

  set(specs: readonly CheckSpec[]): void {
    const before = this.#checks
    const kept = new Map<string, Check>()
    for (const slot of this.#slots) slot.load = 0
    for (const spec of specs) {
      const known = before.get(spec.name)
      if (known === undefined || !sameWork(known.spec, spec)) continue
      known.spec = spec
      if (known.slot !== null) known.slot.load += 1
      kept.set(spec.name, known)
      before.delete(spec.name)
    }
    for (const { heldBack } of before.values()) if (heldBack !== null) clearTimeout(heldBack)
    const capacity = capacityFor(specs.length)
    this.#checks = new Map(
      specs.map((spec) => [spec.name, kept.get(spec.name) ?? this.#made(spec, capacity)]),
    )
    this.#byId = new Map(Array.from(this.#checks.values(), (check) => [check.id, check]))
    for (const slot of this.#slots) this.#assign(slot)
    this.#recombine()
  }

  record(name: string): Float64Array | null {
    return this.#checks.get(name)?.ring.copy() ?? null
  }

  push(name: string, ok: boolean, message: string): boolean {
    const check = this.#checks.get(name)
    if (check?.spec.command.kind !== 'push') return false
    check.slot?.lane?.push(check.id, ok, message)
    return true
  }

  status(name: string): CheckStatus | null {
    const check = this.#checks.get(name)
    return check === undefined ? null : statusOf(check.spec, check.progress)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const { heldBack } of this.#checks.values()) if (heldBack !== null) clearTimeout(heldBack)
    for (const { restart } of this.#slots) if (restart !== null) clearTimeout(restart)
    await Promise.all(this.#slots.map(({ lane }) => lane?.stop()))
  }

  #made(spec: CheckSpec, capacity: number): Check {
    const slot = spec.command.kind === 'combination' ? null : this.#leastLoaded(spec.command)
    if (slot !== null) slot.load += 1
    const id = ++this.#lastId
    const ring = new ResultRing({ capacity: slot === null ? 0 : capacity })
    return { id, slot, spec, progress: fresh, ring, heldBack: null, hangs: 0 }
  }

  #leastLoaded(command: Command): Slot | null {
    const takes = isProgram(command) ? 'programs' : 'probes'
    const slots = this.#slots.filter((slot) => slot.takes === takes)
    return slots.reduce<Slot | null>(
      (least, slot) => (least === null || slot.load < least.load ? slot : least),
      null,
    )
  }

  #checksOf(slot: Slot): readonly Check[] {
    return Array.from(this.#checks.values()).filter((check) => check.slot === slot)
  }

  #assign(slot: Slot): void {
    if (this.#stopped || slot.restart !== null) return
    const checks = this.#checksOf(slot).filter(({ heldBack }) => heldBack === null)
    if (slot.lane === null && checks.length === 0) return
    slot.lane ??= this.#startLane(slot)
    slot.lane.set(
      checks.map(
        ({ id, spec, progress, ring }): Assignment => ({ id, spec, progress, ring: ring.memory }),
      ),
    )
  }

  #startLane(slot: Slot): Lane {
    const { workerFile, heartbeatMs, hangMs } = this.#options
    return new Lane({
      workerFile,
      heartbeatMs,
      hangMs,
      onMessage: (message) => this.#receive(message),
      onLost: (why, starting) => this.#lost(slot, why, starting),
    })
  }

  #receive(message: FromWorker): void {
    if (message.kind === 'pong') return
    const reports = message.kind === 'news' ? [message.report] : message.reports
    for (const { id, progress } of reports) {
      const check = this.#byId.get(id)
      if (check === undefined) continue
      check.progress = progress
      check.hangs = 0
      if (message.kind === 'news') this.#tell(check, message.news)
    }
  }

  #tell({ spec, progress }: Check, news: News): void {
    const { onEvent } = this.#options
    const { name } = spec
    const { good } = progress.verdict
    if (progress.last === null || good === null) return
    if (news.returned) onEvent({ kind: 'returned', name, result: progress.last })
    if (!news.verdict) return
    onEvent({ kind: 'verdict', name, good, result: progress.last })
    if (spec.command.kind !== 'combination') this.#recombine()
  }

  /** In the order of the configuration: a check is made of checks that stand above it. */
  #recombine(): void {
    const verdictOf = (name: string) => this.#checks.get(name)?.progress.verdict.good ?? null
    for (const check of this.#checks.values()) {
      const { spec, progress } = check
      if (spec.command.kind !== 'combination') continue
      const outcome = combine(spec.command, verdictOf)
      if (outcome === null || succeeded(outcome) === progress.verdict.good) continue
      const result = { name: spec.name, outcome, output: '', durationMs: 0 }
      const next = advance(progress, result, { ...spec, rise: 1, fall: 1 }, Date.now())
      check.progress = next.progress
      this.#tell(check, next.news)
    }
  }

  #lost(slot: Slot, why: string, starting: number): void {
    const lived = slot.lane === null ? 0 : performance.now() - slot.lane.startedAt
    slot.lane = null
    slot.losses = lived >= stableMs ? 1 : slot.losses + 1
    const guilty = this.#byId.get(starting)
    const during = guilty === undefined ? '' : ` while starting ${guilty.spec.name}`
    const count = this.#checksOf(slot).length
    const message = `check worker ${why}${during}; replaced, its ${count} checks run again`
    this.#options.onEvent({ kind: 'worker', message })
    if (guilty !== undefined) this.#holdBack(guilty)
    const delay = slot.losses === 1 ? 0 : backoff(restartMs, slot.losses - 2)
    slot.restart = setTimeout(() => {
      slot.restart = null
      this.#assign(slot)
    }, delay)
  }

  /** The check whose start took a worker down has failed; the others must not go down with it again. */
  #holdBack(check: Check): void {
    const why = 'starting it blocked the worker'
    this.#fail(check, { kind: 'unable', why })
    check.heldBack = setTimeout(
      () => {
        check.heldBack = null
        if (check.slot !== null) this.#assign(check.slot)
      },
      backoff(holdBackMs, check.hangs),
    )
    check.hangs++
  }

  #fail(check: Check, outcome: Outcome): void {
    const durationMs = this.#options.hangMs
    const result = { name: check.spec.name, outcome, output: '', durationMs }
    const { progress, news } = advance(check.progress, result, check.spec, Date.now())
    check.progress = progress
    this.#tell(check, news)
  }
}

/** A reload keeps the verdict of a check that still does the same thing as the same user. */
function sameWork(a: CheckSpec, b: CheckSpec): boolean {
  return isDeepStrictEqual([a.command, a.runAs], [b.command, b.runAs])
}

const backoff = ({ first, most }: { first: number; most: number }, times: number): number =>
  Math.min(most, first * 2 ** times)
