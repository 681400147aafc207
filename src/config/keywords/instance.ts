/** `vrrp_instance`: its interface, state, addresses, peers and trackers. */
import type { Ip } from '../../base/ip.ts'
import { ipFamily } from '../../base/ip.ts'
import type { InstanceDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import { readAddressEntry } from '../grammar/addresses.ts'
import type { InstanceEntry, Values } from '../grammar/entries.ts'
import { address, choice, inBlock, integer, interfaceName, number, text } from '../grammar/make.ts'
import { readPeerEntry } from '../grammar/peer.ts'
import { readRoute } from '../grammar/routes.ts'
import { readRule } from '../grammar/rules.ts'
import type { Node } from '../language/tree-types.ts'
import { routeWords, ruleWords } from './routing.ts'
import { trackEntries, trackInterface } from './track.ts'

const ip = { kind: 'address', name: 'IP' } as const

export const instanceKeywords: readonly InstanceEntry[] = inBlock<InstanceDraft>('vrrp_instance', [
  {
    name: 'interface',
    args: [interfaceName],
    doc: 'Where adverts are sent and received. May be left out only for unicast with a unicast_src_ip that is not link-local.',
    set: setInterface,
  },
  {
    name: 'vrf',
    args: [interfaceName],
    since: '2.0.8',
    doc: 'For unicast without an interface: the VRF that the source address is in and the peers are reached by. An instance with an interface is in the VRF of that interface. docs/ipvlan-vrf.md.',
    set: (draft, values, node) => {
      draft.vrf = { name: String(values[0]), place: node.place }
    },
  },
  {
    name: 'state',
    args: [choice('STATE', 'MASTER', 'BACKUP')],
    default: 'BACKUP (MASTER if priority is 255)',
    doc: 'A wish, not a state: below priority 255 MASTER has no effect on timing, it only cancels nopreempt and preempt_delay. Without a priority it makes the instance the address owner.',
    set: setState,
    bad: (draft) => {
      draft.state = 'BACKUP'
    },
  },
  {
    name: 'version',
    args: [integer('VERSION', 2, 3)],
    default: 'vrrp_version for IPv4, 3 for IPv6',
    doc: 'The protocol: 2 is RFC 3768, 3 is RFC 9568. Both routers must agree. Written twice, the first counts; below IPv6 addresses it cannot be 2.',
    set: setVersion,
  },
  {
    name: 'native_ipv6',
    doc: 'Makes the instance IPv6. Normally the first address decides.',
    set: (draft, _values, node, lowering) => {
      if (draft.family === 4) {
        lowering.error(node.place, 'mixed-families', 'native_ipv6 in an IPv4 instance is ignored')
      } else {
        draft.family = 6
      }
    },
  },
  {
    name: 'authentication',
    form: 'block',
    inner: 'authentication',
    default: 'none',
    doc: 'The password of version 2. It travels in clear text: it keeps mistakes out, not attackers.',
  },
  {
    name: 'virtual_ipaddress',
    form: 'entries',
    entry:
      'ADDR[/LEN] [brd|broadcast ADDR|+|-] [dev IF] [scope S] [label L] [peer ADDR[/LEN]] [home] [-nodad] [mngtmpaddr] [noprefixroute] [autojoin] [no_track] [preferred_lft SECONDS|forever] [use_vmac]',
    doc: 'The addresses that move, sent in every advert. All of one family; without a length /32 or /128. The routers of a group must list the same ones.',
    each: readVirtualAddress,
  },
  {
    name: 'virtual_ipaddress_excluded',
    form: 'entries',
    entry: 'as virtual_ipaddress',
    doc: 'Addresses that move with the others but are not sent in adverts. Either family.',
    each: (draft, node, lowering) => {
      const entry = readAddressEntry(node, lowering)
      if (entry !== null) draft.excluded.push(entry)
    },
  },
  {
    name: 'virtual_routes',
    form: 'entries',
    entry: routeWords,
    doc: 'Routes that are there while the instance is master: set after its addresses, removed before them. One that another program removes is put back at once, without a transition, unless no_track is written. A dev of them is watched as that of an address. docs/routes.md.',
    each: (draft, node, lowering) => {
      const route = readRoute(node, lowering, { group: false })
      if (route !== null) draft.routes.push(route)
    },
  },
  {
    name: 'virtual_rules',
    form: 'entries',
    entry: ruleWords,
    doc: 'Routing rules that are there while the instance is master, as virtual_routes: set after the routes, removed first. docs/routes.md.',
    each: (draft, node, lowering) => {
      const rule = readRule(node, lowering, { group: false })
      if (rule !== null) draft.rules.push(rule)
    },
  },
  {
    name: 'no_virtual_ipaddress',
    since: '2.2.8',
    doc: 'No address is intended: no message about it, and version 3 may run so.',
    set: (draft) => {
      draft.noAddresses = true
    },
  },
  {
    name: 'track_src_ip',
    doc: 'The instance faults when its configured source address disappears: always so in vipd, written or not. keepalived without it goes on sending from an address that the host has no more (IPv4 multicast), or stays master and sends nothing (IPv6).',
  },
  {
    name: 'mcast_src_ip',
    args: [ip],
    default: 'the first address of the interface',
    doc: 'Source address of adverts; the tie-break between equal priorities.',
    set: setSource,
  },
  {
    name: 'unicast_src_ip',
    args: [ip],
    default: 'the first address of the interface',
    doc: 'Source address of adverts in an instance with unicast_peer.',
    set: (draft, values, node, lowering) => {
      draft.unicastPlace ??= node.place
      setSource(draft, values, node, lowering)
    },
  },
  {
    name: 'mcast_dst_ip',
    args: [{ ...ip, multicast: true }],
    default: 'vrrp_mcast_group4 or vrrp_mcast_group6',
    since: '2.2.7',
    doc: 'The multicast group of this instance; another group may use the same VRID on the same link.',
    set: setGroup,
  },
  {
    name: 'unicast_peer',
    form: 'entries',
    entry: 'IP [min_ttl 0..255] [max_ttl 0..255]',
    doc: 'Adverts go to each of these routers instead of to the multicast group. A min_ttl or max_ttl anywhere in the list turns check_unicast_src on.',
    set: (draft, _values, node) => {
      draft.unicastPlace ??= node.place
    },
    each: readPeer,
  },
  {
    name: 'unicast_ttl',
    args: [integer('TTL', 0, 255)],
    default: '255 for IPv4, the kernel default for IPv6',
    doc: 'TTL or hop limit of adverts to unicast peers. 0 is sent as 1: the kernel takes no 0, and both reach the neighbours only.',
    set: setUnicastTtl,
  },
  {
    name: 'track_interface',
    form: 'entries',
    entry: 'INTERFACE [weight -253..253 [reverse]]',
    doc: 'Interfaces that must be up. Without a weight a failure faults the instance; with one it changes the priority.',
    each: (draft, node, lowering) => {
      trackInterface(draft.trackInterfaces, node, lowering)
    },
  },
  ...trackEntries<InstanceDraft>('whose verdict counts here'),
])

function setInterface(draft: InstanceDraft, values: Values, node: Node, lowering: Lowering) {
  const name = text(values)
  if (name.length > 15) {
    lowering.error(
      node.place,
      'no-interface',
      `an interface name has at most 15 characters: ${name}`,
    )
  } else if (name === 'lo') {
    lowering.error(node.place, 'no-interface', 'VRRP cannot run on the loopback interface')
  } else {
    draft.interface = name
    if (lowering.interfaceIsMissing(name)) {
      const message = `interface ${name} of ${draft.name} does not exist (dynamic_interfaces allows that)`
      lowering.missingInterface(node.place, message)
    }
  }
}

/** The first one counts, and an address of IPv6 above it has settled version 3. */
function setVersion(draft: InstanceDraft, values: Values, node: Node, lowering: Lowering) {
  const version = number(values) === 2 ? 2 : 3
  const settled = draft.version ?? (draft.family === 6 ? 3 : null)
  if (settled !== null && settled !== version) {
    const message = `version ${version} conflicts with version ${settled} above; it is ignored`
    lowering.error(node.place, 'version-conflict', message)
    return
  }
  draft.version = version
  draft.versionPlace = node.place
}

function setState(draft: InstanceDraft, values: Values, node: Node, lowering: Lowering) {
  if (text(values) === 'MASTER') draft.state = 'MASTER'
  else if (draft.state === 'MASTER') {
    lowering.error(node.place, 'duplicate', 'state was MASTER already; BACKUP is ignored')
  } else draft.state = 'BACKUP'
}

function setSource(draft: InstanceDraft, values: Values, node: Node, lowering: Lowering) {
  const source = address(values)
  if (!sameFamily(draft, source)) {
    const message = `source ${source} is not IPv${draft.family} as the rest of the instance; it is ignored`
    lowering.error(node.place, 'mixed-families', message)
    return
  }
  draft.family = ipFamily(source)
  draft.source = source
}

function setUnicastTtl(draft: InstanceDraft, values: Values, node: Node, lowering: Lowering) {
  draft.ttl = Math.max(number(values), 1)
  draft.ttlPlace = node.place
  if (draft.ttl !== values[0])
    lowering.warning(node.place, 'unicast-ttl', 'unicast_ttl 0 is sent as TTL 1')
}

function setGroup(draft: InstanceDraft, values: Values, node: Node, lowering: Lowering) {
  const group = address(values)
  if (!sameFamily(draft, group)) {
    const message = `group ${group} is not IPv${draft.family} as the rest of the instance; it is ignored`
    lowering.error(node.place, 'mixed-families', message)
    return
  }
  draft.family = ipFamily(group)
  draft.group = group
  draft.groupPlace = node.place
}

const sameFamily = (draft: InstanceDraft, ip: Ip): boolean =>
  draft.family === null || draft.family === ipFamily(ip)

function readVirtualAddress(draft: InstanceDraft, node: Node, lowering: Lowering) {
  const entry = readAddressEntry(node, lowering)
  if (entry === null) return
  if (!sameFamily(draft, entry.address)) {
    const message = `${entry.address} is not IPv${draft.family} as the rest of ${draft.name}; it is left out (virtual_ipaddress_excluded takes both families)`
    lowering.error(node.place, 'mixed-families', message)
    return
  }
  if (lowering.listed.before(draft.addresses, entry.address, node.place) !== null) {
    const message = `${entry.address} is listed twice: it is in the advert twice, and the options of the last one count`
    lowering.warning(node.place, 'duplicate', message)
  }
  draft.family = ipFamily(entry.address)
  draft.addresses.push(entry)
}

function readPeer(draft: InstanceDraft, node: Node, lowering: Lowering) {
  const peer = readPeerEntry(node, draft.family, lowering)
  if (peer === null) return
  draft.family = ipFamily(peer.address)
  if (node.args.length > 0) draft.unicast.set('checkSource', true, null)
  const before = lowering.listed.before(draft.peers, peer.address, node.place)
  if (before === null) draft.peers.push(peer)
}
