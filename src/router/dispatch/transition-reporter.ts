/**
 * Reports what becomes of one instance: log lines with keepalived's phrases, its history, and notifications.
 */

import type { Log } from '../../base/log.ts'
import type { Instance } from '../../config/types.ts'
import { describeCause } from '../../election/describe.ts'
import type { Effect, Machine } from '../../election/types.ts'
import type { KernelLink } from '../../kernel/link-table.ts'
import type { InstanceState, Notifier } from '../../notify/notify.ts'
import { oversizedAdvert } from '../binding/advert-size.ts'
import type { DispatcherPorts } from './dispatcher-ports.ts'
import type { Journal } from './journal.ts'

type Transition = Effect & { readonly kind: 'transition' }

/** Entering these is notified; init is not. */
const notified = { master: 'MASTER', backup: 'BACKUP', fault: 'FAULT', stopped: 'STOP' } as const

export class TransitionReporter {
  readonly #log: Log
  readonly #notifier: Notifier
  readonly #journal: Journal
  readonly #happened: DispatcherPorts['happened']
  #oversized: string | null = null

  constructor(ports: Pick<DispatcherPorts, 'log' | 'notifier' | 'happened'>, journal: Journal) {
    this.#happened = ports.happened
    this.#log = ports.log
    this.#notifier = ports.notifier
    this.#journal = journal
  }

  /** `removed`: a reload took the instance out, which is notified as DELETED or, unconfigured, FAULT. */
  transition(cfg: Instance, effect: Transition, machine: Machine, removed: boolean): void {
    const why = describeCause(effect.cause)
    const entry = this.#journal.record({
      from: effect.from.toUpperCase(),
      to: effect.to.toUpperCase(),
      why,
      cause: effect.cause.kind,
    })
    const silent = machine.state.kind === 'fault' && machine.state.silent
    const end = cfg.notify.saysDeleted ? 'DELETED' : 'FAULT'
    const gone = removed && effect.to === 'stopped'
    const number = this.#happened(
      { kind: 'transition', instance: cfg.name, silent, ...entry },
      ...(gone ? ([end] as const) : []),
    )
    const fields = {
      instance: cfg.name,
      from: effect.from,
      to: effect.to,
      // As `transitions` of the status counts them.
      transition: this.#journal.transitions,
      // As `vipd history` tells it.
      ...(number === null ? {} : { number }),
      cause: effect.cause,
    }
    if (silent) {
      this.#log.info(`(${cfg.name}) held: ${why}`, fields)
      return
    }
    const init = effect.from === 'init' && effect.to === 'backup' ? ' (init)' : ''
    this.#log.info(`(${cfg.name}) Entering ${effect.to.toUpperCase()} STATE${init}: ${why}`, fields)
    if (effect.to === 'init') return
    this.notify(cfg, gone ? end : notified[effect.to], machine)
  }

  priority(cfg: Instance, from: number, arithmetic: string, machine: Machine): void {
    const text = `Changing effective priority from ${from} to ${machine.effective}`
    this.#log.info(`(${cfg.name}) ${text}`, { instance: cfg.name, arithmetic })
    const to = machine.effective
    this.#happened({ kind: 'priority', instance: cfg.name, from, to, arithmetic })
    if (!cfg.notify.priorityChanges) return
    if (machine.state.kind === 'master') this.notify(cfg, 'MASTER_PRIORITY', machine)
    else if (machine.state.kind === 'backup') this.notify(cfg, 'BACKUP_PRIORITY', machine)
  }

  /** An advert that is sent in fragments, once for each size. */
  size(cfg: Instance, primary: KernelLink | null): void {
    const text = oversizedAdvert(cfg, primary)
    if (text !== null && text !== this.#oversized) this.#log.warn(text, { instance: cfg.name })
    this.#oversized = text
  }

  notify(cfg: Instance, state: InstanceState, machine: Machine): void {
    const { name, notify } = cfg
    this.#notifier.instance({ name, state, priority: machine.effective, notify })
  }
}
