/** Routes and routing rules as the configuration means them. Numbers are the kernel's (RTN_*, RT_SCOPE_*, RTAX_*, FR_ACT_*). */
import type { Family, Ip } from '../base/ip.ts'
import type { Place } from './types.ts'

export type Prefix = { readonly address: Ip; readonly length: number }

/** What a packet is wrapped into on its way. */
export type LightTunnel =
  | {
      readonly kind: 'ip' | 'ip6'
      readonly id: bigint | null
      readonly destination: Ip | null
      readonly source: Ip | null
      readonly tos: number | null
      readonly ttl: number | null
      readonly flags: number | null
    }
  | { readonly kind: 'mpls'; readonly labels: readonly number[] }
  | { readonly kind: 'ila'; readonly locator: bigint }

export type NextHop = {
  readonly via: Ip | null
  /** null: the kernel finds it by the gateway. */
  readonly interface: string | null
  /** 1..256. */
  readonly weight: number
  readonly onlink: boolean
  readonly realms: number | null
  readonly encap: LightTunnel | null
}

/** What a line of a route and one of a rule have in common. */
export type Written = {
  /** As the operator wrote it. */
  readonly text: string
  /** Put back when another program removes it; its interface is watched. */
  readonly track: boolean
  /** Of static entries alone. */
  readonly trackGroup: string | null
  readonly place: Place
}

export type Route = Written & {
  readonly family: Family
  readonly type: number
  readonly destination: Prefix
  readonly from: Prefix | null
  readonly via: Ip | null
  readonly interface: string | null
  readonly source: Ip | null
  readonly table: number
  /** null: vipd's own. */
  readonly protocol: number | null
  readonly scope: number
  readonly metric: number | null
  readonly tos: number
  readonly onlink: boolean
  /** FROM << 16 | TO. */
  readonly realms: number | null
  readonly metrics: readonly { readonly number: number; readonly value: number | string }[]
  /** Bits 1 << number. */
  readonly locked: number
  readonly preference: number | null
  readonly expiresSeconds: number | null
  readonly ttlPropagate: boolean | null
  readonly encap: LightTunnel | null
  readonly nextHops: readonly NextHop[]
  readonly placing: 'prepend' | 'append' | 'exclusive'
}

export type Range = { readonly from: number; readonly to: number }

export type Rule = Written & {
  readonly family: Family
  readonly action: number
  readonly preference: number
  readonly from: Prefix | null
  readonly to: Prefix | null
  readonly invert: boolean
  readonly table: number | null
  readonly goto: number | null
  readonly tos: number
  readonly mark: { readonly value: number; readonly mask: number | null } | null
  readonly realms: number | null
  readonly suppressPrefixLength: number | null
  readonly suppressInterfaceGroup: number | null
  readonly incoming: string | null
  readonly outgoing: string | null
  readonly tunnel: bigint | null
  readonly users: Range | null
  readonly l3mdev: boolean
  /** null: vipd's own. */
  readonly protocol: number | null
  readonly ipProtocol: number | null
  readonly sourcePorts: Range | null
  readonly destinationPorts: Range | null
}
