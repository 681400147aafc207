/** What the dump files tell, from the configuration in effect, the status and the kernel. */
import type { Command } from '../base/command.ts'
import { usToSeconds } from '../base/time.ts'
import type { Notify } from '../config/notify.ts'
import type { Config, Instance, Script, Tracked } from '../config/types.ts'
import type { UserCommand } from '../config/user-command.ts'
import type { VirtualAddress } from '../config/virtual-address.ts'
import type { KernelView } from '../kernel/mirror.ts'
import type {
  Dump,
  DumpAddress,
  DumpGroup,
  DumpInstance,
  DumpInterface,
  DumpNotify,
  DumpScript,
  DumpState,
  DumpTracked,
} from '../report/dump.ts'
import { keepalivedCounts } from '../report/keepalived-counts.ts'
import type { Status, StatusCheck, StatusInstance } from '../report/status.ts'

export type DumpSources = {
  readonly config: Config
  readonly status: Status
  readonly kernel: KernelView & { readonly linkNames: readonly string[] }
  /** The address that an instance sends from; null: there is none of that name. */
  readonly sourceOf: (name: string) => string | null
  readonly atMs: number
}

export function dumpFacts(from: DumpSources): Dump {
  const { config, status } = from
  const { globals, scripts } = config
  return {
    atMs: from.atMs,
    routerId: globals.routerId,
    dynamicInterfaces: globals.dynamicInterfaces,
    fifoStatesOnReload: globals.fifoStatesOnReload,
    scriptSecurity: globals.scriptSecurity,
    jsonVersion: globals.jsonVersion === '1' ? 1 : 2,
    instances: status.instances.flatMap((it) => instance(it, from)),
    groups: status.groups.flatMap((it) => group(it, from)),
    scripts: scripts.flatMap((it) => scriptCheck(it, from)),
    files: scripts.flatMap((it) => file(it, from)),
    processes: scripts.flatMap((it) => processes(it, from)),
    interfaces: from.kernel.linkNames.flatMap((name) => link(name, from)),
  }
}

/** Exporters know these four words. */
const stateOf = (state: string): DumpState =>
  state === 'BACKUP' || state === 'MASTER' || state === 'FAULT' ? state : 'INIT'

function instance(it: StatusInstance, from: DumpSources): readonly DumpInstance[] {
  const cfg = from.config.instances.find(({ name }) => name === it.name)
  const source = from.sourceOf(it.name)
  if (cfg === undefined || source === null) return []
  const of = (kind: Tracked['kind']) => cfg.trackChecks.filter((one) => one.kind === kind)
  const master = masterOf(it, cfg)
  const advertUs = master === null ? cfg.advertIntervalUs : master.advertSeconds * 1_000_000
  const group = from.config.groups.find(({ members }) => members.includes(it.name))
  return [
    {
      ...settings(cfg),
      name: it.name,
      group: group?.name ?? null,
      state: stateOf(it.state),
      master,
      faults: faultsOf(it, cfg, from),
      pending: pendingOf(cfg, from),
      lastTransitionMs: from.atMs - it.sinceMs,
      dueMs: dueOf(it, from.atMs),
      masterDownUs: Math.floor(
        cfg.downTimerAdverts * advertUs + ((256 - it.effectivePriority) * advertUs) / 256,
      ),
      interface: cfg.interface ?? '',
      vmac: cfg.vmac?.name ?? null,
      source: shownSource(source, cfg, from),
      effectivePriority: it.effectivePriority,
      addresses: addresses(cfg.addresses, it, false),
      excluded: addresses(cfg.excluded, it, true),
      transport: transport(cfg, from),
      scripts: of('script').map((one) => ({ ...tracked(one), command: commandOf(one.name, from) })),
      files: of('file').map(tracked),
      processes: of('process').map(tracked),
      counts: keepalivedCounts(it),
    },
  ]
}

/** Without a source of its own yet, as in FAULT: the interface's first address. */
function shownSource(source: string, cfg: Instance, { kernel }: DumpSources): string {
  if (source !== '0.0.0.0' && source !== '::') return source
  const it = cfg.interface === null ? null : kernel.linkByName(cfg.interface)
  const held = it === null ? [] : kernel.addressesOn(it.ifindex).filter(({ ours }) => !ours)
  const six = cfg.family === 6
  return held.find(({ address }) => address.includes(':') === six)?.address ?? source
}

/** What the configuration says, as it stands. */
const settings = (cfg: Instance) => ({
  version: cfg.version,
  family: cfg.family,
  sourceConfigured: cfg.transport.source !== null,
  garp: {
    delay: usToSeconds(cfg.garp.masterDelayUs),
    repeat: cfg.garp.masterRepeat,
    refresh: usToSeconds(cfg.garp.masterRefreshUs),
    refreshRepeat: cfg.garp.masterRefreshRepeat,
    lowerPrioDelay: usToSeconds(cfg.garp.lowerPrioDelayUs),
    lowerPrioRepeat: cfg.garp.lowerPrioRepeat,
  },
  downTimerAdverts: cfg.downTimerAdverts,
  lowerPrioNoAdvert: cfg.lowerPrioNoAdvert,
  higherPrioSendAdvert: cfg.higherPrioSendAdvert,
  vrid: cfg.vrid,
  priority: cfg.priority,
  advertSeconds: usToSeconds(cfg.advertIntervalUs),
  accept: cfg.accept,
  preempt: cfg.preempt,
  preemptDelay: usToSeconds(cfg.preemptDelayUs),
  strict: cfg.strict,
  skipCheckAdvAddr: cfg.skipCheckAdvAddr,
  trackPrimary: cfg.trackPrimary,
  promoteSecondaries: cfg.promoteSecondaries,
  password: cfg.password !== null,
  ah: cfg.ahKey !== null,
  interfaces: cfg.trackInterfaces.map(tracked),
  notify: notify(cfg.notify),
})

/** The interval that a backup counts with: its down interval is so many of them and the skew. */
function masterOf(it: StatusInstance, cfg: Instance): DumpInstance['master'] {
  if (it.state !== 'BACKUP' || it.master === null) return null
  const intervals = cfg.downTimerAdverts + (256 - it.effectivePriority) / 256
  const learned = it.version === 3 && it.downIntervalMs !== null
  const ms = learned ? (it.downIntervalMs ?? 0) / intervals : it.advertIntervalMs
  const { address, priority } = it.master
  return { address, priority, advertSeconds: Math.round(ms / 10) / 100 }
}

function dueOf(it: StatusInstance, atMs: number): number | null {
  if (it.state === 'MASTER' && it.lastSentAgoMs !== null)
    return atMs - it.lastSentAgoMs + it.advertIntervalMs
  if (it.state === 'BACKUP' && it.downIntervalMs !== null)
    return atMs - (it.lastAdvertAgoMs ?? it.sinceMs) + it.downIntervalMs
  return null
}

/** Trackers without a weight, and its own interface, that stand in its way. */
function faultsOf(it: StatusInstance, cfg: Instance, from: DumpSources): number {
  if (it.state !== 'FAULT') return 0
  const own = cfg.trackPrimary && cfg.interface !== null ? [cfg.interface] : []
  const heavy = cfg.trackInterfaces.filter(({ weight }) => weight === 0).map(({ name }) => name)
  const down = [...new Set([...own, ...heavy])].filter(
    (name) => from.kernel.linkByName(name)?.up !== true,
  )
  const bad = cfg.trackChecks.filter(
    ({ weight, name }) => weight === 0 && checkOf(name, from)?.good === false,
  )
  return down.length + bad.length
}

const pendingOf = (cfg: Instance, from: DumpSources): number =>
  cfg.trackChecks.filter(({ name }) => checkOf(name, from)?.good === null).length

const checkOf = (name: string, { status }: DumpSources): StatusCheck | undefined =>
  status.checks.find((check) => check.name === name)

const commandOf = (name: string, { config }: DumpSources): string => {
  const script = config.scripts.find((it) => it.name === name)
  return script === undefined
    ? ''
    : argvOf(script.run)
        .map((word) => `'${word}'`)
        .join(' ')
}

/** Without the kind in front: `file/NAME` is called NAME in its own section. */
const plain = (name: string): string => name.replace(/^(?:file|process)\//, '')

const tracked = ({ name, weight, reverse }: Tracked): DumpTracked => ({
  name: plain(name),
  weight,
  reverse,
})

const scopes: Readonly<Record<number, string>> = {
  0: 'global',
  200: 'site',
  253: 'link',
  254: 'host',
  255: 'nowhere',
}

function addresses(
  entries: readonly VirtualAddress[],
  it: StatusInstance,
  excluded: boolean,
): readonly DumpAddress[] {
  const held = it.addresses.filter((one) => one.excluded === excluded)
  return entries.map((entry, at) => {
    const now = held[at]
    const six = entry.address.includes(':')
    const host = entry.prefixLength === (six ? 128 : 32)
    return {
      address: entry.address,
      prefixLength: host ? null : entry.prefixLength,
      broadcast: entry.broadcast,
      interface: now?.interface ?? entry.interface ?? it.interface ?? '',
      scope: scopes[entry.scope] ?? String(entry.scope),
      label: entry.label,
      preferred: six ? (entry.preferredSeconds ?? 'forever') : null,
      set: now?.present === true && it.state === 'MASTER',
    }
  })
}

function transport({ transport: it, interface: name }: Instance, { kernel }: DumpSources) {
  if (it.kind === 'multicast') {
    const ifindex = name === null ? 0 : (kernel.linkByName(name)?.ifindex ?? 0)
    return { kind: it.kind, group: it.group, ifindex }
  }
  return { kind: it.kind, ttl: it.ttl, checkSource: it.checkSource, peers: it.peers }
}

const notify = (it: Notify): DumpNotify => ({
  backup: script(it.backup),
  master: script(it.master),
  fault: script(it.fault),
  stop: script(it.stop),
  deleted: script(it.deleted),
  any: script(it.any),
  masterRxLowerPri: script(it.masterRxLowerPri),
  mail: it.mail,
  saysDeleted: it.saysDeleted,
  priorityChanges: it.priorityChanges,
})

const script = (it: UserCommand | null): DumpScript | null =>
  it === null
    ? null
    : { argv: argvOf(it), uid: it.runAs?.uid ?? processUid(), gid: it.runAs?.gid ?? processGid() }

const processUid = (): number => process.getuid?.() ?? 0
const processGid = (): number => process.getgid?.() ?? 0

function argvOf({ command, raw }: UserCommand): readonly string[] {
  if (command.kind === 'argv') return command.argv
  return command.kind === 'shell' ? [command.shell, '-c', command.text] : [raw]
}

function group(it: Status['groups'][number], from: DumpSources): readonly DumpGroup[] {
  const cfg = from.config.groups.find(({ name }) => name === it.name)
  if (cfg === undefined) return []
  const members = from.status.instances.filter(({ name }) => it.members.includes(name))
  const inState = (state: StatusInstance['state']) =>
    members.filter((member) => member.state === state).length
  return [
    {
      name: it.name,
      state: stateOf(it.state),
      inFault: inState('FAULT'),
      inInit: inState('INIT'),
      members: it.members,
      trackingWeight: cfg.trackingWeight,
      notify: notify(cfg.notify),
    },
  ]
}

/** What is told of every check. */
function check(it: Script, from: DumpSources) {
  const users = from.config.instances.flatMap(({ name, trackChecks }) =>
    trackChecks.filter((one) => one.name === it.name).map((one) => ({ ...tracked(one), name })),
  )
  const { weight, reverse } = it
  const good = checkOf(it.name, from)?.good ?? null
  return { name: plain(it.name), weight, reverse, good, trackedBy: users }
}

const inSection = (kind: Command['kind']): 'file' | 'process' | 'script' => {
  if (kind === 'value') return 'file'
  return kind === 'processes' ? 'process' : 'script'
}

function scriptCheck(it: Script, from: DumpSources): readonly Dump['scripts'][number][] {
  if (inSection(it.run.command.kind) !== 'script') return []
  const status = checkOf(it.name, from)
  const top = it.rise + it.fall - 1
  const streak = Math.min(status?.streak ?? 0, top)
  return [
    {
      ...check(it, from),
      command: argvOf(it.run),
      intervalSeconds: Math.ceil(usToSeconds(it.intervalUs)),
      timeoutSeconds: it.timeoutUs === it.intervalUs ? 0 : Math.ceil(usToSeconds(it.timeoutUs)),
      rise: it.rise,
      fall: it.fall,
      result: status?.good === true ? top - streak : streak,
      uid: it.run.runAs?.uid ?? processUid(),
      gid: it.run.runAs?.gid ?? processGid(),
    },
  ]
}

function file(it: Script, from: DumpSources): readonly Dump['files'][number][] {
  const { command } = it.run
  if (command.kind !== 'value') return []
  const outcome = checkOf(it.name, from)?.last?.outcome
  const value = outcome?.kind === 'value' ? outcome.value : 0
  return [{ ...check(it, from), path: command.path, value }]
}

function processes(it: Script, from: DumpSources): readonly Dump['processes'][number][] {
  const { command } = it.run
  if (command.kind !== 'processes') return []
  const outcome = checkOf(it.name, from)?.last?.outcome
  const seen = outcome?.kind === 'probe' ? Number(/\d+/.exec(outcome.detail)?.[0] ?? 0) : 0
  return [
    {
      ...check(it, from),
      process: command.name,
      parameters: command.parameters,
      match: command.match,
      least: command.least,
      most: command.most,
      current: seen,
      gainSeconds: command.gainDelayMs / 1_000,
      lossSeconds: command.lossDelayMs / 1_000,
      full: command.full,
    },
  ]
}

function link(name: string, { kernel, config }: DumpSources): readonly DumpInterface[] {
  const it = kernel.linkByName(name)
  if (it === null) return []
  const held = kernel
    .addressesOn(it.ifindex)
    .filter(({ ours, address }) => !ours && address !== '::1')
  const family = (six: boolean) =>
    held.filter(({ address }) => address.includes(':') === six).map(({ address }) => address)
  const users = config.instances.flatMap((one) => {
    const explicit = one.trackInterfaces.find((it) => it.name === name)
    if (explicit !== undefined) return [{ ...tracked(explicit), name: one.name }]
    return one.interface === name && one.trackPrimary
      ? [{ name: one.name, weight: 0, reverse: false }]
      : []
  })
  return [
    {
      name,
      ifindex: it.ifindex,
      ip4: family(false),
      ip6: family(true).sort((a, b) => Number(b.startsWith('fe80')) - Number(a.startsWith('fe80'))),
      mac:
        it.mac === null || it.mac.every((octet) => octet === 0)
          ? null
          : [...it.mac].map((octet) => octet.toString(16).padStart(2, '0')).join(':'),
      up: it.up,
      mtu: it.mtu ?? 0,
      trackedBy: users,
    },
  ]
}
