// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${_RANDOM} is a reference of the language
/** `global_defs`: what this version checks and does not act on. */
import type { PlainEntry } from '../grammar/entries.ts'
import {
  anyWords,
  integer,
  onOff,
  optionalWord,
  unsigned,
  withoutEffect,
  word,
} from '../grammar/make.ts'

const path = [word('PATH')]
const bytes = [integer('BYTES', 0, unsigned)]
const switched = [onOff]
const buffers = 'Size of a netlink receive buffer.'

export const unsupportedGlobalKeywords: readonly PlainEntry[] = withoutEffect(
  'global_defs',
  'recognised',
  [
    {
      name: 'process_names',
      status: 'supported',
      doc: 'A name of its own for each of keepalived’s processes. vipd’s one process has its name in any case, its warden is `vipd-warden`, and its threads have names (`ps -L`, `top -H`): `vipd-engine`, `vipd-netlink`, `vipd-checks`, `vipd-notify`, …; those of Node.js itself are called `node`.',
    },
    {
      name: 'use_symlink_paths',
      status: 'supported',
      args: switched,
      since: '2.3.0',
      doc: 'Scripts are run by the path as written. vipd always does.',
    },
    {
      name: 'random_seed',
      status: 'supported',
      args: [integer('SEED', 0, unsigned)],
      doc: 'Makes the numbers of `${_RANDOM}` in the lines after it repeatable; they are not keepalived’s numbers.',
    },
    {
      name: 'process_monitor_rcv_bufs',
      args: bytes,
      missing: 'config',
      doc: 'Buffer of the process monitor.',
    },
    {
      name: 'process_monitor_rcv_bufs_force',
      args: switched,
      doc: 'Force that size beyond the system limit.',
    },
    { name: 'disable_local_igmp', doc: 'No IGMP on the interfaces.' },
    { name: 'iproute_usr_dir', args: path, since: '2.3.2', doc: 'Where iproute2 keeps its names.' },
    { name: 'iproute_etc_dir', args: path, since: '2.3.2', doc: 'Where iproute2 keeps its names.' },
    { name: 'vrrp_netlink_cmd_rcv_bufs', args: bytes, missing: 'config', doc: buffers },
    { name: 'vrrp_netlink_cmd_rcv_bufs_force', args: switched, doc: buffers },
    { name: 'vrrp_netlink_monitor_rcv_bufs', args: bytes, missing: 'config', doc: buffers },
    { name: 'vrrp_netlink_monitor_rcv_bufs_force', args: switched, doc: buffers },
    { name: 'data_use_instance', args: switched, doc: 'Names of dump files.' },
    { name: 'state_dump_file', args: path, since: '2.3.3', doc: 'See `vipd status`.' },
    { name: 'stats_dump_file', args: path, since: '2.3.3', doc: 'See `vipd status`.' },
    { name: 'json_dump_file', args: path, since: '2.3.3', doc: 'See `vipd status --json`.' },
    {
      name: 'reload_check_config',
      status: 'supported',
      args: [optionalWord('LOGFILE')],
      since: '2.2.0',
      doc: 'A reload of a file with mistakes is refused. vipd always does; see `vipd reload --force`.',
    },
    {
      name: 'reload_time_file',
      args: path,
      missing: 'config',
      extra: 'error',
      doc: 'A scheduled reload.',
    },
    { name: 'reload_repeat', doc: 'Repeat the scheduled reload.' },
    { name: 'config_save_dir', args: path, doc: 'Keeps copies of the configuration.' },
    {
      name: 'tmp_config_directory',
      once: true,
      args: path,
      missing: 'config',
      doc: 'Where the configuration is copied to.',
    },
  ],
)

export const includeKeywords: readonly PlainEntry[] = withoutEffect('global_defs', 'supported', [
  {
    name: 'include_check',
    args: [anyWords('[+|-]read|match|wildcard_match|brace_match …')],
    since: '2.2.0',
    doc: 'What `include` demands of the files it names; without a word: all of it.',
  },
])
