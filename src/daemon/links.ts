/**
 * Which sockets are open, and for whom. Instances on the same interface, family, source and group share one
 * link, told apart by VRID; the link's filter names exactly the VRIDs in use, so that the kernel
 * drops what cannot concern us.
 */
import type { Family, Ip } from '../base/ip.ts'
import type { Engine, LinkId, LinkSpec, SlotId } from '../engine/contract.ts'
import { vrrpFilter } from '../wire/bpf.ts'

export type LinkWish = Omit<LinkSpec, 'filter'>

type OpenLink = {
  readonly id: LinkId
  readonly wish: LinkWish
  readonly vrids: Map<SlotId, number>
}

export class Links {
  readonly #engine: Engine
  readonly #open = new Map<string, OpenLink>()
  readonly #keyOfSlot = new Map<SlotId, string>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /**
   * Opens or shares the link and routes the VRID to the slot, which leaves the link it had. Throws OpError when the
   * sockets cannot be opened; the slot then keeps the link it had, so that its last orders still go out.
   */
  join(slot: SlotId, vrid: number, wish: LinkWish): LinkId {
    const key = keyOf(wish)
    const known = this.#open.get(key)
    if (known?.vrids.has(slot)) return known.id
    const link = known ?? this.#openLink(wish, vrid)
    this.leave(slot)
    this.#open.set(key, link)
    this.#engine.addSlot(slot, link.id, vrid)
    link.vrids.set(slot, vrid)
    this.#keyOfSlot.set(slot, key)
    this.#engine.setFilter(link.id, filterFor(wish, [...link.vrids.values()]))
    return link.id
  }

  /** The slot leaves its link; the last one closes it. Idempotent. */
  leave(slot: SlotId): void {
    const key = this.#keyOfSlot.get(slot)
    const link = key === undefined ? undefined : this.#open.get(key)
    if (key === undefined || link === undefined) return
    this.#keyOfSlot.delete(slot)
    link.vrids.delete(slot)
    this.#engine.removeSlot(slot)
    if (link.vrids.size > 0) {
      this.#engine.setFilter(link.id, filterFor(link.wish, [...link.vrids.values()]))
      return
    }
    this.#engine.closeLink(link.id)
    this.#open.delete(key)
  }

  get ids(): readonly LinkId[] {
    return [...this.#open.values()].map((link) => link.id)
  }

  /** The slots that lose their sockets when this link fails. */
  slotsOf(id: LinkId): readonly SlotId[] {
    const link = [...this.#open.values()].find((open) => open.id === id)
    return link === undefined ? [] : [...link.vrids.keys()]
  }

  #openLink(wish: LinkWish, vrid: number): OpenLink {
    const id = this.#engine.openLink({ ...wish, filter: filterFor(wish, [vrid]) })
    return { id, wish, vrids: new Map() }
  }
}

const keyOf = (wish: LinkWish): string =>
  [
    wish.family,
    wish.ifindex,
    wish.interface,
    wish.source,
    wish.group,
    wish.ttl,
    wish.receiveBufferBytes,
  ].join('|')

function filterFor(
  wish: { readonly family: Family; readonly group: Ip | null },
  vrids: readonly number[],
): Uint8Array {
  // Adverts of a wrong version pass: the decoder counts them, and their operator must read of it.
  return vrrpFilter({ family: wish.family, vrids, multicast: wish.group !== null })
}
