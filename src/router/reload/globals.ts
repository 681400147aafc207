/**
 * What becomes of each global setting when a reload changes it. Options say it in their declaration; the table here has
 * a row for every other field of `Globals`: a new one does not compile without.
 */
import type { OnReload } from '../../config/grammar/option.ts'
import { globalOptions } from '../../config/keywords/global.ts'
import { identityOptions } from '../../config/keywords/identity.ts'
import type { GlobalOptions, Globals, IdentityOptions } from '../../config/types.ts'
import { same } from './same.ts'

type Setting = { readonly keyword: string; readonly effect: OnReload }

type Composed = Exclude<keyof Globals, keyof GlobalOptions | keyof IdentityOptions>

const composed: Readonly<Record<Composed, Setting>> = {
  interfaceDelays: { keyword: 'interface_up_down_delays', effect: 'now' },
  http: { keyword: 'vipd_http', effect: 'now' },
  controlGroup: { keyword: 'vipd_control_group', effect: 'now' },
  pushGroup: { keyword: 'vipd_push_group', effect: 'now' },
  umask: { keyword: 'umask', effect: 'next-start' },
  processors: { keyword: 'vrrp_cpu_affinity', effect: 'next-start' },
  httpPeers: { keyword: 'vipd_peer_http', effect: 'now' },
  snmp: { keyword: 'enable_snmp_vrrp and the other keywords of SNMP', effect: 'now' },
  mail: { keyword: 'notification_email and its server', effect: 'now' },
  notifyFifos: { keyword: 'notify_fifo', effect: 'now' },
  startupScript: { keyword: 'startup_script', effect: 'next-start' },
  shutdownScript: { keyword: 'shutdown_script', effect: 'now' },
}

/** Every field of `Globals`. */
export const globalSettings: readonly (Setting & { readonly field: keyof Globals })[] = [
  ...globalOptions.fields.map((field) => {
    const { name, onReload } = globalOptions.rows[field]
    return { field, keyword: name ?? field, effect: onReload ?? 'now' }
  }),
  ...identityOptions.fields.map((field) => {
    const { name, onReload } = identityOptions.rows[field]
    return { field, keyword: name ?? field, effect: onReload ?? 'now' }
  }),
  ...(Object.keys(composed) as Composed[]).map((field) => ({ field, ...composed[field] })),
]

const phrases = {
  now: 'altered',
  restart: 'needs a restart of the daemon',
  'next-start': 'takes effect at the next start',
  // By judge-reload.ts, before a plan is made.
  refused: 'cannot change at a reload',
} as const satisfies Record<OnReload, string>

/**
 * One sentence for each setting that is not as it was. What is applied at once is compared with the last configuration;
 * the rest with the one that the daemon was started with, and is named again until it is restarted.
 */
export function globalChanges(started: Globals, old: Globals, next: Globals): readonly string[] {
  return globalSettings.flatMap(({ field, keyword, effect }) => {
    const before = effect === 'now' ? old : started
    return same(before[field], next[field]) ? [] : [`${keyword}: ${phrases[effect]}`]
  })
}
