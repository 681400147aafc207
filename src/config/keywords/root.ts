/** What stands outside every block. */

import type { Draft } from '../draft/draft.ts'
import type { PlainEntry, RootEntry } from '../grammar/entries.ts'
import { inBlock, integer, withoutEffect, word } from '../grammar/make.ts'

export const rootBlocks: readonly RootEntry[] = inBlock<Draft>('root', [
  { name: 'global_defs', form: 'block', inner: 'global_defs', doc: 'Settings of the whole file.' },
  {
    name: 'vrrp_script',
    args: [word('NAME')],
    form: 'block',
    inner: 'vrrp_script',
    doc: 'A check. It must stand before the instances that track it.',
  },
  {
    name: 'vrrp_track_process',
    args: [word('NAME')],
    form: 'block',
    inner: 'vrrp_track_process',
    doc: 'Processes that must run. It must stand before the instances that track it.',
  },
  {
    name: 'track_file',
    args: [word('NAME')],
    form: 'block',
    inner: 'track_file',
    doc: 'A file whose number counts. It must stand before the instances that track it.',
  },
  {
    name: 'vrrp_track_file',
    args: [word('NAME')],
    form: 'block',
    inner: 'track_file',
    deprecated: 'track_file',
    doc: 'An older spelling.',
  },
  {
    name: 'bfd_instance',
    args: [word('NAME')],
    form: 'block',
    inner: 'bfd_instance',
    doc: 'A BFD session. It must stand before the instances that track it, and runs whether one does or not.',
  },
  {
    name: 'garp_group',
    form: 'block',
    inner: 'garp_group',
    since: '1.2.24',
    doc: 'Interfaces whose announcements keep their distance, those of all instances together (docs/announcements.md). An interface in a group is under its gaps alone: vrrp_garp_interval and vrrp_gna_interval are not for it. It may be in one group. Announcements of a virtual link count on the interface below.',
  },
  {
    name: 'vrrp_instance',
    args: [word('NAME')],
    missing: 'config',
    form: 'block',
    inner: 'vrrp_instance',
    doc: 'A virtual router: one VRID on one interface, with its addresses.',
  },
  {
    name: 'vrrp_sync_group',
    args: [word('NAME')],
    missing: 'config',
    form: 'block',
    inner: 'vrrp_sync_group',
    doc: 'Instances that change state together.',
  },
])

export const unsupportedRootKeywords: readonly PlainEntry[] = withoutEffect('root', 'recognised', [
  { name: 'namespace_with_ipsets', doc: 'Allow ipsets in a namespace.' },
  {
    name: 'child_wait_time',
    args: [integer('SECONDS', 0, 4_294_967_295)],
    unit: 's',
    default: '5',
    doc: 'How long the parent waits for its processes at stop.',
  },
  {
    name: 'linkbeat_use_polling',
    deprecated: 'linkbeat_interfaces',
    doc: 'Polls the link of every interface: see linkbeat_interfaces.',
  },
  {
    name: 'linkbeat_interfaces',
    form: 'entries',
    entry: 'INTERFACE [MII|ETHTOOL|IOCTL]',
    doc: 'Polls the link of interfaces whose driver tells the kernel nothing of its carrier; vipd follows the kernel’s notifications, and with such a driver a script that asks it (ethtool) can be tracked.',
  },
])
