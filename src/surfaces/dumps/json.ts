/** keepalived.json: one line; version 1 is a list, version 2 an object that has it under `vrrp`. */
import type { Dump, DumpInstance, DumpProcess, DumpScript } from '../../report/dump.ts'
import { addressText, quoted } from './words.ts'

/** RFC 2338 section 5.3.6; PASS is 1. */
const authTypeAh = 2

export function jsonText(dump: Dump): string {
  const vrrp = dump.instances.map((it) => ({ data: data(it), stats: stats(it) }))
  const value =
    dump.jsonVersion === 1 ? vrrp : { vrrp, track_process: dump.processes.map(trackProcess) }
  // As json-c writes it.
  return `${JSON.stringify(value).replaceAll('/', '\\/')}\n`
}

const numbers = { INIT: 0, BACKUP: 1, MASTER: 2, FAULT: 3 } as const
const bit = (value: boolean): 0 | 1 => (value ? 1 : 0)

/** Unset scripts and empty lists are absent. */
function data(it: DumpInstance): Record<string, unknown> {
  const { notify, master, garp } = it
  const masterSeconds = master?.advertSeconds ?? it.advertSeconds
  return {
    iname: it.name,
    dont_track_primary: bit(!it.trackPrimary),
    skip_check_adv_addr: bit(it.skipCheckAdvAddr),
    strict_mode: bit(it.strict),
    vmac_ifname: it.vmac ?? '',
    ifp_ifname: it.interface,
    master_priority: master?.priority ?? 0,
    last_transition: it.lastTransitionMs / 1_000,
    garp_delay: garp.delay,
    garp_refresh: garp.refresh,
    garp_rep: garp.repeat,
    garp_refresh_rep: garp.refreshRepeat,
    garp_lower_prio_delay: garp.lowerPrioDelay,
    garp_lower_prio_rep: garp.lowerPrioRepeat,
    lower_prio_no_advert: bit(it.lowerPrioNoAdvert),
    higher_prio_send_advert: bit(it.higherPrioSendAdvert),
    vrid: it.vrid,
    base_priority: it.priority,
    effective_priority: it.effectivePriority,
    vipset: it.addresses.some(({ set }) => set),
    promote_secondaries: it.promoteSecondaries,
    adver_int: it.advertSeconds,
    master_adver_int: masterSeconds,
    accept: bit(it.accept),
    nopreempt: !it.preempt,
    preempt_delay: it.preemptDelay,
    state: numbers[it.state],
    wantstate: numbers[it.state],
    version: it.version,
    smtp_alert: notify.mail,
    notify_deleted: notify.saysDeleted,
    ...script('script_backup', notify.backup),
    ...script('script_master', notify.master),
    ...script('script_fault', notify.fault),
    ...script('script_stop', notify.stop),
    ...script('script_deleted', notify.deleted),
    ...script('script', notify.any),
    ...script('script_master_rx_lower_pri', notify.masterRxLowerPri),
    ...list('vips', it.addresses.map(addressText)),
    ...list('evips', it.excluded.map(addressText)),
    ...list(
      'track_ifp',
      it.interfaces.map(({ name }) => name),
    ),
    ...list(
      'track_script',
      it.scripts.map(({ command }) => command),
    ),
    auth_type: it.ah ? authTypeAh : bit(it.password),
    ...(it.password ? { auth_data: '********' } : {}),
  }
}

const script = (key: string, it: DumpScript | null) =>
  it === null ? {} : { [key]: quoted(it.argv) }
const list = (key: string, all: readonly string[]) => (all.length === 0 ? {} : { [key]: all })

const stats = ({ counts }: DumpInstance) => ({
  advert_rcvd: counts.received,
  advert_sent: counts.sent,
  become_master: counts.becameMaster,
  release_master: counts.releasedMaster,
  packet_len_err: counts.lengthErrors,
  advert_interval_err: counts.intervalErrors,
  ip_ttl_err: counts.ttlErrors,
  invalid_type_rcvd: counts.typeErrors,
  addr_list_err: counts.addressListErrors,
  invalid_authtype: counts.authTypeErrors,
  authtype_mismatch: counts.authMismatches,
  auth_failure: counts.authFailures,
  pri_zero_rcvd: counts.zeroReceived,
  pri_zero_sent: counts.zeroSent,
})

const matches = { exact: 'exact', partial: 'partial', initial: 'initial' } as const

const trackProcess = (it: DumpProcess) => ({
  process: it.process,
  ...(it.parameters === null
    ? {}
    : { parameters: it.parameters.join(' '), param_match: matches[it.match] }),
  min_processes: it.least,
  max_processes: Number.isFinite(it.most) ? it.most : 4294967295,
  current_processes: it.current,
  have_quorum: it.good === true,
  weight: it.weight,
  terminate_delay: it.lossSeconds,
  fork_delay: it.gainSeconds,
  fork_delay_timer_running: false,
  terminate_delay_timer_running: false,
  full_command: it.full,
})
