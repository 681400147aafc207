/**
 * What one instance stands on at present: its sockets, its source address and the facts that its plans are made
 * from, or the faults that take their place. Follows the kernel and the configuration; decides nothing.
 */
import { isDeepStrictEqual } from 'node:util'
import { OpError } from '../../base/errors.ts'
import type { Ip } from '../../base/ip.ts'
import type { Instance } from '../../config/types.ts'
import type { Fault } from '../../election/types.ts'
import type { SealMemory } from '../../engine/counters.ts'
import type { LinkId, SlotId } from '../../engine/order.ts'
import type { SlotFacts } from '../../engine/plans-addresses.ts'
import type { KernelLink } from '../../kernel/link-table.ts'
import type { OwnedObject } from '../../kernel/marks.ts'
import type { KernelView } from '../../kernel/mirror.ts'
import type { OrderQueue } from '../orders.ts'
import { type InterfaceResolution, ownedObjects, resolveInterface } from './interface-resolution.ts'
import type { LeaseOf } from './kernel-lease.ts'
import { sealOf } from './seal.ts'
import { peersOf, slotFacts } from './slot-facts.ts'
import type { Links, Member, Move, SocketKey } from './sockets.ts'
import { followTakenAlong } from './taken-along.ts'
import { type LinkStates, missing, virtualLinks } from './virtual-links.ts'

export type SocketBindingPorts = {
  readonly kernel: KernelView
  readonly links: Links
  readonly orders: OrderQueue
  /** What the slot may put into the kernel has to be recorded before: false while it is not. */
  claim(slot: SlotId, objects: readonly OwnedObject[]): boolean
  /** Every configured VIP, which is never a source address. */
  virtual(): ReadonlySet<Ip>
  /** Of a link that vipd makes. */
  readonly linkState: LinkStates
  /** The kernel lease, where it is in force for the instance with these sockets. */
  readonly leaseOf: LeaseOf
}

export class SocketBinding {
  readonly #slot: SlotId
  readonly #ports: SocketBindingPorts
  #link: LinkId | null = null
  #key: SocketKey | null = null
  #peers: readonly Ip[] = []
  #facts: SlotFacts | null = null
  #primary: KernelLink | null = null
  #sourceLink: KernelLink | null = null
  #faults: readonly Fault[] = []
  #waiting = false

  constructor(slot: SlotId, ports: SocketBindingPorts) {
    this.#slot = slot
    this.#ports = ports
  }

  get link(): LinkId | null {
    return this.#link
  }
  get source(): Ip | null {
    return this.#key?.source ?? null
  }
  /** The last known: after a loss they still say what there is to give back. */
  get facts(): SlotFacts | null {
    return this.#facts
  }
  get primary(): KernelLink | null {
    return this.#primary
  }
  /** The interface that held the source when it was last there. */
  get sourceLink(): KernelLink | null {
    return this.#sourceLink
  }
  get faults(): readonly Fault[] {
    return this.#faults
  }

  /** It stands as before until its claim is recorded; `refresh` is to be called again then. */
  get waiting(): boolean {
    return this.#waiting
  }

  /** The device that the sockets were opened on is unregistered: they know nothing of one that takes its name. */
  get deviceGone(): boolean {
    return this.#link !== null && this.#faults.some((f) => f.kind === 'link' && f.why === 'missing')
  }

  /** Looks again. True when the sockets are new and so know nothing of the standing order. */
  refresh(cfg: Instance): boolean {
    const { kernel, linkState } = this.#ports
    const resolution = this.#withLinks(cfg, resolveInterface(cfg, kernel, this.#ports.virtual()))
    const links = virtualLinks(cfg, linkState, kernel)
    this.#waiting =
      resolution.ok &&
      (links === 'wait' || !this.#ports.claim(this.#slot, ownedObjects(cfg, kernel)))
    if (this.#waiting) return false
    if (resolution.ok) {
      this.#sourceLink = resolution.sourceLink
      return this.#bind(cfg, resolution.key, resolution.primary)
    }
    this.#faults = resolution.faults
    this.#follow()
    return false
  }

  /** Links that it needs and does not have are a fault, but for an instance that stands while one is being made. */
  #withLinks(cfg: Instance, resolution: InterfaceResolution): InterfaceResolution {
    const { kernel, linkState } = this.#ports
    const links = virtualLinks(cfg, linkState, kernel)
    if (!resolution.ok || links === 'ready' || (links === 'wait' && this.#link !== null))
      return resolution
    const [first] = cfg.virtualLinks.filter(({ name }) => linkState(name) !== 'ready')
    return { ok: false, faults: [links === 'wait' ? missing(first?.name ?? '') : links] }
  }

  /** The kernel's addresses changed: whether what would be taken along by giving back ours did, too. */
  get outdated(): boolean {
    return this.#facts !== null && followTakenAlong(this.#facts, this.#ports.kernel) !== this.#facts
  }

  /** What a fault leaves to give back may take other addresses along than before. */
  #follow(): void {
    if (this.#facts !== null) this.#facts = followTakenAlong(this.#facts, this.#ports.kernel)
  }

  /** It has a place, and none in that configuration. */
  losesPlace(cfg: Instance): boolean {
    if (this.#link === null) return false
    return !resolveInterface(cfg, this.#ports.kernel, this.#ports.virtual()).ok
  }

  /** The place that the instance is to have, if it has one now and the kernel allows for the other. */
  move(cfg: Instance): readonly Move[] {
    const resolution = resolveInterface(cfg, this.#ports.kernel, this.#ports.virtual())
    if (this.#link === null || !resolution.ok) return []
    return [{ slot: this.#slot, ...memberOf(cfg), key: resolution.key }]
  }

  /** What must not be lost of the sequences of signed adverts when another process goes on. */
  get sealMemory(): SealMemory {
    return this.#ports.links.sealMemory(this.#slot)
  }

  /** Of the process before. */
  recallSeal(memory: SealMemory): void {
    this.#ports.links.recallSeal(this.#slot, memory)
  }

  /** The sockets failed; they are opened again when the kernel says that the interface is back. */
  failed(call: string, code: string): void {
    this.#faults = [{ kind: 'transport', op: call, code }]
  }

  /** What was ordered before still goes out through the old sockets. */
  drop(): void {
    this.#ports.orders.submit()
    this.#ports.links.leave(this.#slot)
    this.#link = null
    this.#key = null
  }

  #bind(cfg: Instance, key: SocketKey, primary: KernelLink): boolean {
    try {
      const joined = this.#join(cfg, key)
      this.#primary = primary
      this.#faults = []
      if (this.#link === null) return false
      // What was ordered before leaves as it was sealed then.
      const { orders, links } = this.#ports
      links.seal(this.#slot, sealOf(cfg, key.source, key.ttl), () => orders.submit())
      const { kernel, leaseOf } = this.#ports
      const lease = leaseOf(cfg, key)
      const facts = slotFacts(cfg, primary, kernel, this.#link, key.source, lease)
      // Equal facts keep their identity: bytes that were encoded for them stay good.
      if (!isDeepStrictEqual(facts, this.#facts)) this.#facts = facts
      return joined
    } catch (error) {
      if (!(error instanceof OpError)) throw error
      this.failed(error.op, error.code)
      return false
    }
  }

  #join(cfg: Instance, key: SocketKey): boolean {
    const member = memberOf(cfg)
    const { peers } = member
    const same = isDeepStrictEqual(this.#key, key) && isDeepStrictEqual(this.#peers, peers)
    const before = this.#link
    if (before !== null && same) return false
    this.#ports.orders.submit()
    this.#link = this.#ports.links.join(this.#slot, member, key)
    this.#key = key
    this.#peers = peers
    return this.#link !== before
  }
}

const memberOf = (cfg: Instance): Member => ({
  vrid: cfg.vrid,
  peers: peersOf(cfg),
  name: cfg.name,
})
