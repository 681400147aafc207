/**
 * The names, labels and values of keepalived-exporter 1.7: dashboards and alerts that were made for it work unchanged. What
 * it says that is odd (a delay as a counter) is said here too.
 */

import type { DumpCounts } from '../../report/dump.ts'
import { keepalivedCounts } from '../../report/keepalived-counts.ts'
import type { Status, StatusInstance } from '../../report/status.ts'
import type { Family, Sample } from './exposition.ts'

export function keepalivedFamilies(status: Status): readonly Family[] {
  const { instances } = status
  const known = instances.map((it) => ({ it, counts: keepalivedCounts(it) }))
  return [
    gauge('keepalived_up', 'Whether the daemon answers.', [{ labels: {}, value: 1 }]),
    gauge(
      'keepalived_vrrp_state',
      'State of vrrp: 0 INIT, 1 BACKUP, 2 MASTER, 3 FAULT.',
      instances.flatMap((it) => states(it, false)),
    ),
    gauge(
      'keepalived_vrrp_excluded_state',
      'State of vrrp with excluded VIP: 0 INIT, 1 BACKUP, 2 MASTER, 3 FAULT.',
      instances.flatMap((it) => states(it, true)),
    ),
    counter(
      'keepalived_gratuitous_arp_delay_total',
      'Gratuitous ARP delay in seconds: a setting, in spite of its name.',
      instances.map((it) => ({ labels: labelsOf(it), value: it.garpDelaySeconds })),
    ),
    ...counters.map(([name, help, pick]) =>
      counter(
        name,
        help,
        known.map(({ it, counts }) => ({ labels: labelsOf(it), value: counts[pick] })),
      ),
    ),
    ...scripts(status),
  ]
}

const counters: readonly (readonly [name: string, help: string, pick: keyof DumpCounts])[] = [
  ['keepalived_advertisements_received_total', 'Advertisements received.', 'received'],
  ['keepalived_advertisements_sent_total', 'Advertisements sent.', 'sent'],
  ['keepalived_become_master_total', 'Became master.', 'becameMaster'],
  ['keepalived_release_master_total', 'Released master.', 'releasedMaster'],
  ['keepalived_packet_length_errors_total', 'Packet length errors.', 'lengthErrors'],
  ['keepalived_ip_ttl_errors_total', 'IP TTL errors.', 'ttlErrors'],
  ['keepalived_invalid_type_received_total', 'Invalid type received.', 'typeErrors'],
  [
    'keepalived_advertisements_interval_errors_total',
    'Advertisement interval errors.',
    'intervalErrors',
  ],
  ['keepalived_address_list_errors_total', 'Address list errors.', 'addressListErrors'],
  ['keepalived_authentication_invalid_total', 'Authentication of another type.', 'authTypeErrors'],
  ['keepalived_authentication_mismatch_total', 'Authentication mismatches.', 'authMismatches'],
  ['keepalived_authentication_failure_total', 'Authentication failures.', 'authFailures'],
  ['keepalived_priority_zero_received_total', 'Priority zero received.', 'zeroReceived'],
  ['keepalived_priority_zero_sent_total', 'Priority zero sent.', 'zeroSent'],
]

const gauge = (name: string, help: string, samples: readonly Sample[]): Family => ({
  ...{ name, help, type: 'gauge', samples },
})
const counter = (name: string, help: string, samples: readonly Sample[]): Family => ({
  ...{ name, help, type: 'counter', samples },
})

const labelsOf = ({ name, interface: intf, vrid }: StatusInstance) => ({
  iname: name,
  intf: intf ?? '',
  vrid,
})

const numbers: Readonly<Record<string, number>> = { INIT: 0, BACKUP: 1, MASTER: 2, FAULT: 3 }

/** One for each address, with the interface that it belongs to; one without an address where there is none. */
function states(it: StatusInstance, excluded: boolean): readonly Sample[] {
  const value = numbers[it.state] ?? 0
  const own = it.addresses.filter((address) => address.excluded === excluded)
  if (own.length === 0)
    return excluded ? [] : [{ labels: { ...labelsOf(it), ip_address: '' }, value }]
  return own.map(({ address, prefixLength, interface: intf }) => {
    const host = prefixLength === (address.includes(':') ? 128 : 32)
    const ip_address = host ? address : `${address}/${prefixLength}`
    return { labels: { ...labelsOf(it), intf, ip_address }, value }
  })
}

/** Tracked scripts alone: keepalived has none for tracked files and processes. */
function scripts({ checks }: Status): readonly Family[] {
  const own = checks.filter(({ name }) => !/^(?:file|process)\//.test(name))
  const told = own.filter(({ good }) => good !== null)
  return [
    gauge(
      'keepalived_script_status',
      'Tracker Script Status: 0 BAD, 1 GOOD.',
      told.map(({ name, good }) => ({ labels: { name }, value: good === true ? 1 : 0 })),
    ),
    gauge(
      'keepalived_script_state',
      'Tracker Script State: 0 idle.',
      own.map(({ name }) => ({ labels: { name }, value: 0 })),
    ),
  ]
}
