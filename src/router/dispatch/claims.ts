/**
 * Who else claims an address of a master here: which addresses are watched where, and what is heard on its way to the
 * instances. An instance is watched from the moment that it leads, and no longer.
 */

import type { Ip } from '../../base/ip.ts'
import type { Log } from '../../base/log.ts'
import type { MacText } from '../../base/mac.ts'
import { macText } from '../../base/mac.ts'
import { minUs, type Us } from '../../base/time.ts'
import type { SlotId } from '../../engine/contract.ts'
import type { Frames, HeardFrame } from '../../engine/frames-contract.ts'
import type { SlotFacts } from '../../engine/plans-addresses.ts'
import type { Kernel, KernelView } from '../../kernel/mirror.ts'
import type { Claimant, Finding } from '../claims/claimants.ts'
import { describeClaim } from '../claims/describe.ts'
import { ClaimWatch, type HeardClaim, watchKey } from '../claims/watch.ts'
import type { DispatcherPorts } from './dispatcher-ports.ts'
import type { RunningInstance } from './instance.ts'
import type { Roster } from './roster.ts'

export type ClaimsPorts = {
  readonly frames: Frames
  readonly roster: Roster
  readonly kernel: KernelView & Pick<Kernel, 'linkNames'>
  readonly log: Log
  readonly happened: DispatcherPorts['happened']
  now(): Us
}

type Watched = { readonly slot: SlotId; readonly facts: SlotFacts }

export class Claims {
  readonly #ports: ClaimsPorts
  readonly #watch: ClaimWatch
  readonly #watched = new Map<SlotId, SlotFacts>()
  /** The instances that hold an address on an interface, by `placeKey`. */
  #holders = new Map<string, Set<SlotId>>()
  /** Of this host; null: to be asked for. */
  #ownMacs: ReadonlySet<MacText> | null = null

  constructor(ports: ClaimsPorts) {
    this.#ports = ports
    this.#watch = new ClaimWatch(ports.frames)
  }

  onFrames(frames: readonly HeardFrame[]): void {
    const now = this.#ports.now()
    for (const claim of this.#watch.decode(frames)) {
      // Our own, reflected, or of another of our interfaces on the same segment.
      if (this.#isOwn(claim.mac)) continue
      for (const slot of this.#holders.get(placeKey(claim.ifindex, claim.address)) ?? [])
        this.#heard(this.#ports.roster.bySlot(slot), claim, now)
    }
    this.tick(now)
  }

  /** Links changed. */
  kernelChanged(): void {
    this.#ownMacs = null
  }

  /** What is to be watched follows the instances. At the end of every batch. */
  follow(now: Us): void {
    const { roster } = this.#ports
    const leading: Watched[] = roster.instances.flatMap((it) => {
      const facts = it.claims.askFacts ?? (it.cfg.addressClaim === 'off' ? null : it.keeper.facts)
      return facts === null ? [] : [{ slot: it.slot, facts }]
    })
    const same =
      leading.length === this.#watched.size &&
      leading.every(({ slot, facts }) => this.#watched.get(slot) === facts)
    if (!same) this.#want(leading, now)
    this.#watch.tick(now)
  }

  tick(now: Us): void {
    this.#watch.tick(now)
    for (const slot of this.#watched.keys()) {
      const it = this.#ports.roster.bySlot(slot)
      const lead = it?.claims.leadAt(now) ?? null
      if (it === undefined || lead === null || (it.claimants.due(now) ?? now + 1) > now) continue
      for (const finding of it.claimants.tick(lead)) this.#act(it, finding, now)
    }
  }

  dueAt(now: Us): Us | null {
    let earliest = this.#watch.dueAt
    for (const slot of this.#watched.keys()) {
      const due = this.#ports.roster.bySlot(slot)?.claimants.due(now) ?? null
      if (due !== null) earliest = earliest === null ? due : minUs(earliest, due)
    }
    return earliest
  }

  /** For `status`. */
  get warnings(): readonly string[] {
    const { failure } = this.#watch
    return failure === null
      ? []
      : [`other machines that claim an address are not noticed: ${failure}`]
  }

  /** How many addresses of ours a machine claims besides this one. */
  othersOf(mac: MacText, address: Ip, now: Us): number {
    const claimed = new Set<Ip>()
    for (const slot of this.#watched.keys())
      for (const one of this.#ports.roster.bySlot(slot)?.claimants.at(now) ?? [])
        if (one.mac === mac && one.address !== address) claimed.add(one.address)
    return claimed.size
  }

  #heard(it: RunningInstance | undefined, claim: HeardClaim, now: Us): void {
    const lead = it?.claims.leadAt(now) ?? null
    const on = this.#ports.kernel.linkByIndex(claim.ifindex)?.name ?? `interface ${claim.ifindex}`
    if (it === undefined) return
    if (lead !== null) return it.claimants.heard(claim, on, lead)
    const claimant = it.claims.claimed(claim, on, now)
    if (claimant !== null) this.#report(it, claimant, now)
  }

  #act(it: RunningInstance, finding: Finding, now: Us): void {
    if (finding.kind === 'announce') return it.keeper.announce(finding.address)
    this.#report(it, finding.claimant, now)
  }

  #report(it: RunningInstance, claimant: Claimant, now: Us): void {
    const { address, mac, how, interface: on } = claimant
    const text = describeClaim(claimant, this.othersOf(mac, address, now))
    this.#ports.log.warn(`(${it.name}) ${text}`, { instance: it.name, address, mac, interface: on })
    this.#ports.happened({ kind: 'claim', instance: it.name, address, mac, how, interface: on })
  }

  #want(leading: readonly Watched[], now: Us): void {
    this.#watched.clear()
    this.#holders = new Map()
    const wanted = new Map<string, Set<Ip>>()
    for (const { slot, facts } of leading) {
      this.#watched.set(slot, facts)
      for (const { address, ifindex, announceOn, mac } of facts.addresses) {
        if (mac === null) continue
        for (const on of new Set([ifindex, announceOn])) {
          enter(wanted, watchKey(on, address), address)
          enter(this.#holders, placeKey(on, address), slot)
        }
      }
    }
    this.#watch.want(wanted, now)
  }

  #isOwn(mac: MacText): boolean {
    const { kernel } = this.#ports
    this.#ownMacs ??= new Set(
      kernel.linkNames.flatMap((name) => {
        const octets = kernel.linkByName(name)?.mac ?? null
        return octets === null ? [] : [macText(octets)]
      }),
    )
    return this.#ownMacs.has(mac)
  }
}

const placeKey = (ifindex: number, address: Ip): string => `${ifindex} ${address}`

function enter<Value>(map: Map<string, Set<Value>>, key: string, value: Value): void {
  const known = map.get(key)
  if (known === undefined) map.set(key, new Set([value]))
  else known.add(value)
}
