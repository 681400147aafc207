/**
 * The engine of the contract, carried out by the addon's thread. This side keeps the books that need no lock:
 * which VRIDs are taken, which flushes are unanswered, and how many events have been acknowledged.
 */

import { randomInt } from 'node:crypto'
import { errnoName } from '../addon/errno.ts'
import { loadAddon } from '../addon/load.ts'
import { assert } from '../base/assert.ts'
import type { OpError } from '../base/errors.ts'
import { type Ip, ipBytes } from '../base/ip.ts'
import { type Us, us } from '../base/time.ts'
import type {
  Addon,
  NativeAnswer,
  NativeEngine,
  NativeEvent,
  NativeExchangeEvent,
} from './addon.ts'
import { RunningBfd } from './bfd.ts'
import type { BfdEngineEvent } from './bfd-contract.ts'
import type { Engine, EngineEvent, LinkSpec, RejoinFailure, StartEngine } from './contract.ts'
import type {
  AdvertGaps,
  LinkCounters,
  SealMemory,
  SealSender,
  SlotCounters,
  Wakeups,
} from './counters.ts'
import { batches } from './deliveries.ts'
import {
  failure,
  fromNativeEvent,
  fromNativeSealMemory,
  fromNativeSender,
  native,
  toNativeOrders,
  toNativeSeal,
  toNativeSealMemory,
} from './edge.ts'
import { type EngineFigures, FiguresBefore, type SlotFigures } from './figures.ts'
import type { LinkId, OrderFor, SlotId } from './order.ts'
import { enginePolicy } from './policy.ts'
import { Routes } from './routes.ts'
import type { Seal } from './seal-contract.ts'
import type { ExchangeHandle, OnExchange, Succession } from './succession-contract.ts'

const addon = loadAddon() as Addon

/** CLOCK_MONOTONIC in µs. */
export const nowUs = (): Us => us(Number(process.hrtime.bigint() / 1000n))

/**
 * Ends the process without waiting for its threads, which process.exit does: a file system that hangs would keep
 * a daemon that is done. Whatever must be written has been written before.
 */
export const exitNow = (status: number): never => addon.exitNow(status)

/** One datagram to the socket of sd_notify(3), abstract after '@'. null, or the errno's name. */
export function tellSupervisor(path: string, text: string): string | null {
  const errno = addon.tellSupervisor(path, text)
  return errno === 0 ? null : errnoName(errno)
}

/** Locks the file, which is made if it is missing, until this process ends. null, or the errno's name. */
export function lockForLife(path: string): string | null {
  const errno = addon.lockForLife(path)
  return errno === 0 ? null : errnoName(errno)
}

/** The process with a record lock (fcntl(2)) on the file; 0 when it is in a PID namespace out of sight. */
export const lockHolder = (path: string): number | null => addon.lockHolder(path)

/** SIGKILL to that holder, unless it has gone meanwhile. null, or the errno's name. */
export function killLockHolder(path: string, pid: number): string | null {
  const errno = addon.killLockHolder(path, pid)
  return errno === 0 ? null : errnoName(errno)
}

/** No signal ends this process from now on but INT, TERM, QUIT, KILL and the kernel's own (SEGV, …). */
export const surviveSignals = (): void => addon.surviveSignals()

/** Of PID 1, on the main thread: no orphan that has ended by now stays a zombie. Never takes the end of a program of ours. */
export const reapOrphans = (): number => addon.reapOrphans()

/**
 * Binds an abstract AF_UNIX name, seen in the whole network namespace, until this process ends. null, or the errno's
 * name: EADDRINUSE when another process has it.
 */
export function holdName(name: string): string | null {
  const errno = addon.holdName(name)
  return errno === 0 ? null : errnoName(errno)
}

/** What any program of this host sends on an interface, seen by a packet socket. Throws OpError. */
export const outgoing = {
  open: (ifindex: number, filter: Uint8Array): number =>
    native(() => addon.openOutgoing(ifindex, filter)),
  read: (fd: number): readonly Uint8Array[] => addon.readOutgoing(fd),
  close: (fd: number): void => addon.closeOutgoing(fd),
}

/** One blocking rtnetlink request without an engine. Throws OpError. */
export const kernelRequest = (bytes: Uint8Array): Uint8Array => native(() => addon.request(bytes))

/** Throws OpError when the thread's own sockets cannot be opened (no CAP_NET_RAW, say). */
export const startEngine: StartEngine = (options, onEvents, onExchange = () => undefined) => {
  const running = new RunningEngine(onEvents, onExchange, options.succeeds !== undefined)
  const handle = native(
    () => new addon.Engine({ ...options, policy: enginePolicy }, (e, f) => running.deliver(e, f)),
  )
  running.attach(handle)
  const guard = {
    startWarden: (lockPath: string, logForm: string) =>
      native(() => handle.startWarden(lockPath, logForm)),
    endWarden: () => handle.endWarden(),
    beats: () => handle.wardenBeats(),
  }
  const start = handle.start()
  const openBfd = (onBfd: (events: readonly BfdEngineEvent[]) => void) => {
    const { rttimeUs } = options
    const realtimePriority = start.realtime ? options.realtimePriority : 0
    const { rttimeGraceUs, exchangeUs } = enginePolicy
    const settings = {
      ...{ realtimePriority, rttimeUs, rttimeGraceUs, seed: randomInt(1, 2 ** 31) },
      givenWithinUs: exchangeUs.sessionsGiven,
    }
    const bfd = new addon.Bfd(settings, handle, onBfd)
    return new RunningBfd(bfd, realtimePriority > 0, options.succeeds ?? null)
  }
  return { engine: running, start, guard, succession: running, openBfd }
}

const isForUs = (
  event: NativeEvent | NativeAnswer | NativeExchangeEvent,
): event is NativeAnswer | NativeExchangeEvent =>
  ['answer', 'gaveSlots', 'tookSlots', 'exchangeOver'].includes(event.kind)

type Waiting = { readonly resolve: () => void; readonly reject: (why: Error) => void }

class RunningEngine implements Engine, Succession {
  readonly #onEvents: (events: readonly EngineEvent[]) => void
  readonly #onExchange: OnExchange
  /** The slots are still another process's. */
  #held: boolean
  #altering: OrderFor[] = []
  readonly #before = new FiguresBefore()
  readonly #routes = new Routes()
  readonly #flushes = new Map<number, Waiting>()
  readonly #requests = new Map<number, (answer: Uint8Array | OpError) => void>()
  #handle: NativeEngine | null = null
  #groups: readonly number[] = []
  #acknowledged = 0
  #flushId = 0
  #requestId = 0

  constructor(
    onEvents: (events: readonly EngineEvent[]) => void,
    onExchange: OnExchange,
    held: boolean,
  ) {
    this.#onEvents = onEvents
    this.#onExchange = onExchange
    this.#held = held
  }

  attach(handle: NativeEngine): void {
    this.#handle = handle
  }

  deliver(
    events: readonly (NativeEvent | NativeAnswer | NativeExchangeEvent)[],
    flushed: readonly number[],
  ): void {
    let before: NativeEvent[] = []
    for (const event of events) {
      if (!isForUs(event)) {
        before.push(event)
        continue
      }
      this.#handOut(before)
      before = []
      if (event.kind === 'answer') this.#answer(event)
      else this.#exchanged(event)
    }
    this.#handOut(before)
    if (this.#handle === null) return
    // A follow whose deadline passed meanwhile waits for this word.
    if (events.some(({ kind }) => kind === 'packet')) this.#native.acknowledge(this.#acknowledged)
    for (const id of flushed) {
      this.#flushes.get(id)?.resolve()
      this.#flushes.delete(id)
    }
  }

  #handOut(events: readonly NativeEvent[]): void {
    for (const batch of batches(events.map(fromNativeEvent))) {
      // The daemon may have stopped the engine on account of an event.
      if (this.#handle === null) return
      this.#acknowledged += batch.length
      this.#onEvents(batch)
    }
  }

  #answer(event: NativeAnswer): void {
    this.#acknowledged += 1
    const done = this.#requests.get(event.id)
    this.#requests.delete(event.id)
    done?.('bytes' in event ? event.bytes : failure(event))
  }

  #exchanged(event: NativeExchangeEvent): void {
    this.#acknowledged += 1
    if (event.kind === 'exchangeOver') return this.#onExchange({ what: 'over', why: event.why })
    this.#held = false
    this.#onExchange({ what: event.kind === 'gaveSlots' ? 'gave' : 'took', at: event.at })
  }

  offer(exchange: ExchangeHandle, attempt: number): void {
    this.#native.offer(exchange, attempt, this.#acknowledged)
  }

  withdraw(forGood: boolean): void {
    this.#native.withdraw(forGood)
  }

  ready(attempt: number, slots: ReadonlyMap<SlotId, SlotId>): void {
    this.#native.ready(attempt, [...slots].flat())
  }

  takeAltering(): readonly OrderFor[] {
    const altering = this.#altering
    this.#altering = []
    return altering
  }

  now(): Us {
    return nowUs()
  }

  openLink(spec: LinkSpec): LinkId {
    const source = ipBytes(spec.source)
    const group = spec.group === null ? null : ipBytes(spec.group)
    return native(() => this.#native.openLink({ ...spec, source, group }))
  }

  setFilter(link: LinkId, filter: Uint8Array): void {
    native(() => this.#native.setFilter(link, filter))
  }

  closeLink(link: LinkId): void {
    this.#routes.forgetLink(link)
    this.#native.closeLink(link)
  }

  addSlot(slot: SlotId, link: LinkId, vrid: number, peers: readonly Ip[] = [], name = ''): void {
    this.#routes.add(slot, link, vrid, peers)
    this.#native.addSlot(slot, link, vrid, peers.map(ipBytes), name)
  }

  setPeers(slot: SlotId, peers: readonly Ip[]): void {
    this.#routes.setPeers(slot, peers)
    this.#native.setPeers(slot, peers.map(ipBytes))
  }

  removeSlot(slot: SlotId): void {
    this.#routes.remove(slot)
    this.#before.forget(slot)
    this.#native.removeSlot(slot)
  }

  setSeal(slot: SlotId, seal: Seal | null, memory?: SealMemory): void {
    assert(this.#routes.has(slot), `seal for unknown slot ${slot}`)
    this.#native.setSeal(slot, toNativeSeal(seal), toNativeSealMemory(memory))
  }

  sealMemory(slot: SlotId): SealMemory {
    return fromNativeSealMemory(this.#native.sealMemory(slot))
  }

  senders(slot: SlotId): readonly SealSender[] {
    return this.#native.senders(slot).map(fromNativeSender)
  }

  order(orders: readonly OrderFor[]): void {
    for (const { slot, order } of orders) {
      assert(this.#routes.has(slot), `order for unknown slot ${slot}`)
      if (order.kind === 'follow' && order.intervalUs !== undefined)
        this.#before.follows(slot, order.intervalUs)
    }
    const altering = this.#held ? orders.filter(({ order }) => order.now.length > 0) : []
    this.#altering.push(...altering)
    const given = altering.length === 0 ? orders : orders.filter((one) => !altering.includes(one))
    this.#native.order(toNativeOrders(given), this.#acknowledged)
  }

  flush(): Promise<void> {
    this.#flushId += 1
    const id = this.#flushId
    return new Promise((resolve, reject) => {
      this.#flushes.set(id, { resolve, reject })
      this.#native.flush(id)
    })
  }

  renew(): void {
    this.#native.renew()
  }

  setLiveness(livenessUs: Us): void {
    this.#native.setLiveness(livenessUs)
  }

  request(bytes: Uint8Array, done: (answer: Uint8Array | OpError) => void): void {
    this.#requestId += 1
    this.#requests.set(this.#requestId, done)
    this.#native.request(this.#requestId, bytes)
  }

  listen(groups: readonly number[], filter: Uint8Array): void {
    const [join, leave] = [
      groups.filter((group) => !this.#groups.includes(group)),
      this.#groups.filter((group) => !groups.includes(group)),
    ]
    native(() => this.#native.listen(filter, join, leave))
    this.#groups = groups
  }

  async rejoin(links: readonly LinkId[]): Promise<readonly RejoinFailure[]> {
    const failed = await native(() => this.#native.rejoin(links))
    return failed.map(({ link, call, errno }) => ({ link, call, code: errnoName(errno) }))
  }

  counters(slot: SlotId): SlotCounters {
    return this.#before.counters(slot, this.#native.counters(slot))
  }

  gaps(slot: SlotId): AdvertGaps {
    return this.#before.gaps(slot, this.#native.gaps(slot), this.now())
  }

  figures(slots: readonly SlotId[]): EngineFigures {
    const wakeups = this.wakeups()
    const figuresOf = (slot: SlotId): SlotFigures => ({
      seals: this.counters(slot).seals,
      gaps: this.gaps(slot),
      intervalUs: this.#before.intervalOf(slot),
    })
    return { wakeups, slots: slots.map((slot) => [slot, figuresOf(slot)] as const) }
  }

  countOnFrom(before: EngineFigures): void {
    this.#before.set(before)
  }

  linkCounters(link: LinkId): LinkCounters {
    return this.#native.linkCounters(link)
  }

  wakeups(): Wakeups {
    return this.#before.wakeups(this.#native.wakeups())
  }

  stop(): void {
    this.#handle?.stop()
    this.#handle = null
    this.#requests.clear()
    for (const { reject } of this.#flushes.values()) reject(new Error('the engine was stopped'))
    this.#flushes.clear()
  }

  get #native(): NativeEngine {
    assert(this.#handle !== null, 'the engine is stopped')
    return this.#handle
  }
}
