/** Why this version does not act on what it recognises: the end of its warning, and of its row in docs/configuration.md. */
import type { Keyword } from '../grammar/entries.ts'

/** By reason; a keyword as BLOCK.NAME. */
const reasons: readonly (readonly [string, string])[] = [
  [
    'global_defs.process_monitor_rcv_bufs global_defs.process_monitor_rcv_bufs_force global_defs.vrrp_netlink_cmd_rcv_bufs global_defs.vrrp_netlink_cmd_rcv_bufs_force global_defs.vrrp_netlink_monitor_rcv_bufs global_defs.vrrp_netlink_monitor_rcv_bufs_force',
    'vipd gives its netlink sockets large buffers, beyond the system’s limit where that is permitted, and reads everything again when the kernel reports that messages were lost',
  ],
  [
    'global_defs.data_use_instance global_defs.state_dump_file global_defs.stats_dump_file global_defs.json_dump_file',
    'the dump files have keepalived’s usual names in the directory of vipd_dumps, which each daemon can have for itself',
  ],
  [
    'global_defs.reload_time_file global_defs.reload_repeat',
    'a reload at a certain time is a matter of the system’s timers: `systemd-run --on-calendar="2026-12-24 03:00:00" vipd reload` on both hosts',
  ],
  [
    'global_defs.config_save_dir global_defs.tmp_config_directory',
    'one process reads the configuration in memory: there is no copy to be handed on, or to be kept',
  ],
  [
    'global_defs.disable_local_igmp',
    'it is net.ipv4.igmp_link_local_mcast_reports = 0 for the whole host, which sysctl(8) can set; switches that snoop need those reports',
  ],
  [
    'global_defs.iproute_usr_dir global_defs.iproute_etc_dir',
    'the names of tables and protocols are read where iproute2 has them by itself: /etc/iproute2, /usr/share/iproute2 and /usr/lib/iproute2',
  ],
  [
    'root.garp_group garp_group.garp_interval garp_group.gna_interval garp_group.interface garp_group.interfaces',
    'announcements have a pace for each interface: garp_interval and gna_interval of the instance',
  ],
  [
    'root.linkbeat_interfaces root.linkbeat_use_polling vrrp_instance.linkbeat_use_polling',
    'the kernel reports the carrier of every driver of the last ten years; nothing is polled',
  ],
  ['root.namespace_with_ipsets', 'it uses nftables sets, which belong to their namespace'],
  [
    'root.child_wait_time',
    'there are no child processes to wait for; the stop has bounds of its own',
  ],
  [
    'vrrp_instance.old_unicast_checksum',
    'keepalived 1.3.6 and older, which computed it, are out of support',
  ],
  [
    'vrrp_instance.thread_timer_expired',
    'a process that stood still gives up its addresses in any case',
  ],
  ['vrrp_instance.debug', 'it has none in keepalived either'],
]

const byKeyword = new Map(
  reasons.flatMap(([names, reason]) => names.split(' ').map((name) => [name, reason] as const)),
)

/** A part of a sentence; undefined for a keyword that has an effect. */
export const reasonOf = ({ block, name, status }: Keyword): string | undefined =>
  status === 'recognised' ? byKeyword.get(`${block}.${name}`) : undefined
