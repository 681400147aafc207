/** What is written into a host's configuration file, and what the shipped parser reads from it, as a start and a reload do. */
import { checkReport } from '../../src/config/explain/check.ts'
import type { Config } from '../../src/config/types.ts'
import { fakeWorld } from '../unit/config/fake-world.ts'
import {
  roamingAddress,
  secondSourceOf,
  staticAddress,
  staticNetwork,
  thirdAddress,
  thirdInstance,
  thirdVrid,
} from './host-file.ts'
import { type HostPlan, type Scenario, type Vip, vipsOf } from './scenario.ts'
import type { Sealing } from './seals.ts'

const second = 1_000_000

/** Of each virtual router; a rule leads to it. */
export const routeOf = (vrid: number): string => `198.18.${vrid}.0/24`

const sealBlocks: Readonly<Record<Sealing, string>> = {
  trailer: `auth_hmac {
    key 1 hex:${'5a'.repeat(32)}
    active_key 1
  }`,
  ah: `authentication {
    auth_type AH
    auth_pass 1111
  }`,
}

/** `interfaces`: those that the host has, or that are known to be absent at the moment. null: it would be refused. */
export function configOf(text: string, interfaces: readonly string[]): Config | null {
  const programs = { '/usr/bin/true': { text: '', mode: 0o755 } }
  const world = fakeWorld({ files: { '/c.conf': text, ...programs }, interfaces })
  const report = checkReport('/c.conf', world, { configId: null, includeAll: false })
  if (!interfaces.includes('eth0')) return report.exit === 0 ? report.config : null
  if (report.config === null || report.exit === 2 || report.exit === 4)
    throw new Error(`the simulator wrote a bad configuration: ${report.text}\n${text}`)
  return report.config
}

/** Addresses that this file gives to its instances. */
export function addressesOf(scenario: Scenario, { file }: HostPlan): readonly Vip[] {
  const vips = vipsOf(scenario)
  const { family } = scenario
  const roaming = vips.find(({ instance }) => instance === file.roaming)
  return [
    ...vips,
    ...(roaming === undefined ? [] : [{ ...roaming, address: roamingAddress(family) }]),
    ...(file.third
      ? [{ instance: thirdInstance, vrid: thirdVrid, address: thirdAddress(family) }]
      : []),
  ]
}

export function configText(scenario: Scenario, host: HostPlan): string {
  const { file } = host
  const all = addressesOf(scenario, host)
  const names = [...new Set(all.map((vip) => vip.instance))]
  const instances = names.map((name) =>
    instanceText(
      scenario,
      host,
      all.filter((vip) => vip.instance === name),
    ),
  )
  const group = scenario.grouped
    ? `vrrp_sync_group ${file.group} {\n  group {\n    ${names.join('\n    ')}\n  }\n}\n`
    : ''
  const script = (name: string, weight: number) =>
    `vrrp_script ${name} {\n  script "/usr/bin/true"\n  interval 1\n  weight ${weight}\n}\n`
  return `global_defs {
  router_id host${host.number}
  vipd_liveness ${file.livenessUs / second}
  vipd_address_lifetime ${scenario.lifetimeS}
  vipd_address_conflict ${scenario.addressConflict ?? 'report'}
  ${claimLines(scenario)}
}
${script('chk', host.weight)}${file.secondScript ? script('chk2', 0) : ''}${sessionsText(scenario, host)}${staticsText(scenario, host)}${group}${instances.join('')}`
}

const claimLines = ({ claims }: Scenario): string =>
  claims === undefined
    ? ''
    : `vipd_address_claim ${claims.reaction}
  vipd_claim_check ${claims.check}
  vipd_claim_policy ${claims.policy}`

/** The other hosts; none without BFD. */
const neighbours = ({ bfd, hosts }: Scenario, host: HostPlan): readonly HostPlan[] =>
  bfd === undefined || !host.file.sessions
    ? []
    : hosts.filter(({ number }) => number !== host.number)

function sessionsText(scenario: Scenario, host: HostPlan): string {
  const ms = ((scenario.bfd?.everyUs ?? 0) * (host.file.slowBfd ? 2 : 1)) / 1_000
  return neighbours(scenario, host)
    .map(
      ({ number, source }) => `bfd_instance host${number} {
  neighbor_ip ${source}
  source_ip ${host.source}
  min_rx ${ms}
  min_tx ${ms}
}
`,
    )
    .join('')
}

function staticsText({ statics, family }: Scenario, { file, number }: HostPlan): string {
  if (statics !== true || !file.statics) return ''
  return `track_group T {
  group {
    VI_1
  }
}
static_ipaddress {
  ${staticAddress(family, number)}/24 dev eth0 track_group T
}
static_routes {
  ${staticNetwork} dev eth0 track_group T
}
static_rules {
  to ${staticNetwork} table main priority 2000
}
`
}

function tracksSessions(scenario: Scenario, host: HostPlan): string {
  const others = host.file.takeover ? neighbours(scenario, host) : []
  const lines = others.map(
    ({ number }) => `    host${number} ${scenario.bfd?.tracker ?? 'takeover'}\n`,
  )
  return others.length === 0 ? '' : `track_bfd {\n${lines.join('')}  }`
}

function instanceText(scenario: Scenario, host: HostPlan, vips: readonly Vip[]): string {
  const { family, version, advertUs, refreshS } = scenario
  const { file } = host
  const [first] = vips
  const isFirst = first?.instance === 'VI_1'
  const options = [
    host.nopreempt ? 'nopreempt' : '',
    scenario.seal === undefined ? '' : sealBlocks[scenario.seal],
    host.preemptDelayS > 0 ? `preempt_delay ${host.preemptDelayS}` : '',
    refreshS > 0 ? `garp_master_refresh ${refreshS}` : '',
    file.secondSource ? `mcast_src_ip ${secondSourceOf(family, host.number)}` : '',
  ]
  const tracked = ['chk', ...(file.secondScript ? ['chk2'] : [])]
  const line = ({ address }: Vip, i: number): string =>
    family === 6
      ? `${address}/64`
      : `${address}/24${isFirst && i === 0 && file.label ? ' label eth0:vip' : ''}`
  return `vrrp_instance ${first?.instance} {
  state BACKUP
  interface eth0
  version ${version}
  virtual_router_id ${first?.vrid}
  priority ${host.priority}
  advert_int ${advertUs / second}
  ${options.filter((text) => text !== '').join('\n  ')}
  virtual_ipaddress {
    ${vips.map(line).join('\n    ')}
  }
  virtual_routes {
    ${routeOf(first?.vrid ?? 0)} dev eth0
  }
  virtual_rules {
    to ${routeOf(first?.vrid ?? 0)} table main priority ${1000 + (first?.vrid ?? 0)}
  }
  ${tracksSessions(scenario, host)}
  ${isFirst ? `track_script {\n    ${tracked.join('\n    ')}\n  }` : ''}
}
`
}
