/** Which announcements share a pace: those on an interface, or on all interfaces of a garp_group; each family by itself. */
import { type Us, us } from '../../base/time.ts'
import type { Instance } from '../../config/types.ts'
import type { PaceFacts } from '../../engine/plans-announce.ts'
import { leastGapUs } from '../../engine/policy.ts'
import type { KernelLink } from '../../kernel/link-table.ts'
import type { KernelView } from '../../kernel/mirror.ts'

/** Of the interfaces that the instance's announcements leave by. */
export function paceFacts(
  cfg: Instance,
  primary: KernelLink,
  kernel: KernelView,
): readonly PaceFacts[] {
  const entries = [...cfg.addresses, ...cfg.excluded]
  const others = entries.map((it) =>
    it.interface === null ? null : kernel.linkByName(it.interface),
  )
  const links = new Map(
    [primary, ...others].flatMap((it) => (it === null ? [] : [[it.ifindex, it]])),
  )
  return [...links.values()].flatMap((link) => pacesOn(link, cfg))
}

function pacesOn({ ifindex, name }: KernelLink, cfg: Instance): readonly PaceFacts[] {
  const group = cfg.garpGroups.find(({ interfaces }) => interfaces.includes(name))
  const { arpIntervalUs, naIntervalUs } = group ?? cfg.garp
  const shared = group === undefined ? String(ifindex) : group.interfaces.join(' ')
  const pace = (family: 4 | 6, intervalUs: Us): readonly PaceFacts[] => {
    if (intervalUs === 0) return []
    const gapUs = us(Math.max(intervalUs, leastGapUs))
    return [{ family, ifindex, pace: { key: `${family} ${shared}`, gapUs } }]
  }
  return [...pace(4, arpIntervalUs), ...pace(6, naIntervalUs)]
}
