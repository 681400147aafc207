/**
 * The configuration that is in force, and how another takes its place: loaded, judged, planned whole, recorded, applied
 * in slices. It counts only when it has been applied. The start is the plan of a reload from nothing.
 */

import { judgeReload } from '../config/explain/judge-reload.ts'
import { formatDiagnostic } from '../config/language/diagnostics.ts'
import type { Config, Globals } from '../config/types.ts'
import { describeFault } from '../election/describe.ts'
import type { Engine } from '../engine/contract.ts'
import type { Kernel } from '../kernel/mirror.ts'
import type { Ownership } from '../kernel/record.ts'
import type { Loaded } from '../loading/load.ts'
import type { Status } from '../report/status.ts'
import { ownedAddresses } from '../router/binding/interface-resolution.ts'
import type { RunningInstance } from '../router/dispatch/instance.ts'
import type { Roster } from '../router/dispatch/roster.ts'
import { applyInSlices, inSlices } from '../router/reload/apply.ts'
import { planInSteps, type Refusals, type ReloadPlan } from '../router/reload/plan.ts'
import { namedInterfaces } from '../router/tracking/tracker.ts'
import { lacksNetAdmin } from './capabilities.ts'
import { logDiagnostics } from './log-diagnostics.ts'
import { ReloadRecord, refusalLine } from './reload-record.ts'
import { ConfigError, type DaemonOptions, type ReloadResult } from './types.ts'

export type ReloadPorts = {
  readonly options: Pick<DaemonOptions, 'configPath' | 'loader' | 'log'>
  readonly engine: Pick<Engine, 'renew' | 'flush'>
  readonly kernel: Kernel
  readonly roster: Roster
  readonly ownership: Ownership
  /** The settings that are no instance's: notifications, packet rules, the lease. */
  settings(next: Config): void
  checks(scripts: Config['scripts']): void
  /** The end of a batch of events. */
  settle(): void
  stopping(): boolean
  /** The startup delay is not over: no instance takes part yet, however often the configuration is read. */
  waiting(): boolean
  /** A plan has been applied whole. */
  applied(config: Config): void
}

export class Reloads {
  readonly #ports: ReloadPorts
  readonly #record = new ReloadRecord()
  /** What takes effect when the daemon starts was taken from here. */
  readonly #started: Globals
  /** What has been applied. */
  #config: Config
  #loaded: Loaded
  #loadedMs = Date.now()
  #interfacesAtStart: readonly string[] = []
  /** Plans are applied one after the other. */
  #changing: Promise<unknown> = Promise.resolve()

  constructor(loaded: Loaded, config: Config, ports: ReloadPorts) {
    this.#ports = ports
    this.#loaded = loaded
    this.#config = config
    this.#started = config.globals
  }

  get config(): Config {
    return this.#config
  }

  /** For the supervisor: empty when the last reload was accepted. */
  get summary(): string {
    return this.#record.summary()
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

  /** The kernel's mirror is filled. */
  begin(): void {
    this.#interfacesAtStart = this.#ports.kernel.linkNames
  }

  /** What a reload would refuse cannot be started either. Throws ConfigError. */
  takePart(): Promise<void> {
    return this.#oneAtATime(async () => {
      const { ownership } = this.#ports
      const plan = await this.#plan(this.#config)
      if (this.#ports.stopping()) return
      if (!plan.ok) throw new ConfigError(plan.refusals)
      await this.#claim(this.#config)
      if (this.#ports.stopping()) return
      // Checks and settings are there already.
      const none = () => undefined
      await applyInSlices(plan, { ...this.#applyPorts(this.#config), settings: none, checks: none })
      ownership.claim('plan', [])
      this.#ports.applied(this.#config)
    })
  }

  async reload(force: boolean): Promise<ReloadResult> {
    const { stopping, options } = this.#ports
    if (stopping()) return this.#refuse([stoppingRefusal])
    const loaded = await this.#load()
    // The stop may have begun while the file was read.
    if (stopping()) return this.#refuse([stoppingRefusal])
    const diagnostics = loaded.diagnostics.map(formatDiagnostic)
    const running = { config: this.#config, diagnostics: this.#loaded.diagnostics }
    const judgement = judgeReload(running, loaded, { path: options.configPath, force })
    if (!judgement.accepted) {
      const reasons = judgement.reasons.map(formatDiagnostic)
      return this.#refuse(reasons, judgement.forcible, diagnostics)
    }
    logDiagnostics(options.log, loaded.diagnostics)
    return this.#oneAtATime(() => this.#change(loaded, judgement.config))
  }

  /** Plans the change, and applies it whole. */
  async #change(loaded: Loaded, next: Config): Promise<ReloadResult> {
    const { stopping, ownership, options } = this.#ports
    const diagnostics = loaded.diagnostics.map(formatDiagnostic)
    const planned = this.#ports.waiting() ? { ...next, instances: [], groups: [] } : next
    const lacks = lacksNetAdmin(next)
    if (lacks !== null) return this.#refuse([lacks], false, diagnostics)
    const plan = await this.#plan(planned)
    if (stopping()) return this.#refuse([stoppingRefusal], false, diagnostics)
    if (!plan.ok) return this.#refuse(plan.refusals.map(formatDiagnostic), false, diagnostics)
    await this.#claim(planned)
    const whole = !stopping() && (await applyInSlices(plan, this.#applyPorts(next)).catch(endWith))
    ownership.claim('plan', [])
    if (!whole) return this.#refuse([stoppingRefusal], false, diagnostics)
    this.#config = next
    this.#loaded = loaded
    this.#loadedMs = Date.now()
    this.#record.accepted()
    this.#ports.applied(next)
    const changes = [...plan.changes, ...notApplied(this.#ports.roster.instances)]
    options.log.info(`Reloaded: ${changes.length === 0 ? 'nothing changed' : changes.join(', ')}`)
    return { ok: true, diagnostics, changes }
  }

  #plan(next: Config): Promise<ReloadPlan | Refusals> {
    const facts = { running: this.#ports.roster.facts(), started: this.#started }
    return inSlices(planInSteps(this.#config, next, facts), this.#applyPorts(next))
  }

  #applyPorts(next: Config) {
    const { engine, roster, settings, checks, settle, stopping } = this.#ports
    return {
      roster,
      settings: () => settings(next),
      checks,
      settle,
      nowMs: () => performance.now(),
      stopping,
      renew: () => engine.renew(),
      turn: () => new Promise<void>((turned) => setImmediate(turned)),
      flush: () => engine.flush(),
    }
  }

  /** Before a plan is applied: then no slice of it waits for the record. */
  #claim({ instances }: Config): Promise<void> {
    const { kernel, ownership } = this.#ports
    return ownership.record(
      'plan',
      instances.flatMap((cfg) => ownedAddresses(cfg, kernel)),
    )
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

  /**
   * An interface that was there at the start, or that the running configuration names, may be absent at the moment: that
   * is a fault of the instance, not of the file.
   */
  #load(): Promise<Loaded> {
    const known = [...this.#interfacesAtStart, ...namedInterfaces(this.#config)]
    return this.#ports.options.loader.load([...new Set(known)])
  }
}

const stoppingRefusal = 'the daemon is stopping: a reload is refused [stopping]'

/** A change that a bug cuts short has left half of it: the process ends, and the warden gives up what it leads. */
export function endWith(error: unknown): never {
  setImmediate(() => {
    throw error
  })
  throw error
}

/** What the kernel refused: a reload tries it again. */
const notApplied = (instances: readonly RunningInstance[]): readonly string[] =>
  instances.flatMap(({ name, applied, stance }) =>
    applied ? [] : [`${name}: not applied: ${stance.faults.map(describeFault).join(', ')}`],
  )
