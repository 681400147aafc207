/**
 * BFD sessions between TypeScript, which has the state machine, and the engine, which repeats, answers and waits: the
 * language of contract.ts for packets that are not VRRP's.
 */
import type { Ip } from '../base/ip.ts'
import type { Us } from '../base/time.ts'
import type { SlotId } from './order.ts'
import type { Started } from './succession-contract.ts'

/** Numbered by TypeScript; not used again while the process lives. */
export type BfdSessionId = number

export type BfdSpec = {
  readonly session: BfdSessionId
  /** 32 bits, not 0, unique among the open sessions. */
  readonly discriminator: number
  readonly peer: Ip
  /** null: the kernel chooses. */
  readonly local: Ip | null
  /** 0 unless the peer's address is link-local. */
  readonly ifindex: number
  readonly port: number
  /** Of what is sent. */
  readonly ttl: number
  /** Packets with less are counted and dropped. */
  readonly minTtl: number
  readonly multihop: boolean
  /** What it was in the process before, whose sockets it goes on with, and what their thread knew; null: nothing. */
  readonly inherits: BfdSessionId | null
}

export type BfdRepeat = {
  readonly bytes: Uint8Array
  readonly everyUs: Us
  /** Each time shortened by a random share of it between these. */
  readonly shorter: { readonly least: number; readonly most: number }
}

export type BfdStanding = {
  /** null: silent. */
  readonly repeat: BfdRepeat | null
  /** Goes out at once for each expected packet with P; null: none. */
  readonly answer: Uint8Array | null
  /** Equal but for P and F: the detection time starts anew and nothing is raised. null: every packet is raised. */
  readonly expect: Uint8Array | null
  /** From the last packet on, or from this order; null: none is awaited. */
  readonly detectionUs: Us | null
  /** Instead of `repeat` once that is over; null: silent. */
  readonly onExpiry: BfdRepeat | null
  /** An expected packet with F is raised. */
  readonly polling: boolean
  /** Arrival of the packet that this order follows from; null: of none. */
  readonly heardAt: Us | null
  /** How many expiries of this session its author knew of: an order that crossed with one is not taken up. */
  readonly expiries: number
  /** Slots that take over when the detection time is over, without asking, if the advert that they expect is the peer's. */
  readonly takeover: readonly SlotId[]
}

export type BfdEngineEvent = {
  readonly session: BfdSessionId
  readonly at: Us
  /** Of this session so far. */
  readonly expiries: number
} & (
  | { readonly kind: 'packet'; readonly packet: Uint8Array }
  | { readonly kind: 'expired'; readonly deadlineUs: Us }
)

export type BfdCounters = {
  readonly received: number
  readonly sent: number
  readonly badTtl: number
  /** Of the last packet, by its errno's name; null: it left. */
  readonly sendError: string | null
  readonly lastReceivedUs: Us | null
  /** Longest pause between two packets since the detection time is what it is. */
  readonly longestGapUs: Us
}

export type Bfd = {
  /** Whether its thread has real-time scheduling. */
  readonly realtime: boolean
  /** Throws OpError naming the call that failed: the port is another program's, the address is no interface's. */
  open(spec: BfdSpec): void
  /** `farewell`: goes out before; null: silently. */
  close(session: BfdSessionId, farewell: Uint8Array | null): void
  order(session: BfdSessionId, standing: BfdStanding): void
  counters(session: BfdSessionId): BfdCounters
  /** Packets that are no session's. */
  unclaimed(): number
  /** Closes everything, silently. */
  stop(): void
}

/**
 * How the sessions of one process become another's: with the slots (see `Succession`), and through the same sockets. The
 * first goes on until the slots are taken, gives what its thread alone knows, and is silent; the second goes on from there.
 */
export type BfdSuccession = {
  /**
   * Of the first: a state of the daemon with that number is passed on. How many descriptors were sent to the other process;
   * null: something that was raised has not been judged yet. What is raised from here on goes along. Throws OpError.
   */
  offer(to: Pick<Started, 'exchange' | 'sockets'>, attempt: number): number | null
  /** Not with that state. */
  withdraw(): void
  /** Of the second, before it opens sessions by that state: so many descriptors were sent to that socket for it. Throws OpError. */
  inherit(sockets: number, attempt: number, count: number): void
  /** Of the second: the slots are its own. What it opens from here on is new. */
  endInheritance(): void
}
