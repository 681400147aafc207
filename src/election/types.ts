/**
 * The vocabulary of the election: what one VRRP instance knows, what can happen to it, and what it asks
 * to be done. Plain data throughout, so that it can be logged, compared and replayed. The log effects are
 * what only the election knows; state and priority changes are the daemon's to log, from the transition.
 */
import type { Ip } from '../base/ip.ts'
import type { Us } from '../base/time.ts'

/** Fixed by the configuration and the link; a reload or a changed source address replaces it. */
export type Params = {
  readonly name: string
  readonly version: 2 | 3
  /** Configured priority; 255 is the address owner. */
  readonly basePriority: number
  readonly advertIntervalUs: Us
  /** A master's interval of version 3 counts as so many times ours at most; 0: as it states. */
  readonly maxIntervalRatio: number
  readonly downTimerAdverts: number
  readonly preempt: boolean
  readonly preemptDelayUs: Us
  readonly lowerPrioNoAdvert: boolean
  readonly higherPrioSendAdvert: boolean
  readonly ownerIgnoreAdverts: boolean
  /** A master whose priority sinks below a peer's that is alive hands over with priority 0: see peer.ts. */
  readonly resignOnDemotion: boolean
  /** Our source address on the link: the tie-break of RFC 9568 section 6.4.3. */
  readonly source: Ip
  /** An owner in a sync group whose members are not all owners begins as backup like every other router. */
  readonly ownerListens?: boolean
}

/** Why an instance may not take part. Facts about the outside, each with its name. */
export type Fault =
  | { readonly kind: 'link'; readonly interface: string; readonly why: 'down' | 'missing' | 'up' }
  /** `wanted`: the configured address, or what kind of address is looked for. `interface`: null for any. */
  | { readonly kind: 'source'; readonly interface: string | null; readonly wanted: string }
  | { readonly kind: 'check'; readonly name: string; readonly detail: string }
  /** A weight-0 script has not reported yet: held without notifying. */
  | { readonly kind: 'check-pending'; readonly name: string }
  /** Laid on a member by `group-fault` because another member is faulty; `pending`: that one only waits for
   *  a first result, so this one is held without notifying, too. */
  | {
      readonly kind: 'sync-group'
      readonly group: string
      readonly member: string
      readonly pending: boolean
    }
  | { readonly kind: 'no-peer' }
  /** Sockets could not be opened: `op` and `code` of the OpError. */
  | { readonly kind: 'transport'; readonly op: string; readonly code: string }
  /** The kernel refused every address to the master; `why`: the request and its errno. */
  | { readonly kind: 'addresses'; readonly why: string }
  /** Leading, it could not send a single advert for a down interval; `why`: the call and its errno. */
  | { readonly kind: 'mute'; readonly why: string }
  /** Another machine has the address, by its answer to a question before a take-over; `by`: its MAC address. */
  | {
      readonly kind: 'claimed'
      readonly address: Ip
      readonly by: string
      readonly interface: string
    }

/** The master as last accepted. */
export type Master = {
  readonly address: Ip
  readonly priority: number
  /** What counts for the down interval. */
  readonly intervalUs: Us
  /** What it states, where that is too long to count. */
  readonly statedUs?: Us
}

/** Another router, by its last advert. */
export type Peer = { readonly address: Ip; readonly priority: number }

/**
 * Whether the advert that was accepted last still restarts a backup's deadline (then it is the follow's
 * `expect`), and if not, why the deadline is running down.
 */
export type Countdown =
  | { readonly kind: 'restarts' }
  /** Nothing accepted since we became backup. */
  | { readonly kind: 'silence' }
  /** A master said priority 0. */
  | { readonly kind: 'resigned'; readonly from: Ip }
  /** Adverts are heard, but of a lower priority than ours: we are about to take over. */
  | { readonly kind: 'overruled'; readonly from: Ip; readonly priority: number }

/** A better master came and went several times lately: see damping.ts. Until then the addresses are announced briefly. */
export type Damping = {
  /** Waited beyond the protocol's own span; 0 while it is not often enough for that. */
  readonly extraUs: Us
  readonly until: Us
}

/** A better master's stay. */
export type Visit = {
  readonly since: Us
  readonly by: Ip
  readonly intervalUs: Us
  /** As far as the election was told: the engine hears the expected adverts. */
  readonly heardAt: Us
}

/** The better master that came and went, as it was last counted. */
export type Visitor = Peer & { readonly times: number; readonly at: Us }

export type State =
  | { readonly kind: 'init' }
  | { readonly kind: 'fault'; readonly faults: readonly Fault[]; readonly silent: boolean }
  | {
      readonly kind: 'backup'
      /** null until an advert was accepted. */
      readonly master: Master | null
      /** Instant at which we take over. The engine moves its own copy at each expected advert: see `refreshed`. */
      readonly masterDownAt: Us
      /** Instant from which lower adverts no longer hold us back (preempt_delay); null when not running. */
      readonly preemptAt: Us | null
      readonly countdown: Countdown
      /** The deadline has passed, and only the sync group holds us back. */
      readonly wantsMaster: boolean
      /** null: not damped, which is usual. */
      readonly damping: Damping | null
    }
  | {
      readonly kind: 'master'
      readonly since: Us
      /** Another owner (255) that should have yielded to us goes on sending. */
      readonly rival: { readonly since: Us; readonly heardAt: Us } | null
    }
  | { readonly kind: 'stopped' }

export type Advert = {
  readonly from: Ip
  readonly priority: number
  /** Sender's interval. */
  readonly intervalUs: Us
}

export type Event =
  /** Take part. Faults and the effective priority known by then were fed before (init keeps the priority
   *  and goes to fault for a fault). */
  | { readonly kind: 'start' }
  /** `superseded`: before it could be looked at, the engine heard the master's own advert, which came after it. */
  | { readonly kind: 'advert'; readonly advert: Advert; readonly superseded?: boolean }
  /** Another machine answered for an address before a take-over: not before that instant. */
  | { readonly kind: 'claimed'; readonly until: Us }
  /** The engine's deadline passed; its prepared lead stands already. */
  | { readonly kind: 'expired' }
  /** The deadline passed, but the order's `then` was empty because the sync group does not allow a lead
   *  (`mayLead`): remember the wish, `groupDecide` grants it. `at`: when the engine said so, which a thread that
   *  was stopped may hear of long after. */
  | { readonly kind: 'held'; readonly at: Us }
  /** A deadline of the election itself may be due (preempt_delay, two-owner watch). */
  | { readonly kind: 'tick' }
  /** `serving`: a master that is worse by it serves on until a better one is heard, whatever resignOnDemotion says. */
  | { readonly kind: 'priority'; readonly effective: number; readonly serving?: boolean }
  /** The instance's own faults, all of them. Those of the sync group are kept apart: `group-fault`. */
  | { readonly kind: 'faults'; readonly faults: readonly Fault[] }
  /** A fault of another member, or null when no other member has one any more. From `groupDecide` only. */
  | {
      readonly kind: 'group-fault'
      readonly group: string
      readonly faultyMember: { readonly member: string; readonly pending: boolean } | null
    }
  /** The engine resigned because it woke up late, or because the main thread's lease lapsed. */
  | { readonly kind: 'resigned'; readonly why: 'late' | 'lapsed'; readonly lateUs: Us }
  /** Another program of this host removes the address again and again: a master resigns in favour of a peer. */
  | { readonly kind: 'contested'; readonly address: Ip }
  /** The sync group forces the member. */
  | { readonly kind: 'group'; readonly want: 'master' | 'backup'; readonly group: string }
  | { readonly kind: 'stop' }

/** Why a transition happened, as data: logs, status, history and the simulator print it. */
export type Cause =
  | { readonly kind: 'start' }
  | { readonly kind: 'owner' }
  | { readonly kind: 'timeout'; readonly master: Master | null }
  | { readonly kind: 'priority-zero'; readonly from: Ip }
  /** Took over from a live master of lower priority. */
  | {
      readonly kind: 'preempt'
      readonly from: Ip
      readonly priority: number
      readonly ours: number
    }
  | {
      readonly kind: 'higher-priority'
      readonly from: Ip
      readonly priority: number
      readonly ours: number
    }
  | {
      readonly kind: 'higher-address'
      readonly from: Ip
      readonly priority: number
      readonly ours: Ip
    }
  | { readonly kind: 'faults'; readonly faults: readonly Fault[] }
  | { readonly kind: 'recovered' }
  | { readonly kind: 'late'; readonly lateUs: Us }
  | { readonly kind: 'lapsed' }
  /** Our priority sank below that of a peer that was heard: resigned in its favour. */
  | { readonly kind: 'demoted'; readonly ours: number; readonly peer: Peer }
  /** Another program keeps removing the address: resigned, so that a peer can serve it. */
  | { readonly kind: 'contested'; readonly address: Ip }
  | { readonly kind: 'group'; readonly group: string; readonly want: 'master' | 'backup' }
  | { readonly kind: 'stop' }

/** What the daemon must do beside installing the order that the new state implies. */
export type Effect =
  /** fault → fault: held silently until now, from here on to be notified. */
  | {
      readonly kind: 'transition'
      readonly from: State['kind']
      readonly to: State['kind']
      readonly cause: Cause
    }
  /** One advert now, with the effective priority (answer to priority 0, to a lower advert, or before yielding). */
  | {
      readonly kind: 'advertise'
      /** The next regular advert follows a whole interval later (Adver_Timer is reset). */
      readonly resetTimer: boolean
    }
  /** A competitor was seen and we stay master: announce the addresses again (garp_lower_prio_*), notify. */
  | { readonly kind: 'reannounce'; readonly from: Ip; readonly priority: number }
  | { readonly kind: 'log'; readonly level: 'info' | 'warning'; readonly text: string }

export type Machine = {
  readonly state: State
  readonly effective: number
  /** When better masters came that left again in a moment, oldest first; absent: never. See damping.ts. */
  readonly visits?: readonly Us[]
  /** The router that was better than the master before it, while it has not left; absent or null: there is none. */
  readonly visit?: Visit | null
  /** Absent: none came often enough to be waited for. */
  readonly intermittent?: Visitor
  /** The best other router that may be alive; absent: none was heard, or it has fallen silent. */
  readonly peer?: Peer | null
  /** When a master's resignation was heard lately, oldest first; absent: never. */
  readonly resignations?: readonly Us[]
}

/**
 * What becomes of the order that the engine stands under. `keep`: it says what the machine says. `replace`: one of the
 * same kind, as the expected advert, a deadline or the priority changed; nothing is repeated that was done before.
 * `enter`: that of another state, which begins with what entering it takes. `resign`: the same, after a last advert with
 * priority 0.
 */
export type OrderChange = 'keep' | 'replace' | 'enter' | 'resign'

export type Step = {
  readonly machine: Machine
  readonly effects: readonly Effect[]
  readonly order: OrderChange
  /** The advert of this event is the master's now: its bytes are the expected ones from here on. Whether they
   *  restart the deadline is the state's `countdown`. */
  readonly accepted: boolean
}
