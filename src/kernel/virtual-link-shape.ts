/** What a link that vipd makes must be, and what of one that stands is not so. Pure over the mirror. */
import { isDeepStrictEqual } from 'node:util'
import { macOctets, macText } from '../base/mac.ts'
import type { MacvlanLink, VirtualLink } from '../base/virtual-link.ts'
import { encodeIpvlanCreate } from '../wire/rtnetlink-ipvlan.ts'
import type { Ipv4Settings } from '../wire/rtnetlink-settings.ts'
import {
  bridgeMode,
  encodeLinkCreate,
  type LinkAlteration,
} from '../wire/rtnetlink-virtual-link.ts'
import type { KernelLink } from './link-table.ts'
import { linkMark } from './marks.ts'
import type { Kernel } from './mirror.ts'

/** IPv6 settings of a link, by their names in /proc/sys/net/ipv6/conf/NAME. */
export type Ipv6Settings = Readonly<Record<string, number>>

type Mirror = Pick<Kernel, 'linkByIndex' | 'forwardsIpv6' | 'settingsOf'>

/** rp_filter 2: the kernel takes the greater one of `all` and the link's, so that 0 would be strict where `all` is 1. */
const settings4 = {
  arp_ignore: 1,
  arp_announce: 2,
  accept_local: 1,
  rp_filter: 2,
  promote_secondaries: 1,
} as const

/** It is on that interface, with that address: the rest can be altered. The kernel puts a macvlan on a macvlan beside it. */
export const matches = (link: KernelLink, wish: VirtualLink, base: KernelLink): boolean =>
  link.kind === wish.kind &&
  (wish.kind === 'ipvlan' || (link.mac !== null && macText(link.mac) === wish.mac)) &&
  link.below === (isMacvlan(base) ? base.below : base.ifindex)

const isMacvlan = ({ kind }: KernelLink): boolean => kind === 'macvlan' || kind === 'macvtap'

export type Standing = {
  readonly wish: MacvlanLink
  readonly link: KernelLink
  readonly base: KernelLink
  /** IPv6 settings that it has been given; null: none. */
  readonly ipv6: Ipv6Settings | null
}

/** What of it is not as it must be, by name; empty: all is. */
export function lacksOf({ wish, link, base, ipv6 }: Standing, kernel: Mirror): readonly string[] {
  const alteration = alterationOf(link, base, kernel)
  const wanted = ipv6Of(wish, base, kernel)
  const has = kernel.settingsOf(link.ifindex)
  const settings = Object.entries(ipv4Of(base, kernel)).flatMap(([name, value]) =>
    has !== null && has[name as keyof Ipv4Settings] !== value ? [name] : [],
  )
  return [
    ...Object.keys(alteration),
    ...(isDeepStrictEqual(ipv6, wanted) ? [] : ['IPv6 settings']),
    ...settings,
  ]
}

export function alterationOf(link: KernelLink, base: KernelLink, kernel: Mirror): LinkAlteration {
  const master = masterOf(base, kernel)
  return {
    ...(link.macvlanMode === bridgeMode ? {} : { bridgeMode: true }),
    ...(link.alias === linkMark ? {} : { alias: linkMark }),
    ...(base.mtu === null || link.mtu === base.mtu ? {} : { mtu: base.mtu }),
    ...(link.master === master ? {} : { master: master ?? 0 }),
  }
}

/** The request that makes it, down. */
export function creationOf(
  wish: VirtualLink,
  base: KernelLink,
  kernel: Pick<Kernel, 'linkByIndex'>,
): Uint8Array {
  const { name, group } = wish
  const place = { name, below: base.ifindex, group, master: masterOf(base, kernel) }
  return wish.kind === 'macvlan'
    ? encodeLinkCreate({ kind: 'macvlan', ...place, mac: macOctets(wish.mac) })
    : encodeIpvlanCreate({ ...place, mode: wish.mode })
}

/** A new link has the settings of `default`: whether it forwards follows the interface that it sits on. */
export function ipv4Of(base: KernelLink, kernel: Mirror): Partial<Ipv4Settings> {
  const forwarding = kernel.settingsOf(base.ifindex)?.forwarding
  return { ...settings4, ...(forwarding === undefined ? {} : { forwarding }) }
}

/** accept_ra: a link without a link-local address takes addresses and routes from an advertisement all the same. */
export function ipv6Of({ ipv6 }: MacvlanLink, base: KernelLink, kernel: Mirror): Ipv6Settings {
  if (!ipv6) return { disable_ipv6: 1 }
  const forwarding = kernel.forwardsIpv6(base.ifindex) ? 1 : 0
  return { disable_ipv6: 0, accept_ra: 0, autoconf: 0, router_solicitations: 0, forwarding }
}

/** The VRF of the interface; of a bridge or a bond it is a port, and the link is none. */
export function masterOf(
  { master }: KernelLink,
  kernel: Pick<Kernel, 'linkByIndex'>,
): number | null {
  const link = master === null ? null : kernel.linkByIndex(master)
  return link?.kind === 'vrf' ? link.ifindex : null
}
