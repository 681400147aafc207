/** A configuration as people read it: every effective value, what it adds up to, and how things will be run. */
import type { RunAs } from '../../base/command.ts'
import type { Us } from '../../base/time.ts'
import type { VirtualLink } from '../../base/virtual-link.ts'
import { spanText } from '../grammar/kinds.ts'
import { inCheck } from '../grammar/option.ts'
import type { Hmac } from '../hmac.ts'
import { type HttpListener, httpAddressText } from '../http.ts'
import { bfdOptions } from '../keywords/bfd.ts'
import { globalOptions } from '../keywords/global.ts'
import { identityOptions } from '../keywords/identity.ts'
import { instanceOptions } from '../keywords/instance-options.ts'
import { notifyOptions } from '../keywords/notify.ts'
import { scriptOptions } from '../keywords/script.ts'
import type { Notify } from '../notify.ts'
import { describeCommand } from '../scripts/command.ts'
import { isSnmpOn, type SnmpConfig, snmpSocketText } from '../snmp.ts'
import type { StaticAddress, Statics } from '../statics.ts'
import type { BfdInstance, Config, Instance, Script, Tracked } from '../types.ts'
import type { UserCommand } from '../user-command.ts'
import type { VirtualAddress } from '../virtual-address.ts'
import type { World } from '../world.ts'
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
    ...config.bfd.map(printBfd),
    printStatics(config.statics),
  ]
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}

const row = (label: string, value: string): string => `  ${label.padEnd(labelWidth)}${value}`

function printGlobals(config: Config, world: World): string[] {
  const { globals } = config
  const lines = [`router ${globals.routerId}`]
  if (globals.mail !== null) {
    const { to, from, server, port } = globals.mail
    lines.push(row('mail', `${from} → ${to.join(', ')} by ${server} port ${port}`))
  }
  for (const { label, text } of inCheck(identityOptions, globals, globals))
    lines.push(row(label, text))
  for (const { label, text } of inCheck(globalOptions, globals, globals))
    lines.push(row(label, text))
  for (const { interface: name, downUs, upUs } of globals.interfaceDelays) {
    const text = `${name} down counts after ${spanText(downUs)}, up after ${spanText(upUs)}`
    lines.push(row('interface delay', text))
  }
  for (const listener of globals.http) lines.push(row('HTTP', httpText(listener)))
  for (const { url, token } of globals.httpPeers)
    lines.push(row('HTTP peer', `${url}, ${token === null ? 'no token' : 'with a token'}`))
  if (isSnmpOn(globals.snmp)) lines.push(row('SNMP', snmpText(globals.snmp)))
  const { controlGroup, pushGroup } = globals
  if (controlGroup !== null)
    lines.push(row('may read', `group ${controlGroup.name} (vipd-read.sock)`))
  if (pushGroup !== null) lines.push(row('may push', `group ${pushGroup.name} (vipd-push.sock)`))
  for (const fifo of globals.notifyFifos) lines.push(row('FIFO', fifo.path))
  if (globals.startupScript !== null) {
    lines.push(row('at start', describeUse(globals.startupScript.command, world)))
  }
  if (globals.shutdownScript !== null) {
    lines.push(row('at stop', describeUse(globals.shutdownScript.command, world)))
  }
  return lines
}

const snmpText = ({ keepalived, rfc2787, rfc6527, traps, socket }: SnmpConfig): string =>
  [
    ...(keepalived ? ['KEEPALIVED-MIB'] : []),
    ...(rfc2787 ? ['VRRP-MIB (RFC 2787)'] : []),
    ...(rfc6527 ? ['VRRPV3-MIB (RFC 6527)'] : []),
    traps ? 'traps' : 'no traps',
    `through ${snmpSocketText(socket)}`,
  ].join(', ')

const httpText = ({ address, readToken, actionToken, tls }: HttpListener): string =>
  [
    httpAddressText(address),
    tls === null ? 'no TLS' : 'TLS',
    readToken === null ? 'who can connect may read' : 'a token to read',
    actionToken === null ? 'no actions' : 'a token to act',
  ].join(', ')

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
  for (const link of instance.virtualLinks) lines.push(row('link of its own', linkText(link)))
  for (const { text } of instance.routes) lines.push(row('route', text))
  for (const { text, preference } of instance.rules)
    lines.push(row('rule', `${preference}: ${text}`))
  const { hmac } = instance
  if (hmac !== null) {
    lines.push(row('authentication', hmacText(hmac)))
  } else if (instance.version === 2) {
    lines.push(row('authentication', passwordText(instance)))
  }
  const flags = flagsOf(instance)
  if (flags.length > 0) lines.push(row('also', flags.join(', ')))
  lines.push(row('announces', announces(instance)))
  for (const hint of hints(instance, config)) lines.push(row('sooner', hint))
  return [...lines, ...notifyLines(instance.notify, world)]
}

function passwordText({ password, ahKey }: Instance): string {
  if (ahKey !== null) return 'AH (HMAC-MD5, IP protocol 51)'
  return password === null ? 'none' : 'PASS (clear text)'
}

const hmacText = ({ mode, keys, activeKey, monotonic, windowSeconds }: Hmac): string =>
  `HMAC-SHA-256, mode ${mode}, signs with key ${activeKey} and knows ${keys.map(({ id }) => id).join(', ')}; ${
    monotonic ? 'only growth of the sequence counts' : `clocks within ${windowSeconds} s`
  }`

const adverts = (instance: Instance): string =>
  `every ${spanText(instance.advertIntervalUs)}${instance.stateMaster ? ', state MASTER' : ''}`

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
  const down = spanText(downIntervalUs(instance, priority))
  const skew = spanText(skewUs(instance, priority))
  return `${down} after the last advert (${downTimerAdverts} × ${spanText(advertIntervalUs)} + ${skew} skew)`
}

function preempts({ preempt, preemptDelayUs }: Instance): string {
  if (!preempt) return 'no: a master with lower priority stays'
  return preemptDelayUs === 0 ? 'at once' : `after ${spanText(preemptDelayUs)}`
}

function faults(instance: Instance, config: Config): string {
  const { scripts, interfaces } = trackersOf(instance, config)
  const own =
    instance.trackPrimary && instance.interface !== null ? [`${instance.interface} is down`] : []
  const without = (tracked: Tracked) => tracked.weight === 0
  const links = interfaces
    .filter(without)
    .map(({ name, reverse }) => `${name} is ${reverse ? 'up' : 'down'}`)
  const statics = instance.staticInterfaces
    .filter((name) => name !== instance.interface)
    .map((name) => `${name} is down`)
  const checks = scripts
    .filter(without)
    .map(({ name, reverse }) => `${name} ${reverse ? 'succeeds' : 'fails'}`)
  const all = [
    ...own,
    ...links,
    ...statics,
    ...checks,
    ...(instance.transport.source === null ? [] : ['its source address is gone']),
  ]
  return all.join(', ') || 'never'
}

const flagsOf = (instance: Instance): string[] =>
  [
    ...inCheck(instanceOptions, instance, instance),
    ...inCheck(notifyOptions, instance.notify, instance.notify),
  ].map(({ text }) => text)

function announces({ garp, garpGroups }: Instance): string {
  const second = garp.masterDelayUs > 0 ? `, again after ${spanText(garp.masterDelayUs)}` : ''
  const refresh =
    garp.masterRefreshUs > 0
      ? `, then ${garp.masterRefreshRepeat} every ${spanText(garp.masterRefreshUs)}`
      : ''
  const gaps = [
    ...gapText('ARP', garp.arpIntervalUs, ''),
    ...gapText('NA', garp.naIntervalUs, ''),
    ...garpGroups.flatMap((it) => [
      ...gapText('ARP', it.arpIntervalUs, ` on ${it.interfaces.join(', ')} together`),
      ...gapText('NA', it.naIntervalUs, ` on ${it.interfaces.join(', ')} together`),
    ]),
  ]
  return `${garp.masterRepeat} per address on becoming master${second}${refresh}${gaps.join('')}`
}

const linkText = (link: VirtualLink): string =>
  link.kind === 'macvlan'
    ? `${link.mac}, ${link.name} on ${link.base}`
    : `ipvlan, ${link.name} on ${link.base}`

const gapText = (what: string, gapUs: Us, where: string): readonly string[] =>
  gapUs === 0 ? [] : [`; ${what} ${spanText(gapUs)} apart${where}`]

function addressText(address: VirtualAddress): string {
  const parts = [`${address.address}/${address.prefixLength}`]
  const on = address.vmac ?? address.interface
  if (on !== null) parts.push(`dev ${on}`)
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

function printStatics({ addresses, routes, rules }: Statics): string[] {
  if (addresses.length + routes.length + rules.length === 0) return []
  return [
    'static entries',
    ...addresses.map((it) => row('address', addressText(it) + grouped(it))),
    ...routes.map((it) => row('route', it.text)),
    ...rules.map((it) => row('rule', `${it.preference}: ${it.text}`)),
  ]
}

const grouped = ({ trackGroup }: Pick<StaticAddress, 'trackGroup'>): string =>
  trackGroup === null ? '' : ` track_group ${trackGroup}`

function printBfd(bfd: BfdInstance): string[] {
  const { name, neighbor, source } = bfd
  return [
    `${name}: a session with ${neighbor}${source === null ? '' : ` from ${source}`}`,
    row(
      'BFD',
      inCheck(bfdOptions, bfd, bfd)
        .map(({ text }) => text)
        .join(', '),
    ),
  ]
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

const pace = (script: Script): string =>
  inCheck(scriptOptions, script, script)
    .map(({ text }) => text)
    .join(', ')

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
