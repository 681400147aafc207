/**
 * The configuration's instance as the election and the plans want it: parameters and facts, resolved against
 * the kernel's present links.
 */
import type { Ip } from '../../base/ip.ts'
import { macOctets } from '../../base/mac.ts'
import { type Us, us } from '../../base/time.ts'
import { downIntervalUs } from '../../base/vrrp-timing.ts'
import { trailerOctets } from '../../config/build/advert-room.ts'
import type { Instance } from '../../config/types.ts'
import type { Params } from '../../election/types.ts'
import type { LinkId } from '../../engine/order.ts'
import type { AddressFacts, CarrierFacts, SlotFacts } from '../../engine/plans-addresses.ts'
import type { LeaseFacts } from '../../engine/plans-lease.ts'
import type { KernelLink } from '../../kernel/link-table.ts'
import type { KernelView } from '../../kernel/mirror.ts'
import { isOversized } from './advert-size.ts'
import { entryFacts } from './entry-facts.ts'
import { addressFacts } from './interface-resolution.ts'
import { paceFacts } from './paces.ts'
import { takenAlong } from './taken-along.ts'

/** Without a source yet (interface missing) the tie-break is irrelevant: the instance is in fault. */
const noSource = { 4: '0.0.0.0' as Ip, 6: '::' as Ip }

/** An address outlives the longest down interval by so much; also the shortest lifetime that there is. */
const lifetimeMarginSeconds = 2

export function paramsOf(cfg: Instance, source: Ip | null): Params {
  return {
    name: cfg.name,
    version: cfg.version,
    basePriority: cfg.priority,
    advertIntervalUs: cfg.advertIntervalUs,
    maxIntervalRatio: cfg.maxIntervalRatio,
    downTimerAdverts: cfg.downTimerAdverts,
    preempt: cfg.preempt,
    preemptDelayUs: cfg.preemptDelayUs,
    lowerPrioNoAdvert: cfg.lowerPrioNoAdvert,
    higherPrioSendAdvert: cfg.higherPrioSendAdvert,
    ownerIgnoreAdverts: cfg.ownerIgnoreAdverts,
    resignOnDemotion: cfg.resignOnDemotion,
    source: source ?? noSource[cfg.family],
  }
}

export function slotFacts(
  cfg: Instance,
  primary: KernelLink,
  kernel: KernelView,
  link: LinkId,
  source: Ip,
  lease: LeaseFacts | null,
): SlotFacts {
  const { transport } = cfg
  const addresses = addressFacts(cfg, primary, kernel)
  return {
    vrid: cfg.vrid,
    version: cfg.version,
    family: cfg.family,
    source,
    link,
    destinations: transport.kind === 'multicast' ? [transport.group] : peersOf(cfg),
    password: cfg.password,
    ah: cfg.ahKey !== null,
    advertIntervalUs: cfg.advertIntervalUs,
    checksumAsV2: cfg.v3ChecksumAsV2,
    advertMac: advertMac(cfg, primary),
    sealOctets: cfg.hmac === null || cfg.hmac.mode === 'receive-only' ? 0 : trailerOctets,
    carriers: carriers(cfg, kernel),
    addresses,
    takenAlong: takenAlong(addresses, kernel),
    entries: entryFacts(cfg, kernel),
    garp: cfg.garp,
    paces: paceFacts(cfg, primary, kernel),
    extra: { everyUs: cfg.garp.extraEveryUs, on: extraInterfaces(cfg, primary, addresses) },
    router: cfg.family === 6 && kernel.forwardsIpv6(primary.ifindex),
    peersDownUs: shortestPeerDown(cfg),
    lifetimeSeconds: lifetimeSeconds(cfg),
    lease,
    asks: cfg.claimCheck === 'off' ? null : { when: cfg.claimCheck, beforeUs: cfg.claimCheckUs },
  }
}

/**
 * Indexes of the interfaces on which garp_extra_if announces: others than the instance's, without `all` only those with a
 * virtual MAC address. And the instance's own where nothing else teaches the switch its virtual MAC address.
 */
function extraInterfaces(
  { garp, vmac, virtualLinks }: Instance,
  primary: KernelLink,
  addresses: readonly AddressFacts[],
): readonly number[] {
  if (garp.extraEveryUs === 0) return []
  const made = new Set(virtualLinks.map(({ name }) => name))
  const untaught = vmac?.xmitBase === true ? vmac.name : null
  const others = addresses.filter(
    (it) => it.announceOn !== primary.ifindex || it.interface === untaught,
  )
  const isVirtual = (it: AddressFacts) => made.has(it.interface) || isVirtualMac(it.mac)
  const meant = garp.extraAll ? others : others.filter(isVirtual)
  return [...new Set(meant.map(({ announceOn }) => announceOn))]
}

/** 00-00-5E-00-01-{VRID}, 00-00-5E-00-02-{VRID} (RFC 9568 section 7.3). */
const isVirtualMac = (mac: Uint8Array | null): boolean =>
  mac !== null && [0x00_00_5e_00_01, 0x00_00_5e_00_02].includes(Buffer.from(mac).readUIntBE(0, 5))

/** null too where an advert is longer than a frame: the kernel fragments it, under the MAC address of the interface. */
function advertMac(cfg: Instance, primary: KernelLink): Uint8Array | null {
  const { vmac, transport } = cfg
  if (vmac === null || vmac.xmitBase || transport.kind === 'unicast' || primary.noarp) return null
  return isOversized(cfg, primary) ? null : macOctets(vmac.mac)
}

const carriers = ({ virtualLinks }: Instance, kernel: KernelView): readonly CarrierFacts[] =>
  virtualLinks.flatMap((it) => {
    const link = kernel.linkByName(it.name)
    if (it.kind !== 'macvlan' || link === null) return []
    return [{ ifindex: link.ifindex, name: it.name, mac: it.mac }]
  })

/** The peers that a unicast instance hears; for a multicast one the group decides. */
export const peersOf = ({ transport }: Instance): readonly Ip[] =>
  transport.kind === 'multicast' ? [] : transport.peers.map((peer) => peer.address)

/**
 * Long enough that a peer has taken over before the address of a dead master vanishes, and that a renewal can be
 * missed. Counted for the lowest priority, whose down interval is the longest.
 */
export function lifetimeSeconds(cfg: Instance): number | null {
  if (cfg.addressLifetimeSeconds === 0) return null
  const { version, downTimerAdverts, advertIntervalUs: intervalUs } = cfg
  const down = downIntervalUs({ version, downTimerAdverts, effectivePriority: 1, intervalUs })
  return Math.max(cfg.addressLifetimeSeconds, Math.ceil(down / 1_000_000) + lifetimeMarginSeconds)
}

/** A peer of the highest priority that is not an owner takes over first: its skew is the shortest. */
function shortestPeerDown(cfg: Instance): Us {
  const { version, downTimerAdverts, advertIntervalUs: intervalUs } = cfg
  return us(downIntervalUs({ version, downTimerAdverts, effectivePriority: 254, intervalUs }))
}
