/**
 * The links that vipd makes for itself, a macvlan for each virtual MAC address: made when a configuration needs them,
 * adopted when they stand already, made again when another program removes them, deleted when nothing needs them any more.
 * Whether they are up is the instances' (plans); nothing here happens in a transition. Each request is asked of the
 * kernel and answered later; what a link is by then the mirror says.
 */
import { isDeepStrictEqual } from 'node:util'
import { OpError } from '../base/errors.ts'
import type { IpvlanLink, VirtualLink } from '../base/virtual-link.ts'
import { modeClash } from './ipvlan-shape.ts'
import type { KernelLink } from './link-table.ts'
import type { OwnedLink } from './marks.ts'
import type { Kernel } from './mirror.ts'
import {
  againAfterMs,
  describeContest,
  newEntry,
  ownedLink,
  taken,
  type VirtualLinkEntry,
  warningsOf,
} from './virtual-link-entry.ts'
import { type LinkRequestPorts, VirtualLinkRequests } from './virtual-link-requests.ts'
import { matches } from './virtual-link-shape.ts'

/**
 * ready: it is there, as it must be. coming: it is being made, or waits for its interface. refused: the kernel does not
 * make it, or the name is another program's.
 */
export type LinkState = 'ready' | 'coming' | 'refused'

export type VirtualLinksPorts = LinkRequestPorts & {
  readonly kernel: Pick<Kernel, 'linkByName' | 'linkNames'>
  /** What is about to be in the kernel; resolves when it is recorded, or cannot be. */
  record(links: readonly OwnedLink[]): Promise<void>
  /** The state of these has changed. */
  onChange(names: ReadonlySet<string>): void
  /** Another program undoes again and again what this link is given. */
  onContested(name: string): void
}

/** A link that stands, and a vipd made. */
export type InheritedLink = { readonly owned: OwnedLink; readonly ifindex: number }

export class VirtualLinks {
  readonly #ports: VirtualLinksPorts
  readonly #requests: VirtualLinkRequests
  readonly #entries = new Map<string, VirtualLinkEntry>()
  readonly #waiters: (() => void)[] = []
  #closing = false

  constructor(ports: VirtualLinksPorts) {
    this.#ports = ports
    const isKept = (entry: VirtualLinkEntry) =>
      this.#entries.get(entry.name) === entry && !this.#closing
    this.#requests = new VirtualLinkRequests(ports, isKept)
  }

  /** What a dead daemon of this run directory left: adopted where it is wanted, else deleted. Before anything is wanted. */
  inherit(links: readonly InheritedLink[]): void {
    for (const { owned, ifindex } of links)
      this.#entries.set(owned.name, {
        ...newEntry(owned.name, null),
        own: ifindex,
        owned,
        made: true,
      })
    if (links.length > 0) void this.#ports.record(this.#owned())
  }

  /** For another process; null: one is being made or altered. */
  snapshot() {
    const entries = [...this.#entries.values()]
    if (entries.some(({ busy }) => busy)) return null
    return entries.map(({ name, own, owned, ready, made, ipv6, ipv6Refused }) => ({
      ...{ name, own, owned, ready, made, ipv6, ipv6Refused },
    }))
  }

  /** Links of another process, in place of `inherit`, and what is wanted; nothing is altered before `look`. */
  adopt(
    before: NonNullable<ReturnType<VirtualLinks['snapshot']>>,
    wishes: readonly VirtualLink[],
  ): void {
    this.#entries.clear()
    const wanted = new Map(wishes.map((it) => [it.name, it]))
    for (const it of before)
      this.#entries.set(it.name, { ...newEntry(it.name, wanted.get(it.name) ?? null), ...it })
    for (const [name, wish] of wanted)
      if (!this.#entries.has(name)) this.#entries.set(name, newEntry(name, wish))
  }

  /** They are another process's from now on. */
  leave(): void {
    this.#closing = true
    for (const { again } of this.#entries.values()) if (again !== null) clearTimeout(again)
  }

  /** A link that vipd switches on and off. */
  isOwn(name: string): boolean {
    return this.#entries.get(name)?.wish?.kind === 'macvlan'
  }

  stateOf(name: string): LinkState {
    const entry = this.#entries.get(name)
    if (entry === undefined || entry.refused !== null) return 'refused'
    const link = this.#ports.kernel.linkByName(name)
    return link !== null && entry.ready === link.ifindex ? 'ready' : 'coming'
  }

  /** For `status`. */
  get warnings(): readonly string[] {
    const nowMs = performance.now()
    return [...this.#entries.values()].flatMap((entry) => warningsOf(entry, nowMs))
  }

  /** All that are needed from now on; the others are deleted. */
  want(wishes: readonly VirtualLink[]): void {
    const wanted = new Map(wishes.map((it) => [it.name, it]))
    for (const entry of this.#entries.values()) {
      const wish = wanted.get(entry.name) ?? null
      if (isDeepStrictEqual(wish, entry.wish)) continue
      entry.wish = wish
      entry.ready = null
      this.#forgive(entry)
    }
    for (const [name, wish] of wanted)
      if (!this.#entries.has(name)) this.#entries.set(name, newEntry(name, wish))
    this.look()
  }

  /** Something has changed in the kernel. */
  look(): void {
    if (this.#closing) return
    for (const entry of this.#entries.values()) this.#step(entry)
    this.#release()
  }

  /** Resolves when every link is ready or refused, or waits for its interface; or after so long. */
  settled(timeoutMs: number): Promise<void> {
    if (!this.#isUnsettled()) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#waiters.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  /** Deletes what vipd made. Rejects never; what is left stays recorded. */
  async close(timeoutMs: number): Promise<void> {
    this.#closing = true
    const ours = [...this.#entries.values()].flatMap((entry) => {
      this.#forgive(entry)
      const link = this.#ports.kernel.linkByName(entry.name)
      return link !== null && link.ifindex === entry.own ? [link] : []
    })
    const deletions = Promise.allSettled(ours.map((link) => this.#requests.delete(link)))
    await Promise.race([
      deletions,
      new Promise((resolve) => setTimeout(resolve, timeoutMs).unref()),
    ])
  }

  #isUnsettled(): boolean {
    const { kernel } = this.#ports
    return [...this.#entries.values()].some(({ name, wish, busy, refused }) => {
      if (wish === null) return busy
      if (refused !== null || kernel.linkByName(wish.base) === null) return false
      return this.stateOf(name) !== 'ready'
    })
  }

  #release(): void {
    if (this.#isUnsettled()) return
    for (const resolve of this.#waiters.splice(0)) resolve()
  }

  /** One step of what a link lacks; the answer brings the next. */
  #step(entry: VirtualLinkEntry): void {
    const { kernel } = this.#ports
    const { name, wish } = entry
    const link = kernel.linkByName(name)
    if (entry.takenBy !== null && entry.takenBy !== link?.ifindex) this.#forgive(entry)
    if (entry.busy || entry.again !== null) return
    if (wish === null) return this.#endOf(entry, link)
    const base = kernel.linkByName(wish.base)
    if (base === null) return
    if (wish.kind === 'ipvlan' && this.#clashes(entry, wish, base, link)) return
    if (link === null) return this.#make(entry, wish, base)
    if (entry.own !== link.ifindex) return this.#refuseTaken(entry, link)
    if (!matches(link, wish, base)) return this.#remake(entry, link)
    this.#mend(entry, wish, link, base)
  }

  #mend(entry: VirtualLinkEntry, wish: VirtualLink, link: KernelLink, base: KernelLink): void {
    const lacks = this.#requests.lacksOf(entry, wish, link, base)
    if (entry.ready === link.ifindex) {
      if (lacks.length === 0) entry.waited = false
      if (lacks.length === 0 || !this.#mayGoOn(entry, `alters it (${lacks.join(', ')})`)) return
    }
    this.#run(entry, () => this.#requests.configure(entry, wish, link, base))
  }

  /** It cannot be altered to what it must be. */
  #remake(entry: VirtualLinkEntry, link: KernelLink): void {
    entry.made = false
    this.#run(entry, () => this.#requests.delete(link))
  }

  /** Nothing needs it any more. */
  #endOf(entry: VirtualLinkEntry, link: KernelLink | null): void {
    if (link !== null && link.ifindex === entry.own)
      this.#run(entry, () => this.#requests.delete(link))
    else this.#entries.delete(entry.name)
  }

  #make(entry: VirtualLinkEntry, wish: VirtualLink, base: KernelLink): void {
    const { log } = this.#ports
    if (entry.made && !this.#mayGoOn(entry, 'removes it')) return
    if (entry.made) log.warn(`${wish.name} was removed by another program: made again`)
    entry.ready = null
    entry.owned = ownedLink(wish)
    this.#run(entry, async () => {
      await this.#ports.record(this.#owned())
      const { name } = wish
      await this.#requests.create(wish, base)
      entry.made = true
      entry.own = this.#ports.kernel.linkByName(name)?.ifindex ?? null
      const what = wish.kind === 'macvlan' ? `with MAC address ${wish.mac}` : 'as ipvlan'
      log.info(`Made ${name} on ${wish.base} ${what}`)
    })
  }

  /** An ipvlan of another program on the interface is in another mode: true where that keeps ours from its use. */
  #clashes(
    entry: VirtualLinkEntry,
    wish: IpvlanLink,
    base: KernelLink,
    link: KernelLink | null,
  ): boolean {
    const isOwn = ({ name, ifindex }: KernelLink) => this.#entries.get(name)?.own === ifindex
    const clash = modeClash(wish, base, isOwn, this.#ports.kernel)
    const isOurs = link !== null && link.ifindex === entry.own
    if (clash !== null && (clash.deaf || !isOurs)) {
      entry.besides = null
      this.#refuse(entry, clash.text)
      return true
    }
    if (clash !== null && entry.besides === null)
      this.#ports.log.warn(`${entry.name}: ${clash.text}`)
    entry.besides = clash?.text ?? null
    return false
  }

  /** What another program has undone is done again at once, within bounds. */
  #mayGoOn(entry: VirtualLinkEntry, what: string): boolean {
    if (entry.waited) {
      entry.waited = false
      return true
    }
    const { log, onContested } = this.#ports
    const nowMs = performance.now()
    const isNew = !entry.contest.isContested(nowMs)
    const afterMs = entry.contest.undone(nowMs)
    if (afterMs === 0) return true
    entry.contested = what
    if (isNew) {
      log.warn(`${entry.name}: ${describeContest(what)}`)
      onContested(entry.name)
    }
    entry.again = setTimeout(() => {
      entry.again = null
      entry.waited = true
      this.look()
    }, afterMs)
    entry.again.unref()
    return false
  }

  /** What vipd may have made: recorded before it can be there, until it is not. */
  #owned(): readonly OwnedLink[] {
    return [...this.#entries.values()].flatMap(({ owned }) => owned ?? [])
  }

  #run(entry: VirtualLinkEntry, act: () => Promise<void>): void {
    entry.busy = true
    const before = this.stateOf(entry.name)
    void act()
      .then(() => this.#forgive(entry))
      .catch((error: unknown) => {
        if (!(error instanceof OpError)) throw error
        // Gone meanwhile, or there already: the next look sees it.
        if (error.code !== 'ENODEV' && error.code !== 'EEXIST') this.#refuse(entry, error.message)
      })
      .then(() => {
        entry.busy = false
        if (this.stateOf(entry.name) !== before) this.#ports.onChange(new Set([entry.name]))
        this.look()
      })
  }

  #refuseTaken(entry: VirtualLinkEntry, link: KernelLink): void {
    entry.takenBy = link.ifindex
    this.#refuse(entry, taken(link))
  }

  /** Said once; tried again ever later. */
  #refuse(entry: VirtualLinkEntry, why: string): void {
    const { log, onChange } = this.#ports
    const before = entry.refused
    entry.refused = why
    entry.ready = null
    if (before !== why) {
      log.error(`${entry.name} cannot be used: ${why}`)
      if (!entry.busy) onChange(new Set([entry.name]))
    }
    this.#later(entry)
  }

  #later(entry: VirtualLinkEntry): void {
    if (this.#closing) return
    const afterMs = againAfterMs(entry.failures)
    entry.failures += 1
    entry.again = setTimeout(() => {
      entry.again = null
      this.look()
    }, afterMs)
    entry.again.unref()
  }

  #forgive(entry: VirtualLinkEntry): void {
    if (entry.again !== null) clearTimeout(entry.again)
    entry.again = null
    entry.refused = null
    entry.takenBy = null
    entry.failures = 0
  }
}
