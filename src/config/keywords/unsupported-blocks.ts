/** The blocks of trackers and groups that this version does not act on. */
import type { PlainEntry } from '../grammar/entries.ts'
import { anyWords, decimal, integer, interfaceName, onOff, withoutEffect } from '../grammar/make.ts'

export const trackerKeywords: readonly PlainEntry[] = [
  ...withoutEffect('bfd_instance', 'recognised', [
    ...['neighbor_ip', 'neighbour_ip', 'source_ip'].map((name) => ({
      name,
      args: [{ kind: 'address' as const, name: 'IP' }],
      doc: name === 'source_ip' ? 'Our address.' : 'The other end. Required.',
    })),
    ...['min_rx', 'min_tx'].map((name) => ({
      name,
      args: [integer('MILLISECONDS', 1, 4_294_967)],
      unit: 'ms',
      default: '10',
      doc: 'Pace of packets.',
    })),
    {
      name: 'idle_tx',
      args: [integer('MILLISECONDS', 1000, 4_294_967)],
      unit: 'ms',
      default: '1000',
      doc: 'Pace while down.',
    },
    {
      name: 'multiplier',
      args: [integer('COUNT', 1, 255)],
      default: '5',
      doc: 'Missed packets that count as down.',
    },
    { name: 'passive', doc: 'Wait for the other end.' },
    ...['ttl', 'hoplimit'].map((name) => ({
      name,
      args: [integer('TTL', 1, 255)],
      doc: 'TTL of packets.',
    })),
    {
      name: 'max_hops',
      args: [integer('COUNT', -1, 255)],
      default: '0',
      doc: 'Hops that are tolerated.',
    },
    { name: 'multihop', args: [onOff], doc: 'The multihop port.' },
    {
      name: 'weight',
      args: [integer('WEIGHT', -253, 253), anyWords('reverse')],
      default: '0',
      doc: 'What a session that is down does to the priority.',
    },
    { name: 'vrrp', doc: 'Tell the VRRP side.' },
    { name: 'checker', doc: 'Tell the load balancer.' },
  ]),
  ...withoutEffect('garp_group', 'recognised', [
    ...['garp_interval', 'gna_interval'].map((name) => ({
      name,
      args: [decimal('SECONDS', 0.000001, 4294.967295, 6)],
      unit: 's',
      doc: 'Least time between two announcements.',
    })),
    { name: 'interface', args: [interfaceName], doc: 'The interface.' },
    { name: 'interfaces', form: 'entries' as const, entry: 'INTERFACE', doc: 'The interfaces.' },
  ]),
  ...withoutEffect('track_group', 'recognised', [
    { name: 'group', form: 'entries' as const, entry: 'INSTANCE …', doc: 'The instances.' },
  ]),
]
