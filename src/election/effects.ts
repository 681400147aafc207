/**
 * What every state's function has in common: how a result is put together, how a machine begins to listen,
 * and how long it listens. Small constructors, no decisions that depend on the event.
 */
import { addUs, type Us, us } from '../base/time.ts'
import { downIntervalUs, skewUs } from '../base/vrrp-timing.ts'
import type {
  Cause,
  Countdown,
  Damping,
  Effect,
  Event,
  Machine,
  Master,
  Params,
  State,
  Step,
} from './types.ts'

export type Backup = State & { readonly kind: 'backup' }
export type Active = State & { readonly kind: 'master' }
export type Faulty = State & { readonly kind: 'fault' }

/** What a state's function sees: `stop` is the same for all of them. */
export type LiveEvent = Exclude<Event, { readonly kind: 'stop' }>

const ownerPriority = 255

export const isOwner = (params: Params): boolean => params.basePriority === ownerPriority

/** The machine goes on as it is; effects only. */
export const stay = (machine: Machine, ...effects: readonly Effect[]): Step => ({
  machine,
  effects,
  order: 'keep',
  accepted: false,
})

/**
 * A master that leaves without having yielded to another router says so with priority 0 (RFC 9568 section 6.4.3, Shutdown), so
 * that its peers need not wait for its silence.
 */
const resigns = ({ from, to, cause }: Effect & { readonly kind: 'transition' }): boolean =>
  from === 'master' &&
  (to === 'fault' || to === 'stopped' || cause.kind === 'demoted' || cause.kind === 'contested')

/** The same kind of state with other contents, which the engine need not know of. */
export const become = (machine: Machine, state: State, ...effects: readonly Effect[]): Step =>
  stay({ ...machine, state }, ...effects)

/** The same kind of state; what the engine expects, or until when, or what it sends is another. */
export const replace = (machine: Machine, state: State, ...effects: readonly Effect[]): Step => ({
  ...become(machine, state, ...effects),
  order: 'replace',
})

/** A change of state; `before` are effects to carry out ahead of it. */
export const move = (
  machine: Machine,
  state: State,
  cause: Cause,
  before: readonly Effect[] = [],
): Step => {
  const transition = {
    kind: 'transition' as const,
    from: machine.state.kind,
    to: state.kind,
    cause,
  }
  return {
    ...become(machine, state, ...before, transition),
    order: resigns(transition) ? 'resign' : 'enter',
  }
}

export const log = (
  params: Params,
  text: string,
  level: 'info' | 'warning' = 'info',
): Effect & { kind: 'log' } => ({ kind: 'log', level, text: `(${params.name}) ${text}` })

/** The interval that governs a backup: the master's where version 3 has learned it, else our own. */
export const followedIntervalUs = (params: Params, master: Master | null): Us =>
  params.version === 3 && master !== null ? master.intervalUs : params.advertIntervalUs

/**
 * How long a backup waits after an advert of its master before it takes over: the follow's `restartUs`.
 * In any other state, what it would wait as a backup that has heard no master.
 */
export function restartUs(params: Params, machine: Machine): Us {
  const backup = machine.state.kind === 'backup' ? machine.state : null
  const span = downIntervalUs({
    version: params.version,
    downTimerAdverts: params.downTimerAdverts,
    effectivePriority: machine.effective,
    intervalUs: followedIntervalUs(params, backup?.master ?? null),
  })
  return addUs(span, extraUs(backup?.damping ?? null))
}

export const backupSkewUs = (params: Params, effective: number, master: Master | null): Us =>
  skewUs(params.version, effective, followedIntervalUs(params, master))

/**
 * Whether the advert that was accepted last would be accepted again, and so restarts the deadline. A later, lower one
 * in the same name changes nothing about that: a master that has really come down sends the old one no more.
 */
export const restarts = ({ countdown, master }: Backup, effective: number): boolean =>
  countdown.kind === 'restarts' ||
  (countdown.kind === 'overruled' && master !== null && master.priority >= effective)

/** What damping adds to every span after which this backup would take over. */
export const extraUs = (damping: Damping | null): Us => damping?.extraUs ?? us(0)

/** A backup that follows `master` (or no master yet) with a full down interval from now. */
export function listening(
  params: Params,
  effective: number,
  now: Us,
  master: Master | null = null,
  damping: Damping | null = null,
): Backup {
  const span = downIntervalUs({
    version: params.version,
    downTimerAdverts: params.downTimerAdverts,
    effectivePriority: effective,
    intervalUs: followedIntervalUs(params, master),
  })
  const countdown: Countdown = { kind: master === null ? 'silence' : 'restarts' }
  const masterDownAt = addUs(addUs(now, span), extraUs(damping))
  const fresh = { preemptAt: null, countdown, wantsMaster: false }
  return { kind: 'backup', master, masterDownAt, ...fresh, damping }
}

/** Master from now on. An owner that had yielded to another owner takes its 255 back. */
export function takeOver(
  params: Params,
  machine: Machine,
  cause: Cause,
  now: Us,
  before: readonly Effect[] = [],
): Step {
  const effective = isOwner(params) ? ownerPriority : machine.effective
  const state: State = { kind: 'master', since: now, rival: null }
  return move({ ...machine, effective }, state, cause, before)
}
