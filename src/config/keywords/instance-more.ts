/** `vrrp_instance`: what this version checks and does not act on, and what it refuses to leave out. */

import type { InstanceDraft } from '../draft/draft.ts'
import type { InstanceEntry, PlainEntry } from '../grammar/entries.ts'
import {
  anyWords,
  choice,
  inBlock,
  integer,
  interfaceName,
  optionalWord,
  withoutEffect,
  word,
} from '../grammar/make.ts'
import type { Node } from '../language/tree-types.ts'
import { checkExtraIf, checkRoute, checkRule } from './routes.ts'

/** The instance is left out, with the reason; the rest of the file runs. */
const refuse = (why: string) => (draft: InstanceDraft, _values: unknown, node: Node) => {
  draft.refused ??= { place: node.place, why }
  draft.vmac ||= node.keyword.text !== 'auth_hmac'
}

export const noBfd =
  'track_bfd is not supported: vipd speaks no BFD, so the session that shall decide would never be seen to fail'

export const refusedKeywords: readonly InstanceEntry[] = inBlock<InstanceDraft>('vrrp_instance', [
  {
    name: 'auth_hmac',
    status: 'refused',
    form: 'block',
    inner: 'auth_hmac',
    since: '2.4.0',
    doc: 'Signed adverts. Without them every advert of the peer would be dropped and both routers would be master.',
    set: refuse(
      'auth_hmac is not supported by this version: unsigned adverts would be dropped by the peer, and both would be master',
    ),
  },
  {
    name: 'use_vmac',
    status: 'refused',
    args: [anyWords('[[NAME] INTERFACE] [MAC] [netlink_notify_msg] [group GROUP]')],
    doc: 'A virtual MAC address on an interface of its own. Without it hosts would keep sending to a MAC address that has moved nowhere.',
    set: refuse(
      'use_vmac is not supported by this version: the addresses would answer with the interface’s own MAC, not the virtual one that the peer uses',
    ),
  },
  {
    name: 'use_ipvlan',
    status: 'refused',
    args: [anyWords('[[NAME] INTERFACE] [ADDRESS] [bridge|private|vepa] [group GROUP]')],
    since: '2.0.18',
    doc: 'An ipvlan interface for the addresses.',
    set: refuse(
      'use_ipvlan is not supported by this version: the addresses would appear on another interface than the one intended',
    ),
  },
  {
    name: 'track_bfd',
    status: 'refused',
    form: 'entries',
    entry: 'BFD [weight -253..253 [reverse|noreverse]]',
    doc: 'BFD sessions that must be up. vipd speaks no BFD: an instance that shall give way when a session fails would never do so.',
    set: (draft, _values, node) => {
      draft.refused ??= { place: node.place, why: noBfd }
    },
  },
])

export const checkedInstanceKeywords: readonly InstanceEntry[] = inBlock<InstanceDraft>(
  'vrrp_instance',
  [
    {
      status: 'recognised',
      name: 'vmac_xmit_base',
      set: (draft, _values, node) => {
        draft.vmacOnlyPlace = node.place
      },
      doc: 'Adverts leave from the base interface. As without a virtual MAC.',
    },
    {
      status: 'recognised',
      name: 'old_unicast_checksum',
      args: [{ ...choice('never', 'never'), optional: true }],
      set: (draft, _values, node) => {
        draft.unicastPlace ??= node.place
      },
      doc: 'The checksum of unicast version 3 as keepalived 1.3.6 and older compute it.',
    },
    {
      status: 'recognised',
      name: 'vrf',
      args: [interfaceName],
      since: '2.0.8',
      set: (draft, values, node, lowering) => {
        if (draft.interface === null) return
        const message = `vrf ${values[0]} has no effect beside interface ${draft.interface}`
        lowering.error(node.place, 'vrf', message)
      },
      doc: 'Run in a VRF.',
    },
  ],
)

export const unsupportedInstanceKeywords: readonly PlainEntry[] = withoutEffect(
  'vrrp_instance',
  'recognised',
  [
    {
      name: 'use_vmac_addr',
      since: '2.2.0',
      doc: 'Virtual MAC addresses also for addresses on other interfaces.',
    },
    {
      name: 'virtual_routes',
      form: 'entries',
      entry: 'a route in the words of ip-route(8)',
      each: checkRoute,
      doc: 'Routes that are there while the instance is master.',
    },
    {
      name: 'virtual_rules',
      form: 'entries',
      entry: 'a rule in the words of ip-rule(8)',
      each: checkRule,
      doc: 'Routing rules that are there while the instance is master.',
    },
    {
      name: 'promote_secondaries',
      doc: 'Sets the sysctl of that name on the interface; vipd instead sets again what the kernel takes along (ownership.md).',
    },
    {
      name: 'garp_extra_if',
      args: [anyWords('[all] 0..86400')],
      set: checkExtraIf(0),
      since: '2.2.4',
      doc: 'Announcements on other interfaces that hold addresses.',
    },
    {
      name: 'timer_expired_backup',
      status: 'supported',
      args: [integer('PRIORITY', 1, 254)].map((argument) => ({
        ...argument,
        optional: true as const,
      })),
      since: '2.2.8',
      doc: 'Become backup after a stall of the process. vipd always does.',
    },
    {
      name: 'thread_timer_expired',
      args: [optionalWord('PRIORITY')],
      deprecated: 'timer_expired_backup',
      doc: 'An older spelling.',
    },
    { name: 'debug', args: [integer('LEVEL', 0, 4)], doc: 'Has no effect in keepalived either.' },
    {
      name: 'lvs_sync_daemon_interface',
      args: [interfaceName],
      deprecated: 'lvs_sync_daemon in global_defs',
      deprecationCounts: true,
      status: 'ignored',
      doc: 'Belongs to the load balancer.',
    },
    {
      name: 'linkbeat_use_polling',
      deprecated: 'linkbeat_interfaces',
      deprecationCounts: true,
      doc: 'Polls the link of interfaces whose driver reports nothing.',
    },
  ],
)

export const hmacKeywords: readonly PlainEntry[] = withoutEffect('auth_hmac', 'refused', [
  {
    name: 'key',
    args: [integer('ID', 1, 255), word('VALUE')],
    doc: 'A key: hex:…, text or file:PATH.',
  },
  { name: 'active_key', args: [integer('ID', 1, 255)], doc: 'The key that signs.' },
  {
    name: 'anti_replay',
    args: [choice('HOW', 'time', 'monotonic')],
    default: 'time',
    doc: 'How repeated adverts are recognised.',
  },
  {
    name: 'time_window',
    args: [integer('SECONDS', 1, 300)],
    unit: 's',
    doc: 'Tolerated difference of clocks.',
  },
  {
    name: 'mode',
    args: [choice('MODE', 'enforce', 'permissive', 'receive-only')],
    default: 'enforce',
    doc: 'Whether unsigned adverts are sent and accepted.',
  },
])
