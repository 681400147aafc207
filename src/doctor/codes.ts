/** Every finding that `vipd doctor` knows: its code, which scripts match and which never changes, how bad it is, and why it matters. */

export type Severity = 'error' | 'warning' | 'note'

type Kind = { readonly severity: Severity; readonly why: string }

const error = (why: string): Kind => ({ severity: 'error', why })
const warning = (why: string): Kind => ({ severity: 'warning', why })
const note = (why: string): Kind => ({ severity: 'note', why })

export const codes = {
  'daemon-away': error('No daemon watches the peer or holds the addresses of this configuration.'),
  'daemon-warning': warning('The running daemon says so itself; docs/status.md explains each.'),
  'instance-fault': error('An instance in FAULT never takes over, so the pair has no reserve.'),
  'configuration-broken': error(
    'With this file the daemon would not start, and a reload is refused.',
  ),
  'configuration-mistakes': warning('What is wrong in the file is left out of what runs.'),
  'scripts-insecure': warning('A user other than root could replace what the daemon runs as root.'),
  'configuration-changed': warning('A restart would run something else than what runs now.'),
  'configuration-other': note('What is said of the file is not about the daemon that runs.'),
  'upgrade-refused': note('The version that is installed is not the one that runs.'),
  'reload-rejected': warning('The daemon goes on with the configuration from before.'),
  'same-vrid-here': error(
    'The two do not hear each other: both lead, and both hold the addresses.',
  ),
  'keepalived-runs': note('Two daemons on one host each need VRIDs and addresses of their own.'),
  'keepalived-table': warning('Its rules go on dropping packets to the addresses that it held.'),
  'vipd-table': warning('Its rules go on dropping packets to the addresses of a dead daemon.'),
  'left-address': error('Two hosts answer for the address as soon as the peer leads.'),
  'foreign-address': warning('vipd does not remove an address that another program has set.'),
  'address-claimed': error(
    'Clients reach this host, or the other machine: as their ARP tables have it.',
  ),
  'address-was-claimed': note(
    'It comes back with the next restart of that machine, or of its network.',
  ),
  'claim-check-cannot-ask': warning(
    'A take-over goes on as if it had asked and none had answered.',
  ),
  'firewall-drops': error('The pair does not hear each other: both hosts lead at once.'),
  'firewall-may-drop': warning(
    'If it does, the pair does not hear each other and both hosts lead.',
  ),
  'rp-filter-strict': warning(
    'Packets that arrive on another interface than the route back are dropped without a word.',
  ),
  'arp-not-answered': error('No client finds the address: its ARP requests are not answered.'),
  'arp-filter': warning(
    'ARP requests are answered only on the interface of the route back to the client.',
  ),
  'keepalived-sysctls': note('keepalived sets these for use_vmac, and a kill leaves them.'),
  'promote-secondaries': note(
    'When the first address of that network is removed, the virtual one goes along.',
  ),
  'nonlocal-bind': note('A service that binds to the address itself cannot start on the backup.'),
  'interface-missing': warning('The instance is in FAULT until the interface appears.'),
  'interface-down': error('Nothing is sent or heard on it.'),
  'no-multicast': error('Adverts to a multicast group do not leave an interface without it.'),
  'mtu-small': error('An advert that does not fit is not sent: it is never fragmented.'),
  'ipv6-disabled': error('The kernel refuses IPv6 addresses there.'),
  'accept-dad': warning(
    'One frame that echoes its own solicitation switches IPv6 off on the interface.',
  ),
  'peer-unheard': warning(
    'The host is alive, but its adverts do not arrive or its daemon has ended.',
  ),
  'peer-silent': warning('If this host fails, there may be none to take over.'),
  'no-second-host': note('A backup is silent, so this host cannot tell whether there is one.'),
  'peer-ignored': warning(
    'Both hosts may lead at once: what that router sends is not believed here.',
  ),
  'equal-priority': warning('Which host leads is decided by the larger address.'),
  'unknown-vrid': note('Other routers share the segment; a mistyped VRID looks the same.'),
  'two-checksum-forms': note(
    'The routers of this VRID compute the checksum of version 3 in two ways.',
  ),
  'snooping-without-querier': note(
    'Without a querier, switches forget who listens and stop forwarding the group.',
  ),
  'clock-unsynchronised': warning(
    'Adverts signed with auth_hmac are refused when the clocks differ by more than the window.',
  ),
  'clock-skew': warning('When the skew passes the window of auth_hmac, adverts are refused.'),
  'no-realtime': warning('On a busy host adverts leave late, and the peer takes over for nothing.'),
  'realtime-throttled': warning('The kernel runs no real-time thread at all with this setting.'),
  'networkd-removes': warning(
    'systemd-networkd removes addresses that it did not set when it configures the interface.',
  ),
  'networkd-routes': warning('systemd-networkd removes routes and rules that it did not set.'),
  'networkmanager-manages': note(
    'NetworkManager may remove the address when the connection is activated again.',
  ),
  'missing-capability': error('The daemon can neither set addresses nor send adverts without it.'),
  'sysctls-read-only': note('Settings of IPv6 for virtual MAC addresses cannot be written.'),
  'memory-limit': warning('The kernel kills the daemon when the limit is reached.'),
  swapped: warning('A daemon that waits for the disk sends its adverts late.'),
  'swap-without-lock': note('Under pressure the daemon may be moved to the disk and be late.'),
  'unit-restart': warning('After a crash nothing starts the daemon again.'),
  'unit-watchdog': note('A daemon that hangs is not noticed by systemd.'),
  'unit-cleanup': note('After a kill the addresses stay until their lifetime ends.'),
  'warden-restarted': note(
    'The warden, which gives the addresses up when the daemon dies, had ended by itself.',
  ),
  'kernel-lease-off': note(
    'A kill or freeze of all processes at once leaves two hosts that answer, for seconds.',
  ),
  'lease-adverts': note(
    'A peer that waits for fewer adverts takes over before the lease of the master ends, and both answer.',
  ),
  'lease-sooner': note(
    'Two hosts answer from the take-over until the lease of the old master ends.',
  ),
  'kernel-feature': error('What the configuration asks for cannot be done on this host.'),
} as const satisfies Readonly<Record<string, Kind>>

export type Code = keyof typeof codes

/** What a rule has found. */
export type Found = {
  readonly code: Code
  /** The instance or interface; null: the host. */
  readonly about: string | null
  readonly what: string
  /** A command, or what to write where. */
  readonly mend: string
}

export type Finding = Found & Kind

const order: readonly Severity[] = ['error', 'warning', 'note']

/** Errors first; within a severity as they were found, each once. */
export function findingsOf(found: readonly Found[]): readonly Finding[] {
  const once = new Map(found.map((it) => [JSON.stringify(it), it]))
  const all = [...once.values()].map((it) => ({ ...it, ...codes[it.code] }))
  return order.flatMap((severity) => all.filter((it) => it.severity === severity))
}

/** Notes do not count: 0 nothing, 1 warnings, 2 errors. */
export function verdictOf(findings: readonly Finding[]): 0 | 1 | 2 {
  if (findings.some(({ severity }) => severity === 'error')) return 2
  return findings.some(({ severity }) => severity === 'warning') ? 1 : 0
}
