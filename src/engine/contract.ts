/**
 * The language between TypeScript, which decides, and the engine, which repeats.
 *
 * A plan is what to put on the wire and into the kernel, as finished bytes; an order says what to
 * repeat, what to expect, and which plan to carry out at which deadline. The engine parses none of it.
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
import type { ExchangeHandle } from './exchange.ts'
import type { Seal } from './seal-contract.ts'
import type { OnExchange, Succession } from './succession-contract.ts'

/** One VRRP instance: (link, VRID), and for unicast its peers. Numbered by the daemon. */
export type SlotId = number
/** One pair of sockets: interface × family × (multicast group | unicast source). Numbered by the engine. */
export type LinkId = number

export type Step =
  /**
   * A VRRP PDU; the kernel writes the IP header (source, TTL and TOS are the link's). `head`: the Ethernet and IP header to
   * send it with as a frame on the link's interface instead; the length in it is set when it is sent, as a seal adds to it.
   */
  | {
      readonly kind: 'datagram'
      readonly link: LinkId
      readonly to: Ip
      readonly head?: Uint8Array
      readonly bytes: Uint8Array
    }
  /** A whole Ethernet frame: gratuitous ARP, unsolicited NA. */
  | {
      readonly kind: 'frame'
      readonly ifindex: number
      readonly bytes: Uint8Array
      readonly pace?: Pace
    }
  /** One rtnetlink request with NLM_F_ACK; the engine numbers it and reads the answer. `tolerate` lists
   *  errnos that mean "already so" (EEXIST, EADDRNOTAVAIL, ENODEV on delete), so that plans are idempotent. */
  | { readonly kind: 'netlink'; readonly bytes: Uint8Array; readonly tolerate: readonly number[] }

/**
 * Frames with one key, of whatever slots, leave one at a time and at least `gapUs` (> 0) apart; the gap that was given last
 * counts. They wait in the engine once their plan's requests are answered, and nothing waits for them: neither an advert, a
 * request or another frame, nor a flush. What waits leaves by round (the first frame of each kind before the second of
 * any), then by its coming; an equal one that waits already is not added. It is dropped when the lead is over that it was
 * for, or its slot is removed.
 */
export type Pace = {
  readonly key: string
  readonly gapUs: Us
  /** Not sent: what waits of this very frame, for this slot, is dropped. */
  readonly withdrawn?: true
}

export type Plan = readonly Step[]

export type Repeat = {
  /** What it is, for a lead that replaces a lead: the same key with the same period keeps its phase and count. */
  readonly key: string
  readonly firstAfterUs: Us
  /** 0 with times 1 for a single delayed run. */
  readonly everyUs: Us
  /** It may go out so much early when another repeat goes out, and then keeps that one's phase, so that many slots
   *  share few wake-ups. Less than everyUs; absent: never. */
  readonly slackUs?: Us
  /** Absent: for as long as the order stands. */
  readonly times?: number
  readonly plan: Plan
}

export type Lead = {
  readonly now: Plan
  readonly repeats: readonly Repeat[]
  /** Carried out by the engine alone when it is late, and when the main thread's lease lapses. */
  readonly resign: Plan
  /** A repeat woken later than this past its time resigns instead of sending: peers may have taken over.
   *  The peers' shortest down interval minus one advert interval. */
  readonly lateUs: Us
  /** Later than this, the warden takes the engine for frozen and carries out `resign` (`wardenLateUs` in policy.ts). */
  readonly wardenLateUs: Us
  /** Two adverts that left further apart: the kernel may have refused the later one (plans-lease.ts), so the lead resigns
   *  as one that is late does. Absent: the kernel refuses none. */
  readonly leaseUs?: Us
}

/** The advert that TypeScript accepted last. Equal source, TTL and payload: the deadline restarts, nothing is raised. */
export type ExpectedAdvert = {
  readonly from: Ip
  readonly ttl: number
  readonly payload: Uint8Array
}

export type Order =
  /** Init, fault, stopped: carry out once, then do nothing; packets for the slot are not raised. */
  | { readonly kind: 'idle'; readonly now: Plan }
  /**
   * Backup. `deadlineUs` is an instant; an expected advert sets it to the time of reception + restartUs. At the deadline
   * `onExpiry` becomes the standing order without asking and `expired` is raised. Three exceptions:
   * - A thread woken later than `lateUs` can have been deaf meanwhile: one more restartUs of listening; once, or each time
   *   if it is later than `absentUs`.
   * - While the main thread's lease is lapsed nothing can be decided: the slot keeps silent until the lease is renewed, and
   *   then listens for one more restartUs.
   * - A packet that was raised before the deadline but is not yet acknowledged may be the master's advert, changed: it is
   *   waited for, at most until the lease lapses (without a lease: until restartUs after the last that was heard).
   */
  | {
      readonly kind: 'follow'
      readonly now: Plan
      readonly expect: ExpectedAdvert | null
      /** A lower master, which is taken over from at the deadline: its lost session is that of the master (`loseMaster`). */
      readonly overruled?: Ip
      readonly deadlineUs: Us
      readonly restartUs: Us
      /** `followPatience` in policy.ts. */
      readonly lateUs: Us
      readonly absentUs: Us
      /** Of the adverts that are expected, for the count of the missing ones; absent: not known, none is missing. */
      readonly intervalUs?: Us
      /**
       * Carried out once so long before the deadline, or at once if that is nearer. Once more each time that the deadline
       * is set anew. Nothing waits for what comes of it, and a deadline that is there already is not put off by it.
       */
      readonly ask?: { readonly beforeUs: Us; readonly plan: Plan }
      readonly onExpiry: Lead
    }
  /** Master. */
  | ({ readonly kind: 'lead' } & Lead)
  /** Once, beside the standing order, which stays. */
  | { readonly kind: 'once'; readonly now: Plan }

/**
 * An order may cross with a change that the engine makes on its own (expired, late, lapsed). The engine knows
 * which events had been handed to `onEvents` when `order` was called. An order whose author did not know of the
 * change: idle and follow hold, after the lead has carried out its resign; a lead for a slot that has resigned is
 * not taken up, and the event is raised again under the new generation; once is dropped.
 *
 * The kernel may let a request wait (its rtnl lock), and adverts do not wait with it. What still waits of a lead when that
 * lead is over is discarded, but for requests that take something away (RTM_DEL…); one that the kernel is working on is
 * followed by the resign plan's. A lead that replaces a lead discards nothing.
 */
export type OrderFor = { readonly slot: SlotId; readonly generation: number; readonly order: Order }

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
