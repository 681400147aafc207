/**
 * Which slot a packet belongs to, by link, VRID and source. A VRID of a link belongs to one slot, or to several that
 * speak with peers of their own (unicast), of which none may be shared. A slot has one place.
 */
import type { Ip } from '../base/ip.ts'
import type { LinkId, SlotId } from './order.ts'

type Route = { readonly key: string; readonly link: LinkId; readonly peers: readonly Ip[] }

export class Routes {
  readonly #routes = new Map<SlotId, Route>()
  readonly #sharing = new Map<string, Set<SlotId>>()

  /** Throws Error when the slot exists or the place is taken, RangeError for a VRID outside 1..255. */
  add(slot: SlotId, link: LinkId, vrid: number, peers: readonly Ip[]): void {
    if (!Number.isInteger(vrid) || vrid < 1 || vrid > 255)
      throw new RangeError(`a VRID is 1..255, not ${vrid}`)
    if (this.#routes.has(slot)) throw new Error(`slot ${slot} exists`)
    const key = `${link}/${vrid}`
    this.#claim(slot, key, peers)
    this.#routes.set(slot, { key, link, peers })
    const sharing = this.#sharing.get(key) ?? new Set<SlotId>()
    this.#sharing.set(key, sharing.add(slot))
  }

  /** Throws Error when the slot does not exist or one of the peers is another slot's. */
  setPeers(slot: SlotId, peers: readonly Ip[]): void {
    const route = this.#routes.get(slot)
    if (route === undefined) throw new Error(`slot ${slot} does not exist`)
    this.#claim(slot, route.key, peers)
    this.#routes.set(slot, { ...route, peers })
  }

  has(slot: SlotId): boolean {
    return this.#routes.has(slot)
  }

  remove(slot: SlotId): void {
    const route = this.#routes.get(slot)
    if (route === undefined) return
    this.#routes.delete(slot)
    const sharing = this.#sharing.get(route.key)
    sharing?.delete(slot)
    if (sharing?.size === 0) this.#sharing.delete(route.key)
  }

  /** The slots of a link go with it. */
  forgetLink(link: LinkId): void {
    for (const [slot, route] of [...this.#routes]) if (route.link === link) this.remove(slot)
  }

  #claim(slot: SlotId, key: string, peers: readonly Ip[]): void {
    for (const other of this.#sharing.get(key) ?? []) {
      const theirs = this.#routes.get(other)?.peers ?? []
      if (other !== slot && !apart(theirs, peers)) throw new Error(`${key} is taken by ${other}`)
    }
  }
}

/** Two slots with one VRID on one link are told apart by the source: each has peers, and they share none. */
export const apart = (a: readonly Ip[], b: readonly Ip[]): boolean =>
  a.length > 0 && b.length > 0 && !a.some((peer) => b.includes(peer))
