/**
 * The daemon's state as an operator wants to read it. Addresses are read back from the kernel's mirror and
 * masters from the wire; nothing here is what we meant to do.
 */
import { hostname } from 'node:os'
import { type Us, us, usToMilliseconds } from '../../base/time.ts'
import type { CheckPool } from '../../checks/verdict/pool-contract.ts'
import { describeCommand } from '../../config/scripts/command.ts'
import type { Script } from '../../config/types.ts'
import type { VirtualAddress } from '../../config/virtual-address.ts'
import { describeCause } from '../../election/describe.ts'
import { restartUs } from '../../election/effects.ts'
import type { State } from '../../election/types.ts'
import type { Engine, EngineStart } from '../../engine/contract.ts'
import type { LinkCounters, SlotCounters } from '../../engine/counters.ts'
import type { KernelView } from '../../kernel/mirror.ts'
import type {
  Status,
  StatusAddress,
  StatusBucket,
  StatusCheck,
  StatusGroup,
  StatusInstance,
  StatusLease,
  StatusRest,
} from '../../report/status.ts'
import { placedPrefix } from '../binding/interface-resolution.ts'
import type { Dispatcher } from './dispatcher.ts'
import { gapsUpTo } from './gaps-up-to.ts'
import type { RunningInstance } from './instance.ts'
import type { Roster } from './roster.ts'
import { sealRejects } from './seals.ts'
import { type InstanceFigures, lossAt, warningsAbout } from './status-warnings.ts'

export const stateNames: Readonly<Record<State['kind'], StatusInstance['state']>> = {
  init: 'INIT',
  fault: 'FAULT',
  backup: 'BACKUP',
  master: 'MASTER',
  stopped: 'STOP',
}

/**
 * A slice ends after the instance with which it has taken so long, telling its part included: what came meanwhile waits no
 * longer. It is a dozen instances or more; the turn of the loop between two slices costs a hundredth of that.
 */
const sliceMs = 1

/** So that telling them is seen by the slice before it has taken many times as long as it may. */
const partMax = 16

export type StatusSources = {
  readonly dispatcher: Dispatcher
  readonly engine: Engine
  readonly engineStart: EngineStart
  readonly kernel: KernelView
  readonly pool: CheckPool
  leaseOf(name: string, leads: boolean): Omit<StatusLease, 'soonerTakeOvers'> | null
  readonly version: string
  readonly uptimeMs: number
  /** Of the warden and of the sockets. */
  readonly otherWarnings: readonly string[]
  readonly config: Status['config']
  /** Held back, and of no instance. */
  readonly packets: Pick<LinkCounters, 'throttled' | 'coalesced' | 'unclaimed'>
  readonly warden: Status['warden']
  readonly upgrades: Status['upgrades']
  readonly notify: Status['notify']
}

/** Made in slices, between which the event loop turns. What left meanwhile is left out. */
export async function daemonStatus(from: StatusSources): Promise<Status> {
  const instances: StatusInstance[] = []
  const rest = await tellStatus(from, (some) => void instances.push(...some))
  return { ...rest, instances }
}

/**
 * The same for a reader that takes it in parts and needs it nowhere as a whole. `part`: called with some instances at a time, in a few
 * tens of microseconds each; they count as part of a slice.
 */
export async function tellStatus(
  from: StatusSources,
  part: (instances: readonly StatusInstance[]) => void,
): Promise<StatusRest> {
  const { roster } = from.dispatcher
  const warnings: string[] = []
  let some: StatusInstance[] = []
  const tell = () => {
    if (some.length > 0) part(some)
    some = []
  }
  let beganMs = performance.now()
  for (const it of roster.instances) {
    if (roster.bySlot(it.slot) !== it) continue
    const status = instanceStatus(it, from)
    const own = warningsAbout(it, status, { engine: from.engine, roster })
    some.push({ ...status, warnings: own })
    warnings.push(...own)
    if (some.length >= partMax) tell()
    if (performance.now() - beganMs < sliceMs) continue
    tell()
    await new Promise<void>((turned) => setImmediate(turned))
    beganMs = performance.now()
  }
  tell()
  return aroundInstances(warnings, from)
}

function aroundInstances(ofInstances: readonly string[], from: StatusSources): StatusRest {
  const { engine, engineStart, dispatcher } = from
  const { roster } = dispatcher
  const users = usersIn(roster)
  const checks = dispatcher.config.scripts.flatMap((script) =>
    checkStatus(script, from.pool, users(script.name)),
  )
  return {
    schema: 1,
    version: from.version,
    pid: process.pid,
    host: hostname(),
    uptimeMs: from.uptimeMs,
    config: from.config,
    engine: {
      realtime: engineStart.realtime,
      locked: engineStart.locked,
      eventsRaised: dispatcher.eventsRaised,
      ...from.packets,
      wakeups: wakeupsOf(engine),
    },
    warden: from.warden,
    upgrades: from.upgrades,
    notify: from.notify,
    drained: roster.drained,
    unknownVrids: dispatcher.unknownVrids,
    groups: roster.groups.map(
      (g): StatusGroup => ({
        name: g.cfg.name,
        state: stateNames[g.state],
        members: g.memberNames,
      }),
    ),
    checks,
    bfd: dispatcher.bfd.status(users),
    statics: dispatcher.statics.status,
    warnings: [
      ...ofInstances,
      ...(roster.drained ? ['this host is drained: vipd resume brings it back'] : []),
      ...dispatcher.bfd.warnings(),
      ...dispatcher.statics.warnings(engine.now()),
      ...dispatcher.claims.warnings,
      ...from.otherWarnings,
    ],
  }
}

function wakeupsOf(engine: Engine): Status['engine']['wakeups'] {
  const { untilUs, counts, sumUs } = engine.wakeups()
  let count = 0
  const late = counts.map((more, i): StatusBucket => {
    count += more
    const bound = untilUs[i]
    return { untilMs: bound === undefined ? null : bound / 1_000, count }
  })
  return { late, lateSumMs: sumUs / 1_000 }
}

/** The instances that track something, by its name. */
function usersIn(roster: Roster): (tracked: string) => readonly string[] {
  const users = new Map<string, string[]>()
  for (const it of roster.instances) {
    for (const name of roster.scriptsOf(it)) {
      const known = users.get(name)
      if (known === undefined) users.set(name, [it.cfg.name])
      else known.push(it.cfg.name)
    }
  }
  return (tracked) => users.get(tracked) ?? []
}

function checkStatus(
  script: Script,
  pool: CheckPool,
  usedBy: readonly string[],
): readonly StatusCheck[] {
  const status = pool.status(script.name)
  if (status === null) return []
  const sinceMs = status.sinceMs === null ? null : Date.now() - status.sinceMs
  return [{ ...status, sinceMs, how: describeCommand(script.run.command), usedBy }]
}

/** Faults change while the state stays: the present ones count. */
const whyOf = ({ state, journal }: RunningInstance): string =>
  state.kind === 'fault' ? describeCause({ kind: 'faults', faults: state.faults }) : journal.why

function instanceStatus(it: RunningInstance, from: StatusSources): InstanceFigures {
  const { engine, kernel } = from
  const { cfg, state, assessment } = it
  const now = engine.now()
  const counters = it.binding.link === null ? null : engine.counters(it.slot)
  const loss = lossAt(it, engine)
  return {
    name: cfg.name,
    vrid: cfg.vrid,
    interface: cfg.interface,
    family: cfg.family,
    version: cfg.version,
    state: stateNames[state.kind],
    basePriority: cfg.priority,
    effectivePriority: it.machine.effective,
    priorityArithmetic: assessment.arithmetic,
    standsBy: assessment.standsBy,
    master: masterOf(it),
    advertIntervalMs: usToMilliseconds(cfg.advertIntervalUs),
    downTimerAdverts: cfg.downTimerAdverts,
    downIntervalMs:
      state.kind === 'backup' ? usToMilliseconds(restartUs(it.params, it.machine)) : null,
    lastAdvertAgoMs: agoMs(counters?.lastReceivedUs ?? null, now),
    lastSentAgoMs: agoMs(counters?.lastSentUs ?? null, now),
    sinceMs: it.journal.sinceMs,
    transitions: it.journal.transitions,
    transitionCounts: it.journal.counts,
    why: whyOf(it),
    addresses: addressStatus(it, kernel),
    adverts: {
      received: counters?.received ?? 0,
      sent: counters?.sent ?? 0,
      heard: loss?.heard ?? 0,
      missed: loss?.missed ?? 0,
      recent: loss?.recent ?? { heard: 0, missed: 0 },
      longestGapMs: usToMilliseconds(loss?.longestUs ?? us(0)),
      gaps: counters === null ? [] : gapsUpTo(engine.gaps(it.slot).histogram, cfg.advertIntervalUs),
    },
    authentication: authenticationOf(it, engine, counters),
    kernelLease: leaseOf(it, from),
    checksums: it.receiver.checksums(counters?.received ?? 0),
    garpDelaySeconds: usToMilliseconds(cfg.garp.masterDelayUs) / 1_000,
    priorityZero: { received: it.receiver.priorityZero, sent: it.orders.zeroSent },
    rejects: {
      ...it.receiver.rejects,
      ...sealRejects(cfg, counters?.seals ?? null),
      'address-list': it.receiver.addressListDiffers,
      'first-address': it.receiver.firstNotLinkLocal,
      'advert-interval': it.receiver.intervalDiffers,
      'excess-octets': it.receiver.excessOctets,
    },
    ignored: it.receiver.ignored.at(now),
    claims: claimsOf(it, now),
    history: it.journal.entries,
  }
}

function leaseOf(it: RunningInstance, from: StatusSources): StatusInstance['kernelLease'] {
  const lease = from.leaseOf(it.cfg.name, it.state.kind === 'master')
  if (lease === null) return null
  return { ...lease, soonerTakeOvers: from.dispatcher.leases.soonerTakeOvers(it) }
}

function claimsOf(it: RunningInstance, now: Us): StatusInstance['claims'] {
  const claimants = it.claims.at(now).map((one) => ({
    address: one.address,
    interface: one.interface,
    mac: one.mac,
    how: one.how,
    sameMac: one.sameMac,
    count: one.count,
    firstAgoMs: agoMs(one.firstAt, now) ?? 0,
    lastAgoMs: agoMs(one.lastAt, now) ?? 0,
  }))
  const history = it.claimants.past.at({ now, wallMs: Date.now() })
  return { ...it.claimants.counts, claimants, history }
}

function authenticationOf(
  it: RunningInstance,
  engine: Engine,
  counters: SlotCounters | null,
): StatusInstance['authentication'] {
  const { hmac, ahKey } = it.cfg
  const common = {
    sequence: engine.sealMemory(it.slot).sent,
    verified: counters?.seals.verified ?? 0,
    unsigned: counters?.seals.unsigned ?? 0,
  }
  if (ahKey !== null) {
    const none = { windowSeconds: 0, keys: [], activeKey: null, senders: [] }
    return { mode: 'ah', antiReplay: 'monotonic', ...none, ...common }
  }
  if (hmac === null) return null
  const now = engine.now()
  const senders = counters === null ? [] : engine.senders(it.slot)
  return {
    ...common,
    mode: hmac.mode,
    antiReplay: hmac.monotonic ? 'monotonic' : 'time',
    windowSeconds: hmac.windowSeconds,
    keys: hmac.keys.map(({ id }) => id),
    activeKey: hmac.activeKey,
    senders: senders.map(({ address, skewSeconds, at }) => ({
      address,
      skewSeconds,
      agoMs: agoMs(at, now) ?? 0,
    })),
  }
}

function masterOf(it: RunningInstance): StatusInstance['master'] {
  const { state } = it
  if (state.kind === 'master')
    return { address: it.params.source, priority: it.machine.effective, self: true }
  if (state.kind !== 'backup' || state.master === null) return null
  return { address: state.master.address, priority: state.master.priority, self: false }
}

function addressStatus(it: RunningInstance, kernel: KernelView): readonly StatusAddress[] {
  const one = (entry: VirtualAddress, excluded: boolean): StatusAddress => {
    const name = entry.vmac ?? entry.interface ?? it.cfg.interface
    const placed = { ...entry, prefixLength: placedPrefix(entry) }
    const link = name === null ? it.binding.primary : kernel.linkByName(name)
    return {
      address: entry.address,
      prefixLength: entry.prefixLength,
      interface: name ?? link?.name ?? '',
      excluded,
      present: link !== null && kernel.holds(link.ifindex, placed),
      foreign: link !== null && kernel.isForeign(link.ifindex, placed),
    }
  }
  return [
    ...it.cfg.addresses.map((entry) => one(entry, false)),
    ...it.cfg.excluded.map((entry) => one(entry, true)),
  ]
}

const agoMs = (at: Us | null, now: Us): number | null =>
  at === null ? null : Math.max(0, (now - at) / 1000)
