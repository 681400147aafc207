/**
 * VRIDs that are heard and belong to no instance here: a router of its own, or one whose VRID was mistyped. Each is named
 * once for a link, in `status` always and in the log with `log_unknown_vrids`; the engine counts the adverts.
 */

import type { Log } from '../../base/log.ts'
import type { EngineEvent } from '../../engine/contract.ts'
import type { StatusUnknownVrid } from '../../report/status.ts'
import type { Links } from './sockets.ts'

/** Named in `status`; there are no more than 255 for each link. */
const namedMax = 1_000

export class UnknownVrids {
  readonly #sockets: Pick<Links, 'interfaceOf'>
  readonly #log: Log
  /** `log_unknown_vrids` at present. */
  readonly #logged: () => boolean
  readonly #known = new Map<string, StatusUnknownVrid>()

  constructor(links: Pick<Links, 'interfaceOf'>, log: Log, logged: () => boolean) {
    this.#sockets = links
    this.#log = log
    this.#logged = logged
  }

  get known(): readonly StatusUnknownVrid[] {
    return [...this.#known.values()]
  }

  /** What another process has heard. */
  adopt(known: readonly StatusUnknownVrid[]): void {
    for (const one of known) this.#known.set(`${one.interface} ${one.vrid}`, one)
  }

  receive({ link, vrid, from }: EngineEvent & { kind: 'stranger' }): void {
    const name = this.#sockets.interfaceOf(link)
    // The link has been closed meanwhile.
    if (name === null) return
    if (this.#logged())
      this.#log.info(
        `Unknown VRID ${vrid} received from ${from} on ${name}: no instance here has it`,
      )
    const key = `${name} ${vrid}`
    if (this.#known.size >= namedMax) this.#known.clear()
    this.#known.set(key, { interface: name, vrid, from })
  }
}
