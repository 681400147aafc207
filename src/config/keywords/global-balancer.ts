/** `global_defs`: what belongs to keepalived's load balancer and has no effect here. */
import type { Argument, PlainEntry } from '../grammar/entries.ts'
import {
  anyWords,
  choice,
  integer,
  onOff,
  optionalWord,
  unsigned,
  withoutEffect,
  word,
} from '../grammar/make.ts'
import { checkProcessors, checkTimeouts } from './checked-words.ts'

const name = [word('NAME')]
const bytes = [integer('BYTES', 0, unsigned)]
const switched = [onOff]
const buffers = 'Size of a netlink receive buffer.'
const oneOf = (argument: Argument): Argument => ({ ...argument, optional: true })

/** The scheduling keywords that each process of keepalived has. */
const processKeywords = (prefix: string, whose: string) => [
  {
    name: `${prefix}_priority`,
    args: [integer('NICE', -20, 19)],
    missing: 'config' as const,
    doc: `Nice value of ${whose}.`,
  },
  { name: `${prefix}_no_swap`, doc: `Lock the memory of ${whose}.` },
  {
    name: `${prefix}_rt_priority`,
    args: [integer('PRIORITY', 1, 99, { clamp: true })],
    missing: 'config' as const,
    doc: `Real-time priority of ${whose}.`,
  },
  {
    name: `${prefix}_rlimit_rttime`,
    args: [integer('MICROSECONDS', 1, unsigned)],
    doc: `Computing time limit of ${whose}.`,
  },
  {
    name: `${prefix}_rlimit_rtime`,
    args: [integer('MICROSECONDS', 1, unsigned)],
    deprecated: `${prefix}_rlimit_rttime`,
    doc: 'An older spelling.',
  },
  {
    name: `${prefix}_cpu_affinity`,
    args: [anyWords('CPU …')],
    set: checkProcessors,
    doc: `Processors of ${whose}.`,
  },
]

export const balancerGlobalKeywords: readonly PlainEntry[] = withoutEffect(
  'global_defs',
  'ignored',
  [
    { name: 'smtp_alert_checker', args: switched, doc: 'Mail of the load balancer.' },
    { name: 'checker_process_name', args: name, doc: 'Name of the checker process.' },
    { name: 'lvs_process_name', args: name, doc: 'An older spelling of checker_process_name.' },
    { name: 'bfd_process_name', args: name, doc: 'Name of the BFD process.' },
    ...processKeywords('checker', 'the checker process'),
    ...processKeywords('bfd', 'the BFD process'),
    {
      name: 'lvs_notify_fifo',
      args: [word('PATH'), anyWords('[USER [GROUP]]')],
      missing: 'config',
      doc: 'FIFO of the load balancer.',
    },
    { name: 'lvs_notify_fifo_script', args: [anyWords('COMMAND')], doc: 'Reader of that FIFO.' },
    { name: 'enable_snmp_checker', doc: 'SNMP of the load balancer.' },
    {
      name: 'lvs_sync_daemon',
      args: [word('INTERFACE'), anyWords('…')],
      missing: 'config',
      doc: 'Connection table synchronisation of the load balancer.',
    },
    {
      name: 'lvs_timeouts',
      args: [anyWords('[tcp S] [tcpfin S] [udp S]')],
      set: checkTimeouts,
      doc: 'Time-outs of the load balancer.',
    },
    { name: 'lvs_flush', doc: 'Clear the load balancer at start.' },
    {
      name: 'lvs_flush_onstop',
      args: [oneOf(choice('VS', 'VS'))],
      doc: 'Clear the load balancer at stop.',
    },
    {
      name: 'lvs_flush_on_stop',
      args: [oneOf(choice('VS', 'VS'))],
      deprecated: 'lvs_flush_onstop',
      doc: 'An older spelling.',
    },
    {
      name: 'nftables_ipvs',
      args: [optionalWord('TABLE')],
      doc: 'nftables table of the load balancer.',
    },
    {
      name: 'nftables_ipvs_priority',
      args: [integer('PRIORITY', -2_147_483_648, 2_147_483_647)],
      doc: 'Priority of its chains.',
    },
    {
      name: 'nftables_ipvs_start_fwmark',
      args: [integer('MARK', 1, unsigned)],
      doc: 'First firewall mark of the load balancer.',
    },
    {
      name: 'rs_init_notifies',
      args: switched,
      doc: 'Notifications of the load balancer at start.',
    },
    { name: 'no_checker_emails', args: switched, doc: 'No mail of the load balancer.' },
    { name: 'checker_log_all_failures', args: switched, doc: 'Log of the load balancer.' },
    {
      name: 'snmp_rs_stats_update_interval',
      args: [word('SECONDS')],
      doc: 'SNMP of the load balancer.',
    },
    {
      name: 'snmp_vs_stats_update_interval',
      args: [word('SECONDS')],
      doc: 'SNMP of the load balancer.',
    },
    { name: 'lvs_netlink_cmd_rcv_bufs', args: bytes, missing: 'config', doc: buffers },
    { name: 'lvs_netlink_cmd_rcv_bufs_force', args: switched, doc: buffers },
    { name: 'lvs_netlink_monitor_rcv_bufs', args: bytes, missing: 'config', doc: buffers },
    { name: 'lvs_netlink_monitor_rcv_bufs_force', args: switched, doc: buffers },
  ],
)
