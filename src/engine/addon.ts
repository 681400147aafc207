/** The native addon as the engine sees it. Addresses cross as octets, errnos as numbers. */
import type { Ip } from '../base/ip.ts'
import type { Us } from '../base/time.ts'
import type {
  BfdCounters,
  BfdEngineEvent,
  BfdSessionId,
  BfdSpec,
  BfdStanding,
} from './bfd-contract.ts'
import type {
  EngineEvent,
  EngineOptions,
  EngineStart,
  LinkSpec,
  RejoinFailure,
} from './contract.ts'
import type {
  AdvertGaps,
  LinkCounters,
  SealMemory,
  SealSender,
  SlotCounters,
  Wakeups,
} from './counters.ts'
import type {
  FrameWatchCounters,
  FrameWatchId,
  FrameWatchSpec,
  HeardFrame,
} from './frames-contract.ts'
import type {
  ExpectedAdvert,
  Lead,
  LinkId,
  Order,
  OrderFor,
  Repeat,
  SlotId,
  Step,
} from './order.ts'
import type { Allowance, EnginePolicy } from './policy.ts'
import type { Seal } from './seal-contract.ts'
import type { ExchangeHandle } from './succession-contract.ts'

/** A value of the contract as it crosses: the same shape with octets for addresses. */
type Crossing<T> = T extends Ip
  ? Uint8Array
  : T extends Uint8Array | number | string | boolean | null | undefined
    ? T
    : { [K in keyof T]: Crossing<T[K]> }

export type NativeStep = Crossing<Step>
export type NativePlan = readonly NativeStep[]
export type NativeRepeat = Omit<Repeat, 'plan'> & { readonly plan: NativePlan }
export type NativeLead = Pick<Lead, 'lateUs' | 'wardenLateUs' | 'leaseUs'> & {
  readonly now: NativePlan
  readonly repeats: readonly NativeRepeat[]
  readonly resign: NativePlan
}
export type NativeAsk = { readonly beforeUs: Us; readonly plan: NativePlan }
export type NativeExpectedAdvert = Crossing<ExpectedAdvert>
export type NativeOrder =
  | { readonly kind: 'idle' | 'once'; readonly now: NativePlan }
  | (Omit<
      Extract<Order, { kind: 'follow' }>,
      'now' | 'expect' | 'overruled' | 'ask' | 'onExpiry'
    > & {
      readonly now: NativePlan
      readonly ask?: NativeAsk
      readonly expect: NativeExpectedAdvert | null
      readonly overruled?: Uint8Array
      readonly onExpiry: NativeLead
    })
  | ({ readonly kind: 'lead' } & NativeLead)
export type NativeSeal = Crossing<Seal>
export type NativeSealSender = Crossing<SealSender>
export type NativeSealMemory = Omit<SealMemory, 'heard'> & {
  readonly heard: readonly (NativeSealSender & { readonly sequence: string })[]
}
export type NativeOrderFor = Omit<OrderFor, 'order'> & { readonly order: NativeOrder }

type Coded<E> = E extends { readonly code: string }
  ? Omit<E, 'code'> & { readonly errno: number }
  : E extends { readonly from: Ip }
    ? Omit<E, 'from'> & { readonly from: Uint8Array }
    : E
/** The answer to a request: bytes, or the call that failed. */
export type NativeAnswer = { readonly kind: 'answer'; readonly id: number } & (
  | { readonly bytes: Uint8Array }
  | { readonly call: string; readonly errno: number; readonly detail: string }
)
export type NativeEvent = Coded<EngineEvent>
/** The slots are another engine's now, or this one's. */
export type NativeExchangeEvent =
  | { readonly kind: 'gaveSlots' | 'tookSlots'; readonly at: Us }
  /** There will be no exchange. */
  | { readonly kind: 'exchangeOver'; readonly at: Us; readonly why: string }

/** The thread and its sockets. Methods throw an Error with `op`, `errno` and `detail` when a call fails. */
export type NativeEngine = {
  start(): EngineStart
  startWarden(lockPath: string, logForm: string): void
  endWarden(): boolean
  wardenBeats(): number
  openLink(
    spec: Omit<LinkSpec, 'source' | 'group'> & {
      readonly source: Uint8Array
      readonly group: Uint8Array | null
    },
  ): LinkId
  setFilter(link: LinkId, filter: Uint8Array): void
  closeLink(link: LinkId): void
  addSlot(
    slot: SlotId,
    link: LinkId,
    vrid: number,
    peers: readonly Uint8Array[],
    name: string,
  ): void
  setPeers(slot: SlotId, peers: readonly Uint8Array[]): void
  removeSlot(slot: SlotId): void
  setSeal(slot: SlotId, seal: NativeSeal | null, memory: NativeSealMemory | null): void
  sealMemory(slot: SlotId): NativeSealMemory
  senders(slot: SlotId): readonly NativeSealSender[]
  /** `acknowledged`: how many events had been acknowledged when the orders were made. */
  order(orders: readonly NativeOrderFor[], acknowledged: number): void
  /** Answered with the same number beside a delivery. */
  flush(id: number): void
  /** Answered with the same number among the events. */
  request(id: number, bytes: Uint8Array): void
  /** Throws as the others do. */
  listen(filter: Uint8Array, join: readonly number[], leave: readonly number[]): void
  renew(): void
  setLiveness(livenessUs: number): void
  /** So many events have been acknowledged, and what came of them has been ordered. */
  acknowledge(acknowledged: number): void
  rejoin(links: readonly LinkId[]): Promise<readonly Coded<RejoinFailure>[]>
  counters(slot: SlotId): SlotCounters
  gaps(slot: SlotId): AdvertGaps
  linkCounters(link: LinkId): LinkCounters
  wakeups(): Wakeups
  /** `acknowledged`: how many events had been when what is offered was made. */
  offer(exchange: ExchangeHandle, attempt: number, acknowledged: number): void
  withdraw(forGood: boolean): void
  /** Slots of the other engine and of this one, in turns. */
  ready(attempt: number, pairs: readonly SlotId[]): void
  stop(): void
}

/** The thread of the BFD sessions. Methods throw as the engine's do. */
export type NativeBfd = {
  open(
    spec: Omit<BfdSpec, 'peer' | 'local'> & {
      readonly peer: Uint8Array
      readonly local: Uint8Array | null
      readonly interface: string
      readonly trafficClass: number
    },
  ): void
  close(session: BfdSessionId, farewell: Uint8Array | null): void
  order(session: BfdSessionId, standing: BfdStanding): void
  /** `lastReceivedUs`: negative for never. */
  counters(session: BfdSessionId): Pick<BfdCounters, 'received' | 'sent' | 'badTtl'> & {
    readonly sendErrno: number
    readonly lastReceivedUs: number
    readonly longestGapUs: number
  }
  unclaimed(): number
  offer(exchange: ExchangeHandle, sockets: number, round: number): number | null
  withdraw(): void
  inherit(exchange: ExchangeHandle, sockets: number, round: number, count: number): void
  endInheritance(): void
  stop(): void
}

/** The thread that hears frames. Methods throw as the engine's do. */
export type NativeFrames = {
  open(spec: FrameWatchSpec): void
  setFilter(watch: FrameWatchId, filter: Uint8Array): void
  close(watch: FrameWatchId): void
  counters(watch: FrameWatchId): FrameWatchCounters
  stop(): void
}

export type FramesPolicy = {
  /** Frames about one thing that are told. */
  readonly key: Allowance
  /** Things of one socket that have an allowance of their own. */
  readonly keys: number
  /** Frames of one socket that are read in a turn. */
  readonly turn: number
  /** Between two turns: usually, and when a socket had more than was read. */
  readonly restUs: Us
  readonly restFloodedUs: Us
}

export type NativeEffect = {
  readonly slot: SlotId
  readonly generation: number
  readonly index: number
  readonly step: NativeStep
}

export type NativeOutcome = {
  readonly effects: readonly NativeEffect[]
  readonly events: readonly NativeEvent[]
  /** Something waits for the kernel's answer. */
  readonly waits: boolean
}

/** The core alone, in virtual time. */
export type NativeCore = {
  addLink(link: LinkId): void
  addSlot(slot: SlotId, link: LinkId, vrid: number, peers: readonly Uint8Array[]): void
  setPeers(slot: SlotId, peers: readonly Uint8Array[]): void
  removeSlot(slot: SlotId): void
  setSeal(slot: SlotId, seal: NativeSeal | null, memory: NativeSealMemory | null): void
  sealMemory(slot: SlotId): NativeSealMemory
  senders(slot: SlotId): readonly NativeSealSender[]
  setWall(wall: number, now: number): void
  /** A datagram as it leaves; null: it may not. */
  seal(slot: SlotId, to: Uint8Array, bytes: Uint8Array, now: number): Uint8Array | null
  order(orders: readonly NativeOrderFor[], now: number, acknowledged: number): void
  packet(
    ...packet: readonly [
      link: LinkId,
      from: Uint8Array,
      ttl: number,
      payload: Uint8Array,
      now: number,
      header?: Uint8Array | null,
    ]
  ): void
  renew(now: number): void
  setLiveness(livenessUs: number, now: number): void
  acknowledge(acknowledged: number, now: number): void
  loseMaster(slot: SlotId, master: Uint8Array, now: number): void
  preemptedByWarden(now: number): void
  /** `later`: the kernel answers when `answer` is called. */
  tick(now: number, refuse?: (effect: NativeEffect) => number, later?: boolean): NativeOutcome
  answer(now: number, refuse?: (effect: NativeEffect) => number): NativeOutcome
  nextDeadline(): number | null
  counters(slot: SlotId): SlotCounters
  gaps(slot: SlotId): AdvertGaps
  linkCounters(link: LinkId): LinkCounters
} & NativeCoreExchange

/** The turns of an exchange, which the engines' threads take by themselves. */
export type NativeCoreExchange = {
  /** The slots are another core's until `take`. */
  hold(exchange: ExchangeHandle): void
  /** Slots of the other core and of this one, in turns. */
  ready(attempt: number, pairs: readonly SlotId[]): void
  sayReady(): void
  /** What was given stands here. */
  takeUp(): boolean
  /** After it the slots are this core's. */
  take(): boolean
  offer(exchange: ExchangeHandle, attempt: number, acknowledged: number, now: number): void
  withdraw(forGood: boolean): void
  /** Why there will be no exchange, once. */
  over(): string | null
  /** When what is given is taken back; null: nothing is. `handled`: packets before it have been read. */
  give(handled: number, now: number): number | null
  lookGiven(now: number): 'given' | 'taken' | 'back'
}

export type NativeBfdOutcome = {
  readonly sends: readonly { readonly session: BfdSessionId; readonly bytes: Uint8Array }[]
  readonly events: readonly BfdEngineEvent[]
  /** Sessions that are lost and whose peer is the master that these slots follow. */
  readonly lost: readonly { readonly master: Uint8Array; readonly slots: readonly SlotId[] }[]
}

/** The core of the BFD sessions alone, in virtual time. */
export type NativeBfdCore = Pick<NativeBfd, 'counters'> & {
  add(
    session: BfdSessionId,
    discriminator: number,
    peer: Uint8Array,
    local: Uint8Array | null,
    minTtl: number,
  ): void
  remove(session: BfdSessionId): void
  order(session: BfdSessionId, standing: BfdStanding, now: number): void
  /** False for one that is no session's. */
  packet(from: Uint8Array, to: Uint8Array, ttl: number, bytes: Uint8Array, at: number): boolean
  tick(now: number): NativeBfdOutcome
  /** All that was raised by now is judged. */
  offer(): void
  /** Goes on where that core ends; null: it has told nothing. Sessions in pairs: there, and here. */
  takeFrom(before: NativeBfdCore | null, sessions: readonly number[], now: number): void
  nextDeadline(): number | null
}

export type Addon = {
  readonly Engine: new (
    options: EngineOptions & { readonly policy: EnginePolicy },
    onDelivery: (
      events: readonly (NativeEvent | NativeAnswer | NativeExchangeEvent)[],
      flushed: readonly number[],
    ) => void,
  ) => NativeEngine
  readonly Bfd: new (
    options: Pick<EngineOptions, 'realtimePriority' | 'rttimeUs'> & {
      readonly rttimeGraceUs: number
      readonly givenWithinUs: number
      readonly seed: number
    },
    engine: NativeEngine | null,
    onEvents: (events: readonly BfdEngineEvent[]) => void,
  ) => NativeBfd
  readonly Frames: new (
    policy: FramesPolicy,
    onFrames: (frames: readonly HeardFrame[]) => void,
  ) => NativeFrames
  readonly BfdCore: new (seed: number) => NativeBfdCore
  readonly Core: new (livenessUs: number, now: number, policy: EnginePolicy) => NativeCore
  /** One blocking rtnetlink request; throws as the engine's methods do. */
  request(bytes: Uint8Array): Uint8Array
  /** A file lock that only the end of the process gives up; 0 or the errno. */
  lockForLife(path: string): number
  /** A process with a record lock on the file, 0 for one that cannot be seen, or null. */
  lockHolder(path: string): number | null
  /** SIGKILL to that holder; 0 or the errno. */
  killLockHolder(path: string, pid: number): number
  /** No signal ends the process from then on but INT, TERM, QUIT, KILL and the kernel's own. */
  surviveSignals(): void
  /** PID 1 alone: waits for what the kernel gave to it and has ended; how many that were. */
  reapOrphans(): number
  /** A look at what any program sends on the interface; throws as the engine's methods do. */
  openOutgoing(ifindex: number, filter: Uint8Array): number
  /** The first octets of each packet that lies there, from its IP header on. */
  readOutgoing(fd: number): readonly Uint8Array[]
  closeOutgoing(fd: number): void
  /** An abstract AF_UNIX name that only the end of the process gives up; 0 or the errno. */
  holdName(name: string): number
  /** One datagram to an AF_UNIX socket; 0 or the errno. */
  tellSupervisor(path: string, text: string): number
  exitNow(status: number): never
}
