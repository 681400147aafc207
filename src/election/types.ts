/**
 * The vocabulary of the election: what one VRRP instance knows, what can happen to it, and what it asks
 * to be done. Plain data throughout, so that it can be logged, compared and replayed.
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
  readonly downTimerAdverts: number
  readonly preempt: boolean
  readonly preemptDelayUs: Us
  readonly lowerPrioNoAdvert: boolean
  readonly higherPrioSendAdvert: boolean
  readonly ownerIgnoreAdverts: boolean
  /** Our source address on the link: the tie-break of RFC 9568 section 6.4.3. */
  readonly source: Ip
}

/** Why an instance may not take part. Facts about the outside, each with its name. */
export type Fault =
  | { readonly kind: 'link'; readonly interface: string; readonly why: 'down' | 'missing' }
  | { readonly kind: 'source'; readonly interface: string }
  | { readonly kind: 'check'; readonly name: string; readonly detail: string }
  /** A weight-0 script has not reported yet: held without notifying. */
  | { readonly kind: 'check-pending'; readonly name: string }
  | { readonly kind: 'sync-group'; readonly group: string; readonly member: string }
  | { readonly kind: 'no-peer' }
  /** Sockets could not be opened: `op` and `code` of the OpError. */
  | { readonly kind: 'transport'; readonly op: string; readonly code: string }

/** The master as last accepted. */
export type Master = { readonly address: Ip; readonly priority: number; readonly intervalUs: Us }

export type State =
  | { readonly kind: 'init' }
  | { readonly kind: 'fault'; readonly faults: readonly Fault[]; readonly silent: boolean }
  | {
      readonly kind: 'backup'
      /** null until an advert was accepted. */
      readonly master: Master | null
      /** Instant at which we take over. */
      readonly masterDownAt: Us
      /** Instant from which lower adverts no longer hold us back (preempt_delay); null when not running. */
      readonly preemptAt: Us | null
    }
  | {
      readonly kind: 'master'
      readonly since: Us /** Two owners met: we dropped to 254 (reference §4.3). */
      readonly yielded: boolean
    }
  | { readonly kind: 'stopped' }

export type Advert = {
  readonly from: Ip
  readonly priority: number
  /** Sender's interval. */
  readonly intervalUs: Us
}

export type Event =
  /** Take part (again) with these faults and this effective priority. */
  | { readonly kind: 'start' }
  | { readonly kind: 'advert'; readonly advert: Advert }
  /** The engine's deadline passed; its prepared lead stands already. */
  | { readonly kind: 'expired' }
  /** A deadline of the election itself may be due (preempt_delay, two-owner watch). */
  | { readonly kind: 'tick' }
  | { readonly kind: 'priority'; readonly effective: number }
  | { readonly kind: 'faults'; readonly faults: readonly Fault[] }
  /** The engine resigned because it woke up late, or because the main thread's lease lapsed. */
  | { readonly kind: 'resigned'; readonly why: 'late' | 'lapsed'; readonly lateUs: Us }
  /** The sync group forces the member. */
  | { readonly kind: 'group'; readonly want: 'master' | 'backup'; readonly group: string }
  | { readonly kind: 'stop' }

/** Why a transition happened, as data: logs, status, history and the simulator print it. */
export type Cause =
  | { readonly kind: 'start' }
  | { readonly kind: 'owner' }
  | { readonly kind: 'timeout'; readonly master: Master | null }
  | { readonly kind: 'priority-zero'; readonly from: Ip }
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
  | { readonly kind: 'group'; readonly group: string; readonly want: 'master' | 'backup' }
  | { readonly kind: 'stop' }

/** What the daemon must do beside installing the order that the new state implies. */
export type Effect =
  | {
      readonly kind: 'transition'
      readonly from: State['kind']
      readonly to: State['kind']
      readonly cause: Cause
    }
  /** One advert now, with the effective priority (answer to priority 0, to a lower advert, or before yielding). */
  | { readonly kind: 'advertise' }
  /** A competitor was seen and we stay master: announce the addresses again (garp_lower_prio_*), notify. */
  | { readonly kind: 'reannounce'; readonly from: Ip; readonly priority: number }
  /** The follow's familiar advert or deadline changed: install the order again although the state's kind is the same. */
  | { readonly kind: 'reorder' }
  | { readonly kind: 'log'; readonly level: 'info' | 'warning'; readonly text: string }

export type Machine = { readonly state: State; readonly effective: number }

export type Step = {
  readonly machine: Machine
  readonly effects: readonly Effect[]
}
