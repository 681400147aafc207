/**
 * What an operator must act on although nothing has failed over: from the figures of one instance and what is known of
 * the routers around it to sentences for `status`.
 */
import { secondsToUs, type Us, usToMilliseconds } from '../../base/time.ts'
import { followedIntervalUs } from '../../election/effects.ts'
import type { Engine } from '../../engine/contract.ts'
import type { StatusInstance } from '../../report/status.ts'
import { oversizedAdvert } from '../binding/advert-size.ts'
import { describeClaim } from '../claims/describe.ts'
import { advertLoss, lossWarning } from './advert-loss.ts'
import type { RunningInstance } from './instance.ts'
import type { Roster } from './roster.ts'

export type InstanceFigures = Omit<StatusInstance, 'warnings'>

type WarningSources = { readonly engine: Engine; readonly roster: Roster }

export function warningsAbout(
  it: RunningInstance,
  status: InstanceFigures,
  { engine, roster }: WarningSources,
): readonly string[] {
  const now = engine.now()
  const { contested, refused } = keptAddresses(it, now)
  return [
    ...addressWarnings(status),
    ...rivalOf(it, now),
    ...contested,
    ...it.addresses.duplicatesOf(it.cfg, now),
    ...claimedOf(status),
    ...ignoredOf(status),
    ...skewOf(status),
    ...refused,
    ...it.keeper.entryWarnings(now),
    ...muteOf(it, now),
    ...intermittentOf(it, now),
    ...overlongOf(it),
    ...lossesOf(it, engine),
    ...flappingOf(it),
    ...standingBy(status, roster),
    ...contestedStandBy(it, now),
    ...[oversizedAdvert(it.cfg, it.binding.primary) ?? []].flat(),
  ]
}

function addressWarnings(it: InstanceFigures): readonly string[] {
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

/** In the last minute, by address. */
const claimedOf = ({ name, state, claims }: InstanceFigures): readonly string[] =>
  claims.claimants.map((one) => {
    const ago = Math.round(one.lastAgoMs / 1_000)
    return `${name} is ${state}, and ${describeClaim(one, 0)}: ${one.count} times, last ${ago} s ago`
  })

const noWarnings = { contested: [], refused: [] }

const keptAddresses = ({ cfg, state, binding, addresses }: RunningInstance, now: Us) =>
  state.kind === 'master' ? addresses.warnings({ cfg, facts: binding.facts, now }) : noWarnings

function muteOf(it: RunningInstance, now: Us): readonly string[] {
  const why = it.muteAt(now)
  return why === null ? [] : [`${it.name} is MASTER, but ${why}`]
}

/** Another router of this VRID that has no say here: most often a second master. */
const ignoredOf = ({ name, state, ignored }: InstanceFigures): readonly string[] =>
  ignored.map(
    ({ from, why, explanation }) =>
      `${name} is ${state} and ignores the adverts of ${from} (${why}): ${explanation}`,
  )

/** An advert from further away than the window is not believed, so that a clock that drifts becomes a second master. */
const skewOf = ({ name, authentication }: InstanceFigures): readonly string[] =>
  authentication === null || authentication.antiReplay === 'monotonic'
    ? []
    : authentication.senders
        .filter(({ skewSeconds }) => Math.abs(skewSeconds) * 2 > authentication.windowSeconds)
        .map(
          ({ address, skewSeconds }) =>
            `${name}: the clock of ${address} is ${Math.abs(skewSeconds)} s ${skewSeconds > 0 ? 'ahead of' : 'behind'} ours, and auth_hmac allows ${authentication.windowSeconds} s: set the clocks right`,
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
const intermittentNamedUs = secondsToUs(60)

function intermittentOf({ name, state, machine }: RunningInstance, now: Us): readonly string[] {
  const { intermittent } = machine
  if (intermittent === undefined || now - intermittent.at > intermittentNamedUs) return []
  const { address, priority, times } = intermittent
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
  { name, standsBy }: InstanceFigures,
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
  const conflict = it.addresses.conflictAt(now)
  if (conflict === null) return [`${it.name} stands by with its sync group`]
  const seconds = Math.ceil(conflict.forUs / 1_000_000)
  return [
    `${it.name} has resigned and stands by for ${seconds} s more: another program removes ${conflict.address} again and again`,
  ]
}

/** Of an instance with sockets; else null. */
export const lossAt = ({ slot, binding }: RunningInstance, engine: Engine) =>
  binding.link === null ? null : advertLoss(engine.gaps(slot), engine.now())
