/**
 * What must hold in every run, checked against what an outside observer sees: bytes on the wire, addresses in the
 * kernels, who leads. Nothing here asks the election why. Some rules hold at every instant; those that need
 * convergence hold once a run is settled: nothing was disturbed for `settleUs`.
 */
import type { Ip } from '../../src/base/ip.ts'
import type { Us } from '../../src/base/time.ts'
import type { SlotId } from '../../src/engine/contract.ts'
import { decodeArp } from '../../src/wire/arp.ts'
import { decodeNa } from '../../src/wire/ndp.ts'
import type { Agenda } from './agenda.ts'
import { Believed } from './believed.ts'
import { BfdRules } from './bfd-rules.ts'
import { routeOf } from './configuration.ts'
import { answerUs, type Host, type Process, type Witness } from './host.ts'
import { roamingAddress, thirdAddress, thirdVrid } from './host-file.ts'
import type { Lan, Packet } from './lan.ts'
import { Listening } from './listening.ts'
import { expectedPriority, type Scenario, type Vip, vipsOf } from './scenario.ts'
import { TwoMasters } from './two-masters.ts'

/** A rule was broken. The message names the rule, the instant and the host. */
export class Violation extends Error {}

/** Two addresses: one advert, two requests, five announcements of each. */
const planSteps = 1 + 2 + 5 * 2
/** A take-over, and as many re-announcements as the bucket of contacts grants at once, and as many answers. */
const stepsAtOnceMax = planSteps * 12
/** An advert, a refresh and a renewal of both addresses, and of the one that moves. */
const settledStepsMax = ({ profile }: Scenario): number => (profile === 'changes' ? 7 : 5)

const skewUs = ({ version, advertUs }: Scenario, priority: number): number =>
  ((256 - priority) * (version === 2 ? 1_000_000 : advertUs)) / 256
const downUs = (scenario: Scenario, priority: number): number =>
  3 * scenario.advertUs + skewUs(scenario, priority)

/**
 * When a disturbed cluster must have come to rest. A restarted host waits for its check (1 s) and listens for
 * one down interval; a better one that hears it waits for its preempt_delay and for a down interval more; a host that was
 * late listens once more, and the pair of a sync group may do each of these one after the other. Clocks that are
 * 3 % slow stretch all of it. Six down intervals, the longest delay, and seventeen seconds: two for the checks,
 * five after which a new master announces its addresses a second time, and ten in which a damped one takes its time.
 */
export const settleUs = (scenario: Scenario): number =>
  Math.ceil(
    1.04 *
      (6 * downUs(scenario, 1) +
        1_000_000 * (17 + Math.max(...scenario.hosts.map((h) => h.preemptDelayS)))),
  )

/** A clock that runs slower than true time skips: an instant is met a few µs late. */
const clockStepUs = 10
const traceLines = 80

/** By VRID, when a process last said that it leads, and that it resigns. */
type Heard = { readonly slot: SlotId; readonly listening: Listening }

type Voices = {
  readonly spokeAt: Map<number, number>
  readonly resignedAt: Map<number, number>
}
const newVoices = (): Voices => ({ spokeAt: new Map(), resignedAt: new Map() })

const slotOf = ({ main }: Process, vrid: number): SlotId | null =>
  main.dispatcher.instances.find((it) => it.cfg.vrid === vrid)?.slot ?? null

function leadsAs(process: Process, vrid: number): boolean {
  const slot = slotOf(process, vrid)
  return slot !== null && process.engine.leads(slot)
}

/** An advert that was due is sent at once. */
const withoutSending = (state: string): string => state.replace(/"sentAt":(null|\d+)/g, '')

export class Invariants implements Witness {
  transitions = 0
  /** Lines that differ between two runs make different digests. */
  digest = 0x811c9dc5
  readonly #scenario: Scenario
  readonly #agenda: Agenda
  readonly #lan: Lan
  readonly #vips: readonly Vip[]
  readonly #vrids: readonly number[]
  readonly #addresses: readonly Ip[]
  readonly #bfd: BfdRules
  readonly #believed = new Believed()
  readonly #twoMasters: TwoMasters
  #hosts: readonly Host[] = []
  readonly #listening = new WeakMap<Process, Map<number, Heard>>()
  /** What the LAN's client last learned: address → MAC. */
  readonly #client = new Map<string, string>()
  readonly #trace: string[] = []
  #active = 0
  #disturbedAt = 0
  /** The last disturbance came alone, into a settled run. */
  #calm = false
  readonly #impairedAt = new Map<Host, number>()
  readonly #spoke = new WeakMap<Process, Voices>()
  /** When a settled host was told to reload a file in which no priority had changed. */
  readonly #calmReloads = new Map<Host, number>()
  /** When another process took over on a host, with nothing else under way. */
  readonly #calmExchanges = new Map<Host, number>()
  /** The last notification of a host. */
  readonly #notified = new Map<Host, string>()

  constructor(scenario: Scenario, agenda: Agenda, lan: Lan) {
    this.#scenario = scenario
    this.#agenda = agenda
    this.#lan = lan
    this.#bfd = new BfdRules(scenario, lan)
    this.#twoMasters = new TwoMasters(scenario, agenda, lan)
    this.#vips = vipsOf(scenario)
    const third = scenario.profile === 'changes' ? [thirdVrid] : []
    this.#vrids = [...new Set(this.#vips.map((vip) => vip.vrid)), ...third]
    const others = [roamingAddress(scenario.family), thirdAddress(scenario.family)]
    this.#addresses = [...this.#vips.map(({ address }) => address), ...others]
  }

  watch(hosts: readonly Host[]): void {
    this.#hosts = hosts
    this.#lan.attach({ receive: () => undefined, frame: (bytes) => this.#learn(bytes) })
  }

  get trace(): readonly string[] {
    return this.#trace
  }

  get settled(): boolean {
    return this.#active === 0 && this.#agenda.now - this.#disturbedAt >= settleUs(this.#scenario)
  }

  /** Something that lasts begins (1) or ends (-1), or happens (0). */
  disturb(by: -1 | 0 | 1, what: string, host?: Host): void {
    this.note(`*** ${what}${host === undefined ? '' : ` (${host.name})`}`)
    this.#calm = this.#disturbedAt !== this.#agenda.now && this.settled
    this.#active += by
    this.#disturbedAt = this.#agenda.now
    if (host !== undefined) this.#impairedAt.set(host, this.#agenda.now)
  }

  note(text: string): void {
    const line = `${(this.#agenda.now / 1_000_000).toFixed(6)} ${text}`
    this.#trace.push(line)
    if (this.#trace.length > traceLines) this.#trace.shift()
    for (let i = 0; i < line.length; i++)
      this.digest = Math.imul(this.digest ^ line.charCodeAt(i), 0x01000193) >>> 0
  }

  // What the hosts tell.

  said(host: Host, text: string): void {
    this.note(`${host.name}: ${text}`)
    if (this.#inCalmReload(host) && text.endsWith('was removed by another program: put back'))
      this.#violate(host, `${text}: it was the reload`)
    if (!text.startsWith('notify ')) return
    const line = `${host.process?.startedAt} ${text}`
    if (text.startsWith('notify group ') && line === this.#notified.get(host))
      this.#violate(host, `twice in a row: ${text}`)
    this.#notified.set(host, line)
  }

  /** The file is to be reloaded, and no priority in it has changed. */
  reloads(host: Host): void {
    if (this.#calm) this.#calmReloads.set(host, this.#agenda.now)
    else this.#calmReloads.delete(host)
  }

  /** What has been applied is what was wanted: the same file again would change nothing. */
  reloaded(host: Host, refused: boolean): void {
    if (refused) this.#violate(host, 'a reload was refused')
    const pending = host.process?.main.pending ?? []
    if (pending.length > 0) this.#violate(host, `after a reload there is left: ${pending}`)
  }

  /** A process that takes over from another leads what that one led, and would pass on the same. */
  exchanged(
    host: Host,
    before: Process,
    after: Process,
    [passed, again]: readonly [string, string],
  ): void {
    this.note(`${host.name}: another process`)
    if (this.#calm) this.#calmExchanges.set(host, this.#disturbedAt)
    // Without descriptors an instance in FAULT, which needs no sockets to go on, has one fault more; and without the
    // interface BFD has no sockets.
    const bfdOpens = this.#scenario.bfd === undefined || host.kernel.interfaces.includes('eth0')
    if (host.opens && bfdOpens && withoutSending(passed) !== withoutSending(again))
      this.#violate(host, `passed on ${passed}, and has ${again}`)
    for (const vrid of this.#vrids) {
      const [was, is] = [before, after].map((it) => leadsAs(it, vrid))
      if (was !== is)
        this.#violate(host, `vrid ${vrid}: led ${was}, leads ${is} as another process`)
    }
    this.#spoke.set(after, this.#spoke.get(before) ?? newVoices())
    this.#believed.passOn(before, after)
    const heard = new Map<number, Heard>()
    for (const [vrid, { listening }] of this.#listening.get(before) ?? []) {
      const slot = slotOf(after, vrid)
      if (slot !== null) heard.set(vrid, { slot, listening })
    }
    this.#listening.set(after, heard)
  }

  mistaken(host: Host, what: string): void {
    this.#violate(host, what)
  }

  /**
   * Only who leads speaks with a priority, and who sleeps or has died does not speak at all. Late means listen: who
   * has said nothing for so long that a peer may have taken over does not go on. Immediately.
   * Who resigns does not go on in the same breath: whatever crossed, addresses are not taken away to be set again.
   * Settled, the priority said is the one that an operator would work out.
   * (A resignation, priority 0, is for everybody who has something to give back.)
   */
  sent(host: Host, slot: SlotId, bytes: Uint8Array): void {
    const priority = bytes[2] ?? 0
    const vrid = bytes[1] ?? 0
    const { resignedAt } = this.#voices(host)
    if (priority === 0) resignedAt.set(vrid, host.now())
    if (priority === 0) return
    if (resignedAt.get(vrid) === host.now())
      this.#violate(host, `vrid ${vrid} resigns and leads again in the same instant`)
    const { process } = host
    if (process === null) this.#violate(host, 'an advert of a daemon that is gone')
    if (host.asleep) this.#violate(host, 'an advert of a host that sleeps')
    if (process?.engine.speaks(slot) !== true)
      this.#violate(host, `an advert of priority ${priority} of slot ${slot}, which does not lead`)
    const rank = this.#rank(host, vrid)
    if (this.settled && priority !== rank)
      this.#violate(host, `says priority ${priority} instead of ${rank}`)
    this.#checkPace(host, vrid)
  }

  #checkPace(host: Host, vrid: number): void {
    const now = host.now()
    const { spokeAt } = this.#voices(host)
    const before = spokeAt.get(vrid)
    spokeAt.set(vrid, now)
    if (before === undefined) return
    const { advertUs } = this.#scenario
    const gap = now - before
    if (gap > downUs(this.#scenario, 254))
      this.#violate(host, `vrid ${vrid} goes on after ${gap} µs of silence`)
    if (gap > advertUs + clockStepUs && !this.#impaired(host, downUs(this.#scenario, 1)))
      this.#violate(host, `vrid ${vrid}: ${gap} µs between two adverts`)
  }

  heard(host: Host, packet: Packet): void {
    const { bytes, valid } = packet
    const vrid = bytes[1] ?? 0
    if (!valid) return
    const { plan, process } = host
    const sealed = this.#scenario.sealed === true && process !== null
    if (sealed && !this.#believed.counts(process, vrid, packet)) return
    const ours = [this.#effective(host, vrid)]
    if (process?.busy === true)
      ours.push(expectedPriority(plan, true), expectedPriority(plan, false))
    this.#notes(host, vrid)?.advert(host.now(), packet.from, bytes[2] ?? 0, ours)
  }

  bfdSent(host: Host, packet: Packet): void {
    const wrong = this.#bfd.sent(host, packet, this.settled)
    if (wrong !== null) this.#violate(host, wrong)
  }

  bfdHeard(host: Host, packet: Packet, at: Us): void {
    this.#bfd.heard(host, packet, at)
  }

  caughtUp(host: Host): void {
    for (const vrid of this.#vrids) this.#notes(host, vrid)?.caughtUp()
  }

  /**
   * No host takes over that must not: not within three adverts of a better master (nor of any master under
   * nopreempt), not before the preempt_delay is over, not without having listened. Immediately; of lower masters, and
   * in sync groups of any, only what the main thread has acknowledged is known.
   * And settled means settled: in a run without faults nothing ever changes hands.
   */
  standing(host: Host, slot: SlotId, leading: boolean): void {
    this.transitions += 1
    const vrid = this.#vridOf(host, slot)
    this.note(`${host.name}: vrid ${vrid} ${leading ? 'leads' : 'ends leading'}`)
    const notes = vrid === null ? null : this.#notes(host, vrid)
    const now = host.now()
    const { advertUs, grouped } = this.#scenario
    // A member that comes to a sync group which is master follows it.
    const follows = grouped && vrid === thirdVrid
    const lost = (master: Ip): boolean => this.#bfd.lost(host, master)
    const objection =
      leading && !follows ? notes?.objection(now, host.plan, 3 * advertUs, grouped, lost) : null
    if (objection != null) this.#violate(host, `vrid ${vrid} ${objection}`)
    this.#twoMasters.standing(host, vrid, leading)
    if (leading) this.#twoMasters.watch(vrid, () => this.#checkTwoMasters(vrid))
    if (leading) notes?.leads(now)
    else {
      this.#checkCalmReload(host, vrid)
      notes?.yields(now, 3 * advertUs)
      this.#voices(host).spokeAt.delete(vrid ?? 0)
      this.#checkGivenBack(host, vrid)
    }
    if (this.settled) this.#violate(host, `vrid ${vrid} changed hands in a settled run`)
  }

  /** Whichever router took over wrongly, the next adverts settle it. */
  #checkTwoMasters(vrid: number | null): void {
    if (vrid === null || this.#active > 0) return
    const since = (host: Host) => Math.max(this.#disturbedAt, this.#impairedAt.get(host) ?? 0)
    const both = this.#twoMasters.tooLong(
      this.#hosts.filter((host) => this.#leads(host, vrid)),
      vrid,
      since,
    )
    if (both !== null)
      this.#violate(both[0], `vrid ${vrid}: still two masters, with ${both[1].name}`)
  }

  /** A host that ends leading gives the addresses back in the same breath, whatever its main thread does. */
  #checkGivenBack(host: Host, vrid: number | null): void {
    // The one that moves may still be the other's within a reload.
    const roaming = roamingAddress(this.#scenario.family)
    for (const address of this.#addresses.filter((one) => one !== roaming))
      if (vrid !== null && this.#ownerOf(host, address) === vrid && host.kernel.holds(address))
        this.#violate(host, `vrid ${vrid} ends leading, but keeps ${address}`)
    if (vrid === null) return
    for (const entry of host.kernel.entriesWith(routeOf(vrid)))
      this.#violate(host, `vrid ${vrid} ends leading, but keeps the ${entry}`)
  }

  /** What a reload changes beside priorities costs no lead that goes on, not even for a moment. */
  #checkCalmReload(host: Host, vrid: number | null): void {
    if (this.#inCalmReload(host) && vrid !== thirdVrid)
      this.#violate(host, `vrid ${vrid} lost the lead by a reload`)
  }

  #inCalmReload(host: Host): boolean {
    const at = this.#calmReloads.get(host)
    if (host.process === null || host.process.stopping) return false
    return at !== undefined && this.#isLast(at) && this.#agenda.now - at <= 4 * answerUs
  }

  /** What came alone at that instant is all that has been disturbed since. */
  #isLast(at: number | undefined): boolean {
    return this.#calm && this.#active === 0 && this.#disturbedAt === at
  }

  /**
   * Whatever comes in, one wake-up does a bounded amount; a settled one, an advert and what is periodic, and so does one
   * of a process that took over from a settled one: what that had announced is announced.
   */
  woken(host: Host, effects: ReadonlyMap<SlotId, number>): void {
    const goesOn = this.#isLast(this.#calmExchanges.get(host))
    const most = this.settled || goesOn ? settledStepsMax(this.#scenario) : stepsAtOnceMax
    for (const [slot, count] of effects)
      if (count > most) this.#violate(host, `slot ${slot}: ${count} steps at once, ${most} allowed`)
  }

  /** In a settled run the main threads sleep. */
  raised(host: Host): void {
    if (this.settled) this.#violate(host, 'the engine raised an event in a settled run')
  }

  slept(host: Host, spanUs: number): void {
    this.#bfd.slept(host, spanUs)
    if (spanUs < 1.4 * downUs(this.#scenario, 1)) return
    for (const vrid of this.#vrids) this.#notes(host, vrid)?.slept(host.now())
  }

  // What is looked at from outside, now and then.

  check(): void {
    for (const host of this.#hosts) {
      this.#checkAddresses(host)
      this.#checkFloor(host)
      this.#checkTakeover(host)
      this.#checkLease(host)
      this.#checkLeftBehind(host)
    }
    if (!this.settled) return
    for (const vrid of this.#vrids) this.#checkMasters(vrid)
    this.#bfd.check(this.#hosts)
    if (this.#scenario.refreshS > 0) this.#checkClient()
  }

  /**
   * Addresses held if and only if leading, within the time of one answer of the main thread. A daemon that starts
   * with its link down learns what a dead predecessor left behind only when the link comes up.
   */
  #checkAddresses(host: Host): void {
    if (this.#impaired(host, answerUs) || !host.kernel.up) return
    for (const address of this.#addresses) {
      const vrid = this.#ownerOf(host, address)
      const leads = vrid !== null && this.#leads(host, vrid)
      if (host.kernel.holds(address) !== leads)
        this.#violate(
          host,
          `vrid ${vrid} ${leads ? 'leads without' : 'holds, but does not lead,'} ${address}`,
        )
      if (leads && this.settled) this.#checkLabel(host, address)
    }
    for (const vrid of this.#vrids) this.#checkEntries(host, vrid)
  }

  /** A route and a rule, as long as its instance leads and no longer. */
  #checkEntries(host: Host, vrid: number): void {
    const held = host.kernel.entriesWith(routeOf(vrid)).length
    const wanted = this.#leads(host, vrid) ? 2 : 0
    if (held !== wanted)
      this.#violate(host, `vrid ${vrid} has ${held} routes and rules, not ${wanted}`)
  }

  /** An address that is held is as the file says. */
  #checkLabel(host: Host, address: Ip): void {
    const labelled = host.plan.file.label && this.#scenario.family === 4
    const wanted = labelled && address === this.#vips[0]?.address ? 'eth0:vip' : null
    const label = host.kernel.labelOf(address)
    if (label !== wanted) this.#violate(host, `${address} has the label ${label}, not ${wanted}`)
  }

  /**
   * A master within the floor: a host that may lead and has heard nothing for its own down interval (its skew time
   * after a resignation) leads. By its own clock, plus the time of one answer; not asked for twice that, and the second in which a check first
   * reports, after it was late or held up.
   */
  #checkFloor(host: Host): void {
    const scenario = this.#scenario
    const grace = 2.2 * downUs(scenario, 1) + 1_000_000
    if (scenario.grouped || this.#impaired(host, grace)) return
    for (const vrid of this.#vrids) {
      if (!this.#capable(host, vrid)) continue
      const notes = this.#notes(host, vrid)
      const priority = this.#effective(host, vrid)
      if (notes === null || this.#leads(host, vrid)) continue
      if (notes.damped(host.now(), skewUs(scenario, priority))) continue
      const silence = notes.silence(host.now())
      const floor = silence.resigned ? skewUs(scenario, priority) : downUs(scenario, priority)
      if (silence.us > floor + answerUs)
        this.#violate(host, `vrid ${vrid} heard nothing for ${silence.us} µs and does not lead`)
    }
  }

  /** A backup whose session with its master is lost waits for no advert. */
  #checkTakeover(host: Host): void {
    const scenario = this.#scenario
    const grace = 2.2 * downUs(scenario, 1) + 1_000_000
    if (scenario.bfd === undefined || scenario.grouped || this.#impaired(host, grace)) return
    for (const vrid of this.#vrids) {
      const master = this.#notes(host, vrid)?.followed ?? null
      if (!this.#capable(host, vrid) || this.#leads(host, vrid) || master === null) continue
      const lostUs = this.#bfd.lostFor(host, master)
      if (lostUs > answerUs && this.#takes(host, vrid))
        this.#violate(host, `vrid ${vrid} lost its session with its master, and does not lead`)
    }
  }

  /** By the configuration in force. */
  #takes(host: Host, vrid: number): boolean {
    const { roster, instances } = host.process?.main.dispatcher ?? {}
    const instance = instances?.find((it) => it.cfg.vrid === vrid)
    return instance !== undefined && (roster?.takeoversOf(instance).size ?? 0) > 0
  }

  /** Whatever died, no address outlives it by more than its lifetime. */
  #checkLeftBehind(host: Host): void {
    const { advertUs, lifetimeS } = this.#scenario
    // Never shorter than the longest down interval and two seconds.
    const lifetimeUs = Math.max(lifetimeS * 1_000_000, 5 * advertUs + 4_000_000)
    if (host.process !== null || this.#agenda.now - host.diedAt <= lifetimeUs) return
    for (const address of this.#addresses)
      if (host.kernel.holds(address)) this.#violate(host, `${address} was left behind`)
  }

  /** Who does not turn does not lead: within the lease, and the engine acts at once. */
  #checkLease(host: Host): void {
    const { process } = host
    if (process === null || host.asleep || process.stopping) return
    const { livenessUs } = process.main.dispatcher.config.globals
    if (livenessUs === 0) return
    if (process.stalledUs <= livenessUs) return
    for (const vrid of this.#vrids)
      if (this.#leads(host, vrid))
        this.#violate(host, `vrid ${vrid} leads, but its main thread hangs`)
  }

  /**
   * One master in each connected part that has a host able to lead, none elsewhere; and it is none that a
   * better host should have replaced. Within `settleUs` after the last disturbance.
   */
  #checkMasters(vrid: number): void {
    for (const part of this.#parts()) {
      if (vrid === thirdVrid && !this.#comparable(part)) continue
      const able = part.filter((host) => this.#capable(host, vrid))
      const masters = part.filter((host) => this.#leads(host, vrid))
      const names = part.map((host) => host.name).join(' ')
      const expected = able.length === 0 ? 0 : 1
      const [master] = masters
      if (masters.length !== expected)
        this.#violate(master ?? null, `vrid ${vrid}: ${masters.length} masters among ${names}`)
      if (master !== undefined) this.#checkMaster(master, vrid, able)
    }
  }

  #checkMaster(master: Host, vrid: number, able: readonly Host[]): void {
    const rank = this.#rank(master, vrid)
    if (!able.includes(master)) this.#violate(master, `vrid ${vrid}: leads, but may not`)
    const better = able.find((host) => this.#rank(host, vrid) > rank && !host.plan.nopreempt)
    if (better !== undefined)
      this.#violate(better, `vrid ${vrid}: should have replaced ${master.name}`)
    const effective = this.#effective(master, vrid)
    if (effective !== rank)
      this.#violate(master, `vrid ${vrid}: leads with priority ${effective} instead of ${rank}`)
  }

  /** With a refresh, the LAN's client sends to the master, at the latest one refresh after all is settled. */
  #checkClient(): void {
    const parts = this.#parts()
    const waited = this.#agenda.now - this.#disturbedAt - settleUs(this.#scenario)
    if (parts.length > 1 || waited < 1.1e6 * this.#scenario.refreshS) return
    for (const { vrid, address } of this.#vips) {
      const master = this.#hosts.find((host) => this.#leads(host, vrid))
      if (master !== undefined && this.#client.get(address) !== `${master.kernel.mac}`)
        this.#violate(master, `the client sends ${address} to ${this.#client.get(address)}`)
    }
  }

  #learn(bytes: Uint8Array): void {
    const arp = decodeArp(bytes)
    if (arp.ok) this.#client.set(arp.value.sender, `${arp.value.senderMac}`)
    const na = decodeNa(bytes)
    if (na.ok) this.#client.set(na.value.target, `${na.value.mac}`)
  }

  /** Hosts that hear each other. Cuts are symmetric in a settled run. */
  #parts(): readonly (readonly Host[])[] {
    const left = new Set(this.#hosts)
    const parts: Host[][] = []
    for (const first of left) {
      const part = [...left].filter(
        (host) =>
          host === first ||
          (host.kernel.up && first.kernel.up && this.#lan.passes(host.port, first.port)),
      )
      for (const host of part) left.delete(host)
      parts.push(part)
    }
    return parts
  }

  /** A member that only some of the hosts have keeps a sync group back, and is kept back by it. */
  #comparable(part: readonly Host[]): boolean {
    return !this.#scenario.grouped || part.every((host) => host.plan.file.third)
  }

  #capable(host: Host, vrid: number): boolean {
    const { process } = host
    if (process === null || host.asleep || process.stalled || !host.kernel.up) return false
    if (process.stopping || !host.opens || slotOf(process, vrid) === null) return false
    return this.#good(host, vrid) || host.plan.weight !== 0
  }

  /** The third instance has no check of its own. */
  #good(host: Host, vrid: number): boolean {
    return host.good || (vrid === thirdVrid && !this.#scenario.grouped)
  }

  #rank(host: Host, vrid: number): number {
    const checked = vrid === this.#vrids[0]
    return expectedPriority(checked ? host.plan : { ...host.plan, weight: 0 }, host.good)
  }

  /** The VRID whose address it is by the configuration of the running instances; null: of none. */
  #ownerOf(host: Host, address: Ip): number | null {
    const instances = host.process?.main.dispatcher.instances ?? []
    return instances.find((it) => it.has(address))?.cfg.vrid ?? null
  }

  /** Not itself, or too short a time ago. */
  #impaired(host: Host, spanUs: number): boolean {
    if (host.process === null || host.asleep || host.process.stalled) return true
    const since = Math.max(this.#impairedAt.get(host) ?? 0, host.process.startedAt)
    return this.#agenda.now - since < spanUs
  }

  #leads(host: Host, vrid: number): boolean {
    const { process } = host
    const instance = process?.main.dispatcher.instances.find((it) => it.cfg.vrid === vrid)
    return instance !== undefined && process?.engine.leads(instance.slot) === true
  }

  #effective(host: Host, vrid: number): number {
    const instance = host.process?.main.dispatcher.instances.find((it) => it.cfg.vrid === vrid)
    return instance?.machine.effective ?? host.plan.priority
  }

  #vridOf(host: Host, slot: SlotId): number | null {
    return host.process?.main.dispatcher.roster.bySlot(slot)?.cfg.vrid ?? null
  }

  #voices(host: Host): Voices {
    const { process } = host
    const voices = (process && this.#spoke.get(process)) ?? newVoices()
    if (process !== null) this.#spoke.set(process, voices)
    return voices
  }

  #notes(host: Host, vrid: number): Listening | null {
    const { process } = host
    const slot = process === null ? null : slotOf(process, vrid)
    if (process === null || slot === null) return null
    const all = this.#listening.get(process) ?? new Map<number, Heard>()
    this.#listening.set(process, all)
    const known = all.get(vrid)
    if (known !== undefined && known.slot === slot) return known.listening
    const listening = new Listening(host.now())
    all.set(vrid, { slot, listening })
    return listening
  }

  #violate(host: Host | null, what: string): never {
    const at = (this.#agenda.now / 1_000_000).toFixed(6)
    throw new Violation(`${host?.name ?? 'cluster'} at ${at} s: ${what}`)
  }
}
