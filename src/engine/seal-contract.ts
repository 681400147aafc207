/** How the adverts of a slot are signed and verified, as the engine is told. */
import type { Ip } from '../base/ip.ts'

/**
 * How a slot seals the adverts that it sends, and what it asks of those that it hears (draft-cassen-vrrp-auth-hmac). The
 * engine writes the trailer of 28 octets behind each datagram of the slot's plans when it sends it, with a sequence that
 * the slot's plans share, and looks at the trailer of what it hears before anything else does.
 */
export type TrailerSeal = {
  readonly kind: 'trailer'
  readonly family: 4 | 6
  readonly version: 2 | 3
  readonly vrid: number
  /** Source address of what is sent; covered by the MAC. */
  readonly source: Ip
  readonly keys: readonly SealKey[]
  /** The id of the key that seals; one of `keys`. */
  readonly activeKey: number
  /** What is sent is sealed. */
  readonly signs: boolean
  /** What is heard without a trailer is not believed. One that is there must be good in any case. */
  readonly requires: boolean
  /** Only growth of the sequence counts; else its time must be within the window as well. */
  readonly monotonic: boolean
  readonly windowSeconds: number
  /** Unicast: who may send. null: multicast, any sender that has the key. */
  readonly peers: readonly Ip[] | null
}

/**
 * The same with an authentication header before each PDU (`auth_type AH`; RFC 2402, RFC 2403), on links with `ah`. The
 * engine writes the IP header too, which the header's ICV covers. One sequence for what the slot sends and hears: a
 * packet whose sequence is not greater than all before is a replay.
 */
export type AhSeal = {
  readonly kind: 'ah'
  readonly source: Ip
  /** 8 octets. */
  readonly key: Uint8Array
  readonly ttl: number
  /** The TTL is not covered then. */
  readonly unicast: boolean
}

export type Seal = TrailerSeal | AhSeal

/** `id` 1..255. `secret` never leaves for a log, an answer or a file. */
export type SealKey = { readonly id: number; readonly secret: Uint8Array }
