/**
 * The checks of the daemon, spread over a few long-lived worker threads. Each worker runs many checks
 * at once and keeps their account; this side mirrors it, so `status` needs no worker, and one that crashes
 * or hangs is replaced without any check losing its verdict.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Command } from '../../base/command.ts'
import type { Outcome } from '../../programs/outcome.ts'
import { isProgram } from '../../programs/run.ts'
import type { Series } from '../../threads/supervised.ts'
import type { Loss } from '../../threads/thread.ts'
import { combine } from '../verdict/combine.ts'
import { succeeded } from '../verdict/describe.ts'
import type {
  CheckEvent,
  CheckPool,
  PassedCheck,
  StartCheckPool,
} from '../verdict/pool-contract.ts'
import { advance, fresh, type News, type Progress, statusOf } from '../verdict/progress.ts'
import { capacityFor, ResultRing } from '../verdict/record.ts'
import type { CheckSpec, CheckStatus } from '../verdict/types.ts'
import { holdBack } from './hold-back.ts'
import type { Assignment, FromWorker } from './messages.ts'
import { WorkerHandle } from './worker-handle.ts'

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
  /** Kept away from the workers since starting it hung one; called, it is no longer. */
  heldBack: (() => void) | null
  hangs: number
}

/**
 * A place for a worker; workers come and go, the checks stay assigned. A fork stops its thread for as long as
 * it takes, so programs and probes share none.
 */
type Slot = {
  readonly takes: 'programs' | 'probes'
  /** Checks that it has. */
  load: number
  readonly worker: WorkerHandle
}

class Pool implements CheckPool {
  readonly #options: PoolOptions
  readonly #slots: readonly Slot[]
  #checks = new Map<string, Check>()
  #byId = new Map<number, Check>()
  #lastId = 0
  #stopped = false
  /** Of another process. */
  #passed: ReadonlyMap<string, Progress> = new Map()

  constructor(options: PoolOptions) {
    this.#options = options
    const each = Array.from({ length: Math.max(1, options.workers) })
    this.#slots = (['programs', 'probes'] as const).flatMap((takes) =>
      each.map(() => this.#newSlot(takes)),
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
    for (const { heldBack } of before.values()) heldBack?.()
    const capacity = capacityFor(specs.length)
    this.#checks = new Map(
      specs.map((spec) => [spec.name, kept.get(spec.name) ?? this.#made(spec, capacity)]),
    )
    this.#byId = new Map(Array.from(this.#checks.values(), (check) => [check.id, check]))
    // A check that comes later under such a name is another one.
    this.#passed = new Map()
    for (const slot of this.#slots) this.#assign(slot)
    this.#recombine()
  }

  snapshot(): readonly PassedCheck[] {
    return [...this.#checks.values()].map(({ spec, progress }) => ({ name: spec.name, progress }))
  }

  adopt(checks: readonly PassedCheck[]): void {
    this.#passed = new Map(checks.map(({ name, progress }) => [name, progress]))
  }

  record(name: string): Float64Array | null {
    return this.#checks.get(name)?.ring.copy() ?? null
  }

  push(name: string, ok: boolean, message: string): boolean {
    const check = this.#checks.get(name)
    if (check?.spec.command.kind !== 'push') return false
    return check.slot?.worker.push(check.id, ok, message) ?? false
  }

  runNow(name: string): boolean {
    const check = this.#checks.get(name)
    if (check === undefined || check.spec.command.kind === 'push') return false
    return check.slot?.worker.runNow(check.id) ?? false
  }

  status(name: string): CheckStatus | null {
    const check = this.#checks.get(name)
    return check === undefined ? null : statusOf(check.spec, check.progress)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const { heldBack } of this.#checks.values()) heldBack?.()
    await Promise.all(this.#slots.map(({ worker }) => worker.stop()))
  }

  #made(spec: CheckSpec, capacity: number): Check {
    const slot = spec.command.kind === 'combination' ? null : this.#leastLoaded(spec.command)
    if (slot !== null) slot.load += 1
    const id = ++this.#lastId
    const ring = new ResultRing({ capacity: slot === null ? 0 : capacity })
    const progress = this.#passed.get(spec.name) ?? fresh
    return { id, slot, spec, progress, ring, heldBack: null, hangs: 0 }
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
    const { worker } = slot
    if (this.#stopped) return
    const checks = this.#checksOf(slot).filter(({ heldBack }) => heldBack === null)
    if (!worker.running && checks.length > 0) worker.start()
    else if (worker.running) worker.set(checks.map(assignmentOf))
  }

  #newSlot(takes: Slot['takes']): Slot {
    const { workerFile, heartbeatMs, hangMs } = this.#options
    const slot: Slot = {
      takes,
      load: 0,
      worker: new WorkerHandle({
        workerFile,
        heartbeatMs,
        hangMs,
        onMessage: (message) => this.#receive(message),
        onStarted: () => this.#assign(slot),
        onLost: (loss, series, starting) => this.#lost(slot, loss, series, starting),
      }),
    }
    return slot
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
    const kind = progress.last.outcome.kind === 'value' ? 'value' : 'returned'
    if (news.returned) onEvent({ kind, name, result: progress.last })
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

  #lost(slot: Slot, { why, gone }: Loss, { count, worthSaying }: Series, starting: number): void {
    const faultyCheck = this.#byId.get(starting)
    const during = faultyCheck === undefined ? '' : ` while starting ${faultyCheck.spec.name}`
    const again = `its ${this.#checksOf(slot).length} checks run again`
    const series = count === 1 ? '' : ` (${count} losses in a row)`
    const message = `check worker ${why}${during}; replaced, ${again}${series}`
    if (worthSaying || faultyCheck !== undefined) this.#options.onEvent({ kind: 'worker', message })
    if (faultyCheck !== undefined) this.#holdBack(faultyCheck, gone)
    this.#assign(slot)
  }

  /** The check whose start took a worker down has failed; the others must not go down with it again. */
  #holdBack(check: Check, gone: Promise<void>): void {
    check.heldBack?.()
    check.heldBack = holdBack({
      intervalMs: check.spec.intervalMs,
      hangs: check.hangs,
      gone,
      failed: () => this.#fail(check, { kind: 'unable', why: 'starting it blocked the worker' }),
      released: () => {
        check.heldBack = null
        if (check.slot !== null) this.#assign(check.slot)
      },
    })
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

const assignmentOf = ({ id, spec, progress, ring }: Check): Assignment => ({
  id,
  spec,
  progress,
  ring: ring.memory,
})
