/**
 * Master: RFC 9568 section 6.4.3 and RFC 3768 section 6.4.3. The engine sends the adverts on its own; here
 * is only what another router's advert means. Higher wins; between equals the higher address; every other router
 * is answered with an advert at once.
 */
import { unreachable } from '../base/assert.ts'
import { compareIp } from '../base/ip.ts'
import { subtractUs, type Us } from '../base/time.ts'
import { masterOf } from './backup.ts'
import { dampingOf, remarkOn, visited } from './damping.ts'
import {
  type Active,
  become,
  isOwner,
  type LiveEvent,
  listening,
  log,
  move,
  replace,
  stay,
} from './effects.ts'
import { enterFault, withGroupFault, withOwnFaults } from './faults.ts'
import { heirOf } from './peer.ts'
import type { Advert, Cause, Effect, Event, Machine, Params, Step } from './types.ts'

export function stepMaster(
  params: Params,
  machine: Machine,
  state: Active,
  event: LiveEvent,
  now: Us,
): Step {
  switch (event.kind) {
    case 'advert':
      return hear(params, machine, state, event.advert, now)
    case 'priority':
      return reprioritise(params, machine, event, now)
    case 'faults':
      return enterFault(machine, withOwnFaults([], event.faults))
    case 'group-fault':
      return enterFault(machine, withGroupFault([], event.group, event.faultyMember))
    case 'resigned':
      return listenAfterResigning(params, machine, event, now)
    case 'claimed':
      return stay(machine)
    case 'contested':
      return fallBack(params, machine, event, now)
    case 'group':
      return event.want === 'master'
        ? stay(machine)
        : fallBack(params, machine, { kind: 'group', group: event.group, want: 'backup' }, now)
    case 'start':
    case 'expired':
    case 'held':
    case 'tick':
      return stay(machine)
    default:
      return unreachable(event)
  }
}

/**
 * Usually the next advert says the new priority, and a better backup draws the consequence. In favour of a peer that is
 * known we resign instead, and listen as after any other end of leading.
 */
function reprioritise(
  params: Params,
  machine: Machine,
  { effective, serving = false }: Event & { kind: 'priority' },
  now: Us,
): Step {
  if (effective === machine.effective) return stay(machine)
  const heir = serving ? null : heirOf(params, machine, effective)
  if (heir === null) return replace({ ...machine, effective }, machine.state)
  const cause: Cause = { kind: 'demoted', ours: effective, peer: heir }
  const tried = { ...machine, effective, peer: null }
  return move(tried, listening(params, effective, now), cause)
}

/** Without a known master: a full down interval of listening. */
const fallBack = (params: Params, machine: Machine, cause: Cause, now: Us): Step =>
  move(machine, listening(params, machine.effective, now), cause)

/** Late means listen: a peer may have taken over while we could not speak. */
function listenAfterResigning(
  params: Params,
  machine: Machine,
  event: Event & { kind: 'resigned' },
  now: Us,
): Step {
  const cause: Cause =
    event.why === 'late' ? { kind: 'late', lateUs: event.lateUs } : { kind: 'lapsed' }
  return fallBack(params, machine, cause, now)
}

type Standing = 'lower' | 'higher' | 'lower-address' | 'higher-address' | 'ourselves'

/** Section 6.4.3: priority first, then the numerically higher sender address. */
function compare(params: Params, machine: Machine, advert: Advert): Standing {
  if (advert.priority !== machine.effective)
    return advert.priority > machine.effective ? 'higher' : 'lower'
  const order = compareIp(advert.from, params.source)
  if (order === 0) return 'ourselves'
  return order > 0 ? 'higher-address' : 'lower-address'
}

function hear(params: Params, machine: Machine, state: Active, advert: Advert, now: Us): Step {
  if (isOwner(params) && params.ownerIgnoreAdverts) return stay(machine)
  // Section 6.4.3, priority zero: another master resigns. Advertise at once, and set the Adver_Timer anew.
  if (advert.priority === 0) return stay(machine, { kind: 'advertise', resetTimer: true })
  const standing = compare(params, machine, advert)
  switch (standing) {
    case 'ourselves': {
      const text = `received an advert with our own address ${advert.from} and priority ${advert.priority}: is the address or the virtual router used twice?`
      return stay(machine, log(params, text, 'warning'))
    }
    case 'lower':
      return assertOurselves(params, machine, state, advert)
    case 'lower-address':
      return isOwner(params)
        ? outlastRival(params, machine, state, advert, now)
        : assertOurselves(params, machine, state, advert)
    case 'higher':
      return yieldTo(params, machine, advert, now, {
        kind: 'higher-priority',
        from: advert.from,
        priority: advert.priority,
        ours: machine.effective,
      })
    case 'higher-address':
      return yieldTo(params, machine, advert, now, {
        kind: 'higher-address',
        from: advert.from,
        priority: advert.priority,
        ours: params.source,
      })
    default:
      return unreachable(standing)
  }
}

/** Section 6.4.3: discard it and advertise at once (new in RFC 9568): the other must yield, and switches learn where we are. */
function assertOurselves(params: Params, machine: Machine, state: Active, advert: Advert): Step {
  const { from, priority } = advert
  const text = `Received advert from ${from} with lower priority ${priority}, ours ${machine.effective}, forcing new election`
  const answer: readonly Effect[] = params.lowerPrioNoAdvert
    ? []
    : [{ kind: 'advertise', resetTimer: false }]
  return become(machine, state, log(params, text), ...answer, {
    kind: 'reannounce',
    from,
    priority,
  })
}

/** Section 6.4.3: the other is better. Become its backup, having learned its interval. */
function yieldTo(params: Params, machine: Machine, advert: Advert, now: Us, cause: Cause): Step {
  const { from, priority } = advert
  const text =
    cause.kind === 'higher-address'
      ? `Master received advert from ${from} with same priority ${priority} but higher IP address than ours`
      : `Master received advert from ${from} with higher priority ${priority}, ours ${machine.effective}`
  const last: readonly Effect[] = params.higherPrioSendAdvert
    ? [{ kind: 'advertise', resetTimer: false }]
    : []
  const master = masterOf(params, advert)
  const begun = visited(machine, master, now)
  const damping = dampingOf(begun)
  const backup = listening(params, machine.effective, now, master, damping)
  const said = [log(params, text), ...last, ...remarkOn(params, begun, damping)]
  const step = move(begun, backup, cause, said)
  return { ...step, accepted: true }
}

/**
 * Two owners, and the other has the lower address: it should yield to us. If it still sends after two of
 * our intervals and 1.2 times the longer interval, it never will (an owner that ignores adverts, a copied
 * configuration): one master is worth more than being right, so we go down to 254 and follow it. We take
 * 255 back when we become master again. Watching starts anew when it was silent in between.
 */
function outlastRival(
  params: Params,
  machine: Machine,
  state: Active,
  advert: Advert,
  now: Us,
): Step {
  const theirs = masterOf(params, advert).intervalUs
  const patience = Math.max(
    2 * params.advertIntervalUs,
    Math.ceil(1.2 * Math.max(params.advertIntervalUs, theirs)),
  )
  const { rival } = state
  const watched = rival !== null && subtractUs(now, rival.heardAt) < 3 * theirs
  const since = watched ? rival.since : now
  if (watched && subtractUs(now, since) >= patience) {
    const yielded = { ...machine, effective: 254 }
    const { from, priority } = advert
    return yieldTo(params, yielded, advert, now, {
      kind: 'higher-priority',
      from,
      priority,
      ours: yielded.effective,
    })
  }
  return assertOurselves(params, machine, { ...state, rival: { since, heardAt: now } }, advert)
}
