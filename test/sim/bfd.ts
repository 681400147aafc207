/**
 * BFD of a host in virtual time: the shipped core of the sessions behind the interface that the daemon has from the
 * addon's thread. Each input is one turn of that thread; a lost session reaches the engine's thread a moment later.
 */
import { OpError } from '../../src/base/errors.ts'
import type { Ip } from '../../src/base/ip.ts'
import { type Us, us } from '../../src/base/time.ts'
import type {
  Bfd,
  BfdCounters,
  BfdEngineEvent,
  BfdSessionId,
  BfdSpec,
  BfdStanding,
} from '../../src/engine/bfd-contract.ts'
import type { SlotId } from '../../src/engine/order.ts'
import { type BfdCoreHarness, makeBfdCore } from '../native/bfd-core-harness.ts'
import type { Packet } from './lan.ts'

export type BfdPorts = {
  now(): Us
  /** There are descriptors for sockets. */
  opens(): boolean
  holds(address: Ip): boolean
  send(packet: Packet): void
  /** Wants to be woken at this local instant. */
  wakeAt(local: Us | null): void
  /** Events wait for the main thread. */
  raised(): void
  /** These slots, as far as they follow it, have lost their master. */
  lost(master: Ip, slots: readonly SlotId[]): void
}

/** As the thread of BFD says it: one may be lost. */
const farewells = 3

export type Arrived = { readonly packet: Packet; readonly at: Us }

export class SimBfd implements Bfd {
  readonly realtime = true
  readonly #ports: BfdPorts
  readonly #core: BfdCoreHarness
  readonly #open = new Map<BfdSessionId, BfdSpec>()
  #inbox: BfdEngineEvent[] = []
  #unclaimed = 0
  #everyUs = 0
  /** Whose sessions these are until that gives them; null: this one's. */
  #before: SimBfd | null = null
  /** What nothing reads until then. */
  #waiting: Arrived[] = []
  /** Its process has left the slots to another, and it has not given yet. */
  lingers = false
  /** How many packets each session had received when it was lost last. */
  readonly #lostAfter = new Map<BfdSessionId, number>()
  /** The same when a state was made last: what has been lost since is told again. */
  #toldAtOffer: ReadonlyMap<BfdSessionId, number> = new Map()

  constructor(seed: number, ports: BfdPorts) {
    this.#ports = ports
    this.#core = makeBfdCore(seed)
  }

  open(spec: BfdSpec): void {
    const { opens, holds } = this.#ports
    const inherits = this.held && spec.inherits !== null
    if (inherits) {
      this.#open.set(spec.session, spec)
      return this.#core.add(spec)
    }
    if (!opens()) throw new OpError('socket', 'EMFILE', '')
    if (spec.local !== null && !holds(spec.local)) throw new OpError('bind', 'EADDRNOTAVAIL', '')
    this.#open.set(spec.session, spec)
    this.#core.add(spec)
  }

  close(session: BfdSessionId, farewell: Uint8Array | null): void {
    for (let left = farewell === null ? 0 : farewells; left > 0; left--)
      this.#send(session, farewell ?? new Uint8Array())
    if (this.#open.delete(session)) this.#core.remove(session)
  }

  order(session: BfdSessionId, standing: BfdStanding): void {
    if (!this.#open.has(session)) return
    this.#core.order(session, standing, this.#ports.now())
    if (standing.repeat !== null) this.#everyUs = standing.repeat.everyUs
    this.wake()
  }

  /** What has arrived by `at` is taken in before detection times are looked at. */
  receive(arrived: readonly Arrived[]): void {
    // The socket is one for both.
    if (this.#before !== null) {
      if (this.#before.lingers) this.#before.receive(arrived)
      else this.#waiting.push(...arrived)
      return
    }
    for (const { packet, at } of arrived)
      if (!this.#core.packet({ ...packet, at })) this.#unclaimed += 1
    this.wake()
  }

  /** The sessions are another process's. */
  get held(): boolean {
    return this.#before !== null
  }

  /** Goes on where that one ends, once it gives. */
  follow(before: SimBfd): void {
    this.#before = before
  }

  /** A state is made: what is raised from here on is not judged. */
  offer(): void {
    this.#toldAtOffer = new Map(this.#lostAfter)
    this.#core.offer()
  }

  /** The shortest interval at which a session is to send. */
  get everyUs(): number {
    return this.#everyUs
  }

  /** It gives, or `dead` it does not and is not waited for any longer. */
  take(dead: boolean): void {
    const before = this.#before
    if (before === null) return
    const same = [...this.#open.values()].flatMap(({ session, inherits }) =>
      inherits === null ? [] : [[inherits, session] as const],
    )
    this.#core.takeFrom(dead ? null : before.#core, same, this.#ports.now())
    if (!dead)
      for (const [session, count] of before.#toldAtOffer) this.#lostAfter.set(session, count)
    this.abandonBefore()
    this.receive(this.#waiting.splice(0))
  }

  /** What has not been given is lost. */
  abandonBefore(): void {
    const before = this.#before
    this.#before = null
    if (before?.lingers !== true) return
    before.lingers = false
    before.#ports.wakeAt(null)
  }

  /** One turn of the thread. */
  wake(): void {
    if (this.#before !== null) return
    const { sends, events, lost } = this.#core.tick(this.#ports.now())
    for (const event of events) if (event.kind === 'expired') this.#noteLoss(event.session)
    for (const { session, bytes } of sends) this.#send(session, bytes)
    for (const { master, slots } of lost) this.#ports.lost(master, slots)
    if (events.length > 0 && this.#inbox.length === 0) this.#ports.raised()
    this.#inbox.push(...events)
    this.#ports.wakeAt(this.#core.nextDeadline())
  }

  /** Whatever crosses with it, what is lost once is told once. */
  #noteLoss(session: BfdSessionId): void {
    const { received } = this.counters(session)
    if (this.#lostAfter.get(session) === received)
      throw new Error(`session ${session} is lost twice, with no packet in between`)
    this.#lostAfter.set(session, received)
  }

  #send(session: BfdSessionId, bytes: Uint8Array): void {
    const spec = this.#open.get(session)
    if (spec === undefined || spec.local === null) return
    const { peer: to, local: from, ttl } = spec
    this.#ports.send({ from, to, ttl, bytes, valid: true })
  }

  deliver(work: (events: readonly BfdEngineEvent[]) => void): void {
    const inbox = this.#inbox
    this.#inbox = []
    work(inbox)
  }

  counters(session: BfdSessionId): BfdCounters {
    return this.#core.counters(session)
  }

  /** Of any session. */
  get lastReceivedUs(): Us {
    const all = [...this.#open.keys()].map((it) => this.counters(it).lastReceivedUs ?? 0)
    return us(Math.max(...all))
  }

  unclaimed(): number {
    return this.#unclaimed
  }

  stop(): void {
    this.abandonBefore()
    for (const session of [...this.#open.keys()]) this.close(session, null)
    this.#ports.wakeAt(null)
  }
}
