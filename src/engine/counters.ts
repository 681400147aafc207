/** What the engine counts: read by the main thread at any time, each figure for itself. */
import type { Ip } from '../base/ip.ts'
import type { Us } from '../base/time.ts'

/**
 * What the trailer of a packet came to. None of them for a packet that is no advert of the slot's version with a complete
 * header and, of multicast, TTL 255.
 */
export type SealVerdict =
  | 'verified'
  | 'missing'
  | 'malformed'
  | 'stale'
  | 'unknown-key'
  | 'invalid'
  | 'replayed'
  /** It verifies, and is none of the unicast peers. */
  | 'unknown-sender'

/** The last good trailer of one sender. */
export type SealSender = {
  readonly address: Ip
  /** How far its clock was ahead of ours. */
  readonly skewSeconds: number
  readonly at: Us
}

/** What must not be lost when another process goes on: sequences, as 16 hexadecimal digits. */
export type SealMemory = {
  /** The last that the slot sent; of AH, sent or heard. All zeros: none. */
  readonly sent: string
  readonly heard: readonly (SealSender & { readonly sequence: string })[]
}

export type SlotCounters = {
  /** Expected adverts, raised ones included. */
  readonly received: number
  /** Datagram steps of repeats and plans handed to the kernel. */
  readonly sent: number
  readonly lastReceivedUs: Us | null
  /** Reception of the last advert that was equal to a follow's `expect`, and so restarted its deadline. */
  readonly lastExpectedUs: Us | null
  readonly lastSentUs: Us | null
  /** Trailers of what was heard, by verdict, also of what was not raised. `unsigned`: none was there, and none had to be. */
  readonly seals: Readonly<Record<SealVerdict | 'unsigned', number>>
}

/** Adverts of five minutes from `startUs` on. */
export type AdvertWindow = {
  readonly startUs: Us
  readonly heard: number
  /** What the pauses between them are short of, by the follow's `intervalUs`. */
  readonly missed: number
  /** The longest silence, one that ended in a take-over included. */
  readonly longestUs: Us
}

/** Pauses between the adverts that a follow heard. */
export type AdvertGaps = {
  /** Since the slot was added; `AdvertWindow` says what counts. */
  readonly heard: number
  readonly missed: number
  /** Of the last hour, in no order. */
  readonly windows: readonly AdvertWindow[]
  // The rest is of the present interval: it begins anew with a follow that has another.
  /** Counts; bucket i begins at `gapBucketFromUs(i)` (gaps.ts). */
  readonly histogram: readonly number[]
  /** The last 32 that were half as long again as usual, the oldest first, each with its end. */
  readonly long: readonly { readonly atUs: Us; readonly gapUs: Us }[]
}

export type LinkCounters = {
  /** Datagrams read from the socket. */
  readonly received: number
  /** Not raised: the source's token bucket was empty. */
  readonly throttled: number
  /** Not raised on their own: equal to one already waiting. */
  readonly coalesced: number
  /** VRID without a slot, or shorter than two octets. */
  readonly unclaimed: number
}

/** How late the engine's thread woke up for what was due. */
export type Wakeups = {
  readonly untilUs: readonly number[]
  /** Later than the bound before and at most `untilUs[i]`; one more at the end: later. */
  readonly counts: readonly number[]
  /** Of all of them. */
  readonly sumUs: number
}
