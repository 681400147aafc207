/** The hosts of a run as an operator sees them: who leads, who may, and with which priority. */
import type { Ip } from '../../src/base/ip.ts'
import type { SlotId } from '../../src/engine/order.ts'
import type { Host } from './host.ts'
import { roamingAddress, thirdAddress, thirdVrid } from './host-file.ts'
import type { Lan } from './lan.ts'
import type { Process } from './process.ts'
import { expectedPriority, type Scenario, type Vip, vipsOf } from './scenario.ts'

export const slotOf = ({ main }: Process, vrid: number): SlotId | null =>
  main.dispatcher.instances.find((it) => it.cfg.vrid === vrid)?.slot ?? null

export function leadsAs(process: Process, vrid: number): boolean {
  const slot = slotOf(process, vrid)
  return slot !== null && process.engine.leads(slot)
}

export class Cluster {
  readonly scenario: Scenario
  readonly vips: readonly Vip[]
  readonly vrids: readonly number[]
  readonly addresses: readonly Ip[]
  hosts: readonly Host[] = []
  readonly #lan: Lan

  constructor(scenario: Scenario, lan: Lan) {
    this.scenario = scenario
    this.#lan = lan
    this.vips = vipsOf(scenario)
    const third = scenario.profile === 'changes' ? [thirdVrid] : []
    this.vrids = [...new Set(this.vips.map((vip) => vip.vrid)), ...third]
    const others = [roamingAddress(scenario.family), thirdAddress(scenario.family)]
    this.addresses = [...this.vips.map(({ address }) => address), ...others]
  }

  /** Hosts that hear each other. Cuts are symmetric in a settled run. */
  parts(): readonly (readonly Host[])[] {
    const left = new Set(this.hosts)
    const parts: Host[][] = []
    for (const first of left) {
      const part = [...left].filter(
        (host) =>
          host === first ||
          (host.kernel.up && first.kernel.up && this.#lan.passes(host.port, first.port)),
      )
      for (const host of part) left.delete(host)
      parts.push(part)
    }
    return parts
  }

  /** A member that only some of the hosts have keeps a sync group back, and is kept back by it. */
  comparable(part: readonly Host[]): boolean {
    return !this.scenario.grouped || part.every((host) => host.plan.file.third)
  }

  capable(host: Host, vrid: number): boolean {
    const { process } = host
    if (process === null || host.asleep || process.stalled || !host.kernel.up) return false
    if (process.stopping || !host.opens || slotOf(process, vrid) === null) return false
    return this.#good(host, vrid) || host.plan.weight !== 0
  }

  /** The third instance has no check of its own. */
  #good(host: Host, vrid: number): boolean {
    return host.good || (vrid === thirdVrid && !this.scenario.grouped)
  }

  rank(host: Host, vrid: number): number {
    const checked = vrid === this.vrids[0]
    return expectedPriority(checked ? host.plan : { ...host.plan, weight: 0 }, host.good)
  }

  /** The VRID whose address it is by the configuration of the running instances; null: of none. */
  ownerOf(host: Host, address: Ip): number | null {
    const instances = host.process?.main.dispatcher.instances ?? []
    return instances.find((it) => it.has(address))?.cfg.vrid ?? null
  }

  leads(host: Host, vrid: number): boolean {
    const { process } = host
    const instance = process?.main.dispatcher.instances.find((it) => it.cfg.vrid === vrid)
    return instance !== undefined && process?.engine.leads(instance.slot) === true
  }

  effective(host: Host, vrid: number): number {
    const instance = host.process?.main.dispatcher.instances.find((it) => it.cfg.vrid === vrid)
    return instance?.machine.effective ?? host.plan.priority
  }

  vridOf(host: Host, slot: SlotId): number | null {
    return host.process?.main.dispatcher.roster.bySlot(slot)?.cfg.vrid ?? null
  }
}
