/** Links that vipd makes for an instance, as the configuration has them and the kernel is to have them. */
import type { Ip } from './ip.ts'
import type { MacText } from './mac.ts'

/** A link that the daemon makes: it is there while an instance of the configuration needs it. */
export type VirtualLink = MacvlanLink | IpvlanLink

/** It carries virtual addresses, and is up while the instance is master. */
export type MacvlanLink = {
  readonly kind: 'macvlan'
  readonly name: string
  /** The interface that it sits on. */
  readonly base: string
  readonly mac: MacText
  /** It carries IPv6 addresses. */
  readonly ipv6: boolean
  readonly group: number | null
}

/** `use_ipvlan`: the instance speaks on it, from its address; the virtual addresses are on the interface below. */
export type IpvlanLink = {
  readonly kind: 'ipvlan'
  readonly name: string
  readonly base: string
  readonly mode: IpvlanMode
  /** null: the link-local one that the kernel gives it (IPv6). */
  readonly address: { readonly address: Ip; readonly prefixLength: number } | null
  readonly group: number | null
}

/** What links on one interface may send to each other. */
export type IpvlanMode = 'bridge' | 'private' | 'vepa'
