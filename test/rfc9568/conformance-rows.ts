/** RFC 9568 sentence by sentence: what vipd does of it, and the tests that show it. docs/conformance.md is made from it. */

export type Verdict =
  | 'met'
  /** Done, and kept within a bound or a condition that the note names. */
  | 'bounded'
  /** Not done; the note says why. */
  | 'not met'
  /** The kernel's, which vipd neither does nor hinders. */
  | 'kernel'
  /** About what vipd does not have. */
  | 'does not apply'

/** A file below test/ and a piece of the name of a test in it. */
export type Shown = readonly [file: string, name: string]

export type Row = {
  readonly section: string
  readonly level: string
  readonly sentence: string
  readonly verdict: Verdict
  readonly note: string
  readonly shown: readonly Shown[]
}

const row = (
  section: string,
  level: string,
  sentence: string,
  verdict: Verdict,
  note: string,
  ...shown: readonly Shown[]
): Row => ({ section, level, sentence, verdict, note, shown })

const vrrp = 'unit/wire/vrrp.test.ts'
const protocol = 'e2e/protocol.test.ts'
const backup = 'rfc9568/6.4.2-backup.test.ts'
const active = 'rfc9568/6.4.3-active.test.ts'
const receiving = 'rfc9568/7.1-receiving.test.ts'
const timers = 'rfc9568/6.1-timers.test.ts'
const startup = 'rfc9568/6.4.1-initialize.test.ts'
const dissector = 'e2e/tshark-dissector.test.ts'
const parts = 'unit/router/parts.test.ts'
const firewall = 'unit/daemon/firewall.test.ts'
const plans = 'unit/engine/plans.test.ts'
const check = 'unit/config/check.test.ts'
const resolution = 'unit/router/interface-resolution.test.ts'

const noMac =
  'no virtual MAC: frames carry the interface’s own address, and gratuitous ARP or neighbour advertisements move the hosts'

export const rows: readonly Row[] = [
  row('5.1.1.1, 7.2', 'MUST', 'the IPv4 source is the primary address', 'met', '', [
    resolution,
    'carries the instance',
  ]),
  row(
    '5.1.1.2',
    'MUST NOT',
    'forward packets to 224.0.0.18',
    'kernel',
    'Linux forwards no link-local multicast',
  ),
  row('5.1.1.3, 5.1.2.3', 'MUST', 'send TTL or hop limit 255', 'met', '', [
    dissector,
    'version 3 over IPv4 and IPv6',
  ]),
  row(
    '5.1.1.3, 5.1.2.3',
    'MUST',
    'discard another TTL or hop limit',
    'met',
    'multicast; unicast, which is no part of the RFC, takes `min_ttl` and `max_ttl`',
    [protocol, 'a wrong TTL and an unknown VRID'],
    [vrrp, 'every reject reason'],
  ),
  row('5.1.1.4, 5.1.2.4', '', 'protocol 112', 'met', '', [
    dissector,
    'version 3 over IPv4 and IPv6',
  ]),
  row(
    '5.1.2.1, 7.2',
    'MUST',
    'the IPv6 source is link-local',
    'bounded',
    'by default; `mcast_src_ip` with another address is obeyed, and `check` warns',
    [resolution, 'IPv6 speaks from a link-local address'],
    [check, 'a router of another make may ignore'],
  ),
  row('5.2.2', 'MUST', 'discard an unknown type', 'met', '', [vrrp, 'every reject reason']),
  row(
    '1.7, 5.2.4',
    'MUST',
    'the owner of the addresses has priority 255',
    'bounded',
    '`check` names an owner with another priority: an error under `vrrp_strict`, else a warning',
    [check, 'is the host’s own is named'],
    ['e2e/owner.test.ts', 'an owner that has another priority'],
  ),
  row('5.2.4', 'MUST', 'backups have 1 to 254; 0 says that the master leaves', 'met', '', [
    'e2e/daemon.test.ts',
    'SIGTERM: priority 0',
  ]),
  row(
    '5.2.5',
    'MUST',
    'ignore a count of 0',
    'met',
    'unless the instance has none itself (`no_virtual_ipaddress`)',
    [protocol, 'a master does not yield to an advert without addresses'],
    [vrrp, 'an advert of no address is not believed'],
  ),
  row('5.2.6', 'MUST', 'reserved bits are 0 when sent and ignored when received', 'met', '', [
    vrrp,
    'reserved bits of version 3',
  ]),
  row(
    '5.2.7',
    'MUST',
    'an interval of 1 to 4095 centiseconds; 0 is refused',
    'met',
    '',
    [vrrp, 'every reject reason'],
    [vrrp, 'intervals are rounded'],
  ),
  row(
    '5.2.8',
    '',
    'the IPv4 checksum covers the message only',
    'bounded',
    'either form is accepted and counted; the one with the pseudo-header (RFC 5798, keepalived) is sent unless `v3_checksum_as_v2` is written',
    [protocol, 'either checksum of version 3'],
    [vrrp, 'version 3 over IPv4: either checksum'],
  ),
  row(
    '5.2.8',
    '',
    'the IPv6 checksum covers the pseudo-header too',
    'met',
    '',
    [vrrp, 'IPv6 and version 2 have one checksum'],
    [dissector, 'version 3 over IPv4 and IPv6'],
  ),
  row(
    '5.2.9, 6.1',
    'MUST',
    'the first IPv6 address sent is link-local',
    'bounded',
    'the order is the configuration’s; `check` warns, and `vrrp_strict` makes it an error',
    [check, 'a router of another make may ignore'],
  ),
  row(
    '5.2.9',
    'MUST',
    'the first IPv6 address received is link-local',
    'bounded',
    'accepted as keepalived does, counted as `first-address` and logged',
    [receiving, 'a first address that is not link-local'],
  ),
  row('5.2.9', 'MUST', 'addresses are of one family, the packet’s', 'met', '', [
    'unit/config/lower.test.ts',
    'an instance takes the family of its first address; others are left out, excluded ones are not',
  ]),
  row(
    '6.1',
    '',
    'Skew_Time and Active_Down_Interval',
    'met',
    'in whole microseconds; `down_timer_adverts` counts other than 3 adverts',
    [timers, 'version 3 skew is'],
    [timers, 'down interval is three adverts'],
  ),
  row(
    '6.1',
    '',
    'Accept_Mode is false by default',
    'not met',
    'true, as in keepalived, for version 3 too; `no_accept` or `vrrp_strict` makes it false',
    [check, ': no exit status'],
    [firewall, 'no_accept rules name'],
  ),
  row(
    '6.1',
    'MUST NOT',
    'drop neighbour solicitations and advertisements when Accept_Mode is false',
    'met',
    '',
    [firewall, 'no_accept rules name'],
  ),
  row(
    '6.4.1',
    '',
    'the owner is active at once',
    'bounded',
    'in a sync group with members that are none it listens first',
    [startup, 'Startup of the address owner'],
    [startup, 'an owner in a sync group'],
    ['e2e/owner.test.ts', 'the owner leads with its only address'],
  ),
  row('6.4.1', '', 'others listen for an Active_Down_Interval', 'met', '', [
    startup,
    'Startup with a priority below 255',
  ]),
  row(
    '6.4.2',
    'MUST NOT',
    'a backup answers ARP or neighbour solicitations for the addresses',
    'met',
    'it does not have them',
    [plans, 'backup: deletes on entering'],
  ),
  row(
    '6.4.2',
    'MUST NOT',
    'a backup sends router advertisements',
    'met',
    'vipd sends none: see below',
  ),
  row(
    '6.4.2',
    'MUST',
    'a backup discards frames to the virtual MAC',
    'does not apply',
    'no virtual MAC',
  ),
  row(
    '6.4.2',
    'MUST NOT',
    'a backup accepts packets to the addresses',
    'met',
    'it does not have them',
    [plans, 'backup: deletes on entering'],
  ),
  row(
    '6.4.2',
    '',
    'the timer fires: an advert, then gratuitous ARP or neighbour advertisements',
    'met',
    '',
    [plans, 'taking over: advert, addresses'],
    [backup, 'Active_Down_Timer fires'],
  ),
  row(
    '6.4.2',
    '',
    'the neighbour advertisement has R and O set, S clear',
    'bounded',
    'R where the interface forwards (`net.ipv6.conf.IFACE.forwarding`), followed when it changes: a host that does not forward is no router (RFC 4861)',
    ['e2e/router.test.ts', 'leaves the hosts their default route'],
    ['e2e/router.test.ts', 'a master follows the forwarding'],
    ['unit/router/forwarding.test.ts', 'the router flag is that of the interface'],
  ),
  row('6.4.2', '', 'gratuitous ARP has the virtual MAC', 'not met', noMac),
  row('6.4.2', '', 'join the solicited-node group', 'kernel', 'with the address'),
  row(
    '6.4.2',
    '',
    'priority 0: the timer becomes Skew_Time',
    'bounded',
    'of resignations the first five within ten intervals (at most 10 s) are believed',
    [backup, 'priority zero sets the timer'],
    ['unit/election/damping.test.ts', 'of resignations the first five'],
  ),
  row(
    '6.4.2',
    '',
    'Preempt_Mode false, or at least our priority: learn the interval, reset the timer',
    'met',
    '',
    [backup, 'an advert as high or higher'],
    [backup, 'without Preempt_Mode'],
  ),
  row(
    '6.4.2',
    '',
    'Preempt_Mode and a lower priority: discard',
    'met',
    '`preempt_delay` puts it off',
    [backup, 'with Preempt_Mode a lower advert'],
  ),
  row(
    '6.4.3',
    'MUST',
    'the master answers ARP and neighbour solicitations',
    'kernel',
    'it has the addresses; the R flag is the kernel’s own rule, the same as above',
  ),
  row(
    '6.4.3',
    'MUST',
    'the master sends router advertisements',
    'not met',
    'radvd does, from the virtual link-local address: see below',
  ),
  row(
    '6.4.3',
    'MUST',
    'the master forwards frames to the virtual MAC',
    'does not apply',
    'no virtual MAC',
  ),
  row(
    '6.4.3',
    'MUST',
    'accept packets to the addresses only as owner or with Accept_Mode',
    'met',
    'see Accept_Mode’s default above',
    [firewall, 'no_accept rules name'],
  ),
  row(
    '6.4.3',
    '',
    'shutdown: priority 0',
    'met',
    'twice, as keepalived',
    ['e2e/daemon.test.ts', 'SIGTERM: priority 0'],
    [plans, 'a master that leaves says so first'],
  ),
  row(
    '6.4.3',
    '',
    'Adver_Timer fires: send, reset',
    'met',
    'up to a 64th of the interval early, so that many instances share a wake-up',
    ['native/core.test.ts', 'repeats that are due almost now'],
  ),
  row(
    '6.4.3',
    '',
    'priority 0 heard: send at once, reset Adver_Timer',
    'bounded',
    'five answers at once and two a second; the timer is reset with an answer only',
    [protocol, 'priority zero is answered, and the next advert'],
    [active, 'priority zero of another master'],
    ['unit/router/instance.test.ts', 'sets the advert timer anew'],
  ),
  row(
    '6.4.3',
    '',
    'a higher priority, or equal and a higher address: backup, learn the interval',
    'met',
    'one that comes and goes is yielded to each time; taking over again is damped',
    [active, 'a higher advert: backup of its sender'],
    [active, 'between equals the higher address'],
    ['unit/election/damping.test.ts', 'twice costs nothing'],
  ),
  row(
    '6.4.3',
    '',
    'otherwise discard, and send an advert at once',
    'bounded',
    'five answers at once and two a second',
    [active, 'a lower advert is discarded and answered'],
    [parts, 'a token bucket allows a burst'],
  ),
  row(
    '6.4.3',
    '',
    'equal priority and our own address: the same',
    'not met',
    'warned, not answered: it is our own packet come back, or an address used twice, and an answer would feed the loop',
    [active, 'our own address with our own priority'],
  ),
  row(
    '6.4.3',
    '',
    'the owner discards another owner’s advert of a lower address',
    'bounded',
    'for two intervals; one that still sends will never yield, and one master is worth more than being right: we follow it with 254, as keepalived',
    [active, 'one that should have yielded and does not'],
  ),
  row(
    '7.1',
    'MUST',
    'version, type, complete, checksum, a VRID of the interface',
    'met',
    '',
    [vrrp, 'every reject reason'],
    [protocol, 'a wrong TTL and an unknown VRID'],
  ),
  row(
    '7.1',
    'MUST',
    'the packet is complete; more is no failure',
    'met',
    'what lies behind is counted as `excess-octets`',
    [protocol, 'an advert with octets behind it'],
    [vrrp, 'octets behind a complete advert'],
  ),
  row(
    '7.1',
    'SHOULD',
    'log what fails, rate-limited',
    'met',
    'once by reason until the state or the master changes; of a flood the kernel drops what is not ours, uncounted',
    [parts, 'a rejected one is counted by its reason'],
    [protocol, 'a wrong TTL and an unknown VRID'],
    ['native/gate-cases.ts', 'until there are too many'],
  ),
  row('7.1', 'SHOULD', 'log another Max Advertise Interval', 'met', '', [
    receiving,
    'another Max Advertise Interval',
  ]),
  row(
    '7.1',
    'SHOULD',
    'compare the address lists and log a difference',
    'met',
    'used all the same; `skip_check_adv_addr` leaves it out',
    [parts, 'another address list is used'],
  ),
  row('7.1', 'SHOULD', 'the owner logs another 255', 'met', '', [
    active,
    'one that should have yielded and does not',
  ]),
  row('7.2', 'MUST', 'the source MAC is the virtual one', 'not met', noMac),
  row('7.2', 'MUST', 'fields, protocol and group from the configuration', 'met', '', [
    dissector,
    'version 3 over IPv4 and IPv6',
  ]),
  row(
    '7.4',
    'MUST NOT',
    'the virtual MAC in interface identifiers',
    'does not apply',
    'no virtual MAC',
  ),
  row('8.1.2', 'MUST', 'ARP answers with the virtual MAC', 'not met', noMac),
  row('8.1.2', 'MUST', 'gratuitous ARP after the address is configured', 'met', '', [
    plans,
    'taking over: advert, addresses',
  ]),
  row(
    '8.1.3',
    'MUST',
    'proxy ARP with the virtual MAC',
    'does not apply',
    'vipd configures no proxy ARP',
  ),
  row('8.2.1', 'SHOULD', 'redirects from the address that the host used', 'kernel', ''),
  row('8.2.2', 'MUST', 'neighbour discovery with the virtual MAC', 'not met', noMac),
  row(
    '8.2.3',
    'MUST',
    'backups advertise the same router options',
    'not met',
    'radvd’s: the same file on both hosts, see below',
  ),
  row('8.2.4', 'SHOULD', 'accept unsolicited neighbour advertisements', 'kernel', ''),
  row(
    '8.3.1',
    'SHOULD NOT',
    'forward packets to the addresses when not the owner',
    'not met',
    'a master has the addresses, so nothing is forwarded; a backup routes a packet for them as any other',
  ),
  row('8.3.2', 'SHOULD', 'log several routers with 255', 'met', '', [
    active,
    'one that should have yielded and does not',
  ]),
  row('8.3.2', 'MAY', 'log equal priorities', 'bounded', 'when two masters meet', [
    active,
    'between equals the higher address',
  ]),
  row(
    '8.4.2',
    'MAY',
    'send and hear versions 2 and 3 together',
    'not met',
    'one version for an instance; the other is counted as `bad-version`',
    [vrrp, 'every reject reason'],
  ),
  row(
    '2.5',
    'SHOULD',
    'log flapping that small intervals cause',
    'met',
    'waking late is a cause of its own, and damping is logged',
    [active, 'late means listen'],
    ['unit/election/damping.test.ts', 'twice costs nothing'],
  ),
]
