/**
 * What the kernel lease of an instance covers, resolved against the kernel's present links: the interface that its adverts
 * leave by, the addresses that are answered for only while they do, and for how long. Or why it cannot be.
 */
import { type Ip, ipFamily, isLinkLocal } from '../../base/ip.ts'
import { type Us, us } from '../../base/time.ts'
import type { Instance } from '../../config/types.ts'
import type { VirtualAddress } from '../../config/virtual-address.ts'
import type { LeaseFacts } from '../../engine/plans-lease.ts'
import type { LeasedAddress, LeasedInstance } from '../../kernel/lease-rules.ts'
import type { KernelLink } from '../../kernel/link-table.ts'
import type { KernelView } from '../../kernel/mirror.ts'
import { resolveInterface } from './interface-resolution.ts'
import { lifetimeSeconds, peersOf } from './slot-facts.ts'
import type { SocketKey } from './sockets.ts'

/** The lease that is in force for an instance that speaks so; null: none. */
export type LeaseOf = (cfg: Instance, key: SocketKey) => LeaseFacts | null

export type Unleased = { readonly name: string; readonly why: string }

/** The addresses end with their lifetime, which the kernel looks at now and then; nothing is muted much longer. */
const guardMarginSeconds = 3
/** Where addresses stay for ever. */
const guardSecondsForEver = 60

export const isLeased = (it: LeasedInstance | Unleased): it is LeasedInstance => 'device' in it

/** `virtual`: every configured virtual address. null: its interface or source is missing, which is a fault of its own. */
export function leasedInstance(
  cfg: Instance,
  kernel: KernelView,
  virtual: ReadonlySet<Ip>,
  tickUs: Us,
): LeasedInstance | Unleased | null {
  const { name } = cfg
  const resolved = resolveInterface({ ...cfg, trackPrimary: false }, kernel, virtual)
  if (!resolved.ok) return null
  const { primary, key } = resolved
  if (cfg.priority === 255) return { name, why: 'the owner has the addresses of its own' }
  if (key.ifindex === 0)
    return { name, why: 'without `interface` routing decides where adverts leave' }
  if (primary.mac === null) return { name, why: `${primary.name} is no Ethernet interface` }
  const leaseUs = leaseLengthUs(cfg, tickUs)
  if (leastOf(leaseUs, tickUs) <= cfg.advertIntervalUs) {
    const step = `${tickUs / 1_000} ms`
    return { name, why: `advert_int is too short for a kernel that counts in steps of ${step}` }
  }
  const places = [...cfg.addresses, ...cfg.excluded].flatMap((entry) => placeOf(entry, cfg, kernel))
  const carriers = cfg.virtualLinks.filter((it) => it.kind === 'macvlan')
  const bases = carriers.flatMap(({ base }) => kernel.linkByName(base) ?? [])
  const on = [primary, ...places.map(({ base }) => base), ...bases].filter((it) => it.mac !== null)
  return {
    name,
    device: primary.name,
    ifindex: primary.ifindex,
    family: cfg.family,
    vrid: cfg.vrid,
    ah: key.ah === true,
    source: key.source,
    destinations: cfg.transport.kind === 'multicast' ? [cfg.transport.group] : peersOf(cfg),
    addresses: places.map(({ leased }) => leased),
    macs: carriers.map(({ mac }) => mac),
    devices: new Map(on.map((it) => [it.name, it.ifindex])),
    leaseUs,
    tickUs,
    guardSeconds: (lifetimeSeconds(cfg) ?? guardSecondsForEver) + guardMarginSeconds,
  }
}

/** A whole number of ticks, no longer than a peer waits. */
export const leaseLengthUs = (
  cfg: Pick<Instance, 'downTimerAdverts' | 'advertIntervalUs'>,
  tickUs: Us,
): Us => us(Math.floor((cfg.downTimerAdverts * cfg.advertIntervalUs) / tickUs) * tickUs)

/** What is not ours to take away is not muted: an address that another program has set. */
function placeOf(
  entry: VirtualAddress,
  cfg: Instance,
  kernel: KernelView,
): readonly { readonly leased: LeasedAddress; readonly base: KernelLink }[] {
  const base = kernel.linkByName(entry.interface ?? cfg.interface ?? '')
  if (base === null) return []
  const { address } = entry
  const link = entry.vmac === null ? base : kernel.linkByName(entry.vmac)
  if (link !== null && kernel.isForeign(link.ifindex, entry)) return []
  const own = new Set([base.ifindex, link?.ifindex])
  const other = kernel.linkHolding(address, (it) => !own.has(it.ifindex))
  const local = ipFamily(address) === 6 && isLinkLocal(address)
  const served = other !== null && !local
  return [{ leased: { address, on: local ? base.name : null, served }, base }]
}

/** The kernel counts the tick in which the advert left as a whole one. */
export const leastOf = (leaseUs: Us, tickUs: Us): Us => us(leaseUs - tickUs)
