/**
 * The engine's core (the C++ class that the thread drives) in virtual time, for tests and the simulator. One
 * wake-up is: any number of orders, packets and renewals, then `tick`, which fires what is due and hands
 * out what is to be carried out and what is to be told.
 */

import { loadAddon } from '../addon/load.ts'
import { type Ip, ipBytes } from '../base/ip.ts'
import { type Us, us } from '../base/time.ts'
import type { Addon, NativeCoreExchange, NativeEffect, NativeOutcome } from './addon.ts'
import type { EngineEvent } from './contract.ts'
import type { AdvertGaps, LinkCounters, SealMemory, SealSender, SlotCounters } from './counters.ts'
import {
  fromNativeEvent,
  fromNativeSealMemory,
  fromNativeSender,
  fromNativeStep,
  toNativeOrders,
  toNativeSeal,
  toNativeSealMemory,
} from './edge.ts'
import type { LinkId, OrderFor, SlotId, Step } from './order.ts'
import { enginePolicy } from './policy.ts'
import { Routes } from './routes.ts'
import type { Seal } from './seal-contract.ts'
import type { ExchangeHandle } from './succession-contract.ts'

/** One step of a plan, in the order in which it leaves the host. */
export type CoreEffect = {
  readonly slot: SlotId
  readonly generation: number
  /** Its place in its plan. */
  readonly index: number
  readonly step: Step
}

export type Outcome = {
  readonly effects: readonly CoreEffect[]
  readonly events: readonly EngineEvent[]
}

/** May answer an errno for a step, which then fails. */
export type Refuse = (effect: CoreEffect) => number

export type CorePacket = {
  readonly link: LinkId
  readonly from: Ip
  readonly ttl: number
  readonly payload: Uint8Array
  /** AH: the IP header and the authentication header. */
  readonly header?: Uint8Array
}

export type CoreHarness = {
  addLink(link: LinkId): void
  /** Throws if the place is taken. */
  addSlot(slot: SlotId, link: LinkId, vrid: number, peers?: readonly Ip[]): void
  setPeers(slot: SlotId, peers: readonly Ip[]): void
  removeSlot(slot: SlotId): void
  setSeal(slot: SlotId, seal: Seal | null, memory?: SealMemory): void
  sealMemory(slot: SlotId): SealMemory
  senders(slot: SlotId): readonly SealSender[]
  /** The clock of seals: µs since 1970 at `now`. Without it `now` is. */
  setWall(wall: Us, now: Us): void
  /** As the warden would send it: with the slot's next sequence. null: it may not leave. */
  seal(slot: SlotId, step: Step, now: Us): Step | null
  /** `acknowledged`: how many of the events handed out so far their author had acknowledged; all of them if absent. */
  order(orders: readonly OrderFor[], now: Us, acknowledged?: number): void
  packet(packet: CorePacket, now: Us): void
  renew(now: Us): void
  setLiveness(livenessUs: Us, now: Us): void
  /** Their author has acknowledged `acknowledged` of the events handed out so far; all of them if absent. */
  acknowledge(now: Us, acknowledged?: number): void
  /** The warden gave up every lead while this core stood still. */
  /** Another protocol has found the path to that master dead. */
  loseMaster(slot: SlotId, master: Ip, now: Us): void
  preemptedByWarden(now: Us): void
  /** Everything is carried out at once. */
  tick(now: Us, refuse?: Refuse): Outcome
  /** Adverts are sent, and the kernel answers later: when `answer` is called. */
  tickBefore(now: Us): Outcome
  answer(now: Us, refuse?: Refuse): Outcome
  /** Something waits for the kernel's answer. */
  waits(): boolean
  /** When the next `tick` is wanted; null when nothing is awaited. */
  nextDeadline(): Us | null
  counters(slot: SlotId): SlotCounters
  gaps(slot: SlotId): AdvertGaps
  linkCounters(link: LinkId): LinkCounters
  /** What the engine's thread does of an exchange with another core. */
  readonly exchange: CoreExchange
}

export type CoreExchange = Omit<NativeCoreExchange, 'ready' | 'offer' | 'give' | 'lookGiven'> & {
  ready(attempt: number, slots: ReadonlyMap<SlotId, SlotId>): void
  /** `acknowledged`: as of an order. */
  offer(exchange: ExchangeHandle, attempt: number, now: Us, acknowledged?: number): void
  give(handled: Us, now: Us): Us | null
  lookGiven(now: Us): 'given' | 'taken' | 'back'
}

type ExchangeAddon = {
  makeExchange(): ExchangeHandle
  exchangeState(exchange: ExchangeHandle): 'preparing' | 'ready' | 'given' | 'taken' | 'void'
  mayAct(exchange: ExchangeHandle, second: boolean): boolean
}
/**
 * The memory that two cores share, whose the slots are by it, and whether the warden of one of them may act, which decides
 * that for good.
 */
export const { makeExchange, exchangeState, mayAct } = loadAddon() as ExchangeAddon

/** A core at the instant `now`, with the shipped policy. `livenessUs` 0: no lease. */
export function makeCore(livenessUs: Us, now: Us): CoreHarness {
  const { Core } = loadAddon() as Addon
  const core = new Core(livenessUs, now, enginePolicy)
  const routes = new Routes()
  const links = new Set<LinkId>()
  let handedOut = 0
  let waiting = false
  const outcome = ({ effects, events, waits }: NativeOutcome): Outcome => {
    handedOut += events.length
    waiting = waits
    return { effects: effects.map(fromNativeEffect), events: events.map(fromNativeEvent) }
  }
  return {
    addLink: (link) => {
      links.add(link)
      core.addLink(link)
    },
    addSlot: (slot, link, vrid, peers = []) => {
      if (!links.has(link)) throw new Error(`no link ${link}`)
      routes.add(slot, link, vrid, peers)
      core.addSlot(slot, link, vrid, peers.map(ipBytes))
    },
    setPeers: (slot, peers) => {
      routes.setPeers(slot, peers)
      core.setPeers(slot, peers.map(ipBytes))
    },
    removeSlot: (slot) => {
      routes.remove(slot)
      core.removeSlot(slot)
    },
    setSeal: (slot, seal, memory) =>
      core.setSeal(slot, toNativeSeal(seal), toNativeSealMemory(memory)),
    sealMemory: (slot) => fromNativeSealMemory(core.sealMemory(slot)),
    senders: (slot) => core.senders(slot).map(fromNativeSender),
    setWall: (wall, at) => core.setWall(wall, at),
    seal: (slot, step, at) => {
      if (step.kind !== 'datagram') return step
      const bytes = core.seal(slot, ipBytes(step.to), step.bytes, at)
      return bytes === null ? null : { ...step, bytes }
    },
    order: (orders, at, acknowledged = handedOut) =>
      core.order(toNativeOrders(orders), at, acknowledged),
    packet: ({ link, from, ttl, payload, header = null }, at) =>
      core.packet(link, ipBytes(from), ttl, payload, at, header),
    renew: (at) => core.renew(at),
    setLiveness: (livenessUs, at) => core.setLiveness(livenessUs, at),
    acknowledge: (at, acknowledged = handedOut) => core.acknowledge(acknowledged, at),
    loseMaster: (slot, master, at) => core.loseMaster(slot, ipBytes(master), at),
    preemptedByWarden: (at) => core.preemptedByWarden(at),
    tick: (at, refuse) => outcome(core.tick(at, nativeRefuse(refuse))),
    tickBefore: (at) => outcome(core.tick(at, undefined, true)),
    answer: (at, refuse) => outcome(core.answer(at, nativeRefuse(refuse))),
    waits: () => waiting,
    nextDeadline: () => {
      const next = core.nextDeadline()
      return next === null ? null : us(next)
    },
    counters: (slot) => core.counters(slot),
    gaps: (slot) => core.gaps(slot),
    linkCounters: (link) => core.linkCounters(link),
    exchange: exchangeOf(core, () => handedOut),
  }
}

const exchangeOf = (core: NativeCoreExchange, handedOut: () => number): CoreExchange => ({
  hold: (exchange) => core.hold(exchange),
  ready: (attempt, slots) => core.ready(attempt, [...slots].flat()),
  sayReady: () => core.sayReady(),
  takeUp: () => core.takeUp(),
  take: () => core.take(),
  offer: (exchange, attempt, at, acknowledged = handedOut()) =>
    core.offer(exchange, attempt, acknowledged, at),
  withdraw: (forGood) => core.withdraw(forGood),
  over: () => core.over(),
  give: (handled, at) => {
    const until = core.give(handled, at)
    return until === null ? null : us(until)
  },
  lookGiven: (at) => core.lookGiven(at),
})

const nativeRefuse = (refuse: Refuse | undefined) =>
  refuse && ((effect: NativeEffect) => refuse(fromNativeEffect(effect)))

const fromNativeEffect = (effect: NativeEffect): CoreEffect => ({
  ...effect,
  step: fromNativeStep(effect.step),
})
