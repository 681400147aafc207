/**
 * Which instances stand by: on the operator's word, or because another program contests an address here. Such an instance says the least priority there is and goes on serving until it
 * hears a better master (RFC 9568 section 6.4.3): the peer takes over by the protocol's own means, whatever it runs, and
 * the addresses are never without a holder. From then on it takes over only when no other router does.
 *
 * `failover` asks for one hand-over: it ends when the instance is master again. `drain` is the whole host's, with what a
 * reload adds, and ends with `resume`; an instance that no peer took over is kept, with its own priority, until it has lost
 * the lead after all. `conflict` ends with its time, or like a failover. All end with the daemon, unless another process adopts its state.
 */
import type { StandBy } from '../../election/priority.ts'
import type { RunningInstance } from './instance.ts'

export class StandBys {
  /** By name; `yielded`: it has been without the lead since; `contested`: the instance whose address is. */
  readonly #failovers = new Map<string, { yielded: boolean; readonly contested: string | null }>()
  #drained = false
  /** By name, while drained: what leads on, since no peer took it over. */
  readonly #kept = new Set<string>()

  get drained(): boolean {
    return this.#drained
  }

  of(name: string): StandBy | null {
    if (this.#drained && !this.#kept.has(name)) return 'drain'
    const entry = this.#failovers.get(name)
    if (entry === undefined) return null
    return entry.contested === null ? 'failover' : 'conflict'
  }

  failover(name: string): void {
    this.#failovers.set(name, { yielded: false, contested: null })
  }

  /** Because an address of `contested` is, of its sync group or itself. The operator's word is not overruled. */
  conflict(name: string, contested: string): void {
    if (this.of(name) === null) this.#failovers.set(name, { yielded: false, contested })
  }

  endConflict(contested: string): void {
    for (const [name, entry] of this.#failovers)
      if (entry.contested === contested) this.#failovers.delete(name)
  }

  drain(): void {
    this.#drained = true
    this.#kept.clear()
  }

  /** Excepts one from the drain that goes on. */
  keep(name: string): void {
    if (this.#drained) this.#kept.add(name)
  }

  /** It leads on a host that is drained. */
  keeps(name: string): boolean {
    return this.#kept.has(name)
  }

  /** Ends one instance's, or with null that of all instances and of the host. */
  resume(name: string | null): void {
    if (name !== null) {
      this.#failovers.delete(name)
      return
    }
    this.#drained = false
    this.#kept.clear()
    this.#failovers.clear()
  }

  snapshot() {
    return {
      drained: this.#drained,
      kept: [...this.#kept],
      failovers: [...this.#failovers].map(([name, entry]) => ({ name, ...entry })),
    }
  }

  adopt({ drained, kept, failovers }: ReturnType<StandBys['snapshot']>): void {
    this.#drained = drained
    for (const name of kept) this.#kept.add(name)
    for (const { name, yielded, contested } of failovers)
      this.#failovers.set(name, { yielded, contested })
  }

  /**
   * Ends what is over: a failover when the instance leads again after having given the lead away, a conflict also when its
   * instance is gone, an exception from the drain when it does not lead any more. True when something ended.
   */
  settle(instances: readonly RunningInstance[]): boolean {
    const before = this.#failovers.size + this.#kept.size
    if (before === 0) return false
    const kinds = new Map(instances.map((it) => [it.name, it.state.kind]))
    for (const [name, entry] of this.#failovers) {
      const leads = kinds.get(name) === 'master'
      if (!leads) entry.yielded = true
      const known = kinds.has(name) && (entry.contested === null || kinds.has(entry.contested))
      if (!known || (leads && entry.yielded)) this.#failovers.delete(name)
    }
    for (const name of this.#kept) if (kinds.get(name) !== 'master') this.#kept.delete(name)
    return this.#failovers.size + this.#kept.size < before
  }
}
