/**
 * What takes part: the running instances by slot, and the sync groups over them. A plan (reload/plan.ts) changes it unit
 * by unit, at start from an empty roster and at reload from a full one, by the same code: what is unchanged is not
 * touched at all.
 */
import { groupBy } from '../../base/collections.ts'
import type { Ip } from '../../base/ip.ts'
import type { Us } from '../../base/time.ts'
import { placeOf } from '../../config/build/instance-identity.ts'
import type { Config, Instance, SyncGroup } from '../../config/types.ts'
import { standingBy } from '../../election/priority.ts'
import type { SlotId } from '../../engine/order.ts'
import { apart } from '../../engine/routes.ts'
import { spokenOn } from '../binding/interface-resolution.ts'
import { peersOf } from '../binding/slot-facts.ts'
import type { RunningFact } from '../reload/plan.ts'
import { same } from '../reload/same.ts'
import { addressesOf, type Kept, type Unit } from '../reload/units.ts'
import type { Verdicts } from '../tracking/readings.ts'
import { type Assessment, assessInstance } from '../tracking/tracker.ts'
import { RunningGroup } from './group.ts'
import { RunningInstance } from './instance.ts'
import type { InstancePorts } from './instance-parts.ts'
import { StandBys } from './stand-by.ts'
import { VirtualAddresses } from './virtual-addresses.ts'

type Reconfigured = Kept & { readonly instance: RunningInstance }
type RosterPorts = Omit<InstancePorts, 'virtual' | 'giveUpLead'>

export class Roster {
  readonly #ports: RosterPorts
  readonly #verdicts: Verdicts
  /** Those that left too, until the engine has carried out their last orders. */
  readonly #bySlot = new Map<SlotId, RunningInstance>()
  #running = new Map<SlotId, RunningInstance>()
  /** The same as a list, made when it is asked for. */
  #list: readonly RunningInstance[] | null = null
  #groups = new Map<string, RunningGroup>()
  readonly #groupOf = new Map<SlotId, SyncGroup>()
  readonly #virtual = new VirtualAddresses()
  #lastSlot = 0
  #leaving: RunningInstance[] = []
  readonly #standBys = new StandBys()

  constructor(ports: RosterPorts, verdicts: Verdicts) {
    this.#ports = ports
    this.#verdicts = verdicts
  }

  get instances(): readonly RunningInstance[] {
    this.#list ??= [...this.#running.values()]
    return this.#list
  }

  get groups(): readonly RunningGroup[] {
    return [...this.#groups.values()]
  }

  bySlot(slot: SlotId): RunningInstance | undefined {
    return this.#bySlot.get(slot)
  }

  isVirtual(address: Ip): boolean {
    return this.#virtual.all.has(address)
  }

  /** Forgets all of them, without an order. */
  clear(): void {
    for (const instance of this.instances) instance.forget()
    this.#bySlot.clear()
    this.#running.clear()
    this.#groupOf.clear()
    this.#groups.clear()
    this.#list = null
  }

  /** For another process. Not while a plan is being applied. */
  snapshot() {
    return {
      standBys: this.#standBys.snapshot(),
      groups: this.groups.map(({ cfg, state }) => ({ name: cfg.name, state })),
      instances: this.instances.map((it) => it.snapshot()),
    }
  }

  /**
   * Takes part as another process did, from an empty roster. Nothing is ordered that alters anything. A sentence that
   * says why it cannot; nothing has been ordered then.
   */
  adopt({ instances, groups }: Config, state: ReturnType<Roster['snapshot']>): string | null {
    this.#standBys.adopt(state.standBys)
    this.#virtual.adopt({ instances })
    const byName = new Map(state.instances.map((one) => [one.name, one]))
    const groupOf = new Map(groups.flatMap((g) => g.members.map((m) => [m, g] as const)))
    const adopted = instances.flatMap((cfg) => {
      const before = byName.get(cfg.name)
      return before === undefined ? [] : [{ before, it: this.#add(cfg, groupOf.get(cfg.name)) }]
    })
    const differs = adopted.length !== instances.length || adopted.length !== state.instances.length
    const refusals = adopted.flatMap(({ it, before }) => it.bindAs(before) ?? [])
    const [why] = differs ? ['its instances are not those of the configuration'] : refusals
    if (why !== undefined) {
      this.clear()
      return why
    }
    const states = new Map(state.groups.map((one) => [one.name, one.state]))
    for (const cfg of groups) {
      const members = this.instances.filter(({ name }) => cfg.members.includes(name))
      const before = states.get(cfg.name) ?? null
      this.#groups.set(cfg.name, new RunningGroup(cfg, members, { ...this.#ports, before }))
    }
    for (const { it, before } of adopted) it.adopt(before)
    for (const { it } of adopted) this.assess(it)
    return null
  }

  /** What a plan starts from. */
  facts(): readonly RunningFact[] {
    return this.instances.map(({ slot, cfg, applied }) => ({ slot, cfg, applied }))
  }

  /** Before the first unit of a plan: what is virtual in either configuration is no source. */
  beginChange(next: Config): void {
    this.#virtual.begin(next)
  }

  /** Applies one unit whole: what it releases first, what it acquires last. */
  change(unit: Unit): void {
    const kept = unit.keep.flatMap((kept) => this.#withInstance(kept))
    const regroups = new Map(unit.regroup.flatMap((g) => g.members.map((m) => [m, g] as const)))
    const released = unit.release.flatMap((slot) => this.#remove(slot))
    if (kept.length + unit.acquire.length > 0) this.forgetLeft()
    for (const { slot, to } of kept) this.#setGroup(slot, regroups.get(to.name))
    const altered = kept.filter((one) => one.altered)
    // Another may need the place of one that has none from now on.
    const leaving = new Set(altered.filter((one) => one.instance.binding.losesPlace(one.to)))
    this.#reconfigure([...leaving])
    const staying = altered.filter((one) => !leaving.has(one))
    this.#yieldPeers(staying)
    this.#reconfigure(staying)
    const added = unit.acquire.map((cfg) => this.#add(cfg, regroups.get(cfg.name)))
    const groups = this.#regroup(unit, [...kept.map(({ instance }) => instance), ...added])
    for (const instance of added) instance.start()
    for (const instance of added) for (const group of groups) group.welcome(instance)
    for (const { instance } of kept) this.assess(instance)
    // By itself an instance puts its addresses in order without being told.
    const given = new Set(
      kept.length + released.length > 1 ? [...released, ...kept.flatMap(givenUp)] : [],
    )
    for (const { instance, to } of kept)
      if (addressesOf(to).some(({ address }) => given.has(address))) instance.keeper.holdAddresses()
  }

  /** After the last unit of a plan: the order of the file. */
  endChange({ instances, groups }: Config): void {
    const place = new Map(instances.map(({ name }, i) => [name, i]))
    const order = ({ name }: RunningInstance) => place.get(name) ?? 0
    const sorted = [...this.instances].sort((a, b) => order(a) - order(b))
    this.#running = new Map(sorted.map((it) => [it.slot, it]))
    this.#list = null
    this.#groups = new Map(
      groups.flatMap(({ name }) => {
        const group = this.#groups.get(name)
        return group === undefined ? [] : [[name, group] as const]
      }),
    )
  }

  /**
   * When the kernel holds no address any more that is not virtual now: one that it holds all the same may be a source. One
   * that is virtual from now on is none, and an instance that the plan left alone may have it.
   */
  settleSources(next: Config): void {
    const changed = this.#virtual.settle(next)
    if (changed.size === 0) return
    const touched = new Set<string>()
    for (const name of new Set(this.instances.flatMap(({ cfg }) => spokenOn(cfg) ?? []))) {
      const link = this.#ports.kernel.linkByName(name)
      const held = link === null ? [] : this.#ports.kernel.addressesOn(link.ifindex)
      if (held.some(({ address }) => changed.has(address))) touched.add(name)
    }
    for (const name of touched) this.sourceChanged(name, null)
  }

  /** After the last orders of those that left have been handed over: their sockets and VRIDs are free. */
  forgetLeft(): void {
    for (const instance of this.#leaving) {
      instance.forget()
      this.#bySlot.delete(instance.slot)
    }
    this.#leaving = []
  }

  assessAll(): void {
    for (const instance of this.instances) this.assess(instance)
  }

  /** A script's verdict changed. */
  assessTracking(script: string): void {
    for (const instance of this.instances)
      if (this.scriptsOf(instance).has(script)) this.assess(instance)
  }

  /** What waited to be recorded before it may be ordered. */
  recorded(): void {
    for (const instance of this.instances) if (instance.binding.waiting) instance.refresh()
  }

  /** Links that vipd makes came, or cannot. */
  linksChanged(names: ReadonlySet<string>): void {
    for (const instance of this.instances)
      if (instance.cfg.virtualLinks.some(({ name }) => names.has(name))) {
        instance.refresh()
        this.assess(instance)
      }
  }

  /** An address that may be a source came or went. null: any. */
  sourceChanged(interfaceName: string, address: Ip | null): void {
    for (const instance of this.instances) {
      const { cfg } = instance
      const { source } = cfg.transport
      if (
        cfg.interface === null ||
        cfg.interface === interfaceName ||
        spokenOn(cfg) === interfaceName ||
        (address !== null && source === address)
      )
        instance.refresh()
    }
  }

  scriptsOf(instance: RunningInstance): ReadonlySet<string> {
    const own = instance.cfg.trackChecks.map((t) => t.name)
    return new Set([...own, ...(this.groupOf(instance)?.trackChecks.map((t) => t.name) ?? [])])
  }

  /** BFD sessions whose loss ends its wait for the adverts of the neighbour. */
  takeoversOf(instance: RunningInstance): ReadonlySet<string> {
    const all = [...instance.cfg.trackChecks, ...(this.groupOf(instance)?.trackChecks ?? [])]
    return new Set(all.flatMap(({ name, takeover }) => (takeover === true ? [name] : [])))
  }

  settle(): void {
    for (const group of this.#groups.values()) group.settle()
    if (this.#standBys.settle(this.instances)) this.assessAll()
  }

  /** Instances of that name, or of the sync group of that name; a member brings its whole group. */
  handedOverWith(name: string): readonly RunningInstance[] {
    const named = this.instances.find((it) => it.name === name)
    const group = (named === undefined ? null : this.groupOf(named)?.name) ?? name
    return this.instances.filter((it) => it.name === name || this.groupOf(it)?.name === group)
  }

  failover(instances: readonly { readonly name: string }[]): void {
    for (const { name } of instances) this.#standBys.failover(name)
    this.assessAll()
  }

  drain(): void {
    this.#standBys.drain()
    this.assessAll()
  }

  /** No peer took these over: they have their priority back, the host stays drained. */
  keep(instances: readonly { readonly name: string }[]): void {
    for (const { name } of instances) this.#standBys.keep(name)
    this.assessAll()
  }

  #giveUpLead(slot: SlotId, contested: Ip | null): boolean {
    const name = this.#bySlot.get(slot)?.name ?? ''
    if (contested === null) {
      this.#standBys.endConflict(name)
      this.assessAll()
      return true
    }
    const members = this.handedOverWith(name)
    if (members.some(({ cfg }) => cfg.priority === 255)) return false
    for (const member of members) this.#standBys.conflict(member.name, name)
    this.assessAll()
    for (const member of members) member.feed({ kind: 'contested', address: contested })
    return true
  }

  get drained(): boolean {
    return this.#standBys.drained
  }

  /** Leads on although the host is drained. */
  keeps(name: string): boolean {
    return this.#standBys.keeps(name)
  }

  /** null: all of them. */
  resume(instances: readonly { readonly name: string }[] | null): void {
    if (instances === null) this.#standBys.resume(null)
    else for (const { name } of instances) this.#standBys.resume(name)
    this.assessAll()
  }

  /** The earliest instant at which an election wants a tick. */
  deadlineAt(now: Us): Us | null {
    let earliest: Us | null = null
    for (const instance of this.instances) {
      const deadline = instance.deadlineAt(now)
      if (deadline !== null && (earliest === null || deadline < earliest)) earliest = deadline
    }
    return earliest
  }

  groupOf({ slot }: Pick<RunningInstance, 'slot'>): SyncGroup | null {
    return this.#groupOf.get(slot) ?? null
  }

  /** What the instance tracks, as it is now. */
  assess(instance: RunningInstance): void {
    instance.assess(this.#assessmentOf(instance.slot, instance.cfg))
  }

  #assessmentOf(slot: SlotId, cfg: Instance): Assessment {
    const assessment = assessInstance(cfg, this.groupOf({ slot }), this.#verdicts)
    const standsBy = this.#standBys.of(cfg.name)
    return standsBy === null ? assessment : standingBy(assessment, standsBy)
  }

  #withInstance(kept: Kept): readonly (Kept & { readonly instance: RunningInstance })[] {
    const instance = this.#bySlot.get(kept.slot)
    return instance === undefined ? [] : [{ ...kept, instance }]
  }

  #setGroup(slot: SlotId, group: SyncGroup | undefined): void {
    if (group === undefined) this.#groupOf.delete(slot)
    else this.#groupOf.set(slot, group)
  }

  #add(cfg: Instance, group: SyncGroup | undefined): RunningInstance {
    this.#lastSlot += 1
    const slot = this.#lastSlot
    this.#setGroup(slot, group)
    const giveUpLead = (contested: Ip | null) => this.#giveUpLead(slot, contested)
    const ports = { ...this.#ports, virtual: () => this.#virtual.all, giveUpLead }
    const instance = new RunningInstance(slot, cfg, this.#assessmentOf(slot, cfg), ports)
    this.#bySlot.set(slot, instance)
    this.#running.set(slot, instance)
    this.#list = null
    return instance
  }

  /** The addresses that it gives up. */
  #remove(slot: SlotId): readonly Ip[] {
    const instance = this.#bySlot.get(slot)
    if (instance === undefined) return []
    this.#running.delete(slot)
    this.#list = null
    this.#groupOf.delete(slot)
    instance.remove()
    this.#leaving.push(instance)
    return addressesOf(instance.cfg).map(({ address }) => address)
  }

  #reconfigure(altered: readonly Reconfigured[]): void {
    for (const { instance, to } of altered)
      instance.reconfigure(to, this.#assessmentOf(instance.slot, to))
  }

  /** One of several in a place that takes over another's peer: all give up theirs before the first takes any. */
  #yieldPeers(altered: readonly Reconfigured[]): void {
    for (const sharing of groupBy(altered, ({ to }) => placeOf(to)).values()) {
      const takesOver = sharing.some((one) =>
        sharing.some((other) => other !== one && !apart(peersOf(one.to), peersOf(other.from))),
      )
      if (sharing.length < 2 || !takesOver) continue
      this.#ports.orders.submit()
      this.#ports.links.moveTogether(sharing.flatMap(({ instance, to }) => instance.move(to)))
    }
  }

  #regroup(unit: Unit, instances: readonly RunningInstance[]): readonly RunningGroup[] {
    const named = new Map(instances.map((it) => [it.name, it]))
    const grouped = new Set(unit.regroup.flatMap(({ members }) => members))
    const groups = unit.regroup.map((cfg) => {
      const members = cfg.members.flatMap((name) => named.get(name) ?? [])
      const before = this.#groups.get(cfg.name)?.state ?? null
      return new RunningGroup(cfg, members, { ...this.#ports, before })
    })
    for (const name of unit.ungroup) this.#groups.delete(name)
    for (const group of groups) this.#groups.set(group.cfg.name, group)
    for (const instance of instances) if (!grouped.has(instance.name)) instance.leaveGroup()
    return groups
  }
}

/** A changed label or prefix gives up an address as much as its removal does. */
const givenUp = ({ from, to }: Kept): readonly Ip[] =>
  addressesOf(from)
    .filter((one) => !addressesOf(to).some((other) => same(one, other)))
    .map(({ address }) => address)
