/**
 * What the engine is ordered to do. A plan is what to put on the wire and into the kernel, as finished bytes; an order says
 * what to repeat, what to expect, and which plan to carry out at which deadline. The engine parses none of it.
 */
import type { Ip } from '../base/ip.ts'
import type { Us } from '../base/time.ts'

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
