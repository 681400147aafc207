/**
 * What an ipvlan that vipd makes must be, and what of one that stands is not so. An instance speaks on it, so it is up, with
 * its address, as long as the instance is there. Pure over the mirror.
 */
import type { Ip } from '../base/ip.ts'
import { ipFamily } from '../base/ip.ts'
import type { IpvlanLink } from '../base/virtual-link.ts'
import { encodeAddressDelete, encodeAddressReplace } from '../wire/rtnetlink-address.ts'
import { describeIpvlan, encodeIpvlanMode, hasFlags, isLayerTwo } from '../wire/rtnetlink-ipvlan.ts'
import { encodeIpv4Settings, type Ipv4Settings } from '../wire/rtnetlink-settings.ts'
import { encodeLinkAlter, encodeLinkSwitch } from '../wire/rtnetlink-virtual-link.ts'
import type { KernelAddress } from './address-table.ts'
import type { KernelLink } from './link-table.ts'
import { linkMark } from './marks.ts'
import type { Kernel } from './mirror.ts'

/** One thing that is not as it must be, and the request that mends it. */
export type Lack = { readonly what: string; readonly request: Uint8Array }

type Mirror = Pick<Kernel, 'linkByIndex' | 'settingsOf' | 'addressesOn'>

/**
 * An ipvlan beside ours whose mode is not ours: the kernel has one mode for all of an interface, the one that was asked for
 * last. `deaf`: adverts reach no link in that mode.
 */
export type ModeClash = { readonly deaf: boolean; readonly text: string }

/** `isOwn`: a link that this process has made. */
export function modeClash(
  { base: name, mode }: IpvlanLink,
  base: KernelLink,
  isOwn: (link: KernelLink) => boolean,
  kernel: Pick<Kernel, 'linkByName' | 'linkNames'>,
): ModeClash | null {
  for (const link of kernel.linkNames.flatMap((it) => kernel.linkByName(it) ?? [])) {
    const { ipvlan } = link
    if (ipvlan === null || link.below !== base.ifindex || isOwn(link)) continue
    if (isLayerTwo(ipvlan) && hasFlags(ipvlan, mode)) continue
    const text = `${name} has ${link.name} of another program, an ipvlan in mode ${describeIpvlan(ipvlan)}; the kernel has one mode for all ipvlans of an interface, and vipd needs layer 2 ${mode}`
    return { deaf: !isLayerTwo(ipvlan), text }
  }
  return null
}

/**
 * rp_filter 2: adverts arrive from a network that is reached by the interface below, which 1 (of `all`, say) would drop. The
 * others keep two links with one MAC address from answering for each other.
 */
const settings = { arp_ignore: 1, arp_announce: 2, rp_filter: 2 } as const

/** What can be asked for at once, in order. `master`: of the link below, if that is a VRF's. */
export function ipvlanLacks(
  { address: wanted, mode }: IpvlanLink,
  link: KernelLink,
  master: number | null,
  kernel: Mirror,
): readonly Lack[] {
  const { ifindex } = link
  const alteration = {
    ...(link.alias === linkMark ? {} : { alias: linkMark }),
    ...(link.master === master ? {} : { master: master ?? 0 }),
  }
  const held = kernel.addressesOn(ifindex)
  const isWanted = (it: KernelAddress) =>
    it.address === wanted?.address && it.prefixLength === wanted.prefixLength && it.peer === null
  const stale = held.filter((it) => it.ours && !isWanted(it))
  return [
    ...(Object.keys(alteration).length === 0
      ? []
      : [{ what: 'mark or VRF', request: encodeLinkAlter(ifindex, alteration) }]),
    ...(hasSettings(kernel.settingsOf(ifindex))
      ? []
      : [{ what: 'settings', request: encodeIpv4Settings(ifindex, settings) }]),
    ...(link.ipvlan === null || (isLayerTwo(link.ipvlan) && hasFlags(link.ipvlan, mode))
      ? []
      : [{ what: 'mode', request: encodeIpvlanMode(ifindex, mode) }]),
    ...(link.on ? [] : [{ what: 'up', request: encodeLinkSwitch(ifindex, true) }]),
    ...stale.map((it) => ({
      what: `without ${it.address}`,
      request: encodeAddressDelete(specOf(ifindex, it)),
    })),
    ...(wanted === null || held.some(isWanted)
      ? []
      : [{ what: wanted.address, request: encodeAddressReplace(specOf(ifindex, wanted)) }]),
  ]
}

/** A link without IPv4 has none to be wrong. */
const hasSettings = (has: Ipv4Settings | null): boolean =>
  has === null ||
  Object.entries(settings).every(([name, value]) => has[name as keyof Ipv4Settings] === value)

/**
 * noprefixroute: else the network of the interface below would be reached by this link as soon as the address there is set
 * anew, from this address.
 */
const specOf = (
  ifindex: number,
  { address, prefixLength }: { readonly address: Ip; readonly prefixLength: number },
) => ({
  ifindex,
  address,
  prefixLength,
  peer: null,
  broadcast: null,
  label: null,
  scope: 0,
  home: false,
  nodad: ipFamily(address) === 6,
  mngtmpaddr: false,
  noprefixroute: ipFamily(address) === 4,
  autojoin: false,
  preferredSeconds: null,
  validSeconds: null,
})

/** Of IPv6 the link has what the kernel gives it, and nothing of a router's advertisements; none at all for IPv4. */
export const ipvlanIpv6 = ({ address }: IpvlanLink): Readonly<Record<string, number>> =>
  address !== null && ipFamily(address.address) === 4
    ? { disable_ipv6: 1 }
    : { disable_ipv6: 0, accept_ra: 0, autoconf: 0, router_solicitations: 0 }
