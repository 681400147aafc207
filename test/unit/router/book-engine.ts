/**
 * An engine that keeps the books that the real one keeps, and refuses what it refuses: an order for a slot that is not
 * there is a bug. It carries out plans on a table of addresses that follows the kernel's rules; deadlines pass when the
 * test says so.
 */
import { assert } from '../../../src/base/assert.ts'
import { OpError } from '../../../src/base/errors.ts'
import type { Ip } from '../../../src/base/ip.ts'
import { type Us, us } from '../../../src/base/time.ts'
import type { Engine, LinkSpec } from '../../../src/engine/contract.ts'
import type {
  AdvertGaps,
  SealMemory,
  SealSender,
  SlotCounters,
} from '../../../src/engine/counters.ts'
import type { LinkId, OrderFor, Plan, SlotId } from '../../../src/engine/order.ts'
import { Routes } from '../../../src/engine/routes.ts'
import type { Seal } from '../../../src/engine/seal-contract.ts'
import { decodeMessages } from '../../../src/wire/rtnetlink.ts'
import type { LinkAddress } from '../../../src/wire/rtnetlink-address.ts'

type Slot = { readonly link: LinkId; readonly vrid: number; peers: readonly Ip[] }

/** Of a slot that has neither heard nor sent. */
export const noCounters: SlotCounters = {
  received: 0,
  sent: 0,
  lastReceivedUs: null,
  lastExpectedUs: null,
  lastSentUs: null,
  seals: {
    verified: 0,
    missing: 0,
    malformed: 0,
    stale: 0,
    'unknown-key': 0,
    invalid: 0,
    replayed: 0,
    'unknown-sender': 0,
    unsigned: 0,
  },
}

export class BookEngine implements Engine {
  readonly links = new Map<LinkId, LinkSpec>()
  readonly slots = new Map<SlotId, Slot>()
  readonly seals: { readonly slot: SlotId; readonly seal: Seal | null }[] = []
  readonly sealMemories = new Map<SlotId, SealMemory>()
  /** Carried out beside the standing orders. */
  readonly onces: OrderFor[] = []
  readonly standing = new Map<SlotId, OrderFor>()
  readonly heardAt = new Map<SlotId, Us>()
  /** What the interfaces hold, as the kernel would. */
  readonly held: LinkAddress[] = []
  /** What another process passed on has been taken. */
  onSealMemory: () => void = () => undefined
  /** After every plan. */
  onPlan: () => void = () => undefined
  livenessUs: Us | null = null
  /** Interfaces whose sockets cannot be opened. */
  readonly broken = new Set<string>()
  time = 0
  readonly #routes = new Routes()
  #lastLink = 0

  now(): Us {
    return us(this.time)
  }

  openLink(spec: LinkSpec): LinkId {
    if (this.broken.has(spec.interface)) throw new OpError('socket', 'EMFILE', '')
    this.#lastLink += 1
    this.links.set(this.#lastLink, spec)
    return this.#lastLink
  }

  setFilter(link: LinkId): void {
    assert(this.links.has(link), `no link ${link}`)
  }

  closeLink(link: LinkId): void {
    assert(this.links.delete(link), `no link ${link}`)
    for (const [slot, { link: on }] of this.slots) assert(on !== link, `slot ${slot} is on it`)
    this.#routes.forgetLink(link)
  }

  addSlot(slot: SlotId, link: LinkId, vrid: number, peers: readonly Ip[] = []): void {
    assert(this.links.has(link), `no link ${link}`)
    this.#routes.add(slot, link, vrid, peers)
    this.slots.set(slot, { link, vrid, peers })
    this.heardAt.delete(slot)
  }

  setPeers(slot: SlotId, peers: readonly Ip[]): void {
    this.#routes.setPeers(slot, peers)
    const known = this.slots.get(slot)
    if (known !== undefined) known.peers = peers
  }

  setSeal(slot: SlotId, seal: Seal | null, memory?: SealMemory): void {
    this.seals.push({ slot, seal })
    if (memory === undefined) return
    this.sealMemories.set(slot, memory)
    this.onSealMemory()
  }

  sealMemory(slot: SlotId): SealMemory {
    return this.sealMemories.get(slot) ?? { sent: '0'.repeat(16), heard: [] }
  }

  senders(): readonly SealSender[] {
    return []
  }

  removeSlot(slot: SlotId): void {
    this.#routes.remove(slot)
    this.slots.delete(slot)
    this.standing.delete(slot)
  }

  order(orders: readonly OrderFor[]): void {
    for (const given of orders) {
      const { slot, order } = given
      assert(this.#routes.has(slot), `order for unknown slot ${slot}`)
      if (order.kind === 'once') this.onces.push(given)
      else this.standing.set(slot, given)
      this.carryOut(order.now)
    }
  }

  /** What a follow becomes at its deadline; the generation of the event that says so. */
  expire(slot: SlotId): number | null {
    const given = this.standing.get(slot)
    if (given?.order.kind !== 'follow') return null
    this.carryOut(given.order.onExpiry.now)
    this.standing.set(slot, { ...given, order: { kind: 'lead', ...given.order.onExpiry } })
    return given.generation
  }

  flush(): Promise<void> {
    return Promise.resolve()
  }

  renew(): void {}

  listen(): void {}

  setLiveness(livenessUs: Us): void {
    this.livenessUs = livenessUs
  }

  request(bytes: Uint8Array, done: (answer: Uint8Array) => void): void {
    this.carryOut([{ kind: 'netlink', bytes, tolerate: [] }])
    done(new Uint8Array())
  }

  rejoin(): Promise<readonly []> {
    return Promise.resolve([])
  }

  counters(slot: SlotId): SlotCounters {
    assert(this.slots.has(slot), `no slot ${slot}`)
    return { ...noCounters, lastExpectedUs: this.heardAt.get(slot) ?? null }
  }

  gaps(): AdvertGaps {
    return { histogram: [], long: [], heard: 0, missed: 0, windows: [] }
  }

  linkCounters() {
    return { received: 0, throttled: 0, coalesced: 0, unclaimed: 0 }
  }

  wakeups() {
    return { untilUs: [], counts: [0], sumUs: 0 }
  }

  stop(): void {}

  carryOut(plan: Plan): void {
    for (const step of plan) {
      if (step.kind !== 'netlink') continue
      for (const message of decodeMessages(step.bytes)) {
        if (message.kind === 'newaddr') this.#add(message.address)
        if (message.kind === 'deladdr') this.#remove(message.address)
      }
    }
    this.onPlan()
  }

  /** NLM_F_REPLACE: one that is there gets these lifetimes (and IPv6 flags), and keeps everything else. */
  #add(wanted: LinkAddress): void {
    const at = this.held.findIndex((one) => kernelPlace(one) === kernelPlace(wanted))
    const known = this.held[at]
    if (known === undefined) return void this.held.push(wanted)
    const { preferredSeconds, validSeconds, permanent } = wanted
    const flags = wanted.family === 6 ? { noprefixroute: wanted.noprefixroute } : {}
    this.held[at] = { ...known, preferredSeconds, validSeconds, permanent, ...flags }
  }

  #remove(gone: LinkAddress): void {
    const at = this.held.findIndex(
      (one) => kernelPlace(one) === kernelPlace(gone) && one.prefixLength === gone.prefixLength,
    )
    if (at >= 0) this.held.splice(at, 1)
  }
}

/** The tests' networks end at an octet. */
function kernelPlace({ ifindex, family, address, prefixLength, peer }: LinkAddress): string {
  if (family === 6) return `${ifindex} ${address}`
  const far = (peer ?? address).split('.').slice(0, prefixLength / 8)
  return `${ifindex} ${address}/${prefixLength} ${far.join('.')}`
}
