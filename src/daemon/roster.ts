/**
 * Who takes part: the running instances by slot and identity, and the sync groups over them. A configuration is
 * applied as a difference, at start to an empty roster and at reload to a full one, by the same code: what is
 * unchanged is not touched at all.
 */
import type { Ip } from '../base/ip.ts'
import { type Us, us } from '../base/time.ts'
import { diff, instanceKey } from '../config/diff.ts'
import type { Config, Instance, SyncGroup } from '../config/types.ts'
import { standingBy } from '../election/priority.ts'
import type { SlotId } from '../engine/contract.ts'
import { RunningGroup } from './group.ts'
import { type InstancePorts, RunningInstance } from './instance.ts'
import { StandBys } from './stand-by.ts'
import { type Assessment, assessInstance, type Verdicts, watchedInterfaces } from './tracker.ts'

export class Roster {
  readonly #ports: Omit<InstancePorts, 'virtual'>
  readonly #verdicts: Verdicts
  readonly #bySlot = new Map<SlotId, RunningInstance>()
  #byKey = new Map<string, RunningInstance>()
  #groups: readonly RunningGroup[] = []
  #groupOf = new Map<string, SyncGroup>()
  #virtual: ReadonlySet<Ip> = new Set()
  #lastSlot = 0
  #leaving: RunningInstance[] = []
  readonly #standBys = new StandBys()

  constructor(ports: Omit<InstancePorts, 'virtual'>, verdicts: Verdicts) {
    this.#ports = ports
    this.#verdicts = verdicts
  }

  get instances(): readonly RunningInstance[] {
    return [...this.#byKey.values()]
  }

  get groups(): readonly RunningGroup[] {
    return this.#groups
  }

  bySlot(slot: SlotId): RunningInstance | undefined {
    return this.#bySlot.get(slot)
  }

  isVirtual(address: Ip): boolean {
    return this.#virtual.has(address)
  }

  /** Makes the roster equal to the configuration. Returns what changed, one sentence each. */
  apply(config: Config): readonly string[] {
    const running = new Map([...this.#byKey].map(([key, it]) => [key, it.cfg]))
    const wanted = new Map(config.instances.map((cfg) => [instanceKey(cfg), cfg]))
    const groupOf = new Map(
      config.groups.flatMap((g) => g.members.map((name) => [name, g] as const)),
    )
    const regrouped = !same([...this.#groupOf], [...groupOf])
    this.#virtual = virtualAddresses(config)
    this.#groupOf = groupOf
    const changes = diff(running, wanted, same)
    const added: RunningInstance[] = []
    for (const change of changes) {
      if (change.kind === 'remove') this.#remove(change.name)
      else if (change.kind === 'add') added.push(this.#add(change.name, change.to))
      else this.#byKey.get(change.name)?.reconfigure(change.to, this.#assessmentOf(change.to))
    }
    this.#regroup(config.groups)
    for (const instance of added) instance.start()
    for (const instance of added) for (const group of this.#groups) group.welcome(instance)
    if (regrouped) this.assessAll()
    const said = changes.map(
      (c) => `${c.kind === 'remove' ? c.from.name : c.to.name}: ${verbs[c.kind]}`,
    )
    return regrouped && running.size > 0 ? [...said, 'sync groups: altered'] : said
  }

  /** After the engine has carried out the orders of those that left. */
  forgetLeft(): void {
    for (const instance of this.#leaving) {
      instance.forget()
      this.#bySlot.delete(instance.slot)
    }
    this.#leaving = []
  }

  assessAll(): void {
    for (const instance of this.instances) instance.assess(this.#assessmentOf(instance.cfg))
  }

  /** A script's verdict changed. */
  assessTracking(script: string): void {
    for (const instance of this.instances)
      if (this.scriptsOf(instance.cfg).has(script))
        instance.assess(this.#assessmentOf(instance.cfg))
  }

  /** An interface changed. Instances without one of their own stand on whichever holds their source. */
  linkChanged(name: string): void {
    for (const instance of this.instances) {
      const { cfg } = instance
      if (cfg.interface !== null && !watchedInterfaces(cfg, this.#group(cfg)).has(name)) continue
      instance.refresh()
      instance.assess(this.#assessmentOf(cfg))
    }
  }

  /** An address that is not virtual came or went: somebody's source, perhaps. */
  sourceChanged(interfaceName: string): void {
    for (const instance of this.instances)
      if (instance.cfg.interface === null || instance.cfg.interface === interfaceName)
        instance.refresh()
  }

  scriptsOf(cfg: Instance): ReadonlySet<string> {
    const own = cfg.trackChecks.map((t) => t.name)
    return new Set([...own, ...(this.#group(cfg)?.trackChecks.map((t) => t.name) ?? [])])
  }

  settle(): void {
    for (const group of this.#groups) group.settle()
    if (this.#standBys.settle(this.instances)) this.assessAll()
  }

  /** Instances of that name, or of the sync group of that name; a member brings its whole group. */
  handedOverWith(name: string): readonly RunningInstance[] {
    const group = this.#groupOf.get(name)?.name ?? name
    return this.instances.filter((it) => it.name === name || this.#group(it.cfg)?.name === group)
  }

  failover(instances: readonly { readonly name: string }[]): void {
    for (const { name } of instances) this.#standBys.failover(name)
    this.assessAll()
  }

  drain(): void {
    this.#standBys.drain()
    this.assessAll()
  }

  /** null: everybody. */
  resume(instances: readonly { readonly name: string }[] | null): void {
    if (instances === null) this.#standBys.resume(null)
    else for (const { name } of instances) this.#standBys.resume(name)
    this.assessAll()
  }

  /** The earliest instant at which an election wants a tick. */
  get deadline(): Us | null {
    const all = this.instances.flatMap((it) => it.deadline ?? [])
    return all.length === 0 ? null : us(Math.min(...all))
  }

  #group(cfg: Instance): SyncGroup | null {
    return this.#groupOf.get(cfg.name) ?? null
  }

  #assessmentOf(cfg: Instance): Assessment {
    const assessment = assessInstance(cfg, this.#group(cfg), this.#verdicts)
    const standsBy = this.#standBys.of(cfg.name)
    return standsBy === null ? assessment : standingBy(assessment, standsBy)
  }

  #add(key: string, cfg: Instance): RunningInstance {
    this.#lastSlot += 1
    const ports = { ...this.#ports, virtual: () => this.#virtual }
    const instance = new RunningInstance(this.#lastSlot, cfg, this.#assessmentOf(cfg), ports)
    this.#byKey.set(key, instance)
    this.#bySlot.set(instance.slot, instance)
    return instance
  }

  #remove(key: string): void {
    const instance = this.#byKey.get(key)
    if (instance === undefined) return
    this.#byKey.delete(key)
    instance.remove()
    this.#leaving.push(instance)
  }

  #regroup(groups: readonly SyncGroup[]): void {
    const before = new Map(this.#groups.map((g) => [g.cfg.name, g]))
    const grouped = new Set<RunningInstance>()
    this.#groups = groups.map((cfg) => {
      const members = this.instances.filter((it) => cfg.members.includes(it.name))
      for (const member of members) grouped.add(member)
      return new RunningGroup(cfg, members, {
        ...this.#ports,
        before: before.get(cfg.name) ?? null,
      })
    })
    for (const instance of this.instances) if (!grouped.has(instance)) instance.leaveGroup()
  }
}

const verbs = { add: 'added', remove: 'removed', alter: 'altered' } as const

function virtualAddresses(config: Config): ReadonlySet<Ip> {
  const all = config.instances.flatMap((it) => [...it.addresses, ...it.excluded])
  return new Set(all.map((a) => a.address))
}

/** Plain data; where something is written in the file is no difference. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const keys = keysOf(a)
  const entries = b as Readonly<Record<string, unknown>>
  return (
    keys.length === keysOf(b).length &&
    keys.every((key) => key in b && same((a as typeof entries)[key], entries[key]))
  )
}

const keysOf = (value: object): string[] => Object.keys(value).filter((key) => key !== 'place')
