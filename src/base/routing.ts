/**
 * Routes and routing rules, field by field, as both the configuration and rtnetlink have them. They differ in how an
 * interface is named and in whether the protocol is known yet. Numbers are the kernel's (RTN_*, RT_SCOPE_*, RTAX_*, FR_ACT_*).
 */
import type { Family, Ip } from './ip.ts'

export type Prefix = { readonly address: Ip; readonly length: number }

/** Both ends are meant. */
export type Range = { readonly from: number; readonly to: number }

/** What a packet is wrapped into on its way. */
export type LightTunnel =
  | {
      readonly kind: 'ip' | 'ip6'
      readonly id: bigint | null
      readonly destination: Ip | null
      readonly source: Ip | null
      /** TOS, or the traffic class of IPv6. */
      readonly tos: number | null
      /** TTL or hop limit. */
      readonly ttl: number | null
      /** As the tunnel's header has them, 16 bits. */
      readonly flags: number | null
    }
  /** From the outermost on, 20 bits each. */
  | { readonly kind: 'mpls'; readonly labels: readonly number[] }
  | { readonly kind: 'ila'; readonly locator: bigint }

export type NextHopFields = {
  readonly via: Ip | null
  /** 1..256. */
  readonly weight: number
  readonly onlink: boolean
  readonly realms: number | null
  readonly encap: LightTunnel | null
}

export type RouteFields = {
  readonly family: Family
  readonly type: number
  readonly destination: Prefix
  /** IPv6 only. */
  readonly from: Prefix | null
  readonly via: Ip | null
  readonly source: Ip | null
  readonly table: number
  readonly scope: number
  readonly metric: number | null
  readonly tos: number
  readonly onlink: boolean
  /** FROM << 16 | TO; IPv4 only. */
  readonly realms: number | null
  readonly metrics: readonly { readonly number: number; readonly value: number | string }[]
  /** Bits 1 << number. */
  readonly locked: number
  readonly preference: number | null
  readonly expiresSeconds: number | null
  readonly ttlPropagate: boolean | null
  readonly encap: LightTunnel | null
  /** Before, after, or in place of no other route of the same destination. */
  readonly placing: 'prepend' | 'append' | 'exclusive'
}

export type RuleFields = {
  readonly family: Family
  /** FR_ACT_*. */
  readonly action: number
  readonly preference: number
  readonly from: Prefix | null
  readonly to: Prefix | null
  readonly invert: boolean
  /** null where the action names none. */
  readonly table: number | null
  readonly goto: number | null
  readonly tos: number
  readonly mark: { readonly value: number; readonly mask: number | null } | null
  /** FROM << 16 | TO. */
  readonly realms: number | null
  readonly suppressPrefixLength: number | null
  readonly suppressInterfaceGroup: number | null
  readonly incoming: string | null
  readonly outgoing: string | null
  readonly tunnel: bigint | null
  readonly users: Range | null
  readonly l3mdev: boolean
  readonly ipProtocol: number | null
  readonly sourcePorts: Range | null
  readonly destinationPorts: Range | null
}
