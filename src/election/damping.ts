/**
 * A better master that comes and goes would drag the addresses along. A *visit* is a lead of another router, better
 * than the master before it, that ends by silence or resignation within five advertisement intervals. From the third
 * visit within eleven seconds on, a host waits until the third last is that old before it takes over again, so a pair
 * takes over three times in ten seconds at most. A backup counts what it sees as the master does: it must not take over while
 * the former master waits. From the second visit on the addresses are announced once instead of repeatedly. A master
 * that stays longer was none of these, however often it fails. Of resignations only the first five in ten intervals (at most ten seconds)
 * are believed; then silence alone tells that the master is gone. Neither RFC knows of this; below it nothing is
 * different, and a valid advert of higher priority is yielded to at any time.
 */
import { addUs, secondsToUs, type Us, us, usToSeconds } from '../base/time.ts'
import { type Backup, backupSkewUs, extraUs, log, restartUs } from './effects.ts'
import type { Damping, Effect, Machine, Master, Params } from './types.ts'

/** Visits that cost nothing but the repeated announcements. */
const undampedVisits = 2
/** Ten seconds, and what the first take-over of them took. */
const windowUs = secondsToUs(11)
const visitIntervals = 5

const undampedResignations = 5
const resignationIntervals = 10

/** From now on a better master than the one before speaks. One that never went goes on. */
export function visited(machine: Machine, intermittent: Master, now: Us): Machine {
  const visits = withinWindow(machine.visits ?? [], windowUs, now)
  const times = visits.length + 1
  const { address, priority } = intermittent
  const since = machine.visit?.by === address ? machine.visit.since : now
  const visit = { since, by: address, heardAt: now, intervalUs: intermittent.intervalUs }
  const begun = { ...machine, visits, visit }
  return times > undampedVisits
    ? { ...begun, intermittent: { address, priority, times, at: now } }
    : begun
}

/** What the visit that goes on costs; null: it is the first one for a while, or none. */
export function dampingOf({ visits = [], visit = null }: Machine): Damping | null {
  if (visit === null || visits.length === 0) return null
  const first = visits.at(-undampedVisits)
  const until = addUs(first ?? visit.since, windowUs)
  return { extraUs: first === undefined ? us(0) : us(until - visit.since), until }
}

/**
 * Another router is heard, or the backup leads from `now` on: has the better master left? It has when the others spoke
 * for two of its intervals and it did not: the last word of a master that yields is no sign of that, nor are two masters
 * that speak by turns. If it was short, it counts.
 */
export function visitEnded(params: Params, machine: Machine, state: Backup, now: Us): Machine {
  const { visits = [], visit = null } = machine
  const { master, countdown } = state
  if (visit === null || master === null) return machine
  const lastAt = lastHeardAt(params, machine, state, master)
  const followed = master.address === visit.by
  const heardAt = followed ? lastAt : visit.heardAt
  const silentUs = (followed ? now : lastAt) - heardAt
  const left = silentUs >= 2 * visit.intervalUs || (followed && countdown.kind === 'resigned')
  if (!left) return { ...machine, visit: { ...visit, heardAt } }
  const slower = Math.max(params.advertIntervalUs, visit.intervalUs)
  const short = heardAt - visit.since < visitIntervals * slower
  return {
    ...machine,
    visit: null,
    visits: short ? [...visits, visit.since].slice(-keptMax) : visits,
  }
}

function lastHeardAt(params: Params, machine: Machine, state: Backup, master: Master): Us {
  if (state.countdown.kind !== 'resigned')
    return us(state.masterDownAt - restartUs(params, { ...machine, state }))
  const skewUs = backupSkewUs(params, machine.effective, master)
  return us(state.masterDownAt - skewUs - extraUs(state.damping))
}

/** For the log, when it costs something. */
export function remarkOn(
  params: Params,
  { intermittent }: Machine,
  damping: Damping | null,
): Effect[] {
  if (damping === null || damping.extraUs === 0 || intermittent === undefined) return []
  const { address, priority, times } = intermittent
  const text = `${address} (priority ${priority}) came ${times} times in ${usToSeconds(windowUs)} s and left again: waits ${usToSeconds(damping.extraUs)} s longer before taking over from it`
  return [log(params, text, 'warning')]
}

/** Resignations that are not meant: forged, or of a master that is back in a moment. */
export const tooMany = (resignations: readonly Us[]): boolean =>
  resignations.length > undampedResignations

/** The resignations that still count, `now` included; oldest first. */
export function withNow(params: Params, before: readonly Us[] | undefined, now: Us): readonly Us[] {
  const unit = Math.min(params.advertIntervalUs, secondsToUs(1))
  const recent = withinWindow(before ?? [], resignationIntervals * unit, now)
  return [...recent, now].slice(-keptMax)
}

/** What is older than the latest dozen cannot change the result. */
const keptMax = 12

const withinWindow = (instants: readonly Us[], spanUs: number, now: Us): readonly Us[] =>
  instants.filter((at) => now - at < spanUs)
