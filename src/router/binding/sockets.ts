/**
 * Which sockets are open, and for which instances. Instances on the same interface, family, source and group share one
 * link, told apart by VRID, and by their peers where several have the same (unicast); the link's filter names exactly the VRIDs in use, so that the kernel
 * drops what cannot concern us.
 */
import { isDeepStrictEqual } from 'node:util'
import { OpError } from '../../base/errors.ts'
import type { Ip } from '../../base/ip.ts'
import type { Engine, LinkSpec } from '../../engine/contract.ts'
import type { SealMemory } from '../../engine/counters.ts'
import type { LinkId, SlotId } from '../../engine/order.ts'
import { apart } from '../../engine/routes.ts'
import type { Seal } from '../../engine/seal-contract.ts'
import { passAhFilter, passAllFilter, vrrpFilter } from '../../wire/bpf.ts'
import type { Membership } from './memberships.ts'

export type SocketKey = Omit<LinkSpec, 'filter' | 'openFilter'>

/** A slot and the place that it is to have. */
export type Move = Member & { readonly slot: SlotId; readonly key: SocketKey }

type OpenLink = {
  readonly id: LinkId
  readonly key: SocketKey
  readonly slots: Map<SlotId, Member>
}

/** `name`: of the instance. */
export type Member = { readonly vrid: number; readonly peers: readonly Ip[]; readonly name: string }

export class Links {
  readonly #engine: Engine
  readonly #open = new Map<string, OpenLink>()
  readonly #keyTextOf = new Map<SlotId, string>()
  readonly #seals = new Map<SlotId, Seal>()
  /** Of slots that have no sockets yet in this process. */
  readonly #recalled = new Map<SlotId, SealMemory>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /**
   * Opens or shares the link and routes the VRID, from these peers, to the slot, which leaves the link it had. Throws
   * OpError when the sockets cannot be opened or another slot has the VRID there; the slot then keeps the link it had, so
   * that its last orders still go out.
   */
  join(slot: SlotId, member: Member, key: SocketKey): LinkId {
    const text = keyText(key)
    const known = this.#open.get(text)
    if (known !== undefined) requireFree(known, slot, member)
    if (known?.slots.has(slot)) return this.#setPeers(known, slot, member)
    const link = known ?? this.#openLink(key, member.vrid)
    this.leave(slot)
    this.#open.set(text, link)
    try {
      this.#enter(link, slot, member)
    } finally {
      this.#tidy(link)
    }
    return link.id
  }

  /**
   * Several slots change places among each other: each leaves its own before the first enters its new one. Whose sockets
   * cannot be opened stays where it is, and so does a slot that would need its place; `join` then says why.
   */
  moveTogether(moves: readonly Move[]): void {
    const opened = moves.flatMap((move) => {
      const link = this.#open.get(keyText(move.key)) ?? this.#tryOpen(move)
      return link === null ? [] : [{ ...move, link }]
    })
    const ready = withRoom(opened)
    const left = ready.map(({ slot }) => this.#part(slot))
    try {
      for (const { slot, link, ...member } of ready) this.#enter(link, slot, member)
    } finally {
      for (const link of new Set([...opened.map(({ link }) => link), ...left])) this.#tidy(link)
    }
  }

  /** The slot leaves its link; the last one closes it. Idempotent. */
  leave(slot: SlotId): void {
    this.#tidy(this.#part(slot))
  }

  /** What a slot that has joined seals and asks for; `before` is called first when that changes. */
  seal(slot: SlotId, seal: Seal | null, before: () => void): void {
    if (isDeepStrictEqual(this.#seals.get(slot) ?? null, seal)) return
    before()
    this.#engine.setSeal(slot, seal, this.#recalled.get(slot))
    this.#recalled.delete(slot)
    if (seal === null) this.#seals.delete(slot)
    else this.#seals.set(slot, seal)
  }

  sealMemory(slot: SlotId): SealMemory {
    return this.#recalled.get(slot) ?? this.#engine.sealMemory(slot)
  }

  /** Of the process before; without sockets, as while the interface is absent, it waits for them. */
  recallSeal(slot: SlotId, memory: SealMemory): void {
    const seal = this.#seals.get(slot)
    if (seal !== undefined) this.#engine.setSeal(slot, seal, memory)
    else if (memory.heard.length > 0 || /[^0]/.test(memory.sent)) this.#recalled.set(slot, memory)
  }

  get ids(): readonly LinkId[] {
    return [...this.#open.values()].map((link) => link.id)
  }

  /** What the kernel must have joined for the open links. */
  get memberships(): readonly Membership[] {
    return [...this.#open.values()].flatMap(({ id: link, key }) => {
      const { family, ifindex, group, interface: name } = key
      return group === null ? [] : [{ link, family, ifindex, group, interface: name }]
    })
  }

  /** null: the link is closed. Unicast without an interface: its source. */
  interfaceOf(id: LinkId): string | null {
    const key = [...this.#open.values()].find((open) => open.id === id)?.key
    if (key === undefined) return null
    return key.interface === '' ? key.source : key.interface
  }

  /** The slots that lose their sockets when this link fails. */
  slotsOf(id: LinkId): readonly SlotId[] {
    const link = [...this.#open.values()].find((open) => open.id === id)
    return link === undefined ? [] : [...link.slots.keys()]
  }

  /** To be followed by `#tidy`, also when the engine refuses the slot: the link may have been opened for it. */
  #enter(link: OpenLink, slot: SlotId, member: Member): void {
    this.#engine.addSlot(slot, link.id, member.vrid, member.peers, member.name)
    link.slots.set(slot, member)
    this.#keyTextOf.set(slot, keyText(link.key))
  }

  /** Without closing the link that it left. */
  #part(slot: SlotId): OpenLink | null {
    const text = this.#keyTextOf.get(slot)
    const link = text === undefined ? undefined : this.#open.get(text)
    if (link === undefined) return null
    this.#keyTextOf.delete(slot)
    this.#seals.delete(slot)
    link.slots.delete(slot)
    this.#engine.removeSlot(slot)
    return link
  }

  /** A link without slots is closed; one with slots lets their VRIDs in, and no others. */
  #tidy(link: OpenLink | null): void {
    if (link === null) return
    if (link.slots.size > 0) return this.#engine.setFilter(link.id, filterFor(link))
    this.#engine.closeLink(link.id)
    this.#open.delete(keyText(link.key))
  }

  #tryOpen({ key, vrid }: Move): OpenLink | null {
    try {
      const link = this.#openLink(key, vrid)
      this.#open.set(keyText(key), link)
      return link
    } catch (error) {
      if (error instanceof OpError) return null
      throw error
    }
  }

  #setPeers(link: OpenLink, slot: SlotId, member: Member): LinkId {
    this.#engine.setPeers(slot, member.peers)
    link.slots.set(slot, member)
    return link.id
  }

  #openLink(key: SocketKey, vrid: number): OpenLink {
    const { family, ah = false, group } = key
    const filter = vrrpFilter({ family, ah, vrids: [vrid], multicast: group !== null })
    const openFilter = ah ? passAhFilter() : passAllFilter()
    const id = this.#engine.openLink({ ...key, filter, openFilter })
    return { id, key, slots: new Map() }
  }
}

type Opened = Move & { readonly link: OpenLink }

/** Without those whose new place is kept by one that does not leave it, and those that wait for them. */
function withRoom(moves: readonly Opened[]): readonly Opened[] {
  const leaving = new Set(moves.map(({ slot }) => slot))
  const free = moves.filter(({ link, vrid, peers }) =>
    [...link.slots].every(
      ([other, its]) => leaving.has(other) || its.vrid !== vrid || apart(its.peers, peers),
    ),
  )
  return free.length === moves.length ? free : withRoom(free)
}

/** Two instances that cannot be told apart on one link; the plan of a reload refuses them before it comes to this. */
function requireFree(link: OpenLink, slot: SlotId, wanted: Member): void {
  for (const [other, member] of link.slots)
    if (other !== slot && member.vrid === wanted.vrid && !apart(member.peers, wanted.peers))
      throw new OpError('join', 'EADDRINUSE', `VRID ${wanted.vrid} is another instance's here`)
}

const keyText = (key: SocketKey): string =>
  [
    key.family,
    key.ah,
    key.ifindex,
    key.interface,
    key.receiveOnAny,
    key.source,
    key.group,
    key.ttl,
    key.receiveBufferBytes,
  ].join('|')

/** Adverts of a wrong version pass: the decoder counts them, and the operator must read of it. */
const filterFor = ({ key, slots }: OpenLink): Uint8Array =>
  vrrpFilter({
    family: key.family,
    ah: key.ah ?? false,
    vrids: [...slots.values()].map(({ vrid }) => vrid),
    multicast: key.group !== null,
  })
