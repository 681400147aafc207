/**
 * From an instance's facts and election state to the order that its slot stands under: every advert, address
 * request and announcement as finished bytes. Nothing is decided here. The picture: facts never change
 * between two reloads, so their bytes are made once; what changes with the election is the priority in the
 * advert, and which of the plans is now, which repeats, and which waits for a deadline.
 */
import { unreachable } from '../base/assert.ts'
import type { Ip } from '../base/ip.ts'
import { type Us, us } from '../base/time.ts'
import { followedIntervalUs, restarts, restartUs } from '../election/effects.ts'
import type { Machine, Params, State } from '../election/types.ts'
import { encodeAdvertHead } from '../wire/advert-head.ts'
import { encodeAdvert, priorityResign } from '../wire/vrrp.ts'
import type { ExpectedAdvert, Lead, Order, Plan, Repeat } from './order.ts'
import { encoded, encodeFrame, planAsk, type SlotFacts } from './plans-addresses.ts'
import { type Announcement, announce, announceEvery, announceLater } from './plans-announce.ts'
import { removeEntries } from './plans-entries.ts'
import { leaseEnds, leaseLateUs, leaseMutes, leaseOpens } from './plans-lease.ts'
import { enginePolicy, followPatience, wardenLateUs } from './policy.ts'

/** Adverts of many instances leave in some 64 batches each interval: few wake-ups, and no batch overflows a peer's socket. */
const advertSlackShare = 64
/** Renewals ride along with adverts wherever there are any. */
const leaseSlackShare = 4

export type OrderOptions = {
  /**
   * The slot comes from another state: a follow begins with deleting the addresses, a lead with taking
   * over. Otherwise the order replaces one of its kind and nothing is repeated that was done before.
   */
  readonly entering: boolean
  /** Master until now, and leaves without having yielded to another router: send priority 0 before the addresses go. */
  readonly resign?: boolean
  /** The advert that was accepted last, as it came. Left out of the order unless it still restarts the deadline. */
  readonly expected?: ExpectedAdvert | null
  /** Announces each address once when it takes over, for an instance that loses the lead again and again. */
  readonly brief?: boolean
  /** Routes and rules that others of this host hold: left alone by what leaves, by identity. */
  readonly shared?: ReadonlySet<string>
  /** The sync group forbids to lead: at the deadline nothing is carried out, only `expired` is raised. */
  readonly held?: boolean
  /** Asks so long before a take-over who has the addresses; null or absent: does not ask. */
  readonly askBeforeUs?: Us | null
  /** How often the advert timer was set anew; a lead with another number sends its next advert a whole interval later. */
  readonly timerResets?: number
  /**
   * Names a contact with a competitor. The lead then also announces the addresses again garp_lower_prio_delay after
   * `planReannounce` did. Keep passing the same name until the next contact: a lead without it drops what is still to come.
   */
  readonly reannounce?: string | null
}

/** The order of a slot in this state. */
export function planOrder(
  facts: SlotFacts,
  params: Params,
  machine: Machine,
  options: OrderOptions,
): Order {
  const { state } = machine
  switch (state.kind) {
    case 'init':
    case 'fault':
    case 'stopped':
      return { kind: 'idle', now: planIdle(facts, options) }
    case 'backup':
      return planFollow(facts, params, { ...machine, state }, options)
    case 'master':
      return { kind: 'lead', ...planLead(facts, machine.effective, options) }
    default:
      return unreachable(state)
  }
}

/** One advert to every destination. `priority` 0 resigns. */
export function planAdvert(facts: SlotFacts, priority: number): Plan {
  const addresses = facts.addresses.filter((a) => a.advertised).map((a) => a.address)
  const { version, family, vrid, advertIntervalUs: intervalUs, password, source } = facts
  const { checksumAsV2, link, ah } = facts
  const fixed = { version, family, vrid, priority, intervalUs, addresses, password, ah, source }
  // Where no pseudo-header is summed, the bytes are the same for every destination.
  const same = family === 4 && (version === 2 || checksumAsV2)
  const encode = (destination: Ip): Uint8Array =>
    encodeAdvert({ ...fixed, destination, checksumAsV2 })
  const [first] = facts.destinations
  const shared = same && first !== undefined ? encode(first) : null
  return facts.destinations.map((to) => {
    const bytes = shared ?? encode(to)
    return { kind: 'datagram', link, to, bytes, ...headOf(facts, to, bytes) }
  })
}

function headOf(
  { advertMac: mac, source, sealOctets }: SlotFacts,
  group: Ip,
  advert: Uint8Array,
): { readonly head?: Uint8Array } {
  if (mac === null) return {}
  const { trafficClass } = enginePolicy
  const payloadOctets = advert.length + sealOctets
  return { head: encodeAdvertHead({ mac, source, group, trafficClass, payloadOctets }) }
}

/**
 * Gives everything back; harmless where nothing is held. The resignation is sent twice, as keepalived does: a
 * peer that hears both starts the same skew time again microseconds later, and one that lost the first
 * is spared the whole down interval.
 */
export function planIdle(
  facts: SlotFacts,
  { resign = false, shared }: Pick<OrderOptions, 'resign' | 'shared'>,
): Plan {
  const advert = resign ? planAdvert(facts, priorityResign) : leaseMutes(facts)
  const again = resign ? advert : []
  return [
    ...advert,
    ...again,
    ...removeEntries(facts.entries, shared),
    ...encoded(facts).release,
    ...leaseEnds(facts),
  ]
}

/** The lease has come into force under a lead: from its next advert on the kernel counts, and that leaves at once. */
export const planLease = (facts: SlotFacts, priority: number): Plan =>
  facts.lease === null ? [] : [...leaseOpens(facts), ...planAdvert(facts, priority)]

/** garp_lower_prio_repeat announcements of every address at once. */
export const planReannounce = (facts: SlotFacts): Plan =>
  announce(encoded(facts).frames, facts.garp.lowerPrioRepeat)

/** Each address once, because the operator asks for it. */
export const planAnnounceOnce = (facts: SlotFacts): Plan => announce(encoded(facts).frames, 1)

/** Our own source address, so that unicast peers reach us at once after the link came back. */
export function planAnnounceSource(
  facts: Pick<SlotFacts, 'source' | 'router' | 'garp' | 'paces'>,
  on: { readonly ifindex: number; readonly mac: Uint8Array | null },
): Plan {
  if (on.mac === null) return []
  const frame = encodeFrame(facts.source, on.mac, on.ifindex, facts.router, facts.paces)
  return announce([frame], facts.garp.masterRepeat)
}

type BackupMachine = Machine & { readonly state: State & { readonly kind: 'backup' } }

function planFollow(
  facts: SlotFacts,
  params: Params,
  machine: BackupMachine,
  options: OrderOptions,
): Order {
  const { state, effective } = machine
  const restart = restartUs(params, machine)
  const follows = restarts(state, effective)
  const overruled = !follows && state.countdown.kind === 'overruled' ? state.countdown.from : null
  return {
    kind: 'follow',
    now: options.entering ? planIdle(facts, options) : [],
    expect: follows ? (options.expected ?? null) : null,
    ...(overruled === null ? {} : { overruled }),
    deadlineUs: state.masterDownAt,
    restartUs: restart,
    ...followPatience(restart),
    ...(state.master === null
      ? {}
      : { intervalUs: state.master.statedUs ?? followedIntervalUs(params, state.master) }),
    ...askOf(facts, options.askBeforeUs ?? null),
    onExpiry:
      options.held === true
        ? { now: [], repeats: [], resign: [], ...patience(facts) }
        : planLead(facts, effective, { entering: true, brief: state.damping !== null }),
  }
}

function askOf(facts: SlotFacts, beforeUs: Us | null): Partial<Extract<Order, { kind: 'follow' }>> {
  if (beforeUs === null) return {}
  const plan = planAsk(facts)
  return plan.length === 0 ? {} : { ask: { beforeUs, plan } }
}

function planLead(facts: SlotFacts, priority: number, options: OrderOptions): Lead {
  const { garp, advertIntervalUs } = facts
  const { adds, entries, frames } = encoded(facts)
  const advert = planAdvert(facts, priority)
  const { masterRepeat, masterDelayUs } = garp
  const announced = announce(
    frames,
    options.brief === true ? Math.min(masterRepeat, 1) : masterRepeat,
  )
  const refresh = { everyUs: garp.masterRefreshUs, count: garp.masterRefreshRepeat }
  return {
    now: options.entering
      ? [...leaseOpens(facts), ...advert, ...adds, ...entries, ...announced]
      : [],
    repeats: [
      {
        key: advertKey(options.timerResets ?? 0),
        firstAfterUs: advertIntervalUs,
        everyUs: advertIntervalUs,
        slackUs: us(Math.floor(advertIntervalUs / advertSlackShare)),
        plan: advert,
      },
      ...lease(facts, adds),
      ...announceLater('garp-second', frames, masterRepeat, masterDelayUs),
      ...announceEvery('garp-refresh', frames, refresh),
      ...extraAnnouncements(facts, frames),
      ...reannouncements(facts, options.reannounce ?? null),
    ],
    resign: planIdle(facts, { resign: true }),
    ...patience(facts),
  }
}

/** One frame for each interface: a switch learns the port of its MAC address, not the addresses behind it. */
function extraAnnouncements(
  { extra, garp }: SlotFacts,
  frames: readonly Announcement[],
): readonly Repeat[] {
  const first = extra.on.flatMap((on) => frames.find(({ ifindex }) => ifindex === on) ?? [])
  return announceEvery('garp-extra', first, {
    everyUs: extra.everyUs,
    count: 1,
    afterUs: garp.masterDelayUs,
  })
}

/** The engine keeps the phase of a repeat whose key it knows. */
const advertKey = (resets: number): string => (resets === 0 ? 'advert' : `advert ${resets}`)

/** A finite lifetime is renewed three times within it, so that one missed renewal costs nothing. */
function lease({ lifetimeSeconds }: SlotFacts, adds: Plan): readonly Repeat[] {
  if (lifetimeSeconds === null || adds.length === 0) return []
  const everyUs = us(Math.floor((lifetimeSeconds * 1_000_000) / 3))
  const slackUs = us(Math.floor(everyUs / leaseSlackShare))
  return [{ key: 'lease', firstAfterUs: everyUs, everyUs, slackUs, plan: adds }]
}

function reannouncements(facts: SlotFacts, contact: string | null): readonly Repeat[] {
  if (contact === null) return []
  const { lowerPrioRepeat, lowerPrioDelayUs } = facts.garp
  const { frames } = encoded(facts)
  return announceLater(`garp-again-second ${contact}`, frames, lowerPrioRepeat, lowerPrioDelayUs)
}

/** A peer's deadline runs from our last advert, which was one interval before the one that is late. */
function patience(facts: SlotFacts): Pick<Lead, 'lateUs' | 'wardenLateUs' | 'leaseUs'> {
  const { lease, advertIntervalUs } = facts
  const peersUs = us(Math.max(facts.peersDownUs - advertIntervalUs, 0))
  const lateUs = leaseLateUs(peersUs, facts, advertIntervalUs)
  const leased = lease === null ? {} : { leaseUs: lease.leastUs }
  return { lateUs, wardenLateUs: wardenLateUs(lateUs), ...leased }
}
