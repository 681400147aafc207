/**
 * The engine of the contract in virtual time: the shipped core behind the same interface that the daemon has
 * from the addon's thread. Each input is one wake-up of that thread; what the core wants carried out goes to the
 * simulated kernel and wire, and what it tells goes to the main thread, when that one has time.
 */
import { OpError } from '../../src/base/errors.ts'
import type { Ip } from '../../src/base/ip.ts'
import { type Us, us } from '../../src/base/time.ts'
import type { Engine, EngineEvent, LinkSpec, RejoinFailure } from '../../src/engine/contract.ts'
import { type CoreHarness, makeCore } from '../../src/engine/core-harness.ts'
import type {
  AdvertGaps,
  LinkCounters,
  SealMemory,
  SealSender,
  SlotCounters,
  Wakeups,
} from '../../src/engine/counters.ts'
import { batches } from '../../src/engine/deliveries.ts'
import type { LinkId, OrderFor, Plan, SlotId, Step } from '../../src/engine/order.ts'
import type { Seal } from '../../src/engine/seal-contract.ts'
import type { ExchangeHandle } from '../../src/engine/succession-contract.ts'
import { isNote } from './kernel-lease.ts'
import type { Packet } from './lan.ts'
import { Standings } from './standings.ts'

export type EnginePorts = {
  now(): Us
  /** The clock of seals, µs since 1970. */
  wall(): Us
  /** One step of a plan leaves for the kernel or the wire; `effects` beside it in the same wake-up. */
  carryOut(slot: SlotId, step: Step, spec: LinkSpec | null): void
  request(bytes: Uint8Array): Uint8Array
  linkUp(): boolean
  /** Sockets can be opened: there are descriptors. */
  opens(): boolean
  /** How often each slot's effects appeared in one wake-up. */
  woken(effects: ReadonlyMap<SlotId, number>): void
  /** Wants to be woken at this local instant. */
  wakeAt(local: Us | null): void
  /** Events wait for the main thread. `forged`: nothing but adverts that their seal does not allow. */
  raised(forged: boolean): void
  /** A slot was given that order. */
  ordered(kind: OrderFor['order']['kind']): void
  /** The slot's standing changed. */
  standing(slot: SlotId, leading: boolean): void
  /** When the main thread last proved that it turns. */
  renewedAt(): Us
  /** The slots are given to the process that is to take over; or there will be no exchange with it. */
  gave(): void
  over(why: string): void
}

/** Every slot of the simulator that has a seal requires it. */
const isForged = (event: EngineEvent): boolean =>
  event.kind === 'packet' && event.seal !== undefined && event.seal.verdict !== 'verified'

export class SimEngine implements Engine {
  readonly #ports: EnginePorts
  readonly #core: CoreHarness
  readonly #links = new Map<LinkId, LinkSpec>()
  readonly #standings: Standings
  #inbox: { readonly event: EngineEvent; readonly own: boolean }[] = []
  #lastLink = 0
  /** Events of the core that the main thread has acknowledged. */
  #seen = 0
  #stopped = false
  #renewed = -1
  /** The slots are another process's. */
  #held: boolean
  #altering: OrderFor[] = []
  /** What is given is taken back then: until it is known what became of it, this thread does nothing. */
  #givenUntil: Us | null = null

  /** `succeeds`: with the engine of another process, which has the slots. */
  constructor(livenessUs: Us, ports: EnginePorts, succeeds: ExchangeHandle | null = null) {
    this.#ports = ports
    this.#core = makeCore(livenessUs, ports.now())
    this.#standings = new Standings((slot, leading) => ports.standing(slot, leading))
    this.#held = succeeds !== null
    if (succeeds !== null) this.#core.exchange.hold(succeeds)
  }

  get held(): boolean {
    return this.#held
  }

  /** It does nothing any more. */
  get left(): boolean {
    return this.#stopped
  }

  get given(): boolean {
    return this.#givenUntil !== null
  }

  /** Of the first: the state with that number has been passed on. */
  offer(exchange: ExchangeHandle, attempt: number): void {
    this.#core.exchange.offer(exchange, attempt, this.now(), this.#seen)
  }

  withdraw(forGood: boolean): void {
    this.#core.exchange.withdraw(forGood)
  }

  /** Of the second: it has orders by that state. The first is to be woken. */
  ready(attempt: number, slots: ReadonlyMap<SlotId, SlotId>): void {
    this.#core.exchange.ready(attempt, slots)
    this.#core.exchange.sayReady()
  }

  /** What was ordered that would have altered something before the slots are its own. */
  takeAltering(): readonly OrderFor[] {
    const altering = this.#altering
    this.#altering = []
    return altering
  }

  takeUp(): boolean {
    return !this.#stopped && this.#core.exchange.takeUp()
  }

  /** False: too late. True: `wake` goes on from here. */
  take(): boolean {
    if (this.#stopped || !this.#core.exchange.take()) return false
    this.#held = false
    this.adopted()
    return true
  }

  /** The first looks what has become of what it gave; true: it has left. */
  look(): boolean {
    if (this.#stopped || this.#givenUntil === null) return this.#stopped
    const outcome = this.#core.exchange.lookGiven(this.now())
    if (outcome === 'given') return false
    this.#givenUntil = null
    if (outcome === 'taken') this.stop()
    return outcome === 'taken'
  }

  #giveIfQuiet(): void {
    const why = this.#core.exchange.over()
    if (why !== null) return this.#ports.over(why)
    if (this.pending) return
    this.#givenUntil = this.#core.exchange.give(this.now(), this.now())
    if (this.#givenUntil === null) return
    this.#ports.wakeAt(this.#givenUntil)
    this.#ports.gave()
  }

  get pending(): boolean {
    return this.#inbox.length > 0
  }

  /** What the warden does when this engine's process has died: the plans that it was told of. */
  resignAsWarden(): void {
    for (const [slot, { resign }] of this.#standings.leading) {
      this.#core.setWall(this.#ports.wall(), this.now())
      const sealed = resign.flatMap((step) =>
        isNote(step) ? [step] : (this.#core.seal(slot, step, this.now()) ?? []),
      )
      this.#carryOut(slot, sealed)
    }
  }

  leads(slot: SlotId): boolean {
    return this.#standings.leads(slot)
  }

  /** When the warden takes this engine for frozen, unless it is awake before: its promise, a margin before it is late. */
  get promise(): Us | null {
    const lates = this.#standings.leading.map(([, { wardenLateUs }]) => wardenLateUs)
    if (this.#held || lates.length === 0) return null
    const next = this.#givenUntil ?? this.#core.nextDeadline()
    if (next === null) return null
    return us(next + Math.min(...lates))
  }

  /** When its thread wakes up next, by its own clock. */
  get nextDeadline(): Us | null {
    return this.#core.nextDeadline()
  }

  /** BFD's thread has lost the session with that master. */
  loseMaster(master: Ip, slots: readonly SlotId[]): void {
    if (this.#stopped) return
    for (const slot of slots) this.#core.loseMaster(slot, master, this.now())
    this.wake()
  }

  /** The warden gave up every lead meanwhile. */
  preemptedByWarden(): void {
    this.#core.preemptedByWarden(this.now())
  }

  /** It may speak: it leads, or did until this very wake-up, whose last words may be an advert. */
  speaks(id: SlotId): boolean {
    return this.#standings.speaks(id)
  }

  /** The main thread works off what has been raised, in the batches in which the addon would hand it out. */
  deliver(work: (events: readonly EngineEvent[]) => void): void {
    const inbox = this.#inbox
    this.#inbox = []
    const own = new Set(inbox.flatMap((entry) => (entry.own ? [entry.event] : [])))
    for (const batch of batches(inbox.map(({ event }) => event))) {
      this.#seen += batch.filter((event) => own.has(event)).length
      if (!this.#stopped) work(batch)
    }
    this.#core.acknowledge(this.now(), this.#seen)
    this.wake()
  }

  kernelChanged(bytes: Uint8Array): void {
    this.#inbox.push({ event: { kind: 'kernel', bytes }, own: false })
    this.#ports.raised(false)
  }

  /** Packets that wait are taken in before deadlines are looked at. */
  receive(packets: readonly Packet[]): void {
    this.#renew()
    this.#core.setWall(this.#ports.wall(), this.now())
    // What has an authentication header is of another IP protocol.
    for (const { from, to, ttl, bytes: payload, header } of packets)
      for (const [link, { group, source, ah }] of this.#links)
        if (to === (group ?? source) && (ah ?? false) === (header !== undefined))
          this.#core.packet({ link, from, ttl, payload, ...(header && { header }) }, this.now())
    this.wake()
  }

  /** One turn of the engine's thread. */
  wake(): void {
    if (this.#stopped || this.#held || this.#givenUntil !== null) return
    this.#renew()
    this.#core.setWall(this.#ports.wall(), this.now())
    const { effects, events } = this.#core.tick(this.now())
    for (const event of events) {
      this.#inbox.push({ event, own: true })
      this.#standings.note(event)
    }
    if (effects.length > 0) {
      const counts = new Map<SlotId, number>()
      for (const { slot, step } of effects) {
        counts.set(slot, (counts.get(slot) ?? 0) + 1)
        this.#carryOut(slot, [step])
      }
      this.#ports.woken(counts)
    }
    this.#standings.report()
    if (events.length > 0) this.#ports.raised(events.every(isForged))
    this.#ports.wakeAt(this.#core.nextDeadline())
    this.#giveIfQuiet()
  }

  now(): Us {
    return this.#ports.now()
  }

  #renew(): void {
    const at = this.#ports.renewedAt()
    if (at <= this.#renewed) return
    this.#renewed = at
    this.#core.renew(at)
  }

  #carryOut(slot: SlotId, plan: Plan): void {
    for (const step of plan) {
      const spec = step.kind === 'datagram' ? (this.#links.get(step.link) ?? null) : null
      this.#ports.carryOut(slot, step, spec)
    }
  }

  openLink(spec: LinkSpec): LinkId {
    if (!this.#ports.opens()) throw new OpError('socket', 'EMFILE', spec.interface)
    if (!this.#ports.linkUp()) throw new OpError('bind', 'ENODEV', spec.interface)
    this.#lastLink += 1
    this.#links.set(this.#lastLink, spec)
    this.#core.addLink(this.#lastLink)
    return this.#lastLink
  }

  setFilter(): void {}

  closeLink(link: LinkId): void {
    this.#links.delete(link)
  }

  setPeers(slot: SlotId, peers: readonly Ip[]): void {
    this.#core.setPeers(slot, peers)
  }

  setLiveness(livenessUs: Us): void {
    this.#core.setLiveness(livenessUs, this.now())
  }

  addSlot(slot: SlotId, link: LinkId, vrid: number, peers: readonly Ip[] = []): void {
    this.#core.addSlot(slot, link, vrid, peers)
    this.#standings.add(slot)
  }

  removeSlot(slot: SlotId): void {
    this.#standings.remove(slot)
    this.#core.removeSlot(slot)
  }

  order(orders: readonly OrderFor[]): void {
    if (this.#stopped) return
    for (const { slot } of orders)
      if (!this.#standings.has(slot)) throw new Error(`bug: order for unknown slot ${slot}`)
    const altering = this.#held ? orders.filter(({ order }) => order.now.length > 0) : []
    this.#altering.push(...altering)
    const given = orders.filter((one) => !altering.includes(one))
    this.#core.order(given, this.now(), this.#seen)
    for (const { slot, generation, order } of orders) {
      this.#ports.ordered(order.kind)
      this.#standings.ordered(slot, generation, order)
    }
    this.wake()
  }

  sealMemory(slot: SlotId): SealMemory {
    return this.#core.sealMemory(slot)
  }

  setSeal(slot: SlotId, seal: Seal | null, memory?: SealMemory): void {
    this.#core.setSeal(slot, seal, memory)
  }

  senders(slot: SlotId): readonly SealSender[] {
    return this.#core.senders(slot)
  }

  flush(): Promise<void> {
    return Promise.resolve()
  }

  renew(): void {}

  listen(): void {}

  request(bytes: Uint8Array, done: (answer: Uint8Array) => void): void {
    done(this.#ports.request(bytes))
  }

  rejoin(): Promise<readonly RejoinFailure[]> {
    return Promise.resolve([])
  }

  counters(slot: SlotId): SlotCounters {
    return this.#core.counters(slot)
  }

  gaps(slot: SlotId): AdvertGaps {
    return this.#core.gaps(slot)
  }

  linkCounters(link: LinkId): LinkCounters {
    return this.#core.linkCounters(link)
  }

  /** A simulated thread is never late. */
  wakeups(): Wakeups {
    return { untilUs: [], counts: [0], sumUs: 0 }
  }

  stop(): void {
    this.#stopped = true
  }

  /** Took over from another process: what leads is no news. */
  adopted(): void {
    this.#standings.adopted()
  }
}
