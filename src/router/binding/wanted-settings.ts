/** Which settings of which interfaces (net.ipv4.conf.IFACE.*) a configuration needs; pure. */
import type { Instance } from '../../config/types.ts'
import type { WantedSetting } from '../../kernel/link-settings.ts'

export const wantedSettings = (instances: readonly Instance[]): readonly WantedSetting[] =>
  instances.flatMap((it) => [
    ...promoting(it),
    ...it.virtualLinks.flatMap(({ kind, base }) =>
      kind === 'macvlan' ? besideVirtualLink(base) : [],
    ),
  ])

const promoting = (it: Instance): readonly WantedSetting[] =>
  it.interface === null || !it.promoteSecondaries
    ? []
    : [{ interface: it.interface, name: 'promote_secondaries', value: 1 }]

/**
 * The interface below answers ARP for its own addresses alone, and asks with its own address alone: else clients learn its
 * MAC address for a virtual address.
 */
const besideVirtualLink = (base: string): readonly WantedSetting[] => [
  { interface: base, name: 'arp_ignore', value: 1 },
  { interface: base, name: 'arp_announce', value: 2 },
]
