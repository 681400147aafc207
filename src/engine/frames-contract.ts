/**
 * Whole frames that other machines send, as far as a filter lets them through: the language of contract.ts for what is
 * heard beside VRRP. A thread of the addon's own reads them; nothing that the engine does waits for it.
 */
import type { Us } from '../base/time.ts'

/** Numbered by TypeScript; not used again while the process lives. */
export type FrameWatchId = number

export type FrameWatchSpec = {
  readonly watch: FrameWatchId
  readonly ifindex: number
  /** `sent`: frames that leave this host by the interface, of every type (the filter has to choose). */
  readonly direction: 'received' | 'sent'
  /** EtherType of received frames. */
  readonly protocol: number
  /** Classic BPF program (struct sock_filter[]); it sees a frame from its Ethernet header on. */
  readonly filter: Uint8Array
  /**
   * What a frame is about, for the bound on how many are told: so many octets at the first of these places that are not
   * all zero.
   */
  readonly keyAt: readonly number[]
  readonly keyOctets: number
}

export type HeardFrame = {
  readonly watch: FrameWatchId
  readonly at: Us
  /** Frames about the same since the one that was told before, itself included. */
  readonly count: number
  /** Its first octets. */
  readonly bytes: Uint8Array
}

export type FrameWatchCounters = {
  /** Passed the filter and read; under a flood the kernel drops the rest. */
  readonly heard: number
  readonly told: number
}

export type Frames = {
  /** Throws OpError naming the call that failed. */
  open(spec: FrameWatchSpec): void
  setFilter(watch: FrameWatchId, filter: Uint8Array): void
  close(watch: FrameWatchId): void
  counters(watch: FrameWatchId): FrameWatchCounters
  /** Closes everything. */
  stop(): void
}
