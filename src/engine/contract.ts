/**
 * The contract between TypeScript, which decides, and the engine, which repeats: the sockets that it opens, the events that
 * it raises, and what can be asked of it. What it is ordered to do: order.ts.
 */
import type { OpError } from '../base/errors.ts'
import type { Ip } from '../base/ip.ts'
import type { LogForm } from '../base/log.ts'
import type { Us } from '../base/time.ts'
import type { Bfd, BfdEngineEvent, BfdSuccession } from './bfd-contract.ts'
import type {
  AdvertGaps,
  LinkCounters,
  SealMemory,
  SealSender,
  SealVerdict,
  SlotCounters,
  Wakeups,
} from './counters.ts'
import type { LinkId, OrderFor, SlotId, Step } from './order.ts'
import type { Seal } from './seal-contract.ts'
import type { ExchangeHandle, OnExchange, Succession } from './succession-contract.ts'

export type LinkSpec = {
  readonly family: 4 | 6
  /** IP protocol 51 instead of 112: an authentication header lies before each PDU. Its slots have an `AhSeal`; IPv4. Absent: false. */
  readonly ah?: boolean
  readonly interface: string
  readonly ifindex: number
  /** A unicast source that another interface holds: what is addressed to it is received from any interface. */
  readonly receiveOnAny: boolean
  /** Source address of what is sent; bound. */
  readonly source: Ip
  /** Joined and received on; null for a unicast link, which receives what is addressed to `source`. */
  readonly group: Ip | null
  /** TTL or hop limit of what is sent; null leaves the kernel's default. */
  readonly ttl: number | null
  /** Classic BPF program (struct sock_filter[]) for the receiving socket. */
  readonly filter: Uint8Array
  /**
   * Stands instead of `filter` while few unexpected packets come, so that those which `filter` drops are read and counted;
   * when many come, `filter` takes its place for a while. Absent: `filter` always.
   */
  readonly openFilter?: Uint8Array
  /** SO_RCVBUF in bytes; null leaves the system's default. */
  readonly receiveBufferBytes: number | null
}

/** A packet that is not the expected one. `count` > 1: identical ones that arrived before this was delivered. */
export type Packet = {
  readonly kind: 'packet'
  readonly link: LinkId
  readonly slot: SlotId
  /** Generation of the order that stood when it arrived. */
  readonly generation: number
  readonly from: Ip
  readonly ttl: number
  readonly payload: Uint8Array
  /** Reception; of several, of the last. */
  readonly at: Us
  readonly count: number
  /**
   * Of a slot with a seal. Verified ones are not throttled with the rest; what the seal does not allow is for the log
   * alone. `skewSeconds`: how far the sender's clock is ahead, of a trailer whose time was looked at; else 0.
   */
  readonly seal?: { readonly verdict: SealVerdict; readonly skewSeconds: number }
}

export type EngineEvent =
  | Packet
  /** The follow's deadline passed and its `onExpiry` is being carried out: deadline, first byte handed over, plan done. */
  | {
      readonly kind: 'expired'
      readonly slot: SlotId
      readonly generation: number
      readonly deadlineUs: Us
      readonly at: Us
      readonly doneAt: Us
    }
  /** A step failed; one of a repeat that fails as it did the last time is not told again. `call` is the system call or rtnetlink request, `code` the errno name, `detail` the kernel's extended text. */
  | {
      readonly kind: 'failed'
      readonly slot: SlotId
      readonly generation: number
      readonly step: number
      readonly stepKind: Step['kind']
      readonly call: string
      readonly code: string
      readonly detail: string
      /** What was asked, of a netlink step; else null. */
      readonly request: Uint8Array | null
      readonly at: Us
    }
  /** A lead woke up `lateUs` past its time and has resigned, or the warden had given it up by then; it idles until
   *  the next order. */
  | {
      readonly kind: 'late'
      readonly slot: SlotId
      readonly generation: number
      readonly lateUs: Us
      readonly at: Us
    }
  /** The main thread's lease lapsed: this lead has resigned and idles until the next order. */
  | { readonly kind: 'lapsed'; readonly slot: SlotId; readonly generation: number; readonly at: Us }
  /** rtnetlink notifications, undecoded: RTNLGRP_LINK, _IPV4_IFADDR, _IPV6_IFADDR, _IPV6_NETCONF, and what `listen` names. */
  | { readonly kind: 'kernel'; readonly bytes: Uint8Array }
  /** The notification socket overflowed (ENOBUFS): what is known about the kernel is stale, dump again. */
  | { readonly kind: 'overrun' }
  /** Reading or writing on a link fails persistently (interface gone): reported once, until a write succeeds again. */
  | {
      readonly kind: 'linkFailed'
      readonly link: LinkId
      readonly call: string
      readonly code: string
    }
  /** A good trailer whose time is off by more than half the window, the first since it was not. */
  | {
      readonly kind: 'skewed'
      readonly slot: SlotId
      readonly generation: number
      readonly from: Ip
      readonly skewSeconds: number
      readonly at: Us
    }
  /** The first packet on this link with a VRID (from a source) that no slot there has; the counter goes on. */
  | { readonly kind: 'stranger'; readonly link: LinkId; readonly vrid: number; readonly from: Ip }
  /** The warden is gone; until another is started, nothing acts for this process. */
  | { readonly kind: 'wardenLost' }
  /** A real-time thread ran for `rttimeUs` without waiting and goes on with ordinary scheduling, for good. */
  | { readonly kind: 'realtimeLost' }

/** A group that could not be joined again: the call and the errno's name. */
export type RejoinFailure = { readonly link: LinkId; readonly call: string; readonly code: string }

export type EngineOptions = {
  /** SCHED_RR priority 1..99 for the engine's thread, 0 for none; refused permission is reported, not fatal. */
  readonly realtimePriority: number
  /** How long it may run without waiting when real-time, in µs (RLIMIT_RTTIME, the whole process's); 0: no bound. */
  readonly rttimeUs: number
  /** Keep what the engine's thread touches in memory: code, stack, heap as it is at start. */
  readonly lockMemory: boolean
  /** Leads resign when `renew` was not called for so long; 0 switches the lease off. */
  readonly livenessUs: Us
  /** The engine of another process answers for the slots until this one takes them (exchange.ts). Absent: none does. */
  readonly succeeds?: ExchangeHandle
}

/** What was asked for at start and what the kernel granted, for the log and for `status`. */
export type EngineStart = {
  readonly realtime: boolean
  readonly locked: boolean
  readonly notes: readonly string[]
}

export type Engine = {
  /** CLOCK_MONOTONIC in µs. */
  now(): Us
  /** Opens the sockets. Throws OpError naming the call that failed. */
  openLink(spec: LinkSpec): LinkId
  setFilter(link: LinkId, filter: Uint8Array): void
  closeLink(link: LinkId): void
  /**
   * Routes packets with this VRID on this link to the slot. Several slots may share the two if each has peers and they
   * share none: the source decides then, and what comes from no peer is unclaimed. `name`: the instance, for the log of the
   * warden. Throws if the place is taken.
   */
  addSlot(slot: SlotId, link: LinkId, vrid: number, peers?: readonly Ip[], name?: string): void
  /** Other peers for a slot that goes on as it is. Throws if one of them is another slot's. */
  setPeers(slot: SlotId, peers: readonly Ip[]): void
  removeSlot(slot: SlotId): void
  /**
   * From now on, for what is ordered later; null: none. Senders keep their marks, and the slot its sequence, also when the
   * slot was removed and added again. `memory`: what another process, whose state this one takes over, knew of them.
   */
  setSeal(slot: SlotId, seal: Seal | null, memory?: SealMemory): void
  /** Also of a slot that was removed, until another is added. */
  sealMemory(slot: SlotId): SealMemory
  /** Who sealed what was heard: each unicast peer, of multicast the last four. */
  senders(slot: SlotId): readonly SealSender[]
  /** Hands over orders; those of one call that are due at once are carried out as one batch. */
  order(orders: readonly OrderFor[]): void
  /** Resolves when everything ordered before has been carried out (kernel answers read). */
  flush(): Promise<void>
  /** Renews the main thread's lease, as any order does. */
  renew(): void
  /** Another bound for the lease, which is renewed with it; 0 switches it off. */
  setLiveness(livenessUs: Us): void
  /**
   * One rtnetlink request (a dump, say); its messages, joined, or why there are none. `done` is called at its place
   * among the events: every change that the answer shows has been handed to `onEvents` before, or comes after an
   * overrun. Not called once the engine is stopped.
   */
  request(bytes: Uint8Array, done: (answer: Uint8Array | OpError) => void): void
  /**
   * Which groups of rtnetlink (RTNLGRP_*) are notified beside those that always are, and the classic BPF program
   * (struct sock_filter[]) that drops in the kernel what does not matter of all of them: a notification that is dropped
   * wakes no thread. Throws OpError.
   */
  listen(groups: readonly number[], filter: Uint8Array): void
  /** Joins the links' multicast groups again, which the kernel dropped with the device. Resolves with what failed. */
  rejoin(links: readonly LinkId[]): Promise<readonly RejoinFailure[]>
  counters(slot: SlotId): SlotCounters
  gaps(slot: SlotId): AdvertGaps
  linkCounters(link: LinkId): LinkCounters
  wakeups(): Wakeups
  /** Closes everything without carrying out anything. */
  stop(): void
}

/** The second process, which gives up what leads when this one is killed or frozen. */
export type Guard = {
  /**
   * Starts it, when there is none (`endWarden`). It holds a record lock on that file while it lives, and writes to standard
   * error in the form of the log. Throws OpError.
   */
  startWarden(lockPath: string, logForm: LogForm): void
  /** Kills it, and does not wait. True when there is none any more: it cannot act from then on. */
  endWarden(): boolean
  /** Its sign of life: a number that changes at least once a second. */
  beats(): number
}

/** Opens the engine: starts its thread. Events arrive in batches, oldest first. */
export type StartEngine = (
  options: EngineOptions,
  onEvents: (events: readonly EngineEvent[]) => void,
  onExchange?: OnExchange,
) => {
  readonly engine: Engine
  readonly start: EngineStart
  readonly guard: Guard
  readonly succession: Succession
  /** To be stopped before the engine. */
  openBfd(onEvents: (events: readonly BfdEngineEvent[]) => void): Bfd & BfdSuccession
}
