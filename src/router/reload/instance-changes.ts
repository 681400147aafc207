/**
 * What a reload alters of an instance, in the words of the file: options say their keyword in their declaration, the table
 * here has a row for every other field of `Instance`. No value of a secret is told.
 */
import { instanceOptions } from '../../config/keywords/instance-options.ts'
import type { Instance, InstanceOptions } from '../../config/types.ts'
import { same } from './same.ts'

type Composed = Exclude<keyof Instance, keyof InstanceOptions | 'name' | 'place'>

/** null: another field says it. */
const composed: Readonly<Record<Composed, string | null>> = {
  interface: 'interface',
  family: 'the family of its addresses',
  version: 'version',
  stateMaster: 'state',
  password: 'auth_pass',
  ahKey: 'auth_pass',
  hmac: 'auth_hmac',
  addresses: 'virtual_ipaddress',
  excluded: 'virtual_ipaddress_excluded',
  routes: 'virtual_routes',
  rules: 'virtual_rules',
  staticInterfaces: 'what its track_group has',
  transport: 'unicast_peer, unicast_src_ip or their TTL',
  vmac: 'use_vmac',
  ipvlan: 'use_ipvlan',
  vrf: 'vrf',
  virtualLinks: null,
  trackInterfaces: 'track_interface',
  trackChecks: 'the checks that it tracks',
  garp: 'its announcements (garp_…)',
  garpGroups: 'garp_group',
  addressLifetimeSeconds: 'vipd_address_lifetime',
  notify: 'its notify scripts',
}

/** What is told with its old and its new value. */
const told: ReadonlySet<keyof Instance> = new Set(['interface', 'version', 'vrf'])

/** `VI_1: altered: priority 150 -> 140, virtual_ipaddress`. */
export function describeAlteration(from: Instance, to: Instance): string {
  const was = from.name === to.name ? '' : ` (was ${from.name})`
  const options = instanceOptions.fields.flatMap((field) => {
    const keyword = instanceOptions.rows[field].name ?? field
    return same(from[field], to[field]) ? [] : [`${keyword}${values(field, from, to)}`]
  })
  const others = (Object.keys(composed) as Composed[]).flatMap((field) => {
    const keyword = composed[field]
    if (keyword === null || same(from[field], to[field])) return []
    return [told.has(field) ? `${keyword}${values(field, from, to)}` : keyword]
  })
  const what = [...new Set([...options, ...others])].join(', ')
  return `${to.name}: altered${was}${what === '' ? '' : `: ${what}`}`
}

function values(field: keyof Instance, from: Instance, to: Instance): string {
  const [before, after] = [written(field, from[field]), written(field, to[field])]
  return before === null || after === null ? '' : ` ${before} -> ${after}`
}

/** As it is written: spans are seconds there. null: the keyword alone says it. */
function written(field: string, value: unknown): string | null {
  if (typeof value === 'number') return String(field.endsWith('Us') ? value / 1_000_000 : value)
  return typeof value === 'string' ? value : null
}
