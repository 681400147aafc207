/**
 * The main thread of a simulated daemon: the shipped dispatcher and mirror of the kernel, on the simulated engine, kernel
 * and clock. A reload is the shipped plan, applied in the slices in which the daemon applies it: the thread turns between
 * them. What is not here lives outside virtual time: worker threads, timers, the control socket.
 */

import type { Log } from '../../src/base/log.ts'
import type { Us } from '../../src/base/time.ts'
import type { CheckStatus, Result } from '../../src/checks/verdict/types.ts'
import type { Config } from '../../src/config/types.ts'
import type { Bfd } from '../../src/engine/bfd-contract.ts'
import type { Frames } from '../../src/engine/frames-contract.ts'
import { Kernel } from '../../src/kernel/mirror.ts'
import { KernelReader } from '../../src/kernel/reader.ts'
import type { Notifier } from '../../src/notify/notify.ts'
import type { LeaseOf } from '../../src/router/binding/kernel-lease.ts'
import { Dispatcher } from '../../src/router/dispatch/dispatcher.ts'
import type { Pause } from '../../src/router/reload/apply.ts'
import type { Refusals, ReloadPlan } from '../../src/router/reload/plan.ts'
import { atOnce } from '../unit/base/at-once.ts'
import type { SimEngine } from './engine.ts'

export type MainThreadPorts = {
  readonly bfd: Bfd
  readonly frames: Frames
  discriminator(): number
  readonly engine: SimEngine
  readonly log: Log
  readonly notifier: Notifier
  /** To be done in a later turn of this thread. */
  later(task: () => void): void
  /** Rings once at this local instant; null silences. */
  alarm(at: Us | null): void
  readonly leaseOf: LeaseOf
  /** A reload has been applied whole. */
  applied(): void
  /** A script runs from now on. */
  check(name: string): void
  /** How long the thread has worked, for the length of a slice; milliseconds. */
  workedMs(): number
}

export class MainThread {
  readonly dispatcher: Dispatcher
  readonly #ports: MainThreadPorts
  readonly #reader: KernelReader
  readonly #verdicts = new Map<string, boolean>()
  #checks: readonly string[] = []
  /** Configurations that are still to be applied, one after the other. */
  #reloads: Config[] = []
  #changing = false

  constructor(config: Config, ports: MainThreadPorts) {
    const { engine, log, notifier } = ports
    const kernel = new Kernel()
    const none = () => undefined
    this.#ports = ports
    this.#reader = new KernelReader({
      kernel,
      engine,
      log,
      onChanges: (changes) => this.dispatcher.onKernel(changes),
    })
    this.dispatcher = new Dispatcher(config, {
      engine,
      kernel,
      reader: this.#reader,
      notifier,
      bfd: ports.bfd,
      frames: ports.frames,
      discriminator: ports.discriminator,
      log,
      verdict: (name) => this.#verdict(name),
      checks: (scripts) => this.#setChecks(scripts.map(({ name }) => name)),
      settings: none,
      linkState: () => 'ready' as const,
      leaseOf: ports.leaseOf,
      claim: () => true,
      alarm: (at) => ports.alarm(at),
      wallMs: () => engine.now() / 1_000,
      sliceMs: () => ports.workedMs(),
      lost: (what) => {
        throw new Error(`the simulator loses no ${what}`)
      },
      happened: () => null,
      kernelChanged: none,
      settled: none,
    })
  }

  start(): void {
    const { dispatcher } = this
    this.#changing = true
    this.#begin()
    const plan = planned(atOnce(dispatcher.planStart()))
    this.#goThrough(dispatcher.start(plan))
  }

  reload(config: Config): void {
    this.#reloads.push(config)
    this.#next()
  }

  /** Goes on where another process ended; why it cannot, or null. */
  adopt(state: unknown): string | null {
    this.prepare()
    return this.dispatcher.adopt(state)
  }

  /** All that can be known before a state is adopted. */
  prepare(): void {
    this.#begin()
  }

  /** The scripts run in this process from now on. */
  runChecks(): void {
    for (const name of this.#checks) this.#ports.check(name)
  }

  get changing(): boolean {
    return this.#changing || this.#reloads.length > 0
  }

  /** A script that has been taken out meanwhile has no verdict. */
  verdict(name: string, good: boolean): void {
    if (!this.#checks.includes(name)) return
    this.#verdicts.set(name, good)
    this.dispatcher.onVerdict({ kind: 'verdict', name, good, result: resultOf(name, good) })
  }

  #begin(): void {
    this.#reader.read()
    this.dispatcher.mirrored()
    this.#setChecks(this.dispatcher.config.scripts.map(({ name }) => name))
  }

  #setChecks(names: readonly string[]): void {
    const before = this.#checks
    this.#checks = names
    for (const name of this.#verdicts.keys()) if (!names.includes(name)) this.#verdicts.delete(name)
    for (const name of names) if (!before.includes(name)) this.#ports.check(name)
  }

  /** What is in force is what was wanted: the same file again changes nothing. */
  get pending(): readonly string[] {
    const { dispatcher } = this
    const plan = planned(atOnce(dispatcher.plan(dispatcher.config)))
    if (dispatcher.notApplied.length > 0) return []
    return plan.units.length === 0 ? plan.changes : ['units', ...plan.changes]
  }

  #next(): void {
    const next = this.#reloads[0]
    if (this.#changing || next === undefined || this.dispatcher.stopping) return
    this.#reloads = this.#reloads.slice(1)
    this.#changing = true
    const plan = planned(atOnce(this.dispatcher.plan(next)))
    this.#goThrough(this.dispatcher.apply(plan), () => this.#ports.applied())
  }

  /** What was ordered is carried out at once here, so each pause is a turn of the thread. */
  #goThrough(slices: Generator<Pause, boolean>, whole = (): void => undefined): void {
    const slice = slices.next()
    if (slice.done !== true) return this.#ports.later(() => this.#goThrough(slices, whole))
    this.#changing = false
    if (slice.value) whole()
    this.#next()
  }

  #verdict(name: string): CheckStatus | null {
    if (!this.#checks.includes(name)) return null
    const good = this.#verdicts.get(name) ?? null
    const last = good === null ? null : resultOf(name, good)
    const none = { runs: 0, failures: 0, timeouts: 0, overruns: 0, streak: 0 }
    return { name, good, last, ...none, sinceMs: null }
  }
}

function planned(plan: ReloadPlan | Refusals): ReloadPlan {
  if (plan.ok) return plan
  throw new Error(plan.refusals.map(({ message }) => message).join('; '))
}

const resultOf = (name: string, good: boolean): Result => ({
  name,
  outcome: { kind: 'exit', status: good ? 0 : 1 },
  output: '',
  durationMs: 1,
})
