/**
 * The kernel lease (kernel/lease-rules.ts): which instances have one, the table that enforces it, and whether that stands. An
 * instance is told only of a lease that is in force: its notes would leave the host otherwise.
 */
import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Ip } from '../base/ip.ts'
import type { Log } from '../base/log.ts'
import { type Us, usToMilliseconds } from '../base/time.ts'
import type { Config, GlobalOptions, Instance } from '../config/types.ts'
import type { LeaseFacts } from '../engine/plans-lease.ts'
import type { Errands } from '../kernel/errands.ts'
import {
  type LeasedInstance,
  leaseId,
  leaseRules,
  leaseScript,
  leaseSets,
  noLeases,
  type Standing,
} from '../kernel/lease-rules.ts'
import type { KernelView } from '../kernel/mirror.ts'
import type { RulesetNews, Table, TableLook } from '../kernel/ruleset.ts'
import type { StatusLease } from '../report/status.ts'
import {
  isLeased,
  leasedInstance,
  leaseLengthUs,
  leastOf,
  type Unleased,
} from '../router/binding/kernel-lease.ts'
import type { SocketKey } from '../router/binding/sockets.ts'
import { LeaseWatch } from './lease-watch.ts'
import { type PassedTable, TableKeeper, type WantedTable } from './table-keeper.ts'

export type LeasePorts = {
  readonly table: Table
  readonly log: Log
  /** Of its own: nft may hang. */
  readonly errands: Pick<Errands, 'run'>
  readonly kernel: KernelView
  /** The step in which the kernel counts timeouts. */
  readonly tickUs: Us
  look(): TableLook | null
  names(): Standing
  /** How many elements of a set have not run out; null: it cannot be read. */
  elements(set: string): number | null
  news(onChange: () => void): Pick<RulesetNews, 'listen' | 'close'>
  /** The lease of these instances has come into force, or is no more. */
  changed(names: ReadonlySet<string>): void
  /** Of these instances, those that are master. */
  leading(names: ReadonlySet<string>): readonly string[]
  /** These masters have a lease that has lapsed (lease-watch.ts). */
  lapsed(names: ReadonlySet<string>): void
}

type Leases = ReadonlyMap<string, LeasedInstance>
type Mode = GlobalOptions['kernelLease']

/**
 * Between two looks at the configuration's instances when links or addresses change often: so many times as long as one
 * takes, which is tens of milliseconds for a thousand.
 */
const pause = { leastMs: 100, times: 10 } as const
const none: Leases = new Map()

/** What nft says of a kernel that lacks the family or the hook names neither. */
const explained = (why: string): string =>
  /not supported/.test(why)
    ? `${why}: the kernel must have the egress hook (Linux 5.16 with CONFIG_NF_TABLES_NETDEV and CONFIG_NETFILTER_EGRESS)`
    : why

export class KernelLease {
  readonly #ports: LeasePorts
  readonly #keeper: TableKeeper
  #mode: Mode = 'off'
  #instances: readonly Instance[] = []
  /** What they become in a reload that is under way. */
  #next: readonly Instance[] = []
  /** Wanted, by instance. */
  #leases: Leases = none
  #unleased: readonly Unleased[] = []
  /** In the kernel. */
  #made: Leases = none
  readonly #scripts = new WeakMap<WantedTable, Leases>()
  /** A table that is not wanted waits to be removed. */
  #left = false
  readonly #watch: LeaseWatch
  #pause: NodeJS.Timeout | null = null
  #missed = false

  constructor(ports: LeasePorts) {
    const { log, errands } = ports
    this.#ports = ports
    this.#watch = new LeaseWatch({
      leading: () => ports.leading(new Set(this.#made.keys())),
      hasLapsed: (name) => {
        const count = ports.elements(leaseSets(name).lead)
        return count === null ? null : count === 0
      },
      lapsed: (names) => ports.lapsed(names),
      nowMs: () => performance.now(),
    })
    const words = {
      name: ports.table.name,
      keyword: 'vipd_kernel_lease',
      holds: 'the kernel lease is in force',
      fails: (why: string) => `the kernel lease is not in force: ${explained(why)}`,
      isOptional: () => this.#mode === 'auto',
    }
    this.#keeper = new TableKeeper(
      {
        ...{ log, errands },
        look: () => ports.look(),
        news: (onChange) => ports.news(onChange),
        mayMake: () => true,
        stands: (made) => this.#stands(made),
      },
      words,
      this.#without,
    )
  }

  /** First of all. The table that an earlier daemon left is taken over, or stays until `set` if none is wanted. */
  begin(config: Pick<Config, 'globals' | 'instances'>): void {
    const { chains } = this.#ports.names()
    if (chains.length === 0 || config.globals.kernelLease === 'off')
      this.#keeper.assume(this.#without)
    if (config.globals.kernelLease !== 'off') this.set(config)
    else this.#left = chains.length > 0
  }

  /** For another process; null: not just now. */
  snapshot(): PassedTable | null {
    return this.#keeper.snapshot()
  }

  /** In place of `begin`: the table of another process, and the leases that are in force by it; nothing is done to it. */
  adopt({ globals, instances }: Pick<Config, 'globals' | 'instances'>, passed: PassedTable): void {
    this.#mode = globals.kernelLease
    this.#instances = instances
    this.#decide()
    this.#keeper.adopt(passed, this.#table())
  }

  /** The table is another process's from now on. */
  leave(): void {
    this.#mode = 'off'
    this.#watch.set(false)
    this.#keeper.leave()
  }

  /** The configuration in force. */
  set({ globals, instances }: Pick<Config, 'globals' | 'instances'>): void {
    if (this.#left) this.#keeper.assume(null)
    this.#left = false
    this.#mode = globals.kernelLease
    this.#instances = instances
    this.#next = []
    this.#want()
  }

  /**
   * Before the instances become those of `next`: what holds for both, so that no advert comes later than it may. It holds
   * until `set`, also when the kernel changes meanwhile, as it does when a reload sets an address.
   */
  prepare({ globals, instances }: Pick<Config, 'globals' | 'instances'>): void {
    if (globals.kernelLease === 'off') return
    this.#mode = globals.kernelLease
    this.#next = instances
    this.#want()
  }

  /** Links or addresses have changed. The first is looked at at once, what follows it soon together. */
  kernelChanged(): void {
    if (this.#mode === 'off') return
    if (this.#pause !== null) {
      this.#missed = true
      return
    }
    const fromMs = performance.now()
    this.#want()
    this.#keeper.look()
    const pauseMs = Math.max(pause.leastMs, pause.times * (performance.now() - fromMs))
    this.#pause = setTimeout(() => {
      this.#pause = null
      if (!this.#missed) return
      this.#missed = false
      this.kernelChanged()
    }, pauseMs).unref()
  }

  /** The table goes. */
  clear(): void {
    this.#mode = 'off'
    this.#want()
  }

  settled(timeoutMs: number): Promise<void> {
    return this.#keeper.settled(timeoutMs)
  }

  /** The lease that is in force for an instance that speaks so. */
  of(cfg: Instance, { source, ifindex }: SocketKey): LeaseFacts | null {
    const made = this.#made.get(cfg.name)
    const wanted = this.#leases.get(cfg.name)
    if (made === undefined || wanted === undefined) return null
    if (made.source !== source || made.ifindex !== ifindex || made.vrid !== cfg.vrid) return null
    const { tickUs } = this.#ports
    const leaseUs = leaseLengthUs(cfg, tickUs)
    if (leaseUs > made.leaseUs) return null
    return { id: leaseId(cfg.name), ifindex, leastUs: leastOf(leaseUs, tickUs) }
  }

  /** null: it is not asked for. */
  status(name: string, leads: boolean): Omit<StatusLease, 'soonerTakeOvers'> | null {
    if (this.#mode === 'off') return null
    const made = this.#made.get(name)
    if (made === undefined) {
      const unleased = this.#unleased.find((it) => it.name === name)
      const { failing } = this.#keeper
      const why = unleased?.why ?? (failing === null ? null : explained(failing))
      return { state: 'missing', leaseMs: null, why }
    }
    const live = leads ? this.#ports.elements(leaseSets(name).live) : null
    const state = !leads ? 'waiting' : live === 0 ? 'muted' : 'answers'
    return { state, leaseMs: usToMilliseconds(made.leaseUs), why: null }
  }

  /** For `status`. */
  get warnings(): readonly string[] {
    const without = this.#unleased.map(({ name, why }) => `no kernel lease for ${name}: ${why}`)
    return this.#mode === 'on' ? [...this.#keeper.warnings, ...without] : []
  }

  /** The rules of thousands of instances are megabytes of text, which is written when they have changed. */
  #want(): void {
    const same = !this.#decide()
    if (same && this.#keeper.holds) return
    if (same) return this.#keeper.next()
    const wanted = this.#table()
    if (wanted.key !== this.#keeper.wanted.key) this.#keeper.want(wanted)
    else this.#keeper.next()
  }

  /** False: as before. */
  #decide(): boolean {
    const on = this.#mode !== 'off'
    const found = on ? this.#find() : []
    this.#unleased = found.filter((it) => !isLeased(it)) as readonly Unleased[]
    const leases = new Map(found.filter(isLeased).map((it) => [it.name, it]))
    if (isDeepStrictEqual(leases, this.#leases)) return false
    this.#leases = leases
    return true
  }

  /** Of two with a name, which is one that is about to be altered, the longer lease. */
  #find(): readonly (LeasedInstance | Unleased)[] {
    const { kernel, tickUs } = this.#ports
    const all = [...this.#instances, ...this.#next]
    const virtual = this.#virtual(all)
    const found = new Map<string, LeasedInstance | Unleased>()
    for (const cfg of all) {
      const now = leasedInstance(cfg, kernel, virtual, tickUs) ?? this.#leases.get(cfg.name) ?? null
      if (now === null) continue
      const before = found.get(cfg.name)
      const longer =
        before !== undefined && isLeased(before) && isLeased(now) && before.leaseUs > now.leaseUs
      found.set(cfg.name, longer ? { ...now, leaseUs: before.leaseUs } : now)
    }
    return [...found.values()]
  }

  #virtual(instances: readonly Instance[]): ReadonlySet<Ip> {
    return new Set(
      instances.flatMap((it) => [...it.addresses, ...it.excluded].map(({ address }) => address)),
    )
  }

  get #without(): WantedTable {
    const text = noLeases(this.#ports.table.name)
    return { key: text, script: () => text, count: 0 }
  }

  #table(): WantedTable {
    const leases = this.#leases
    if (leases.size === 0) return this.#without
    const { table, names } = this.#ports
    const rules = () => leaseRules([...leases.values()])
    const made = rules()
    const text = leaseScript(table.name, made, { chains: [], sets: [] })
    const devices = [...leases.values()].flatMap((it) => [...it.devices])
    const wanted: WantedTable = {
      // An interface that was made anew has no chains. The text of a thousand instances is megabytes, so it is not kept.
      key: createHash('sha256').update(text).update(JSON.stringify(devices)).digest('hex'),
      script: () => leaseScript(table.name, rules(), names()),
      count: made.count,
    }
    this.#scripts.set(wanted, leases)
    return wanted
  }

  #stands(made: WantedTable | null): void {
    const before = this.#made
    this.#made = (made === null ? undefined : this.#scripts.get(made)) ?? none
    this.#watch.set(this.#made.size > 0)
    const names = new Set([...before.keys(), ...this.#made.keys()])
    if (names.size > 0) this.#ports.changed(names)
  }
}
