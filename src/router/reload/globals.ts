/**
 * What becomes of each global setting when a reload changes it. The table has a row for every field of `Globals`: a new
 * one does not compile without.
 */
import type { Globals } from '../../config/types.ts'
import { same } from './same.ts'

/**
 * `now`: applied. `restart`: taken when the daemon starts, and only then. `next-start`: means nothing until the daemon
 * starts again, and needs no restart for its own sake.
 */
type Effect = 'now' | 'restart' | 'next-start'

export const globalSettings: {
  readonly [K in keyof Globals]: { readonly keyword: string; readonly effect: Effect }
} = {
  routerId: { keyword: 'router_id', effect: 'now' },
  mail: { keyword: 'notification_email and its server', effect: 'now' },
  noEmailFaults: { keyword: 'no_email_faults', effect: 'now' },
  scriptSecurity: { keyword: 'enable_script_security', effect: 'now' },
  notifyFifos: { keyword: 'notify_fifo', effect: 'now' },
  fifoStatesOnReload: { keyword: 'fifo_write_vrrp_states_on_reload', effect: 'now' },
  startupScript: { keyword: 'startup_script', effect: 'next-start' },
  shutdownScript: { keyword: 'shutdown_script', effect: 'now' },
  startupDelayUs: { keyword: 'vrrp_startup_delay', effect: 'next-start' },
  dynamicInterfaces: { keyword: 'dynamic_interfaces', effect: 'now' },
  logUnknownVrids: { keyword: 'log_unknown_vrids', effect: 'now' },
  realtimePriority: { keyword: 'vrrp_rt_priority', effect: 'restart' },
  rttimeUs: { keyword: 'vrrp_rlimit_rttime', effect: 'restart' },
  nice: { keyword: 'vrrp_priority', effect: 'restart' },
  noSwap: { keyword: 'vrrp_no_swap', effect: 'restart' },
  scriptNoNewPrivs: { keyword: 'vipd_script_no_new_privs', effect: 'now' },
  livenessUs: { keyword: 'vipd_liveness', effect: 'now' },
  addressLifetimeSeconds: { keyword: 'vipd_address_lifetime', effect: 'now' },
}

const phrases = {
  now: 'altered',
  restart: 'needs a restart of the daemon',
  'next-start': 'takes effect at the next start',
} as const satisfies Record<Effect, string>

/**
 * One sentence for each setting that is not as it was. What is applied at once is compared with the last configuration;
 * the rest with the one that the daemon was started with, and is named again until it is restarted.
 */
export function globalChanges(started: Globals, old: Globals, next: Globals): readonly string[] {
  const fields = Object.keys(globalSettings) as (keyof Globals)[]
  return fields.flatMap((field) => {
    const { keyword, effect } = globalSettings[field]
    const before = effect === 'now' ? old : started
    return same(before[field], next[field]) ? [] : [`${keyword}: ${phrases[effect]}`]
  })
}
