/**
 * What an instance stands on: the interface, the source address and the sockets that follow from the
 * configuration and the kernel's present state, or the faults that keep it from taking part.
 * Pure over the kernel's mirror, so every case is a table in the tests.
 */
import { type Ip, ipFamily, isLinkLocal, shareNetwork } from '../../base/ip.ts'
import type { Instance } from '../../config/types.ts'
import type { VirtualAddress } from '../../config/virtual-address.ts'
import type { Fault } from '../../election/types.ts'
import type { AddressFacts } from '../../engine/plans-addresses.ts'
import type { KernelAddress } from '../../kernel/address-table.ts'
import type { KernelLink } from '../../kernel/link-table.ts'
import type { OwnedAddress, OwnedObject } from '../../kernel/marks.ts'
import type { KernelView } from '../../kernel/mirror.ts'
import { keepalivedProtocol } from '../../wire/rtnetlink-address.ts'
import { entryFacts, ownedEntries, trackedInterfaces } from './entry-facts.ts'
import type { SocketKey } from './sockets.ts'

export type InterfaceResolution =
  | {
      readonly ok: true
      readonly key: SocketKey
      readonly primary: KernelLink
      /** The interface that holds the source: a configured one may be on the loopback interface, say. */
      readonly sourceLink: KernelLink
    }
  | { readonly ok: false; readonly faults: readonly Fault[] }

/** `virtual` holds every configured VIP: an address that a dead predecessor left is never a source. */
export function resolveInterface(
  cfg: Instance,
  kernel: KernelView,
  virtual: ReadonlySet<Ip>,
): InterfaceResolution {
  const primary = primaryInterface(cfg, kernel)
  if (primary === null) {
    const missing: Fault =
      cfg.interface === null
        ? sourceMissing(cfg, kernel)
        : { kind: 'link', interface: absentOf(cfg, cfg.interface, kernel), why: 'missing' }
    return { ok: false, faults: [missing] }
  }
  if (cfg.transport.kind === 'unicast' && cfg.transport.peers.length === 0)
    return { ok: false, faults: [{ kind: 'no-peer' }] }
  if (!primary.up && cfg.trackPrimary)
    return { ok: false, faults: [{ kind: 'link', interface: primary.name, why: 'down' }] }
  const source = sourceAddress(cfg, kernel, primary, virtual)
  if (source === null) {
    const wanted = wantedSource(cfg, kernel)
    return { ok: false, faults: [{ kind: 'source', interface: primary.name, wanted }] }
  }
  return { ok: true, primary, sourceLink: source.link, key: socketKeyOf(cfg, primary, source) }
}

/** The interface, or, where that is there, the link that is to be made on it. */
const absentOf = (cfg: Instance, own: string, kernel: KernelView): string =>
  cfg.ipvlan !== null && kernel.linkByName(own) !== null ? cfg.ipvlan : own

function sourceMissing(cfg: Instance, kernel: KernelView): Fault {
  if (cfg.vrf !== null && kernel.linkByName(cfg.vrf) === null)
    return { kind: 'link', interface: cfg.vrf, why: 'missing' }
  return { kind: 'source', interface: null, wanted: wantedSource(cfg, kernel) }
}

/** The interface of the instance; without one, the interface that holds its source. */
export function primaryInterface(cfg: Instance, kernel: KernelView): KernelLink | null {
  const name = spokenOn(cfg)
  if (name !== null) return kernel.linkByName(name)
  const source = cfg.transport.source
  return source === null ? null : holderOf(source, cfg, kernel)
}

/** The interface that adverts pass on: the instance's own ipvlan, where it has one. */
export const spokenOn = (cfg: Instance): string | null => cfg.ipvlan ?? cfg.interface

/** An address may be on the host twice, in two VRFs: what counts is the one in the instance's. */
function holderOf(source: Ip, cfg: Instance, kernel: KernelView): KernelLink | null {
  const own = spokenOn(cfg)
  const link = own === null ? null : kernel.linkByName(own)
  if (link === null && cfg.vrf === null) return kernel.linkHolding(source)
  const vrf = vrfOf(cfg.vrf === null ? link : kernel.linkByName(cfg.vrf), kernel)
  if (cfg.vrf !== null && vrf?.name !== cfg.vrf) return null
  return kernel.linkHolding(source, (it) => vrfOf(it, kernel)?.ifindex === vrf?.ifindex)
}

/** The VRF that a link is in, or is; null: none. */
function vrfOf(link: KernelLink | null, kernel: KernelView): KernelLink | null {
  if (link === null || link.kind === 'vrf') return link
  const master = link.master === null ? null : kernel.linkByIndex(link.master)
  return master?.kind === 'vrf' ? master : null
}

type Source = { readonly address: Ip; readonly link: KernelLink }

/** Bound to the interface, but for unicast to a source that another one holds: routing decides where that arrives. */
function socketKeyOf(cfg: Instance, primary: KernelLink, { address, link }: Source): SocketKey {
  const unicast = cfg.transport.kind === 'unicast'
  return {
    family: cfg.family,
    ah: cfg.ahKey !== null,
    interface: spokenOn(cfg) ?? cfg.vrf ?? '',
    ifindex: cfg.interface === null && !isLinkLocal(address) ? 0 : primary.ifindex,
    receiveOnAny: unicast && link.ifindex !== primary.ifindex,
    source: address,
    group: cfg.transport.kind === 'multicast' ? cfg.transport.group : null,
    ttl: unicast ? (cfg.transport.ttl ?? (cfg.family === 4 ? 255 : null)) : 255,
    receiveBufferBytes: cfg.receiveBufferBytes,
  }
}

/**
 * The configured source if the host holds it, whichever interface it is on (a link-local one is each interface's own);
 * without one the first primary IPv4, or link-local IPv6, address of the interface: one that is not virtual, or else the
 * owner's own.
 */
function sourceAddress(
  cfg: Instance,
  kernel: KernelView,
  primary: KernelLink,
  virtual: ReadonlySet<Ip>,
): Source | null {
  const usable = (link: KernelLink) =>
    kernel
      .addressesOn(link.ifindex)
      .filter((a) => ipFamily(a.address) === cfg.family && !a.tentative)
  const wanted = cfg.transport.source
  if (wanted !== null) {
    const holds = (link: KernelLink) => usable(link).some((a) => a.address === wanted)
    if (holds(primary)) return { address: wanted, link: primary }
    const other = isLinkLocal(wanted) ? null : holderOf(wanted, cfg, kernel)
    return other !== null && holds(other) ? { address: wanted, link: other } : null
  }
  const first = (of: readonly KernelAddress[]) =>
    cfg.family === 6 ? of.find((a) => isLinkLocal(a.address)) : firstPrimary(of)
  const found =
    first(usable(primary).filter((a) => !virtual.has(a.address))) ??
    first(usable(primary).filter(isHostsOwn))
  return found === undefined ? null : { address: found.address, link: primary }
}

/** What `sourceAddress` looked for, in the operator's words. */
function wantedSource(cfg: Instance, kernel: KernelView): string {
  const { source } = cfg.transport
  if (source === null)
    return cfg.family === 6 ? 'a link-local IPv6 address' : 'an IPv4 address that is not virtual'
  const link = holderOf(source, cfg, kernel)
  if (link === null && cfg.vrf !== null) return `${source} in the VRF ${cfg.vrf}`
  const held = link === null ? [] : kernel.addressesOn(link.ifindex)
  const found = held.find(({ address }) => address === source)
  if (link === null || found === undefined) return source
  if (found.duplicate) return `${source}, a duplicate of another host's`
  if (found.tentative) return `${source}, which is tentative`
  return `${source}, which is on ${link.name}`
}

/** A virtual address that the host has by its own configuration: that of an owner (RFC 9568 section 5.2.4). */
const isHostsOwn = ({ ours, protocol }: KernelAddress): boolean =>
  !ours && protocol !== keepalivedProtocol

const firstPrimary = (addresses: readonly KernelAddress[]): KernelAddress | undefined =>
  addresses.find((a) => !a.secondary) ?? addresses[0]

/** Every address with the interface it goes on; one whose interface is missing is left out (its fault says so). */
export function addressFacts(
  cfg: Instance,
  primary: KernelLink,
  kernel: KernelView,
): readonly AddressFacts[] {
  // An ipvlan carries the adverts, and none of the addresses.
  const own = cfg.ipvlan === null ? primary : kernel.linkByName(cfg.interface ?? '')
  const resolve = (entry: VirtualAddress, advertised: boolean): readonly AddressFacts[] => {
    const base = entry.interface === null ? own : kernel.linkByName(entry.interface)
    const link = entry.vmac === null ? base : kernel.linkByName(entry.vmac)
    if (base === null || link === null) return []
    const facts = addressFactsOn(link, placedOn(entry, base, kernel), advertised, kernel)
    if (entry.vmac === null) return [facts]
    const router = ipFamily(entry.address) === 6 && kernel.forwardsIpv6(base.ifindex)
    const [mac, askMac] = base.noarp ? [null, null] : [link.mac, base.mac]
    return [{ ...facts, announceOn: base.ifindex, mac, askMac, router }]
  }
  return [
    ...cfg.addresses.flatMap((entry) => resolve(entry, true)),
    ...cfg.excluded.flatMap((entry) => resolve(entry, false)),
  ]
}

/** One address on its interface. */
export function addressFactsOn(
  link: KernelLink,
  entry: VirtualAddress,
  advertised: boolean,
  kernel: KernelView,
): AddressFacts {
  const { address, prefixLength, broadcast, label, scope, peer, preferredSeconds } = entry
  const { home, nodad, mngtmpaddr, noprefixroute, autojoin } = entry
  return {
    ...{ address, prefixLength, broadcast, label, scope, peer, preferredSeconds },
    ...{ home, nodad, mngtmpaddr, noprefixroute, autojoin },
    interface: link.name,
    ifindex: link.ifindex,
    announceOn: link.ifindex,
    mac: link.noarp ? null : link.mac,
    askMac: link.noarp ? null : link.mac,
    router: ipFamily(address) === 6 && kernel.forwardsIpv6(link.ifindex),
    advertised,
    foreign: kernel.isForeign(link.ifindex, entry),
  }
}

/** As it is on its virtual link, which sits on `base`; on an interface as it is written. */
function placedOn(entry: VirtualAddress, base: KernelLink, kernel: KernelView): VirtualAddress {
  if (entry.vmac === null) return entry
  const noprefixroute = entry.noprefixroute || isRouted(entry, base, kernel)
  return { ...entry, prefixLength: placedPrefix(entry), noprefixroute }
}

/** A virtual link has no link-local address of its own: fe80::/64 is reached through it by the virtual one's prefix. */
export const placedPrefix = ({ address, prefixLength, vmac }: VirtualAddress): number =>
  vmac !== null && ipFamily(address) === 6 && isLinkLocal(address)
    ? Math.min(prefixLength, 64)
    : prefixLength

/**
 * The interface below has an address in that network, and so the route to it. A second one, by the virtual link, would
 * take its place whenever that address is set anew.
 */
function isRouted(entry: VirtualAddress, base: KernelLink, kernel: KernelView): boolean {
  const { address, prefixLength, peer } = entry
  if (peer !== null || (ipFamily(address) === 6 && isLinkLocal(address))) return false
  return kernel
    .addressesOn(base.ifindex)
    .some(
      (held) =>
        !held.ours &&
        held.peer === null &&
        held.prefixLength <= prefixLength &&
        shareNetwork(held.address, address, held.prefixLength),
    )
}

/** What the instance may put into the kernel, as it is now; what another program has put there is not claimed. */
export function ownedObjects(cfg: Instance, kernel: KernelView): readonly OwnedObject[] {
  const primary = primaryInterface(cfg, kernel)
  if (primary === null) return []
  const addresses = addressFacts(cfg, primary, kernel)
  const owned = addresses.flatMap((it) => (it.foreign ? [] : [ownedAddress(it)]))
  return [...owned, ...ownedEntries(entryFacts(cfg, kernel))]
}

export const ownedAddress = ({ ifindex, address, peer, ...it }: AddressFacts): OwnedAddress => ({
  kind: 'address',
  interface: it.interface,
  ifindex,
  address,
  prefixLength: peer?.prefixLength ?? it.prefixLength,
  peer: peer?.address ?? null,
})

/**
 * Interfaces whose loss is a fault: those of VIPs, of tracked routes and rules, and of static entries whose track_group
 * has the instance, beside what the tracker watches.
 */
export function addressInterfaces(cfg: Instance): readonly string[] {
  const named = [...cfg.addresses, ...cfg.excluded].flatMap((a) => a.interface ?? [])
  const all = new Set([...named, ...trackedInterfaces(cfg), ...cfg.staticInterfaces])
  return [...all].filter((name) => name !== cfg.interface)
}
