/**
 * The configuration that is in force, and how another takes its place: loaded, judged, planned whole, recorded, applied
 * in slices. It counts only when it has been applied. The start is the plan of a reload from nothing.
 */

import { judgeReload } from '../config/explain/judge-reload.ts'
import { formatDiagnostic } from '../config/language/diagnostics.ts'
import { keepRuleNumbers } from '../config/rule-numbers.ts'
import type { Config } from '../config/types.ts'
import type { Engine } from '../engine/contract.ts'
import type { Ownership } from '../kernel/record.ts'
import type { Loaded } from '../loading/load.ts'
import { reloadFileOf } from '../loading/reload-file.ts'
import type { Status } from '../report/status.ts'
import type { Dispatcher } from '../router/dispatch/dispatcher.ts'
import { inSlices, planInSlices } from '../router/reload/apply.ts'
import { lacksNetAdmin } from './capabilities.ts'
import { logDiagnostics } from './log-diagnostics.ts'
import { ReloadRecord, refusalLine } from './reload-record.ts'
import { ConfigError, type DaemonOptions, type ReloadResult } from './types.ts'

export type ReloadPorts = {
  readonly options: Pick<DaemonOptions, 'configPath' | 'loader' | 'log'>
  readonly engine: Pick<Engine, 'renew' | 'flush'>
  readonly ownership: Ownership
  readonly dispatcher: Dispatcher
  /** What has to be in the kernel before the instances are altered; never rejects. */
  prepare(next: Config): Promise<void>
}

export class Reloads {
  readonly #ports: ReloadPorts
  readonly #record = new ReloadRecord()
  /** What was read for the configuration in force. */
  #loaded: Loaded
  #loadedMs = Date.now()
  /** Plans are applied one after the other. */
  #changing: Promise<unknown> = Promise.resolve()
  #running = 0

  constructor(loaded: Loaded, ports: ReloadPorts) {
    this.#ports = ports
    this.#loaded = loaded
  }

  /** For the supervisor: empty when the last reload was accepted. */
  get summary(): string {
    return this.#record.summary()
  }

  /** One has begun and is not over. */
  get busy(): boolean {
    return this.#running > 0
  }

  async status(): Promise<Status['config']> {
    const { configPath, loader } = this.#ports.options
    const unchangedOnDisk = await loader.unchanged(this.#loaded.seen)
    return {
      path: configPath,
      loadedAt: new Date(this.#loadedMs).toISOString(),
      ...this.#record.status(),
      unchangedOnDisk,
    }
  }

  /** What a reload would refuse cannot be started either. Throws ConfigError. */
  takePart(): Promise<void> {
    return this.#oneAtATime(async () => {
      const { dispatcher, ownership } = this.#ports
      const plan = await planInSlices(dispatcher.planStart(), turning)
      if (dispatcher.stopping) return
      if (!plan.ok) throw new ConfigError(plan.refusals)
      await ownership.record('plan', dispatcher.objectsOf(plan))
      if (!dispatcher.stopping) await inSlices(dispatcher.start(plan), this.#pauses())
      ownership.claim('plan', [])
    })
  }

  async reload(force: boolean): Promise<ReloadResult> {
    this.#running += 1
    return this.#reload(force).finally(() => {
      this.#running -= 1
    })
  }

  async #reload(force: boolean): Promise<ReloadResult> {
    const { dispatcher, options } = this.#ports
    if (dispatcher.stopping) return this.#refuse([stoppingRefusal])
    const loaded = await this.#load()
    // The stop may have begun while the file was read.
    if (dispatcher.stopping) return this.#refuse([stoppingRefusal])
    const diagnostics = loaded.diagnostics.map(formatDiagnostic)
    const running = { config: dispatcher.config, diagnostics: this.#loaded.diagnostics }
    const judgement = judgeReload(running, loaded, { path: options.configPath, force })
    if (!judgement.accepted) {
      const reasons = judgement.reasons.map(formatDiagnostic)
      return this.#refuse(reasons, judgement.forcible, diagnostics)
    }
    logDiagnostics(options.log, loaded.diagnostics)
    return this.#oneAtATime(() => {
      const next = keepRuleNumbers(dispatcher.config, judgement.config)
      return this.#change(loaded, next)
    })
  }

  /** Plans the change, and applies it whole. */
  async #change(loaded: Loaded, next: Config): Promise<ReloadResult> {
    const { dispatcher, ownership, options } = this.#ports
    const diagnostics = loaded.diagnostics.map(formatDiagnostic)
    const lacks = lacksNetAdmin(next)
    if (lacks !== null) return this.#refuse([lacks], false, diagnostics)
    const plan = await planInSlices(dispatcher.plan(next), turning)
    if (dispatcher.stopping) return this.#refuse([stoppingRefusal], false, diagnostics)
    if (!plan.ok) return this.#refuse(plan.refusals.map(formatDiagnostic), false, diagnostics)
    await this.#ports.prepare(next)
    await ownership.record('plan', dispatcher.objectsOf(plan))
    const slices = dispatcher.apply(plan)
    const whole = !dispatcher.stopping && (await inSlices(slices, this.#pauses()).catch(endWith))
    ownership.claim('plan', [])
    if (!whole) return this.#refuse([stoppingRefusal], false, diagnostics)
    this.#loaded = loaded
    this.#loadedMs = Date.now()
    this.#record.accepted()
    const changes = [...plan.changes, ...dispatcher.notApplied]
    options.log.info(`Reloaded: ${changes.length === 0 ? 'nothing changed' : changes.join(', ')}`)
    return { ok: true, diagnostics, changes }
  }

  #pauses() {
    const { engine, dispatcher } = this.#ports
    return {
      ...turning,
      renew: () => engine.renew(),
      flush: () => engine.flush(),
      statics: () => dispatcher.statics.settled(),
    }
  }

  #oneAtATime<T>(act: () => Promise<T>): Promise<T> {
    const mine = this.#changing.then(act)
    this.#changing = mine.catch(() => undefined)
    return mine
  }

  #refuse(
    reasons: readonly string[],
    forcible = false,
    diagnostics: readonly string[] = reasons,
  ): ReloadResult {
    this.#record.rejected(reasons)
    this.#ports.options.log.error(refusalLine(reasons, forcible))
    return { ok: false, diagnostics, changes: [], refusal: { reasons, forcible } }
  }

  /** An interface that is known may be absent at the moment: that is a fault of the instance, not of the file. */
  #load(): Promise<Loaded> {
    const { options, dispatcher } = this.#ports
    const marker = reloadFileOf(dispatcher.config.globals)
    return options.loader.load(dispatcher.knownInterfaces, marker)
  }
}

const turning = {
  nowMs: () => performance.now(),
  turn: () => new Promise<void>((turned) => setImmediate(turned)),
}

const stoppingRefusal = 'the daemon is stopping: a reload is refused [stopping]'

/** A change that a bug cuts short has left half of it: the process ends, and the warden resigns for it. */
export function endWith(error: unknown): never {
  setImmediate(() => {
    throw error
  })
  throw error
}
