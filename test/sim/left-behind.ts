/**
 * What a dead daemon left in its host's kernel and nothing but time ends. The daemon that starts sweeps addresses away,
 * which may fail and here always does; then an instance gives them back with its first order, for which it needs sockets.
 * Until it has some, and where no instance has the address any more, the kernel removes it at the end of its lifetime.
 */
import type { Ip } from '../../src/base/ip.ts'
import type { Agenda } from './agenda.ts'
import type { Host } from './host.ts'
import { guardMarginUs } from './kernel-lease.ts'
import type { Scenario } from './scenario.ts'

export class LeftBehind {
  readonly #agenda: Agenda
  readonly #lifetimeUs: number

  constructor({ advertUs, lifetimeS }: Scenario, agenda: Agenda) {
    this.#agenda = agenda
    // Never shorter than the longest down interval and two seconds.
    this.#lifetimeUs = Math.max(lifetimeS * 1_000_000, 5 * advertUs + 4_000_000)
  }

  /** No address outlives a daemon by more than its lifetime. */
  outlasted(host: Host): boolean {
    return this.#agenda.now - host.diedAt > this.#lifetimeUs
  }

  /** The daemon that runs has never set it and cannot give it back yet. `vrid`: whose it is; null: of no instance. */
  excuses(host: Host, address: Ip, vrid: number | null): boolean {
    const { process, kernel } = host
    if (process === null || kernel.settingOf(address) > process.settingsBefore) return false
    return !hasOrdered(host, vrid) && !this.outlasted(host)
  }

  /** The kernel lease mutes it meanwhile, and somewhat longer. */
  excusesMuting(host: Host, vrid: number): boolean {
    const sinceUs = this.#agenda.now - host.diedAt
    return !hasOrdered(host, vrid) && sinceUs <= this.#lifetimeUs + guardMarginUs
  }
}

/** It has, or had, the sockets and the facts that an order takes. */
function hasOrdered({ process }: Host, vrid: number | null): boolean {
  const instance = process?.main.dispatcher.instances.find((it) => it.cfg.vrid === vrid)
  return instance !== undefined && instance.binding.facts !== null
}
