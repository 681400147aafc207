/** What the daemon as a whole has counted, in this process and in those before it. */
import type { Engine } from '../engine/contract.ts'
import type { LinkCounters } from '../engine/counters.ts'
import type { Dispatcher } from '../router/dispatch/dispatcher.ts'

export type Counted = Pick<LinkCounters, 'throttled' | 'coalesced' | 'unclaimed'> & {
  readonly wardenLost: number
}

export type CountedPorts = {
  readonly engine: Pick<Engine, 'linkCounters'>
  dispatcher(): Pick<Dispatcher, 'links'>
  wardenLost(): number
}

export class Counts {
  readonly #ports: CountedPorts
  #before: Counted = { throttled: 0, coalesced: 0, unclaimed: 0, wardenLost: 0 }

  constructor(ports: CountedPorts) {
    this.#ports = ports
  }

  /** Of the process before this one. A later one takes its place. */
  adopt(before: Counted): void {
    this.#before = before
  }

  get total(): Counted {
    const { engine, dispatcher, wardenLost } = this.#ports
    const links = dispatcher().links.ids.map((id) => engine.linkCounters(id))
    const sum = (of: (counters: LinkCounters) => number, before: number) =>
      links.reduce((all, counters) => all + of(counters), before)
    return {
      throttled: sum((it) => it.throttled, this.#before.throttled),
      coalesced: sum((it) => it.coalesced, this.#before.coalesced),
      unclaimed: sum((it) => it.unclaimed, this.#before.unclaimed),
      wardenLost: this.#before.wardenLost + wardenLost(),
    }
  }
}
