/**
 * The kernel's links as last heard. A link that sits on another (VLAN, macvlan, ipvlan) is up only while that one is
 * up too: of an ipvlan whose parent is switched off some kernels go on saying that it is up (seen with 6.1).
 */
import type { Link } from '../wire/rtnetlink-link.ts'
import type { LinkDelays } from './link-delays.ts'

export type KernelLink = {
  readonly ifindex: number
  readonly name: string
  /** IFF_UP and carrier (IFF_RUNNING), its own and of the link that it sits on; as it counts, where that is delayed. */
  readonly up: boolean
  /** IFF_UP alone. */
  readonly on: boolean
  readonly noarp: boolean
  readonly multicast: boolean
  /** null where the link has no Ethernet address. */
  readonly mac: Uint8Array | null
  /** null: the kernel did not say. */
  readonly mtu: number | null
  /** 'veth', 'macvlan', …; null for hardware. */
  readonly kind: string | null
  /** Index of the link that it sits on (VLAN, macvlan, ipvlan); null: none, or one of another namespace. */
  readonly below: number | null
  /** Index of the bridge, bond or VRF that it belongs to. */
  readonly master: number | null
  /** The routing table of a VRF; null: it is none. */
  readonly vrfTable: number | null
  /** MACVLAN_MODE_* */
  readonly macvlanMode: number | null
  /** See `Link`. */
  readonly ipvlan: Link['ipvlan']
  readonly alias: string | null
}

export type LinkChange = {
  readonly kind: 'link'
  readonly name: string
  readonly before: KernelLink | null
  readonly after: KernelLink | null
}

/** Of these IFLA_LINK is the link below; of a veth it is the other end. */
const stacked: readonly (string | null)[] = ['vlan', 'macvlan', 'macvtap', 'ipvlan', 'ipvtap']

export const seenOf = (link: Link): KernelLink => ({
  ifindex: link.ifindex,
  name: link.name,
  up: link.up && link.running,
  on: link.up,
  noarp: link.noarp,
  multicast: link.multicast,
  mac: link.mac?.length === 6 ? link.mac : null,
  mtu: link.mtu,
  kind: link.linkKind,
  below: stacked.includes(link.linkKind) ? link.parent : null,
  master: link.master,
  vrfTable: link.vrfTable,
  macvlanMode: link.macvlanMode,
  ipvlan: link.ipvlan,
  alias: link.alias,
})

export class LinkTable {
  /** As the kernel says. */
  readonly #seen = new Map<number, KernelLink>()
  /** What is asked for: `up` of a link and of all below it. */
  readonly #links = new Map<number, KernelLink>()
  /** By the index of the link below. */
  readonly #above = new Map<number, Set<number>>()
  /** null after a change, made when it is asked for. */
  #byName: Map<string, KernelLink> | null = null
  readonly #delays: LinkDelays | null
  readonly #isOwn: (name: string) => boolean

  /**
   * `delays`: what of a link that changes counts later; null: nothing does. `isOwn`: a link that vipd switches on and off
   * as it needs it: such a one counts as up while the link below is.
   */
  constructor(delays: LinkDelays | null = null, isOwn: (name: string) => boolean = () => false) {
    this.#delays = delays
    this.#isOwn = isOwn
  }

  get(ifindex: number): KernelLink | null {
    return this.#links.get(ifindex) ?? null
  }

  byName(name: string): KernelLink | null {
    this.#byName ??= new Map(Array.from(this.#links.values(), (link) => [link.name, link]))
    return this.#byName.get(name) ?? null
  }

  get names(): readonly string[] {
    return Array.from(this.#links.values(), ({ name }) => name)
  }

  /** What changed: the link itself, then what sits on it. */
  set(seen: KernelLink): readonly LinkChange[] {
    const { ifindex } = seen
    this.#unstack(ifindex)
    this.#seen.set(ifindex, seen)
    if (seen.below !== null) {
      const above = this.#above.get(seen.below) ?? new Set()
      this.#above.set(seen.below, above.add(ifindex))
    }
    return this.#recompute(ifindex)
  }

  delete(ifindex: number): readonly LinkChange[] {
    this.#unstack(ifindex)
    this.#seen.delete(ifindex)
    this.#delays?.forget(ifindex)
    return this.#recompute(ifindex)
  }

  /** What counts of it may have changed with time. */
  again(ifindex: number): readonly LinkChange[] {
    return this.#recompute(ifindex)
  }

  /** What differs from an earlier table. */
  since(before: LinkTable): readonly LinkChange[] {
    const indexes = new Set([...before.#links.keys(), ...this.#links.keys()])
    return [...indexes].flatMap((ifindex) => {
      const [old, now] = [before.get(ifindex), this.get(ifindex)]
      return this.#same(old, now) ? [] : [changed(old, now)]
    })
  }

  /** Of others' links only `up` counts, of what switches them on and off. */
  #same(a: KernelLink | null, b: KernelLink | null): boolean {
    return sameLink(a, b) && (a?.on === b?.on || !this.#isOwn(b?.name ?? ''))
  }

  #unstack(ifindex: number): void {
    const below = this.#seen.get(ifindex)?.below ?? null
    if (below !== null) this.#above.get(below)?.delete(ifindex)
  }

  #recompute(ifindex: number): readonly LinkChange[] {
    const before = this.get(ifindex)
    const after = this.#standing(ifindex)
    this.#byName = null
    if (after === null) this.#links.delete(ifindex)
    else this.#links.set(ifindex, after)
    const own = this.#same(before, after) ? [] : renamed(before, after)
    if (before?.up === after?.up) return own
    return [...own, ...[...(this.#above.get(ifindex) ?? [])].flatMap((n) => this.#recompute(n))]
  }

  /** A link below that is not known (in a namespace of its own, or not yet heard of) says nothing. */
  #standing(ifindex: number): KernelLink | null {
    const seen = this.#seen.get(ifindex)
    if (seen === undefined) return null
    const below = seen.below === null ? null : this.get(seen.below)
    const own = this.#isOwn(seen.name)
    const up = (seen.up || own) && below?.up !== false
    const counts = own ? up : (this.#delays?.counts(ifindex, seen.name, up) ?? up)
    return counts === seen.up ? seen : { ...seen, up: counts }
  }
}

/** Under another name it is another interface. */
function renamed(before: KernelLink | null, after: KernelLink | null): readonly LinkChange[] {
  if (before === null || after === null || before.name === after.name)
    return [changed(before, after)]
  return [changed(before, null), changed(null, after)]
}

const changed = (before: KernelLink | null, after: KernelLink | null): LinkChange => ({
  kind: 'link',
  name: (after ?? before)?.name ?? '',
  before,
  after,
})

function sameLink(a: KernelLink | null, b: KernelLink | null): boolean {
  if (a === null || b === null) return a === b
  return (
    a.name === b.name &&
    a.up === b.up &&
    a.noarp === b.noarp &&
    a.mtu === b.mtu &&
    a.kind === b.kind &&
    a.below === b.below &&
    a.master === b.master &&
    a.vrfTable === b.vrfTable &&
    a.macvlanMode === b.macvlanMode &&
    a.ipvlan?.mode === b.ipvlan?.mode &&
    a.ipvlan?.flags === b.ipvlan?.flags &&
    a.alias === b.alias &&
    `${a.mac}` === `${b.mac}`
  )
}
