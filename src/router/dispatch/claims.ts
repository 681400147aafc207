/**
 * Who else claims an address of a master here: which addresses are watched where, and what is heard on its way to the
 * instances. An instance is watched from the moment that it leads, and no longer.
 */

import type { Ip } from '../../base/ip.ts'
import type { Log } from '../../base/log.ts'
import type { MacText } from '../../base/mac.ts'
import { minUs, type Us } from '../../base/time.ts'
import type { Frames, HeardFrame } from '../../engine/frames-contract.ts'
import type { SlotId } from '../../engine/order.ts'
import type { SlotFacts } from '../../engine/plans-addresses.ts'
import type { Kernel, KernelView } from '../../kernel/mirror.ts'
import type { TakeOver } from '../../report/past-claim.ts'
import type { Claimant } from '../claims/claimant.ts'
import type { Finding } from '../claims/claimants.ts'
import { describeClaim } from '../claims/describe.ts'
import type { Clock } from '../claims/past-claims.ts'
import { SameMac } from '../claims/same-mac.ts'
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
  /** For people. */
  wallMs(): number
}

type Watched = { readonly slot: SlotId; readonly facts: SlotFacts }

export class Claims {
  readonly #ports: ClaimsPorts
  readonly #watch: ClaimWatch
  readonly #watched = new Map<SlotId, SlotFacts>()
  /** The instances that hold an address on an interface, by `placeKey`. */
  #holders = new Map<string, Set<SlotId>>()
  readonly #sameMac: SameMac

  constructor(ports: ClaimsPorts) {
    this.#ports = ports
    this.#watch = new ClaimWatch(ports.frames, 'received')
    this.#sameMac = new SameMac(ports.frames, ports.kernel)
  }

  onFrames(frames: readonly HeardFrame[]): void {
    const now = this.#ports.now()
    this.#sameMac.onFrames(frames)
    for (const claim of this.#watch.decode(frames)) {
      // Our own, reflected, or of another of our interfaces on the same segment; or another machine's with the same one.
      const sameMac = this.#sameMac.isOwn(claim.mac)
      if (sameMac) this.#sameMac.heard(claim, now)
      for (const it of this.#holdersOf(claim)) {
        const leads = it.claims.leadAt(now) !== null
        if (!sameMac || (!leads && this.#lacks(claim.address)))
          this.#heard(it, { ...claim, sameMac }, now)
      }
    }
    this.tick(now)
  }

  /** Links changed. */
  kernelChanged(): void {
    this.#sameMac.kernelChanged()
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
    if (leading.length === 0) this.#sameMac.end()
    this.#keep(now)
  }

  tick(now: Us): void {
    this.#watch.tick(now)
    for (const claim of this.#sameMac.tick(now)) {
      for (const it of this.#holdersOf(claim)) {
        const lead = it.claims.leadAt(now)
        if (lead !== null) this.#heard(it, { ...claim, sameMac: true }, now)
      }
    }
    for (const slot of this.#watched.keys()) {
      const it = this.#ports.roster.bySlot(slot)
      const lead = it?.claims.leadAt(now) ?? null
      if (it === undefined || lead === null || (it.claimants.due(now) ?? now + 1) > now) continue
      for (const finding of it.claimants.tick(lead)) this.#act(it, finding, now)
    }
  }

  dueAt(now: Us): Us | null {
    const instants = [...this.#watched.keys()].map(
      (slot) => this.#ports.roster.bySlot(slot)?.claimants.due(now) ?? null,
    )
    for (const { claimants } of this.#ports.roster.instances)
      if (claimants.past.due !== null) instants.push(claimants.past.due)
    return [this.#watch.dueAt, this.#sameMac.dueAt(), ...instants].reduce(
      (earliest, due) =>
        earliest === null || due === null ? (earliest ?? due) : minUs(earliest, due),
      null,
    )
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

  #holdersOf({ ifindex, address }: HeardClaim): readonly RunningInstance[] {
    const slots = this.#holders.get(placeKey(ifindex, address)) ?? []
    return [...slots].flatMap((slot) => this.#ports.roster.bySlot(slot) ?? [])
  }

  /** No interface of this host has the address, so that none answers for it. */
  #lacks(address: Ip): boolean {
    return this.#ports.kernel.linkHolding(address) === null
  }

  #heard(it: RunningInstance, claim: HeardClaim & { readonly sameMac: boolean }, now: Us): void {
    const lead = it.claims.leadAt(now)
    const on = this.#ports.kernel.linkByIndex(claim.ifindex)?.name ?? `interface ${claim.ifindex}`
    if (lead !== null) return it.claimants.heard(claim, on, lead)
    const answered = it.claims.claimed(claim, on, now)
    if (answered === null) return
    const { claimant, told, takeOver } = answered
    if (told) this.#report(it, claimant, takeOver, now)
    else it.claimants.past.more(claimant, claim.count, takeOver)
  }

  #act(it: RunningInstance, finding: Finding, now: Us): void {
    switch (finding.kind) {
      case 'announce':
        it.claimants.past.announced(finding.address, finding.by)
        return it.keeper.announce(finding.address)
      case 'crowd':
        return it.claimants.past.claimed(finding.claimant, false, null, this.#clock(now))
      case 'report':
        return this.#report(it, finding.claimant, null, now)
    }
  }

  #report(it: RunningInstance, claimant: Claimant, takeOver: TakeOver | null, now: Us): void {
    const { address, mac, how, sameMac, interface: on } = claimant
    const text = describeClaim(claimant, this.othersOf(mac, address, now))
    this.#ports.log.warn(`(${it.name}) ${text}`, { instance: it.name, address, mac, interface: on })
    const clock = this.#clock(now)
    it.claimants.past.claimed(claimant, true, takeOver, clock)
    const at = new Date(clock.wallMs).toISOString()
    const claim = { at, address, mac, how, sameMac, interface: on }
    this.#ports.happened({ kind: 'claim', instance: it.name, ...claim })
  }

  /** What is to be kept over a restart, of every instance: one that led a moment ago has something to say, too. */
  #keep(now: Us): void {
    for (const { name, claimants } of this.#ports.roster.instances) {
      const { past } = claimants
      if ((past.due ?? now + 1) > now) continue
      for (const claim of past.take(this.#clock(now)))
        this.#ports.happened({ kind: 'past-claim', claim: { instance: name, ...claim } })
    }
  }

  #clock = (now: Us): Clock => ({ now, wallMs: this.#ports.wallMs() })

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
}

const placeKey = (ifindex: number, address: Ip): string => `${ifindex} ${address}`

function enter<Value>(map: Map<string, Set<Value>>, key: string, value: Value): void {
  const known = map.get(key)
  if (known === undefined) map.set(key, new Set([value]))
  else known.add(value)
}
