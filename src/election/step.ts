/**
 * The election of one VRRP instance as a pure function: (params, machine, event, now) → machine and effects.
 * Version 3 follows RFC 9568 section 6.4, version 2 RFC 3768 section 6.4; where both are silent, what
 * keepalived is seen to do. Each state has one function; the large ones are backup.ts and master.ts.
 *
 *     init ──start──► backup ◄──────► master        any state ──faults──► fault ──recovered──► backup
 *       └──start (owner)──────────────► ▲                                   └─(owner)────────► master
 *
 * The engine owns a backup's deadline: `expired` arrives after it has already begun to lead.
 */
import { unreachable } from '../base/assert.ts'
import { addUs, type Us, us } from '../base/time.ts'
import { stepBackup } from './backup.ts'
import {
  type Faulty,
  isOwner,
  type LiveEvent,
  listening,
  move,
  restarts,
  restartUs,
  stay,
  takeOver,
} from './effects.ts'
import { enterFault, isPending, withGroupFault, withOwnFaults } from './faults.ts'
import { stepMaster } from './master.ts'
import { heardFrom, withoutSilent } from './peer.ts'
import type { Cause, Event, Machine, Params, State, Step } from './types.ts'

/** Before anything is known: base priority, init. */
export const initial = (params: Params): Machine => ({
  state: { kind: 'init' },
  effective: params.basePriority,
})

/** One event. `now` is the instant at which it happened (for an advert, its reception), monotonic. */
export function step(params: Params, machine: Machine, event: Event, now: Us): Step {
  if (event.kind === 'stop') return stop(machine)
  if (event.kind !== 'advert') return withoutSilent(dispatch(params, machine, event, now))
  if (event.superseded === true) return dispatch(params, machine, event, now)
  return dispatch(params, heardFrom(params, machine, event.advert), event, now)
}

function dispatch(params: Params, machine: Machine, event: LiveEvent, now: Us): Step {
  const { state } = machine
  switch (state.kind) {
    case 'init':
      return stepInit(params, machine, event, now)
    case 'fault':
      return stepFault(params, machine, state, event, now)
    case 'backup':
      return stepBackup(params, machine, state, event, now)
    case 'master':
      return stepMaster(params, machine, state, event, now)
    case 'stopped':
      return stay(machine)
    default:
      return unreachable(state)
  }
}

/**
 * The next instant at which the election itself needs a `tick`: the end of a preempt_delay, after which the
 * engine must stop restarting the deadline, and the end of damping. null: none. A backup's take-over is the engine's deadline.
 */
export function nextDeadline(state: State): Us | null {
  if (state.kind !== 'backup') return null
  const preemptAt = state.countdown.kind === 'restarts' ? state.preemptAt : null
  const calmAt = state.damping?.until ?? null
  if (preemptAt === null || calmAt === null) return preemptAt ?? calmAt
  return us(Math.min(preemptAt, calmAt))
}

/**
 * A backup with the deadline that the engine has by now, given when it last heard the expected advert.
 * To be used before a step, so that an order that follows from it does not set the deadline back.
 */
export function refreshed(params: Params, machine: Machine, expectedHeardAt: Us | null): Machine {
  const { state } = machine
  if (state.kind !== 'backup' || !restarts(state, machine.effective)) return machine
  if (expectedHeardAt === null) return machine
  const masterDownAt = addUs(expectedHeardAt, restartUs(params, machine))
  if (masterDownAt <= state.masterDownAt) return machine
  return { ...machine, state: { ...state, masterDownAt } }
}

/** RFC 9568 section 6.4.1 (and RFC 3768 section 6.4.1). Nothing but Startup moves it, and faults. */
function stepInit(params: Params, machine: Machine, event: LiveEvent, now: Us): Step {
  switch (event.kind) {
    case 'start':
      return begin(params, machine, { kind: 'start' }, now)
    case 'priority':
      return stay({ ...machine, effective: event.effective })
    case 'faults':
      return enterFault(machine, withOwnFaults([], event.faults))
    case 'group-fault':
      return enterFault(machine, withGroupFault([], event.group, event.faultyMember))
    case 'advert':
    case 'expired':
    case 'held':
    case 'tick':
    case 'resigned':
    case 'claimed':
    case 'contested':
    case 'group':
      return stay(machine)
    default:
      return unreachable(event)
  }
}

/** Faulty: adverts are not looked at; only the end of all faults matters. */
function stepFault(
  params: Params,
  machine: Machine,
  state: Faulty,
  event: LiveEvent,
  now: Us,
): Step {
  switch (event.kind) {
    case 'priority':
      return stay({ ...machine, effective: event.effective })
    case 'faults':
      return refault(params, machine, state, withOwnFaults(state.faults, event.faults), now)
    case 'group-fault':
      return refault(
        params,
        machine,
        state,
        withGroupFault(state.faults, event.group, event.faultyMember),
        now,
      )
    case 'start':
    case 'advert':
    case 'expired':
    case 'held':
    case 'tick':
    case 'resigned':
    case 'claimed':
    case 'contested':
    case 'group':
      return stay(machine)
    default:
      return unreachable(event)
  }
}

/** The faults changed: gone, from waiting to real (now it is notified), or others of the same kind. */
function refault(
  params: Params,
  machine: Machine,
  state: Faulty,
  faults: Faulty['faults'],
  now: Us,
): Step {
  if (faults.length === 0)
    return begin(params, machine, { kind: state.silent ? 'start' : 'recovered' }, now)
  const silent = state.silent && faults.every(isPending)
  const next: Faulty = { kind: 'fault', faults, silent }
  if (state.silent && !silent) return move(machine, next, { kind: 'faults', faults })
  return stay({ ...machine, state: next })
}

/**
 * RFC 9568 section 6.4.1: the address owner speaks at once; every other router listens for a full
 * down interval first. The same on the way out of a fault, so that nopreempt and preempt_delay are honoured.
 */
function begin(params: Params, machine: Machine, cause: Cause, now: Us): Step {
  if (isOwner(params) && params.ownerListens !== true)
    return takeOver(params, machine, cause.kind === 'start' ? { kind: 'owner' } : cause, now)
  return move(machine, listening(params, machine.effective, now), cause)
}

function stop(machine: Machine): Step {
  if (machine.state.kind === 'stopped') return stay(machine)
  return move(machine, { kind: 'stopped' }, { kind: 'stop' })
}
