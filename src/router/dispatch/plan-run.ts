/**
 * Carries out plans on the dispatcher's parts: static entries first, from which an instance may have its source or a route,
 * then what is no instance's, then the instances (reload/apply.ts).
 */
import type { Config, Globals } from '../../config/types.ts'
import type { BfdSessions } from '../bfd/sessions.ts'
import { type ApplyPorts, applyPlan, type Pause } from '../reload/apply.ts'
import type { ReloadPlan } from '../reload/plan.ts'
import type { DispatcherPorts } from './dispatcher-ports.ts'
import type { Roster } from './roster.ts'
import type { RoutingNews } from './routing-news.ts'
import type { StaticEntries } from './static-entries.ts'

/** The part of the globals that the notifier takes. */
export const notifySettings = (globals: Globals) => {
  const { mail, routerId, notifyFifos: fifos, noEmailFaults } = globals
  return { mail, routerId, fifos, noEmailFaults }
}

type PlanRunPorts = Pick<
  DispatcherPorts,
  'notifier' | 'engine' | 'checks' | 'settings' | 'sliceMs'
> & {
  readonly roster: Roster
  readonly bfd: BfdSessions
  readonly statics: StaticEntries
  readonly routingNews: RoutingNews
  /** The end of a batch of events. */
  settle(): void
  /** No instance may be changed any more. */
  stopping(): boolean
}

export class PlanRun {
  readonly #ports: PlanRunPorts
  #changing = false

  constructor(ports: PlanRunPorts) {
    this.#ports = ports
  }

  /** A plan is being carried out. */
  get changing(): boolean {
    return this.#changing
  }

  /** `isStart`: settings and checks are there already. True when all of it has been applied. */
  *run(plan: ReloadPlan, isStart: boolean): Generator<Pause, boolean> {
    const { next } = plan
    const { bfd, statics, routingNews, stopping } = this.#ports
    if (isStart) bfd.set(next.bfd)
    this.#changing = true
    routingNews.follow(next)
    statics.set(next.statics)
    if (statics.busy) yield 'statics'
    const whole = !stopping() && (yield* applyPlan(plan, this.#applyPorts(isStart)))
    this.#changing = false
    return whole
  }

  #applyPorts(isStart: boolean): ApplyPorts {
    const { roster, settle, stopping, checks, sliceMs } = this.#ports
    const ports = { roster, settle, stopping, nowMs: sliceMs }
    if (isStart) return { ...ports, settings: () => undefined, checks: () => undefined }
    return { ...ports, settings: (next) => this.#setGlobals(next), checks }
  }

  #setGlobals(next: Config): void {
    const { notifier, engine, bfd, settings } = this.#ports
    notifier.reconfigure(notifySettings(next.globals))
    engine.setLiveness(next.globals.livenessUs)
    bfd.set(next.bfd)
    settings(next)
  }
}
