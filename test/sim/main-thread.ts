/**
 * The main thread of a simulated daemon: the shipped dispatcher and mirror of the kernel, on the simulated engine, kernel
 * and clock. A reload is the shipped plan, applied in the slices in which the daemon applies it: the thread turns between
 * them. What is not here lives outside virtual time: worker threads, timers, the control socket.
 */
import type { Log } from '../../src/base/log.ts'
import type { Us } from '../../src/base/time.ts'
import type { CheckStatus, Result } from '../../src/checks/verdict/types.ts'
import type { Config } from '../../src/config/types.ts'
import { Kernel } from '../../src/kernel/mirror.ts'
import { KernelReader } from '../../src/kernel/reader.ts'
import type { Notifier } from '../../src/notify/notify.ts'
import { Dispatcher } from '../../src/router/dispatch/dispatcher.ts'
import type { Pause } from '../../src/router/reload/apply.ts'
import type { Refusals, ReloadPlan } from '../../src/router/reload/plan.ts'
import { atOnce } from '../unit/base/at-once.ts'
import type { SimEngine } from './engine.ts'

export type MainThreadPorts = {
  readonly engine: SimEngine
  readonly log: Log
  readonly notifier: Notifier
  /** To be done in a later turn of this thread. */
  later(task: () => void): void
  /** Rings once at this local instant; null silences. */
  alarm(at: Us | null): void
  /** How long the thread has worked, for the length of a slice; milliseconds. */
  workedMs(): number
}

export class MainThread {
  readonly dispatcher: Dispatcher
  readonly #ports: MainThreadPorts
  readonly #reader: KernelReader
  readonly #verdicts = new Map<string, boolean>()
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
      log,
      verdict: (name) => this.#verdict(name),
      checks: none,
      settings: none,
      claim: () => true,
      alarm: (at) => ports.alarm(at),
      wallMs: () => engine.now() / 1_000,
      sliceMs: () => ports.workedMs(),
      lost: (what) => {
        throw new Error(`the simulator loses no ${what}`)
      },
      kernelChanged: none,
      settled: none,
    })
  }

  start(): void {
    const { dispatcher } = this
    this.#changing = true
    this.#reader.read()
    const plan = planned(atOnce(dispatcher.planStart()))
    this.#goThrough(dispatcher.start(plan))
  }

  reload(config: Config): void {
    this.#reloads.push(config)
    this.#next()
  }

  stop(): void {
    this.dispatcher.stop()
    this.#ports.engine.stop()
  }

  verdict(name: string, good: boolean): void {
    this.#verdicts.set(name, good)
    this.dispatcher.onVerdict({ kind: 'verdict', name, good, result: resultOf(name, good) })
  }

  #next(): void {
    const next = this.#reloads[0]
    if (this.#changing || next === undefined || this.dispatcher.stopping) return
    this.#reloads = this.#reloads.slice(1)
    this.#changing = true
    this.#goThrough(this.dispatcher.apply(planned(atOnce(this.dispatcher.plan(next)))))
  }

  /** What was ordered is carried out at once here, so each pause is a turn of the thread. */
  #goThrough(slices: Generator<Pause, boolean>): void {
    if (slices.next().done !== true) return this.#ports.later(() => this.#goThrough(slices))
    this.#changing = false
    this.#next()
  }

  #verdict(name: string): CheckStatus {
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
