/**
 * The daemon's state as an operator wants to read it. Addresses are read back from the kernel's mirror and
 * masters from the wire; nothing here is what we meant to do.
 */
import { hostname } from 'node:os'
import { secondsToUs, type Us, us, usToMilliseconds } from '../../base/time.ts'
import type { CheckPool } from '../../checks/verdict/types.ts'
import { describeCommand } from '../../config/scripts/command.ts'
import type { Script, VirtualAddress } from '../../config/types.ts'
import { describeCause } from '../../election/describe.ts'
import { followedIntervalUs, restartUs } from '../../election/effects.ts'
import type { State } from '../../election/types.ts'
import type { Engine, EngineStart } from '../../engine/contract.ts'
import type { KernelView } from '../../kernel/mirror.ts'
import type {
  Status,
  StatusAddress,
  StatusCheck,
  StatusGroup,
  StatusInstance,
} from '../../report/status.ts'
import { oversizedAdvert } from '../binding/advert-size.ts'
import { advertLoss, lossWarning } from './advert-loss.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { RunningInstance } from './instance.ts'
import type { Roster } from './roster.ts'

export const stateNames: Readonly<Record<State['kind'], StatusInstance['state']>> = {
  init: 'INIT',
  fault: 'FAULT',
  backup: 'BACKUP',
  master: 'MASTER',
  stopped: 'STOP',
}

type Unjudged = Omit<StatusInstance, 'warnings'>

export type StatusSources = {
  readonly dispatcher: Dispatcher
  readonly engine: Engine
  readonly engineStart: EngineStart
  readonly kernel: KernelView
  readonly pool: CheckPool
  readonly version: string
  readonly uptimeMs: number
  /** Of the warden and of the sockets. */
  readonly otherWarnings: readonly string[]
  readonly config: Status['config']
}

export function daemonStatus(from: StatusSources): Status {
  const { engine, engineStart, dispatcher } = from
  const { roster } = dispatcher
  const counters = dispatcher.links.ids.map((id) => engine.linkCounters(id))
  const total = (pick: (c: (typeof counters)[number]) => number): number =>
    counters.reduce((sum, c) => sum + pick(c), 0)
  const instances = roster.instances.map((it): StatusInstance => {
    const status = instanceStatus(it, from)
    return { ...status, warnings: warningsAbout(it, status, from) }
  })
  const checks = dispatcher.config.scripts.flatMap((script) =>
    checkStatus(script, from.pool, roster),
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
      throttled: total((c) => c.throttled),
      coalesced: total((c) => c.coalesced),
      unclaimed: total((c) => c.unclaimed),
    },
    unknownVrids: dispatcher.unknownVrids,
    instances,
    groups: roster.groups.map(
      (g): StatusGroup => ({
        name: g.cfg.name,
        state: stateNames[g.state],
        members: g.memberNames,
      }),
    ),
    checks,
    warnings: [
      ...instances.flatMap((it) => it.warnings),
      ...(roster.drained ? ['this host is drained: vipd resume brings it back'] : []),
      ...from.otherWarnings,
    ],
  }
}

function checkStatus(script: Script, pool: CheckPool, roster: Roster): readonly StatusCheck[] {
  const status = pool.status(script.name)
  if (status === null) return []
  const users = roster.instances.filter((it) => roster.scriptsOf(it).has(script.name))
  const sinceMs = status.sinceMs === null ? null : Date.now() - status.sinceMs
  const how = describeCommand(script.run.command)
  return [{ ...status, sinceMs, how, usedBy: users.map((it) => it.name) }]
}

/** Faults change while the state stays: the present ones count. */
const whyOf = ({ state, journal }: RunningInstance): string =>
  state.kind === 'fault' ? describeCause({ kind: 'faults', faults: state.faults }) : journal.why

/** What an operator must act on although nothing has failed over. */
function warningsAbout(
  it: RunningInstance,
  status: Unjudged,
  { engine, dispatcher }: StatusSources,
): readonly string[] {
  const now = engine.now()
  return [
    ...addressWarnings(status),
    ...rivalOf(it, now),
    ...it.contestedAt(now),
    ...it.duplicatesAt(now),
    ...ignoredOf(status),
    ...refusedOf(it),
    ...muteOf(it, now),
    ...visitorOf(it, now),
    ...overlongOf(it),
    ...lossesOf(it, engine),
    ...flappingOf(it),
    ...standingBy(status, dispatcher.roster),
    ...contestedStandBy(it, now),
    ...[oversizedAdvert(it.cfg, it.stance.home) ?? []].flat(),
  ]
}

function addressWarnings(it: Unjudged): readonly string[] {
  const missing = it.addresses.filter((a) => !a.present).map((a) => a.address)
  const held = it.addresses.filter((a) => a.present && !a.foreign).map((a) => a.address)
  const foreign = it.addresses.filter((a) => a.foreign).map((a) => a.address)
  const others = foreign.join(', ')
  const name = `${it.name} is ${it.state}`
  return [
    ...(it.state === 'MASTER' && missing.length > 0
      ? [`${name} but the kernel does not hold ${missing.join(', ')}`]
      : []),
    ...(it.state !== 'MASTER' && held.length > 0
      ? [`${name} but this host still holds ${held.join(', ')}`]
      : []),
    // An owner's address is its host's.
    ...(foreign.length > 0 && it.basePriority < 255
      ? [`${name}, and ${others} was set by another program: vipd neither renews nor removes it`]
      : []),
  ]
}

const refusedOf = ({ name, state, stance, refusals }: RunningInstance): readonly string[] =>
  state.kind === 'master'
    ? refusals.describe(stance.facts?.addresses ?? []).map((why) => `${name} is MASTER, but ${why}`)
    : []

function muteOf(it: RunningInstance, now: Us): readonly string[] {
  const why = it.muteAt(now)
  return why === null ? [] : [`${it.name} is MASTER, but ${why}`]
}

/** Another router of this VRID that has no say here: most often a second master. */
const ignoredOf = ({ name, state, ignored }: Unjudged): readonly string[] =>
  ignored.map(
    ({ from, why, explanation }) =>
      `${name} is ${state} and ignores the adverts of ${from} (${why}): ${explanation}`,
  )

/** Two masters: the partition that healed, or the peer that cannot hear us. */
function rivalOf(it: RunningInstance, now: Us): readonly string[] {
  const rival = it.rivalAt(now)
  if (rival === null) return []
  return [`${it.name} is MASTER, and so is ${rival.address} (priority ${rival.priority})`]
}

/** An honest fault takes two transitions away and back; so many in a minute are none. */
const flapping = { transitions: 10, spanMs: 60_000 }

function flappingOf({ name, journal }: RunningInstance): readonly string[] {
  const times = journal.recent(flapping.spanMs)
  return times > flapping.transitions
    ? [`${name} changed state ${times} times in the last minute`]
    : []
}

/** For so long a better master that came and went is named. */
const visitorNamedUs = secondsToUs(60)

function visitorOf({ name, state, machine }: RunningInstance, now: Us): readonly string[] {
  const { visitor } = machine
  if (visitor === undefined || now - visitor.at > visitorNamedUs) return []
  const { address, priority, times } = visitor
  const extraUs = state.kind === 'backup' ? (state.damping?.extraUs ?? 0) : 0
  const waits =
    extraUs === 0
      ? ''
      : `; ${name} waits ${extraUs / 1_000_000} s longer before taking over from it`
  return [
    `${name}: ${address} (priority ${priority}) came ${times} times in a few seconds as a better master and left again${waits}`,
  ]
}

/** A forged advert, or a router that is configured otherwise: its silence would be noticed late. */
function overlongOf({ name, state, cfg }: RunningInstance): readonly string[] {
  if (state.kind !== 'backup' || state.master?.statedUs === undefined) return []
  const { address, statedUs, intervalUs } = state.master
  const [stated, counted] = [usToMilliseconds(statedUs), usToMilliseconds(intervalUs)]
  return [
    `${name} follows ${address}, which states an interval of ${stated} ms, more than ${cfg.maxIntervalRatio} times ours: counted as ${counted} ms`,
  ]
}

/** Of a backup: a master hears no adverts that it could miss. */
function lossesOf(it: RunningInstance, engine: Engine): readonly string[] {
  const { name, state, cfg, params } = it
  const loss = lossAt(it, engine)
  if (state.kind !== 'backup' || loss === null) return []
  const intervalUs = followedIntervalUs(params, state.master)
  const why = lossWarning(loss, { intervalUs, downTimerAdverts: cfg.downTimerAdverts })
  return why === null ? [] : [`${name} is BACKUP, and ${why}`]
}

/** Said until it is ended: a host that was forgotten in this state is no backup to rely on. */
const standingBy = (
  { name, standsBy }: Unjudged,
  roster: Pick<Roster, 'keeps'>,
): readonly string[] => [
  ...(roster.keeps(name)
    ? [`${name} is MASTER although this host is drained: no peer took it over`]
    : []),
  ...(standsBy === 'failover'
    ? [`${name} has been handed over and stands by: vipd resume ${name} ends that`]
    : []),
]

function contestedStandBy(it: RunningInstance, now: Us): readonly string[] {
  if (it.assessment.standsBy !== 'conflict') return []
  const conflict = it.conflictAt(now)
  if (conflict === null) return [`${it.name} stands by with its sync group`]
  const seconds = Math.ceil(conflict.forUs / 1_000_000)
  return [
    `${it.name} has resigned and stands by for ${seconds} s more: another program removes ${conflict.address} again and again`,
  ]
}

function instanceStatus(it: RunningInstance, from: StatusSources): Unjudged {
  const { engine, kernel } = from
  const { cfg, state, assessment } = it
  const now = engine.now()
  const counters = it.stance.link === null ? null : engine.counters(it.slot)
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
    downIntervalMs:
      state.kind === 'backup' ? usToMilliseconds(restartUs(it.params, it.machine)) : null,
    lastAdvertAgoMs: agoMs(counters?.lastReceivedUs ?? null, now),
    lastSentAgoMs: agoMs(counters?.lastSentUs ?? null, now),
    sinceMs: it.journal.sinceMs,
    transitions: it.journal.transitions,
    why: whyOf(it),
    addresses: addressStatus(it, kernel),
    adverts: {
      received: counters?.received ?? 0,
      sent: counters?.sent ?? 0,
      heard: loss?.heard ?? 0,
      missed: loss?.missed ?? 0,
      recent: loss?.recent ?? { heard: 0, missed: 0 },
      longestGapMs: usToMilliseconds(loss?.longestUs ?? us(0)),
    },
    checksums: it.receiver.checksums(counters?.received ?? 0),
    priorityZero: { received: it.receiver.priorityZero, sent: it.zeroSent },
    rejects: {
      ...it.receiver.rejects,
      'address-list': it.receiver.addressListDiffers,
      'first-address': it.receiver.firstNotLinkLocal,
      'advert-interval': it.receiver.intervalDiffers,
      'excess-octets': it.receiver.excessOctets,
    },
    ignored: it.receiver.ignored.at(now),
    history: it.journal.entries,
  }
}

const lossAt = ({ slot, stance }: RunningInstance, engine: Engine) =>
  stance.link === null ? null : advertLoss(engine.gaps(slot), engine.now())

function masterOf(it: RunningInstance): StatusInstance['master'] {
  const { state } = it
  if (state.kind === 'master')
    return { address: it.params.source, priority: it.machine.effective, self: true }
  if (state.kind !== 'backup' || state.master === null) return null
  return { address: state.master.address, priority: state.master.priority, self: false }
}

function addressStatus(it: RunningInstance, kernel: KernelView): readonly StatusAddress[] {
  const one = (entry: VirtualAddress, excluded: boolean): StatusAddress => {
    const name = entry.interface ?? it.cfg.interface
    const link = name === null ? kernel.linkHolding(it.params.source) : kernel.linkByName(name)
    return {
      address: entry.address,
      prefixLength: entry.prefixLength,
      interface: name ?? link?.name ?? '',
      excluded,
      present: link !== null && kernel.holds(link.ifindex, entry),
      foreign: link !== null && kernel.isForeign(link.ifindex, entry),
    }
  }
  return [
    ...it.cfg.addresses.map((entry) => one(entry, false)),
    ...it.cfg.excluded.map((entry) => one(entry, true)),
  ]
}

const agoMs = (at: Us | null, now: Us): number | null =>
  at === null ? null : Math.max(0, (now - at) / 1000)
