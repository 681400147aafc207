/** What SNMP tells besides the status, from the configuration in effect and the kernel. */
import { macText } from '../base/mac.ts'
import { usToSeconds } from '../base/time.ts'
import type { Notify } from '../config/notify.ts'
import type { Config, Instance, Script, SyncGroup, Tracked } from '../config/types.ts'
import type { UserCommand } from '../config/user-command.ts'
import type { VirtualAddress } from '../config/virtual-address.ts'
import type { KernelView } from '../kernel/mirror.ts'
import type {
  MibAddress,
  MibFacts,
  MibFile,
  MibGroup,
  MibHost,
  MibInstance,
  MibProcess,
  MibScript,
  MibScripts,
  MibSettings,
  MibTracked,
  MibTrackedLists,
} from '../report/mib.ts'

export type MibSources = {
  readonly config: Config
  readonly kernel: KernelView & { readonly linkNames: readonly string[] }
  /** Name and address of each that has one. */
  readonly sources: readonly (readonly [name: string, address: string])[]
}

/** A configuration never changes: what is made of it is made once. */
const made = new WeakMap<Config, MibSettings>()

export function mibFacts({ config, kernel, sources }: MibSources): MibFacts {
  const known = made.get(config) ?? settings(config)
  made.set(config, known)
  return {
    settings: known,
    instances: () => instances(config),
    host: { links: links(kernel), sources: Object.fromEntries(sources) },
  }
}

function links(kernel: MibSources['kernel']): MibHost['links'] {
  return kernel.linkNames.flatMap((name) => {
    const it = kernel.linkByName(name)
    if (it === null) return []
    const mac = it.mac === null || it.mac.length !== 6 ? null : macText(it.mac)
    return [{ name, ifindex: it.ifindex, mac }]
  })
}

function settings({ globals, scripts, groups, bfd }: Config): MibSettings {
  const { mail } = globals
  return {
    routerId: globals.routerId,
    netNamespace: globals.netNamespace ?? '',
    dynamicInterfaces: globals.dynamicInterfaces,
    mail:
      mail === null
        ? null
        : {
            server: mail.server,
            port: mail.port,
            timeout: usToSeconds(mail.connectTimeoutUs),
            from: mail.from,
            to: mail.to,
          },
    mailOfFaults: !globals.noEmailFaults,
    scripts: scripts.flatMap(script),
    files: scripts.flatMap(file),
    processes: scripts.flatMap(processes),
    bfd: bfd.map(tracked),
    groups: groups.map(group),
  }
}

/** In the order of the configuration. */
function* instances({ instances: all, groups }: Config): Generator<MibInstance> {
  const groupOf = new Map(groups.flatMap(({ name, members }) => members.map((it) => [it, name])))
  for (const it of all) yield instance(it, groupOf.get(it.name) ?? null)
}

const instance = (it: Instance, groupName: string | null): MibInstance => ({
  name: it.name,
  vrid: it.vrid,
  version: it.version,
  family: it.family,
  interface: it.interface,
  initialMaster: it.stateMaster,
  trackPrimary: it.trackPrimary,
  preempt: it.preempt,
  preemptDelay: usToSeconds(it.preemptDelayUs),
  authentication: it.ahKey !== null ? 'ah' : it.password !== null ? 'password' : 'none',
  group: groupName,
  mail: it.notify.mail,
  notify: commands(it.notify),
  accept: it.accept,
  promoteSecondaries: it.promoteSecondaries,
  saysDeleted: it.notify.saysDeleted,
  multicastGroup: it.transport.kind === 'multicast' ? it.transport.group : null,
  v3ChecksumAsV2: it.v3ChecksumAsV2,
  virtualMac: it.vmac !== null,
  tracked: trackedLists(it),
  addresses: [...it.addresses, ...it.excluded].map(address),
})

const address = ({ broadcast, scope, label, peer }: VirtualAddress): MibAddress => ({
  ...{ broadcast, scope, label },
  peer: peer?.address ?? null,
})

const group = (it: SyncGroup): MibGroup => ({
  name: it.name,
  mail: it.notify.mail,
  notify: commands(it.notify),
  trackingWeight: it.trackingWeight,
  tracked: trackedLists(it),
})

function trackedLists({
  trackInterfaces,
  trackChecks,
}: Pick<Instance, 'trackInterfaces' | 'trackChecks'>): MibTrackedLists {
  const of = (kind: Tracked['kind']) => trackChecks.filter((it) => it.kind === kind).map(tracked)
  return {
    interfaces: trackInterfaces.map(tracked),
    scripts: of('script'),
    files: of('file'),
    processes: of('process'),
    bfd: of('bfd'),
  }
}

/** Without the kind in front: `file/NAME` is called NAME in its own table. */
const plain = (name: string): string => name.replace(/^(?:file|process|bfd)\//, '')

const tracked = (it: {
  readonly name: string
  readonly weight: number
  readonly reverse: boolean
}): MibTracked => ({ name: plain(it.name), weight: it.weight, reverse: it.reverse })

const commands = (it: Notify): MibScripts => ({
  master: textOf(it.master),
  backup: textOf(it.backup),
  fault: textOf(it.fault),
  stop: textOf(it.stop),
  any: textOf(it.any),
  lowerPriority: textOf(it.masterRxLowerPri),
  deleted: textOf(it.deleted),
})

const textOf = (it: UserCommand | null): string | null =>
  it === null ? null : quoted(argvOf(it) ?? [it.raw])

const quoted = (argv: readonly string[]): string => argv.map((word) => `'${word}'`).join(' ')

function argvOf({ command }: UserCommand): readonly string[] | null {
  if (command.kind === 'argv') return command.argv
  return command.kind === 'shell' ? [command.shell, '-c', command.text] : null
}

function script(it: Script): readonly MibScript[] {
  const { command } = it.run
  if (command.kind === 'value' || command.kind === 'processes') return []
  const argv = argvOf(it.run)
  return [
    {
      ...tracked(it),
      check: it.name,
      command: argv === null ? null : quoted(argv),
      path: argv?.[0] ?? null,
      intervalUs: it.intervalUs,
      timeoutUs: it.timeoutUs === it.intervalUs ? 0 : it.timeoutUs,
      rise: it.rise,
      fall: it.fall,
    },
  ]
}

function file(it: Script): readonly MibFile[] {
  const { command } = it.run
  return command.kind === 'value' ? [{ ...tracked(it), check: it.name, path: command.path }] : []
}

function processes(it: Script): readonly MibProcess[] {
  const { command } = it.run
  if (command.kind !== 'processes') return []
  return [
    {
      ...tracked(it),
      check: it.name,
      process: command.name,
      parameters: command.parameters === null ? '' : command.parameters.join(' '),
      match: command.parameters === null ? 'any' : command.match,
      least: command.least,
      most: command.most,
      gainDelayUs: command.gainDelayMs * 1_000,
      lossDelayUs: command.lossDelayMs * 1_000,
      full: command.full,
    },
  ]
}
