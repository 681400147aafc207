/** A configuration as people read it: every effective value, what it adds up to, and how things will be run. */
import type { RunAs } from '../../base/command.ts'
import { describeCommand } from '../scripts/command.ts'
import type {
  Config,
  Instance,
  Notify,
  Script,
  Tracked,
  UserCommand,
  VirtualAddress,
  World,
} from '../types.ts'
import { hints } from './hints.ts'
import { scriptUsers } from './lint.ts'
import {
  arithmetic,
  describeArithmetic,
  downIntervalUs,
  skewUs,
  trackersOf,
} from './print-arithmetic.ts'

const labelWidth = 18

/** The blocks of the report, each a title and lines under it, without a trailing newline. */
export function printConfig(config: Config, world: World): string {
  const blocks = [
    printGlobals(config, world),
    ...config.groups.map((group) => [
      `sync group ${group.name}: ${group.members.join(', ')}`,
      ...notifyLines(group.notify, world),
    ]),
    ...config.instances.map((instance) => printInstance(instance, config, world)),
    ...config.scripts.map((script) => printScript(script, config, world)),
  ]
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}

const row = (label: string, value: string): string => `  ${label.padEnd(labelWidth)}${value}`

/** Microseconds as seconds, without digits that say nothing. */
export const span = (us: number): string => `${Number((us / 1_000_000).toFixed(3))} s`

function printGlobals(config: Config, world: World): string[] {
  const { globals } = config
  const lines = [`router ${globals.routerId}`]
  if (globals.mail !== null) {
    const { to, from, server, port } = globals.mail
    lines.push(row('mail', `${from} → ${to.join(', ')} by ${server} port ${port}`))
  }
  if (globals.startupDelayUs > 0) lines.push(row('startup delay', span(globals.startupDelayUs)))
  lines.push(row('liveness', globals.livenessUs === 0 ? 'off' : span(globals.livenessUs)))
  const lifetime = globals.addressLifetimeSeconds
  lines.push(row('address lifetime', lifetime === 0 ? 'for ever' : `${lifetime} s`))
  lines.push(row('script security', globals.scriptSecurity ? 'on' : 'off'))
  for (const fifo of globals.notifyFifos) lines.push(row('FIFO', fifo.path))
  if (globals.startupScript !== null) {
    lines.push(row('at start', describeUse(globals.startupScript.command, world)))
  }
  if (globals.shutdownScript !== null) {
    lines.push(row('at stop', describeUse(globals.shutdownScript.command, world)))
  }
  return lines
}

function printInstance(instance: Instance, config: Config, world: World): string[] {
  const { addresses, excluded } = instance
  const lines = [
    `instance ${instance.name}: VRID ${instance.vrid} on ${instance.interface ?? 'any interface'}, IPv${instance.family}, version ${instance.version}`,
    row('adverts', adverts(instance)),
    row('to', transportText(instance)),
    row('priority', describeArithmetic(arithmetic(instance, config))),
    row('takes over', takeOver(instance)),
    row('preempts', preempts(instance)),
    row('faults when', faults(instance, config)),
    row('addresses', addresses.map(addressText).join(', ') || 'none'),
  ]
  if (excluded.length > 0) lines.push(row('unadvertised', excluded.map(addressText).join(', ')))
  if (instance.version === 2) {
    lines.push(row('authentication', instance.password === null ? 'none' : 'PASS (clear text)'))
  }
  const flags = flagsOf(instance)
  if (flags.length > 0) lines.push(row('also', flags.join(', ')))
  lines.push(row('announces', announces(instance)))
  for (const hint of hints(instance, config)) lines.push(row('sooner', hint))
  return [...lines, ...notifyLines(instance.notify, world)]
}

const adverts = (instance: Instance): string =>
  `every ${span(instance.advertIntervalUs)}${instance.stateMaster ? ', state MASTER' : ''}`

function transportText({ transport, family }: Instance): string {
  const source = transport.source === null ? '' : `, from ${transport.source}`
  if (transport.kind === 'multicast') return `multicast ${transport.group}${source}`
  const ttl = transport.ttl ?? (family === 4 ? 255 : null)
  const peers = transport.peers.map((peer) => peer.address).join(', ')
  return `unicast ${peers === '' ? 'no peer: a fault' : peers}${source}${ttl === null ? '' : `, TTL ${ttl}`}`
}

function takeOver(instance: Instance): string {
  const { priority, downTimerAdverts, advertIntervalUs } = instance
  if (priority === 255) return 'at once'
  const down = span(downIntervalUs(instance, priority))
  const skew = span(skewUs(instance, priority))
  return `${down} after the last advert (${downTimerAdverts} × ${span(advertIntervalUs)} + ${skew} skew)`
}

function preempts({ preempt, preemptDelayUs }: Instance): string {
  if (!preempt) return 'no: a master with lower priority stays'
  return preemptDelayUs === 0 ? 'at once' : `after ${span(preemptDelayUs)}`
}

function faults(instance: Instance, config: Config): string {
  const { scripts, interfaces } = trackersOf(instance, config)
  const own =
    instance.trackPrimary && instance.interface !== null ? [`${instance.interface} is down`] : []
  const without = (tracked: Tracked) => tracked.weight === 0
  const links = interfaces
    .filter(without)
    .map(({ name, reverse }) => `${name} is ${reverse ? 'up' : 'down'}`)
  const checks = scripts
    .filter(without)
    .map(({ name, reverse }) => `${name} ${reverse ? 'succeeds' : 'fails'}`)
  const all = [
    ...own,
    ...links,
    ...checks,
    ...(instance.transport.source === null ? [] : ['its source address is gone']),
  ]
  return all.join(', ') || 'never'
}

function flagsOf(instance: Instance): string[] {
  const flags: readonly (readonly [boolean, string])[] = [
    [!instance.accept, 'no_accept'],
    [instance.strict, 'strict mode'],
    [instance.lowerPrioNoAdvert, 'lower_prio_no_advert'],
    [!instance.higherPrioSendAdvert && !instance.strict, 'higher_prio_send_advert off'],
    [!instance.resignOnDemotion, 'resign_on_demotion off'],
    [instance.muteMaster === 'resign', 'resigns when mute'],
    [
      instance.addressConflict === 'resign' && instance.priority < 255,
      'resigns when an address is contested',
    ],
    [instance.maxIntervalRatio === 0, 'any stated interval counts'],
    [instance.ownerIgnoreAdverts, 'owner_ignore_adverts'],
    [instance.skipCheckAdvAddr, 'skip_check_adv_addr'],
    [instance.v3ChecksumAsV2, 'v3_checksum_as_v2'],
    [!instance.trackPrimary, 'dont_track_primary'],
    [instance.notify.mail, 'mail'],
    [instance.notify.priorityChanges, 'notify_priority_changes'],
  ]
  return flags.filter(([on]) => on).map(([, name]) => name)
}

function announces({ garp }: Instance): string {
  const second = garp.masterDelayUs > 0 ? `, again after ${span(garp.masterDelayUs)}` : ''
  const refresh =
    garp.masterRefreshUs > 0
      ? `, then ${garp.masterRefreshRepeat} every ${span(garp.masterRefreshUs)}`
      : ''
  return `${garp.masterRepeat} per address on becoming master${second}${refresh}`
}

function addressText(address: VirtualAddress): string {
  const parts = [`${address.address}/${address.prefixLength}`]
  if (address.interface !== null) parts.push(`dev ${address.interface}`)
  if (address.label !== null) parts.push(`label ${address.label}`)
  if (address.scope !== 0) parts.push(`scope ${address.scope}`)
  return parts.join(' ')
}

const notifySlots: readonly (readonly [keyof Notify, string])[] = [
  ['master', 'on master'],
  ['backup', 'on backup'],
  ['fault', 'on fault'],
  ['stop', 'on stop'],
  ['deleted', 'on delete'],
  ['masterRxLowerPri', 'on lower advert'],
  ['any', 'on any state'],
]

function notifyLines(notify: Notify, world: World): string[] {
  return notifySlots.flatMap(([slot, label]) => {
    const command = notify[slot]
    return typeof command === 'boolean' || command === null
      ? []
      : [row(label, describeUse(command, world))]
  })
}

function printScript(script: Script, config: Config, world: World): string[] {
  const { name, run } = script
  const title = name.includes('/') ? name : `script ${name}`
  return [
    `${title}: ${run.command.kind === 'combination' ? 'made of others' : pace(script)}`,
    row('written', script.run.raw),
    row('runs', describeCommand(script.run.command)),
    ...(isProcess(script.run) ? [row('as', describeUser(script.run.runAs, world))] : []),
    row('for', scriptUsers(config, script.name).join(', ')),
  ]
}

function pace(script: Script): string {
  const more: readonly (readonly [string, number | null])[] = [
    ['fast', script.fastIntervalUs],
    ['while down', script.downIntervalUs],
    ['first after', script.initialDelayUs === 0 ? null : script.initialDelayUs],
  ]
  return [
    `every ${span(script.intervalUs)}`,
    ...more.flatMap(([label, us]) => (us === null ? [] : [`${label} ${span(us)}`])),
    ...(script.jitter === 0 ? [] : [`jitter ${Math.round(100 * script.jitter)} %`]),
    `timeout ${span(script.timeoutUs)}`,
    `rise ${script.rise}`,
    `fall ${script.fall}`,
  ].join(', ')
}

const isProcess = ({ command }: UserCommand): boolean =>
  command.kind === 'argv' || command.kind === 'shell'

export function describeUser(runAs: RunAs | null, world: World): string {
  if (runAs === null)
    return world.uid === 0 ? 'root (the daemon’s own user)' : `uid ${world.uid} (the daemon’s own)`
  return runAs.uid === 0 ? 'root' : `uid ${runAs.uid}, gid ${runAs.gid}`
}

const describeUse = (use: UserCommand, world: World): string =>
  isProcess(use)
    ? `${describeCommand(use.command)}  (as ${describeUser(use.runAs, world)})`
    : describeCommand(use.command)
