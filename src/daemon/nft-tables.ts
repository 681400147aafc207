/** The daemon's nft tables, no_accept and the kernel lease, joined to nft, to the kernel's news of its rules and to the mirror. */
import type { Log } from '../base/log.ts'
import type { Config } from '../config/types.ts'
import { Errands } from '../kernel/errands.ts'
import type { OwnedObject } from '../kernel/marks.ts'
import type { KernelView } from '../kernel/mirror.ts'
import { leaseTableName } from '../kernel/nft-tables.ts'
import {
  elementsOf,
  lookAtTable,
  namesInTable,
  RulesetNews,
  timeoutTickUs,
} from '../kernel/ruleset.ts'
import { Firewall } from './firewall.ts'
import { KernelLease, type LeasePorts } from './kernel-lease.ts'

export type NftTablesPorts = {
  readonly runDir: string
  readonly log: Log
  readonly kernel: KernelView
  /** See `FirewallPorts`. */
  claim(objects: readonly OwnedObject[]): boolean
  /** See `LeasePorts`. */
  readonly lease: Pick<LeasePorts, 'changed' | 'leading' | 'lapsed'>
}

/** How long a start, a stop and, for a kernel lease, a reload wait for nft. */
const nftWaitMs = 2_000

type Wanted = Pick<Config, 'globals' | 'instances'>

export class NftTables {
  readonly #firewall: Firewall
  readonly lease: KernelLease

  constructor({ runDir, log, kernel, claim, lease }: NftTablesPorts) {
    const news = (onChange: () => void) => new RulesetNews(onChange)
    this.#firewall = new Firewall({
      ...{ runDir, log, claim, news },
      errands: new Errands(),
      look: (name) => lookAtTable({ family: 'inet', name }),
    })
    const table = { family: 'netdev', name: leaseTableName(runDir) } as const
    this.lease = new KernelLease({
      ...{ table, log, kernel, news, ...lease },
      errands: new Errands(),
      tickUs: timeoutTickUs(),
      look: () => lookAtTable(table),
      names: () => namesInTable(table),
      elements: (set) => elementsOf(table, set),
    })
  }

  /** At the start, before any instance takes part. `living`: the run directories of the vipds that live beside us. */
  begin({ globals, instances }: Wanted, living: readonly string[]): Promise<unknown> {
    this.#firewall.sweep(living)
    this.#firewall.set(instances, globals)
    this.lease.begin({ globals, instances })
    return this.#settled()
  }

  /** For another process; null: nft is at work. */
  snapshot() {
    const [noAccept, lease] = [this.#firewall.snapshot(), this.lease.snapshot()]
    return noAccept === null || lease === null ? null : { noAccept, lease }
  }

  /** In place of `begin`: tables of another process. Nothing is done to them before they are set. */
  adopt(
    passed: NonNullable<ReturnType<NftTables['snapshot']>>,
    config: Pick<Config, 'globals' | 'instances'>,
  ): void {
    this.#firewall.adopt(passed.noAccept)
    this.lease.adopt(config, passed.lease)
  }

  /** The tables are another process's from now on. */
  leave(): void {
    this.#firewall.leave()
    this.lease.leave()
  }

  /** no_accept of the instances that are about to be in force. */
  setRules({ globals, instances }: Wanted): void {
    this.#firewall.set(instances, globals)
  }

  /** Resolves when a kernel lease is as the instances of `next` need it as well, or after a while. */
  prepare(next: Wanted): Promise<void> {
    this.lease.prepare(next)
    return this.lease.settled(nftWaitMs)
  }

  /** The claim has been recorded. */
  recorded(): void {
    this.#firewall.recorded()
  }

  /** The tables go. Resolves when they have, or after a while. */
  clear(): Promise<unknown> {
    this.#firewall.clear()
    this.lease.clear()
    return this.#settled()
  }

  /** For `status`. */
  get warnings(): readonly string[] {
    return [...this.#firewall.warnings, ...this.lease.warnings]
  }

  #settled(): Promise<unknown> {
    return Promise.all([this.#firewall.settled(nftWaitMs), this.lease.settled(nftWaitMs)])
  }
}
