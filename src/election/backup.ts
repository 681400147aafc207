/**
 * Backup: RFC 9568 section 6.4.2 and RFC 3768 section 6.4.2. Each advert is accepted (the deadline restarts,
 * and its bytes become what the engine expects), is a resignation (the deadline becomes the skew time), or
 * is discarded (the deadline stands). preempt_delay lets lower adverts be accepted for a while.
 */
import { unreachable } from '../base/assert.ts'
import { addUs, type Us, us, usToSeconds } from '../base/time.ts'
import { dampingOf, remarkOn, tooMany, visitEnded, visited, withNow } from './damping.ts'
import {
  type Backup,
  backupSkewUs,
  become,
  extraUs,
  followedIntervalUs,
  isOwner,
  type LiveEvent,
  listening,
  log,
  replace,
  stay,
  takeOver,
} from './effects.ts'
import { enterFault, withGroupFault, withOwnFaults } from './faults.ts'
import type { Advert, Cause, Effect, Machine, Master, Params, Step } from './types.ts'

export function stepBackup(
  params: Params,
  machine: Machine,
  state: Backup,
  event: LiveEvent,
  now: Us,
): Step {
  switch (event.kind) {
    case 'advert':
      return event.superseded === true
        ? glimpse(params, machine, state, event.advert, now)
        : hear(params, machine, state, event.advert, now)
    case 'expired':
      return expire(params, machine, state, now)
    case 'held':
      return wish(params, machine, state, event.at, now)
    case 'tick':
      return tick(params, machine, state, now)
    case 'priority':
      return reprioritise(params, machine, state, event.effective, now)
    case 'faults':
      return enterFault(machine, withOwnFaults([], event.faults))
    case 'group-fault':
      return enterFault(machine, withGroupFault([], event.group, event.faultyMember))
    case 'resigned':
      // An empty lead of a held backup lapsed: what was heard meanwhile is unknown, so listen again.
      return replace(machine, listening(params, machine.effective, now))
    case 'group':
      return event.want === 'backup'
        ? stay(machine)
        : lead(params, machine, state, { kind: 'group', group: event.group, want: 'master' }, now)
    case 'claimed':
      return put(machine, state, event.until)
    case 'start':
    case 'contested':
      return stay(machine)
    default:
      return unreachable(event)
  }
}

/** The take-over waits. A deadline that is later stays. */
const put = (machine: Machine, state: Backup, until: Us): Step =>
  until <= state.masterDownAt || state.wantsMaster
    ? stay(machine)
    : replace(machine, { ...state, masterDownAt: until })

const lead = (
  params: Params,
  machine: Machine,
  state: Backup,
  cause: Cause,
  now: Us,
  said: readonly Effect[] = [],
): Step => {
  const ended = visitEnded(params, machine, state, now)
  return takeOver(params, { ...ended, visit: null }, cause, now, said)
}

/**
 * Active_Down_Timer fired. The engine leads already, on the lead that it was given with the follow: another order is due
 * only where that says less than an owner's priority.
 */
function expire(params: Params, machine: Machine, state: Backup, now: Us): Step {
  const step = lead(params, machine, state, causeOfExpiry(state, machine), now, [
    log(params, 'Receive advertisement timeout'),
  ])
  return { ...step, order: step.machine.effective === machine.effective ? 'keep' : 'replace' }
}

/** The deadline has passed. Heard of an interval later it proves nothing any more: another router may lead by now. */
function wish(params: Params, machine: Machine, state: Backup, at: Us, now: Us): Step {
  if (now - at <= followedIntervalUs(params, state.master))
    return become(machine, { ...state, wantsMaster: true })
  return replace(machine, listening(params, machine.effective, now))
}

function hear(params: Params, machine: Machine, state: Backup, advert: Advert, now: Us): Step {
  if (isOwner(params) && params.ownerIgnoreAdverts) return stay(machine)
  if (advert.priority === 0) return hearResignation(params, machine, state, advert, now)
  const preemptAt = preemptInstant(params, machine, state, advert, now)
  if (preemptAt === 'discard') return discard(params, machine, state, advert)
  return accept(params, machine, state, { advert, preemptAt }, now)
}

/** Section 6.4.2, priority zero: the master leaves; the best backup speaks after its skew time. */
function hearResignation(
  params: Params,
  machine: Machine,
  state: Backup,
  advert: Advert,
  now: Us,
): Step {
  const resignations = withNow(params, machine.resignations, now)
  const counted = { ...machine, resignations }
  if (tooMany(resignations))
    return stay(
      counted,
      log(params, `too many resignations, not believed: ${advert.from}`, 'warning'),
    )
  const next: Backup = {
    ...state,
    masterDownAt: addUs(
      addUs(now, backupSkewUs(params, machine.effective, state.master)),
      extraUs(state.damping),
    ),
    countdown: { kind: 'resigned', from: advert.from },
    wantsMaster: false,
  }
  const text = log(params, 'Backup received priority 0 advertisement')
  return replace(counted, next, text)
}

/**
 * Section 6.4.2: is the advert accepted, and when may lower ones be refused? An advert at least as high as we are, and
 * under nopreempt any, is accepted and ends a preempt_delay; a lower one starts the delay and is accepted
 * until the delay is over. There is no tie-break in backup: equal priority is accepted.
 */
function preemptInstant(
  params: Params,
  machine: Machine,
  state: Backup,
  advert: Advert,
  now: Us,
): Us | null | 'discard' {
  if (!params.preempt || advert.priority >= machine.effective) return null
  if (params.preemptDelayUs === 0) return 'discard'
  if (state.preemptAt === null) return addUs(now, params.preemptDelayUs)
  return now < state.preemptAt ? state.preemptAt : 'discard'
}

/** Section 6.4.2: version 3 learns the sender's interval; the deadline is a full down interval away again. */
function accept(
  params: Params,
  machine: Machine,
  state: Backup,
  heard: { readonly advert: Advert; readonly preemptAt: Us | null },
  now: Us,
): Step {
  const { advert, preemptAt } = heard
  const master = masterOf(params, advert)
  const known = state.master === null || state.master.address === master.address
  const followed = known ? machine : follows(params, machine, state, master, now)
  const damping = known ? state.damping : dampingOf(followed)
  const said = known ? [] : remarkOn(params, followed, damping)
  const next: Backup = { ...listening(params, machine.effective, now, master, damping), preemptAt }
  const step = replace(followed, next, ...said, ...remarks(params, state, next))
  return { ...step, accepted: true }
}

/** Another master: one that replaces a worse one which is still there counts as it does for that one. */
function follows(
  params: Params,
  machine: Machine,
  state: Backup,
  master: Master,
  now: Us,
): Machine {
  const ended = visitEnded(params, machine, state, now)
  const before = state.countdown.kind === 'restarts' ? state.master : null
  return before !== null && master.priority > before.priority ? visited(ended, master, now) : ended
}

/**
 * The last word of a master that yields overtakes the advert that it yields to. The deadline stands, but a better master
 * that comes and goes is seen here, too, and a preempt_delay that it ends begins anew with that word.
 */
function glimpse(params: Params, machine: Machine, state: Backup, advert: Advert, now: Us): Step {
  const { master } = state
  const other = master !== null && master.address !== advert.from
  if (!other || advert.priority <= master.priority) return stay(machine)
  const followed = follows(params, machine, state, masterOf(params, advert), now)
  const damping = dampingOf(followed)
  const moreUs = extraUs(damping) - extraUs(state.damping)
  const ends = advert.priority >= machine.effective && state.countdown.kind === 'restarts'
  const preemptAt =
    ends && state.preemptAt !== null ? addUs(now, params.preemptDelayUs) : state.preemptAt
  if (moreUs === 0) return become(followed, { ...state, preemptAt })
  const masterDownAt = us(state.masterDownAt + moreUs)
  const next: Backup = { ...state, preemptAt, masterDownAt, damping }
  return replace(followed, next, ...remarkOn(params, followed, damping))
}

/**
 * RFC 9568 section 6.4.2 sets Active_Adver_Interval to what the advert states. Two bounds to that: an interval of 0 would
 * make the deadline immediate, so such a sender is followed at our pace; and a forged or mistaken advert that states 40.95 s
 * would keep the virtual router without a master for more than two minutes, so it counts as `maxIntervalRatio` times ours.
 */
export function masterOf(params: Params, advert: Advert): Master {
  const { version, advertIntervalUs: ours, maxIntervalRatio } = params
  const { from: address, priority, intervalUs: stated } = advert
  const learned = version === 3 && stated > 0 ? stated : ours
  const longest = maxIntervalRatio * ours
  if (version === 2 || longest === 0 || learned <= longest)
    return { address, priority, intervalUs: learned }
  return { address, priority, intervalUs: us(longest), statedUs: stated }
}

/** The master's interval as other parameters count it; its next advert restarts the deadline by that. */
export function recounted(params: Params, machine: Machine): Machine {
  const { state } = machine
  if (state.kind !== 'backup' || state.master === null) return machine
  const { address: from, priority, intervalUs, statedUs } = state.master
  const master = masterOf(params, { from, priority, intervalUs: statedUs ?? intervalUs })
  return { ...machine, state: { ...state, master } }
}

function remarks(params: Params, before: Backup, after: Backup): readonly Effect[] {
  if (before.preemptAt !== null || after.preemptAt === null) return []
  return [log(params, `start preempt delay (${usToSeconds(params.preemptDelayUs)} s)`)]
}

/**
 * Section 6.4.2, lower than ours: discarded, the deadline stands. If it comes in the name of the very master that
 * was followed, that one has come down, or the advert is forged: its own advert, should it come again, is accepted as
 * before (`restarts`). Said once for a sender and priority.
 */
function discard(params: Params, machine: Machine, state: Backup, advert: Advert): Step {
  const { from, priority } = advert
  const followed = state.countdown.kind === 'restarts'
  const isMaster = state.master?.address === from
  const known = state.countdown.kind === 'overruled' && state.countdown.from === from
  if (known && state.countdown.priority === priority) return stay(machine)
  const text = log(params, `received lower priority (${priority}) advert from ${from} - discarding`)
  if (followed && !isMaster) return stay(machine, text)
  if (state.countdown.kind === 'resigned') return stay(machine, text)
  const next: Backup = { ...state, countdown: { kind: 'overruled', from, priority } }
  return followed ? replace(machine, next, text) : become(machine, next, text)
}

/** An instant of the election's own has come: the end of damping, or of preempt_delay. */
function tick(params: Params, machine: Machine, state: Backup, now: Us): Step {
  const { damping } = state
  if (damping === null || now < damping.until) return endOfDelay(params, machine, state, now)
  if (damping.extraUs === 0) return replace(machine, { ...state, damping: null })
  // All routers that saw the visits end their wait now and count anew: the best of them speaks first.
  const skew = backupSkewUs(params, machine.effective, null)
  const masterDownAt = us(Math.max(now + skew, state.masterDownAt - damping.extraUs))
  const calm: Backup = { ...state, masterDownAt, damping: null }
  const text = log(params, 'no better master came and went for a while: waits no longer than usual')
  return replace({ ...machine, visits: [], visit: null }, calm, text)
}

/** The end of preempt_delay: the lower master's adverts, expected so far, must no longer restart the deadline. */
function endOfDelay(params: Params, machine: Machine, state: Backup, now: Us): Step {
  const due = state.preemptAt !== null && now >= state.preemptAt
  if (!due || state.countdown.kind !== 'restarts' || state.master === null) return stay(machine)
  return replace(machine, overruled(state, state.master), log(params, 'preempt delay is over'))
}

const overruled = (state: Backup, { address, priority }: Master): Backup => ({
  ...state,
  countdown: { kind: 'overruled', from: address, priority },
})

/**
 * A changed priority moves the running deadline by the difference of the skew times, though never to before
 * now; one that has passed is the engine's, which leads by now or, woken late, listens once more. It may put the master below us (its next advert is then weighed anew) or above us again (which ends a
 * preempt_delay).
 */
function reprioritise(
  params: Params,
  machine: Machine,
  state: Backup,
  effective: number,
  now: Us,
): Step {
  if (effective === machine.effective) return stay(machine)
  const before = backupSkewUs(params, machine.effective, state.master)
  const after = backupSkewUs(params, effective, state.master)
  const running = state.masterDownAt > now
  const masterDownAt = running
    ? us(Math.max(now, state.masterDownAt + after - before))
    : state.masterDownAt
  const shifted: Backup = state.wantsMaster ? state : { ...state, masterDownAt }
  const next = weighAgain(params, shifted, effective)
  return replace({ ...machine, effective }, next)
}

/**
 * A master that is as high as we are now is followed, even where its adverts had been overruled: the engine takes those
 * that it expects without a word, and the preempt_delay that was over must not be over when we are above it again.
 */
function weighAgain(params: Params, state: Backup, effective: number): Backup {
  const { master, countdown } = state
  if (master === null || countdown.kind === 'resigned') return state
  if (master.priority >= effective)
    return { ...state, preemptAt: null, countdown: { kind: 'restarts' } }
  if (countdown.kind !== 'restarts') return state
  return params.preempt && state.preemptAt === null ? overruled(state, master) : state
}

function causeOfExpiry(state: Backup, machine: Machine): Cause {
  const { countdown } = state
  if (countdown.kind === 'resigned') return { kind: 'priority-zero', from: countdown.from }
  if (countdown.kind === 'overruled')
    return {
      kind: 'preempt',
      from: countdown.from,
      priority: countdown.priority,
      ours: machine.effective,
    }
  return { kind: 'timeout', master: state.master }
}
