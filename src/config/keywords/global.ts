/** `global_defs`: the plain settings of the process, of scripts and of the protocol. */
import type { Ip } from '../../base/ip.ts'
import { secondsToUs, us } from '../../base/time.ts'
import type { GlobalDraft, GlobalInputs } from '../draft/draft.ts'
import type { PlainEntry } from '../grammar/entries.ts'
import * as kinds from '../grammar/kinds.ts'
import {
  absolutePath,
  anyWords,
  choice,
  inBlock,
  integer,
  matching,
  optionalWord,
  unsigned,
} from '../grammar/make.ts'
import { Options, optionLines } from '../grammar/option.ts'
import type { GlobalOptions } from '../types.ts'

const pathOrOff = matching('DIRECTORY|off', /^(\/.*|off)$/, 'is neither an absolute path nor off')
const commName = matching('NAME', /^.{1,15}$/, 'is not a name of at most 15 characters')

const busName = matching(
  'NAME',
  /^(?=.{1,255}$)[A-Za-z_-][A-Za-z0-9_-]*(\.[A-Za-z_-][A-Za-z0-9_-]*)+$/,
  'is no name of a D-Bus service, such as org.keepalived.Vrrp1',
)

const scriptSeconds = kinds.wholeSeconds(1, 1000)

export const globalOptions: Options<GlobalOptions> = new Options<GlobalOptions>({
  routerId: {
    name: 'router_id',
    takes: kinds.word('NAME'),
    missing: 'config',
    defaultFrom: ({ world }) => world.hostname,
    defaultText: 'the host name',
    doc: 'The name of this router in mails.',
  },
  noEmailFaults: {
    name: 'no_email_faults',
    takes: kinds.bare,
    default: false,
    doc: 'No mail on entering the fault state.',
  },
  startupDelayUs: {
    name: 'vrrp_startup_delay',
    takes: kinds.seconds(0.001, 4294.967295, 6),
    default: us(0),
    since: '2.0.16',
    onReload: 'next-start',
    doc: 'After the start of the daemon no instance takes part for so long.',
    label: 'startup delay',
    inCheck: (delay) => delay > 0 && kinds.spanText(delay),
  },
  delayAfterBootUs: {
    name: 'vrrp_delay_after_boot',
    takes: kinds.seconds(0.001, 4294.967295, 6),
    default: us(0),
    since: '2.4.0',
    onReload: 'next-start',
    doc: 'As vrrp_startup_delay, counted from the boot of the host: a daemon that starts later waits for the rest of it, or not at all. Of both the one that ends later counts.',
    label: 'delay after boot',
    inCheck: (delay) => delay > 0 && kinds.spanText(delay),
  },
  livenessUs: {
    name: 'vipd_liveness',
    takes: kinds.seconds(0, 3600, 3),
    default: secondsToUs(3),
    doc: 'vipd’s own: without a sign of life of the deciding part for this long the engine gives up leadership, so that a peer takes over. 0: never.',
    label: 'liveness',
    inCheck: (span) => (span === 0 ? 'off' : kinds.spanText(span)),
  },
  addressLifetimeSeconds: {
    name: 'vipd_address_lifetime',
    takes: kinds.quantity('SECONDS', 's', 0, 86_400),
    default: 8,
    doc: 'vipd’s own: the kernel removes a virtual address by itself when it was not renewed for this long, so that none stays behind when the daemon and its warden are both killed. Longer where the interval to a peer’s take-over asks for it. 0: addresses stay for ever.',
    label: 'address lifetime',
    inCheck: (seconds) => (seconds === 0 ? 'for ever' : `${seconds} s`),
  },
  kernelLease: {
    name: 'vipd_kernel_lease',
    takes: kinds.oneOf('on|off|auto', 'on', 'off', 'auto'),
    default: 'off',
    doc: 'vipd’s own: the kernel answers for a virtual address (ARP, neighbour discovery, IP, virtual MAC address) only while adverts leave this host: down_timer_adverts intervals after the last one it is silent, whatever became of the processes. Needs nft and kernel 5.16 (egress hook); where they are missing `on` is reported and `auto` is not. See docs/kernel-lease.md.',
    label: 'kernel lease',
    inCheck: (mode) => mode !== 'off' && mode,
  },
  dumpDirectory: {
    name: 'vipd_dumps',
    takes: kinds.word('DIRECTORY', absolutePath('DIRECTORY')),
    default: null,
    doc: 'vipd’s own: keepalived’s dump files are written there when a signal asks for them: `keepalived.data` after SIGUSR1, `keepalived.stats` after SIGUSR2 and SIGRTMAX−1, `keepalived.json` after SIGRTMIN+2; see docs/keepalived.md. Exporters look in `/tmp`.',
    label: 'dump files',
    inCheck: (directory) => directory !== null && directory,
  },
  historyDirectory: {
    name: 'vipd_history',
    takes: kinds.word('DIRECTORY|off', pathOrOff),
    default: null,
    doc: 'vipd’s own: where transitions, and claims of other machines, are kept over restarts, for `vipd history`; below it a directory for each further daemon of the host; `off` keeps none. Default: `/var/lib/vipd`, for a daemon whose run directory is `/run/vipd` or beside or below it; one with another `--run-dir` keeps none. See docs/terminal.md.',
    label: 'history',
    inCheck: (directory) => directory !== null && directory,
  },
  dbus: {
    name: 'enable_dbus',
    takes: kinds.bare,
    default: false,
    doc: 'keepalived’s objects on the system’s D-Bus: names, states and their changes, SendGarp, PrintData, ReloadConfig. The bus needs a policy that lets vipd have the name: docs/dbus.md.',
    label: 'D-Bus',
    inCheck: (on, { dbusName }) => on && dbusName,
  },
  dbusName: {
    name: 'dbus_service_name',
    takes: kinds.word('NAME', busName),
    missing: 'config',
    default: 'org.keepalived.Vrrp1',
    doc: 'The name on the bus. Each of several daemons of a host needs one of its own, and the policy of the bus must have it. Object paths and interfaces stay as they are.',
  },
  dbusNoInterface: {
    name: 'dbus_no_interface_name',
    takes: kinds.word('NAME'),
    missing: 'config',
    default: 'none',
    since: '2.2.8',
    doc: 'Stands in the path of the D-Bus object of an instance without interface.',
  },
  jsonVersion: {
    name: 'json_version',
    takes: kinds.oneOf('VERSION', '1', '2'),
    default: '1',
    since: '2.2.8',
    doc: 'The form of `keepalived.json`: 1 is a list of instances, 2 an object that also has the tracked processes. `vipd status --json` is another.',
  },
  nftablesPriority: {
    name: 'nftables_priority',
    takes: kinds.whole('PRIORITY', -2_147_483_648, 2_147_483_647),
    default: -1,
    doc: 'Priority of the nftables chains of no_accept in the hooks input and output.',
  },
  nftablesCounters: {
    name: 'nftables_counters',
    takes: kinds.bare,
    default: false,
    doc: 'The rules of no_accept count packets: `nft list table inet vipd_run_…`.',
  },
  scriptSecurity: {
    name: 'enable_script_security',
    takes: kinds.bare,
    default: false,
    doc: 'What would run as root is not run when another user could change it, its interpreter, what it names to a shell, or a directory or link on the way: see docs/security.md.',
    label: 'script security',
    inCheck: (on) => (on ? 'on' : 'off'),
  },
  scriptNoNewPrivs: {
    name: 'vipd_script_no_new_privs',
    takes: kinds.onOff,
    default: false,
    doc: 'vipd’s own: programs that are run, and what they start, gain nothing from set-user-ID programs (sudo) and file capabilities (ping). Recommended where no script needs them.',
  },
  fifoStatesOnReload: {
    name: 'fifo_write_vrrp_states_on_reload',
    takes: kinds.bare,
    default: false,
    doc: 'After a reload every state is written to the FIFOs again.',
  },
  dynamicInterfaces: {
    name: 'dynamic_interfaces',
    takes: {
      ...kinds.bare,
      args: [{ ...choice('allow_if_changes', 'allow_if_changes'), optional: true }],
    },
    default: false,
    doc: 'Interfaces may be absent at start, appear and vanish. That one may come back as another type needs no permission here.',
  },
  logUnknownVrids: {
    name: 'log_unknown_vrids',
    takes: kinds.bare,
    default: false,
    doc: 'Adverts for a VRID that is not configured are logged.',
  },
  nice: {
    name: 'vrrp_priority',
    takes: kinds.whole('NICE', -20, 19),
    missing: 'config',
    default: null,
    defaultText: 'unchanged',
    onReload: 'restart',
    doc: 'Nice value of the process.',
  },
  realtimePriority: {
    name: 'vrrp_rt_priority',
    takes: kinds.whole('PRIORITY', 1, 99, { clamp: true }),
    missing: 'config',
    default: 0,
    defaultText: '0 (none asked for)',
    onReload: 'restart',
    doc: 'Real-time priority of the engine. Without it the engine takes one where it is permitted to.',
  },
  // Far above what a take-over of ten thousand addresses computes in one go (tens of µs for each), and short for a
  // machine whose only core has nothing for other work meanwhile.
  rttimeUs: {
    name: 'vrrp_rlimit_rttime',
    older: { name: 'vrrp_rlimit_rtime' },
    takes: kinds.quantity('MICROSECONDS', 'µs', 1, unsigned),
    default: 2_000_000,
    onReload: 'restart',
    doc: 'How long the engine may compute without waiting before it loses its real-time priority, which is logged and degrades the status. keepalived’s 10000 kills it; a take-over of hundreds of addresses takes longer.',
  },
  processName: {
    name: 'process_name',
    takes: kinds.word('NAME', commName),
    default: null,
    defaultText: 'vipd; keepalived in its place',
    onReload: 'next-start',
    doc: 'The name of the process for ps, pgrep and pidof; vrrp_process_name counts before it.',
  },
  vrrpProcessName: {
    name: 'vrrp_process_name',
    takes: kinds.word('NAME', commName),
    default: null,
    defaultText: 'as process_name',
    onReload: 'next-start',
    doc: 'keepalived has a process for VRRP beside its parent; here both are one.',
  },
  reloadFile: {
    name: 'reload_file',
    takes: {
      args: [{ ...absolutePath('PATH'), optional: true }],
      value: ([path]) => String(path ?? ''),
      text: String,
    },
    default: null,
    doc: 'A file that is there while a reload reads the configuration, so that what writes it can wait. Without PATH it is `/run/keepalived/keepalived.reload` (with net_namespace in `/run/keepalived/NAME`, with instance `keepalived_NAME.reload`). A reading that hangs leaves it behind; the next one takes it away.',
  },
  noSwap: {
    name: 'vrrp_no_swap',
    takes: kinds.bare,
    default: false,
    onReload: 'restart',
    doc: 'Lock the memory of the process.',
  },
})

/** What only the making of a configuration needs. */
export const globalInputs: Options<GlobalInputs> = new Options<GlobalInputs>({
  version: {
    name: 'vrrp_version',
    takes: {
      ...kinds.whole('VERSION', 2, 3),
      value: ([version]) => (version === 3 ? 3 : 2),
    },
    default: 2,
    doc: 'The protocol of IPv4 instances that do not name one. IPv6 instances use 3.',
  },
  group4: {
    name: 'vrrp_mcast_group4',
    takes: kinds.group(4),
    default: '224.0.0.18' as Ip,
    doc: 'The multicast group of IPv4 instances.',
  },
  group6: {
    name: 'vrrp_mcast_group6',
    takes: kinds.group(6),
    default: 'ff02::12' as Ip,
    doc: 'The multicast group of IPv6 instances.',
  },
  startupTimeoutUs: {
    name: 'startup_script_timeout',
    takes: scriptSeconds,
    missing: 'config',
    default: secondsToUs(10),
    doc: 'How long startup_script may take.',
  },
  shutdownTimeoutUs: {
    name: 'shutdown_script_timeout',
    takes: scriptSeconds,
    missing: 'config',
    default: secondsToUs(10),
    doc: 'How long shutdown_script may take.',
  },
  supplementaryGroups: {
    name: 'set_supplementary_groups',
    takes: kinds.onOff,
    default: false,
    since: '2.4.4',
    doc: 'Scripts have all groups of their user. Without it only those whose user is written as `USER :GROUP`.',
  },
  rxBuffers: {
    name: 'vrrp_rx_bufs_policy',
    takes: {
      args: [
        matching(
          'MTU|ADVERT|BYTES',
          /^(MTU|ADVERT|0*[1-9]\d{0,8})$/,
          'is not MTU, ADVERT or a number of bytes',
        ),
      ],
      value: ([policy]) => {
        if (policy === 'MTU') return 'MTU'
        return policy === 'ADVERT' ? 'ADVERT' : Number(policy)
      },
      text: String,
    },
    missing: 'config',
    default: null,
    defaultText: 'the system default',
    doc: 'Receive buffer of the sockets of an instance without kernel_rx_buf_size: so many MTUs of its interface, or so many of its adverts, as vrrp_rx_bufs_multiplier says; or a number of bytes. The kernel’s least (2304 bytes) counts where it is more.',
  },
  rxMultiplier: {
    name: 'vrrp_rx_bufs_multiplier',
    takes: kinds.whole('COUNT', 1, unsigned),
    missing: 'config',
    extra: 'error',
    default: 3,
    doc: 'Factor of MTU and ADVERT in vrrp_rx_bufs_policy; not of a number of bytes, as in keepalived.',
  },
  mail: {
    name: 'smtp_alert',
    takes: kinds.onOff,
    default: false,
    doc: 'Mail on changes of state, for every block that does not say otherwise.',
  },
  defaultInterface: {
    name: 'default_interface',
    takes: kinds.word('INTERFACE'),
    missing: 'config',
    default: 'eth0',
    doc: 'The interface of static addresses that do not name one.',
  },
  vmacPrefix: {
    name: 'vmac_prefix',
    takes: kinds.word('NAME'),
    once: true,
    default: 'vrrp',
    doc: 'Links of use_vmac are called NAME.VRID; one whose name is taken NAME6.VRID (IPv6), NAME1.VRID and so on, in the order of the file.',
  },
  vmacAddressPrefix: {
    name: 'vmac_addr_prefix',
    takes: kinds.word('NAME'),
    once: true,
    default: '',
    defaultText: 'vmac_prefix',
    doc: 'The same for links of use_vmac_addr, and of use_vmac on an address.',
  },
})

/** Nothing to set: vipd always does what they ask for. */
export const alwaysKeywords: readonly PlainEntry[] = inBlock<null>('global_defs', [
  {
    name: 'nftables',
    once: true,
    args: [optionalWord('TABLE')],
    doc: 'Accepted: no_accept is always enforced by nftables. vipd’s table is named after its run directory whatever TABLE says, so that it is never taken for another program’s, nor that for its own (keepalived deletes what it finds under the name).',
  },
  {
    name: 'nftables_ifindex',
    doc: 'Accepted. A link-local address is dropped on its own interface, which the rules know by name: they hold for an interface that is made again.',
  },
  {
    name: 'vrrp_iptables',
    args: [anyWords('[IN [OUT]]')],
    deprecated: 'nftables',
    deprecationCounts: true,
    doc: 'nftables is used instead, as by a keepalived that was built without iptables: the rules stand in a table of vipd’s own, not in the chains IN and OUT.',
  },
  {
    name: 'vrrp_ipsets',
    args: [anyWords('[NAME …]')],
    doc: 'Accepted: names the sets of vrrp_iptables, of which there are none.',
  },
  {
    name: 'max_auto_priority',
    args: [{ ...integer('PRIORITY', -1, 99), optional: true }],
    default: '0',
    doc: 'Accepted. The engine is real-time from the start where that is permitted; see vrrp_rt_priority.',
  },
  {
    name: 'min_auto_priority_delay',
    args: [integer('MICROSECONDS', 1, 10_000_000)],
    missing: 'config',
    unit: 'µs',
    default: '1000000',
    doc: 'Accepted; belongs to max_auto_priority.',
  },
])

export const globalKeywords = [
  ...optionLines('global_defs', globalOptions, ({ options }: GlobalDraft) => options),
  ...optionLines('global_defs', globalInputs, ({ inputs }: GlobalDraft) => inputs),
]
