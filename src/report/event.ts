/** What happens in the daemon, told while it happens; and the sentence for each kind. */
import type { ClaimHow, KeptClaim } from './past-claim.ts'
import type { Transition } from './status.ts'

/** The same without number and time: the part of it that tells it knows neither. */
export type Happening =
  | ({
      readonly kind: 'transition'
      /** In FAULT until a first result of a check is there: held back, and not notified. */
      readonly silent: boolean
    } & Transition)
  /** The verdict on a check; the first one included. */
  | { readonly kind: 'check'; readonly name: string; readonly good: boolean; readonly why: string }
  | {
      readonly kind: 'priority'
      readonly instance: string
      readonly from: number
      readonly to: number
      /** '150 = 100 base + 50 chk_web' */
      readonly arithmetic: string
    }
  | {
      readonly kind: 'reload'
      readonly ok: boolean
      /** What was altered, or why it was rejected, one sentence each; at most `reloadLinesMax`. */
      readonly lines: readonly string[]
    }
  /** In place: done, told by the process that goes on, or refused, told by the one that goes on then. */
  | { readonly kind: 'upgrade'; readonly ok: boolean; readonly text: string }
  /** Ordered by the operator. `name`: null is the whole host. */
  | { readonly kind: 'failover' | 'drain' | 'resume'; readonly name: string | null }
  /** Another machine claims an address of a master here; a first claim, or one after a silence. `how`: see wire/claim.ts. */
  | {
      readonly kind: 'claim'
      readonly at: string
      readonly instance: string
      readonly address: string
      readonly interface: string
      readonly mac: string
      readonly how: ClaimHow
      /** With a MAC address of this host. */
      readonly sameMac: boolean
    }
  /** What is known of a claim by now, for the history alone. */
  | { readonly kind: 'past-claim'; readonly claim: KeptClaim }
  /** A sync group as a whole, after its members. */
  | { readonly kind: 'group'; readonly name: string; readonly from: string; readonly to: string }
  /** What a BFD session is to those that track it. */
  | { readonly kind: 'bfd'; readonly name: string; readonly up: boolean }

/** Of the transition by which a reload takes an instance out: what its notifications call that. */
export type Removal = 'DELETED' | 'FAULT'

export type DaemonEvent = Told & {
  /** ISO 8601, by the wall clock. */
  readonly at: string
  /**
   * Of a transition that is kept over restarts (docs/terminal.md): greater than that of every earlier one in the same
   * directory. null: it is of another kind, or is not kept, or not yet.
   */
  readonly number: number | null
}

/** As it is told to those that watch. */
export type Told =
  | Exclude<Happening, { kind: 'transition' | 'past-claim' }>
  | ({ readonly kind: 'transition' } & Transition)

export const reloadLinesMax = 20

/** What it is about: an instance, a group, a check, a session; null: the host. */
export function subjectOf(event: Told): string | null {
  switch (event.kind) {
    case 'transition':
    case 'priority':
    case 'claim':
      return event.instance
    case 'check':
    case 'group':
    case 'bfd':
    case 'failover':
    case 'drain':
    case 'resume':
      return event.name
    case 'reload':
    case 'upgrade':
      return null
  }
}

/** One line, without the time and the subject. What a script has printed is in it as it is. */
export function eventText(event: Told): string {
  switch (event.kind) {
    case 'transition':
      return `${event.from} -> ${event.to}  ${event.why}`
    case 'check':
      return `check ${event.good ? 'UP' : 'DOWN'}  ${event.why}`
    case 'priority':
      return `priority ${event.from} -> ${event.to}  ${event.arithmetic}`
    case 'reload':
      return `reload ${event.ok ? 'accepted' : 'REJECTED'}  ${event.lines.join('; ')}`.trimEnd()
    case 'upgrade':
      return `upgrade ${event.ok ? 'done' : 'REFUSED'}  ${event.text}`
    case 'claim':
      return `${event.address} is claimed by ${event.mac} on ${event.interface} (${event.how}${event.sameMac ? ', with the MAC address of this host' : ''})`
    case 'failover':
      return 'failover ordered'
    case 'drain':
      return 'drain ordered'
    case 'resume':
      return 'resume ordered'
    case 'group':
      return `group ${event.from} -> ${event.to}`
    case 'bfd':
      return `BFD ${event.up ? 'UP' : 'DOWN'}`
  }
}
