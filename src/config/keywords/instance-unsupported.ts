/** `vrrp_instance`: what this version checks and does not act on. */
import type { InstanceDraft } from '../draft/draft.ts'
import type { InstanceEntry, PlainEntry } from '../grammar/entries.ts'
import {
  choice,
  inBlock,
  integer,
  interfaceName,
  optionalWord,
  withoutEffect,
} from '../grammar/make.ts'

export const checkedInstanceKeywords: readonly InstanceEntry[] = inBlock<InstanceDraft>(
  'vrrp_instance',
  [
    {
      status: 'recognised',
      name: 'old_unicast_checksum',
      args: [{ ...choice('never', 'never'), optional: true }],
      set: (draft, _values, node) => {
        draft.unicastPlace ??= node.place
      },
      doc: 'The checksum of unicast version 3 as keepalived 1.3.6 and older compute it.',
    },
  ],
)

export const unsupportedInstanceKeywords: readonly PlainEntry[] = withoutEffect(
  'vrrp_instance',
  'recognised',
  [
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
