/**
 * What must hold in every run, checked against what an outside observer sees: bytes on the wire, addresses in the
 * kernels, who leads. Nothing here asks the election why. Some rules hold at every instant; those that need
 * convergence hold once a run is settled: nothing was disturbed for `settleUs`.
 */
import type { Ip } from '../../src/base/ip.ts'
import type { Us } from '../../src/base/time.ts'
import type { SlotId } from '../../src/engine/order.ts'
import { enginePolicy } from '../../src/engine/policy.ts'
import type { Agenda } from './agenda.ts'
import { Believed } from './believed.ts'
import { BfdRules } from './bfd-rules.ts'
import { Cluster, leadsAs } from './cluster.ts'
import { routeOf } from './configuration.ts'
import { Disturbances } from './disturbances.ts'
import { Hearing } from './hearing.ts'
import type { Host } from './host.ts'
import { roamingAddress, thirdVrid } from './host-file.ts'
import type { Lan, Packet } from './lan.ts'
import { answerUs } from './latency.ts'
import { Looks } from './looks.ts'
import type { Process } from './process.ts'
import { expectedPriority, type Scenario } from './scenario.ts'
import type { Signed } from './seals.ts'
import { downUs } from './times.ts'
import { TwoMasters } from './two-masters.ts'
import { violate } from './violation.ts'
import type { Witness } from './witness.ts'

/** Two addresses: one advert, two requests, five announcements of each. */
const planSteps = 1 + 2 + 5 * 2
/** A take-over, and as many re-announcements as the bucket of contacts grants at once, and as many answers. */
const stepsAtOnceMax = planSteps * 12
/** An advert, a refresh and a renewal of both addresses, and of the one that moves. */
const settledStepsMax = ({ profile }: Scenario): number => (profile === 'changes' ? 7 : 5)

/** A clock that runs slower than true time skips: an instant is met a few µs late. */
const clockStepUs = 10
const traceLines = 80

/** By VRID, when a process last said that it leads, and that it resigns. */
type Voices = {
  readonly spokeAt: Map<number, number>
  readonly resignedAt: Map<number, number>
}
const newVoices = (): Voices => ({ spokeAt: new Map(), resignedAt: new Map() })

/** An advert that was due is sent at once. */
const withoutSending = (state: string): string => state.replace(/"sentAt":(null|\d+)/g, '')

export class Invariants implements Witness {
  transitions = 0
  /** Lines that differ between two runs make different digests. */
  digest = 0x811c9dc5
  readonly #scenario: Scenario
  readonly #agenda: Agenda
  readonly #lan: Lan
  readonly #cluster: Cluster
  readonly #disturbances: Disturbances
  readonly #hearing = new Hearing()
  readonly #bfd: BfdRules
  readonly #believed = new Believed()
  readonly #twoMasters: TwoMasters
  readonly #looks: Looks
  readonly #trace: string[] = []
  readonly #spoke = new WeakMap<Process, Voices>()
  /** When a settled host was told to reload a file in which no priority had changed. */
  readonly #calmReloads = new Map<Host, number>()
  /** When another process took over on a host, with nothing else under way. */
  readonly #calmExchanges = new Map<Host, number>()
  /** When a host's slots were last given to another process, by its own clock. */
  readonly #gaveAt = new Map<Host, number>()
  /** The last notification of a host. */
  readonly #notified = new Map<Host, string>()

  constructor(scenario: Scenario, agenda: Agenda, lan: Lan) {
    this.#scenario = scenario
    this.#agenda = agenda
    this.#lan = lan
    this.#bfd = new BfdRules(scenario, lan)
    this.#twoMasters = new TwoMasters(scenario, agenda, lan)
    this.#cluster = new Cluster(scenario, lan)
    this.#disturbances = new Disturbances(scenario, agenda)
    this.#looks = new Looks({
      agenda,
      cluster: this.#cluster,
      disturbances: this.#disturbances,
      hearing: this.#hearing,
      bfd: this.#bfd,
    })
  }

  watch(hosts: readonly Host[]): void {
    this.#cluster.hosts = hosts
    this.#lan.attach({ receive: () => undefined, frame: (bytes) => this.#looks.learn(bytes) })
  }

  get trace(): readonly string[] {
    return this.#trace
  }

  get settled(): boolean {
    return this.#disturbances.settled
  }

  /** Something that lasts begins (1) or ends (-1), or happens (0). */
  disturb(by: -1 | 0 | 1, what: string, host?: Host): void {
    this.note(`*** ${what}${host === undefined ? '' : ` (${host.name})`}`)
    this.#disturbances.disturb(by, host)
  }

  /** What is looked at from outside, now and then. */
  check(): void {
    this.#looks.check()
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
    if (this.#disturbances.calm) this.#calmReloads.set(host, this.#agenda.now)
    else this.#calmReloads.delete(host)
  }

  /** What has been applied is what was wanted: the same file again would change nothing. */
  reloaded(host: Host, refused: boolean): void {
    if (refused) this.#violate(host, 'a reload was refused')
    const pending = host.process?.main.pending ?? []
    if (pending.length > 0) this.#violate(host, `after a reload there is left: ${pending}`)
  }

  /** A process that takes over from another leads what that one led, and would pass on the same. */
  exchanged(host: Host, before: Process, after: Process, passed: readonly [string, string]): void {
    if (this.#disturbances.calm) this.#calmExchanges.set(host, this.#disturbances.lastAt)
    this.upgraded(host, before, after, passed)
  }

  upgraded(
    host: Host,
    before: Process,
    after: Process,
    [passed, again]: readonly [string, string],
  ): void {
    this.note(`${host.name}: another process`)
    // Without descriptors an instance in FAULT, which needs no sockets to go on, has one fault more; and without the
    // interface BFD has no sockets.
    const bfdOpens = this.#scenario.bfd === undefined || host.kernel.interfaces.includes('eth0')
    if (host.opens && bfdOpens && withoutSending(passed) !== withoutSending(again))
      this.#violate(host, `passed on ${passed}, and has ${again}`)
    for (const vrid of this.#cluster.vrids) {
      const [was, is] = [before, after].map((it) => leadsAs(it, vrid))
      if (was !== is)
        this.#violate(host, `vrid ${vrid}: led ${was}, leads ${is} as another process`)
    }
    this.#spoke.set(after, this.#spoke.get(before) ?? newVoices())
    this.#believed.passOn(before, after)
    this.#hearing.passOn(before, after)
  }

  /** For rules of a part of a run alone. */
  onSent: (host: Host, signed: Signed) => void = () => undefined

  mistaken(host: Host, what: string): void {
    this.#violate(host, what)
  }

  /**
   * Only who leads speaks with a priority, and who sleeps or has died does not speak at all. Late means listen: who
   * has said nothing for so long that a peer may have taken over does not go on. Immediately.
   * Who resigns does not go on in the same breath: whatever crossed, addresses are not taken away to be set again.
   * Settled, the priority said is the one that an operator would work out.
   * (A resignation, priority 0, may come from every host that has something to give back.)
   */
  sent(host: Host, by: Process, slot: SlotId, signed: Signed): void {
    this.onSent(host, signed)
    const [, vrid = 0, priority = 0] = signed.bytes
    if (signed.header !== undefined) this.#checkSequence(host, by, slot, signed)
    const { resignedAt } = this.#voices(host)
    if (priority === 0) resignedAt.set(vrid, host.now())
    if (priority === 0) return
    if (resignedAt.get(vrid) === host.now())
      this.#violate(host, `vrid ${vrid} resigns and leads again in the same instant`)
    const { process } = host
    if (process === null) this.#violate(host, 'an advert of a daemon that is gone')
    if (host.asleep || process?.frozen === true)
      this.#violate(host, 'an advert of a host that sleeps')
    if (process?.engine.speaks(slot) !== true)
      this.#violate(host, `an advert of priority ${priority} of slot ${slot}, which does not lead`)
    const rank = this.#cluster.rank(host, vrid)
    if (this.settled && priority !== rank)
      this.#violate(host, `says priority ${priority} instead of ${rank}`)
    this.#checkPace(host, vrid)
  }

  /** Of AH: one more than all that the router has sent and heard; at first the seconds of its clock. */
  #checkSequence(host: Host, by: Process, slot: SlotId, signed: Signed): void {
    const seconds = BigInt(Math.floor(by.wall() / 1_000_000))
    const wrong = this.#believed.speaks(by, slot, signed, seconds)
    if (wrong !== null) this.#violate(host, `vrid ${signed.bytes[1]}: ${wrong}`)
  }

  gave(host: Host): void {
    this.#gaveAt.set(host, host.now())
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
    // Where there was no quiet moment to give the slots in, they are given while an advert is due.
    const given = (this.#gaveAt.get(host) ?? before) > before
    const late = clockStepUs + (given ? enginePolicy.exchangeUs.takenLeast : 0)
    if (gap > advertUs + late && !this.#disturbances.impaired(host, downUs(this.#scenario, 1)))
      this.#violate(host, `vrid ${vrid}: ${gap} µs between two adverts`)
  }

  heard(host: Host, packet: Packet): void {
    const { bytes, valid } = packet
    const vrid = bytes[1] ?? 0
    if (!valid) return
    const { plan, process } = host
    const sealed = this.#scenario.seal !== undefined && process !== null
    if (sealed && !this.#believed.counts(process, vrid, packet)) return
    const ours = [this.#cluster.effective(host, vrid)]
    if (process?.busy === true)
      ours.push(expectedPriority(plan, true), expectedPriority(plan, false))
    this.#hearing.of(host, vrid)?.advert(host.now(), packet.from, bytes[2] ?? 0, ours)
  }

  bfdSent(host: Host, packet: Packet): void {
    const wrong = this.#bfd.sent(host, packet, this.settled)
    if (wrong !== null) this.#violate(host, wrong)
  }

  bfdHeard(host: Host, packet: Packet, at: Us): void {
    this.#bfd.heard(host, packet, at)
  }

  caughtUp(host: Host): void {
    for (const vrid of this.#cluster.vrids) this.#hearing.of(host, vrid)?.caughtUp()
  }

  /**
   * No host takes over that must not: not within three adverts of a better master (nor of any master under
   * nopreempt), not before the preempt_delay is over, not without having listened. Immediately; of lower masters, and
   * in sync groups of any, only what the main thread has acknowledged is known.
   * And settled means settled: in a run without faults nothing ever changes hands.
   */
  standing(host: Host, slot: SlotId, leading: boolean, adopted: boolean): void {
    this.transitions += 1
    const vrid = this.#cluster.vridOf(host, slot)
    this.note(`${host.name}: vrid ${vrid} ${leading ? 'leads' : 'ends leading'}`)
    const notes = vrid === null ? null : this.#hearing.of(host, vrid)
    const now = host.now()
    const { advertUs, grouped } = this.#scenario
    // A member that comes to a sync group which is master follows it; what is adopted has a rule of its own.
    const follows = (grouped && vrid === thirdVrid) || adopted
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
    if (vrid === null || this.#disturbances.active) return
    const since = (host: Host) => this.#disturbances.since(host)
    const both = this.#twoMasters.tooLong(
      this.#cluster.hosts.filter((host) => this.#cluster.leads(host, vrid)),
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
    for (const address of this.#cluster.addresses.filter((one) => one !== roaming))
      if (
        vrid !== null &&
        this.#cluster.ownerOf(host, address) === vrid &&
        host.kernel.holds(address)
      )
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
    return (
      at !== undefined && this.#disturbances.isLast(at) && this.#agenda.now - at <= 4 * answerUs
    )
  }

  /**
   * Whatever comes in, one wake-up does a bounded amount; a settled one, an advert and what is periodic, and so does one
   * of a process that took over from a settled one: what that had announced is announced.
   */
  woken(host: Host, effects: ReadonlyMap<SlotId, number>): void {
    const goesOn = this.#disturbances.isLast(this.#calmExchanges.get(host))
    const most = this.settled || goesOn ? settledStepsMax(this.#scenario) : stepsAtOnceMax
    for (const [slot, count] of effects)
      if (count > most) this.#violate(host, `slot ${slot}: ${count} steps at once, ${most} allowed`)
  }

  /** In a settled run the main threads sleep. */
  raised(host: Host): void {
    if (this.settled) this.#violate(host, 'the engine raised an event in a settled run')
  }

  bfdSeized(host: Host): void {
    this.#bfd.seized(host)
  }

  slept(host: Host, spanUs: number): void {
    this.#bfd.slept(host, spanUs)
    if (spanUs < 1.4 * downUs(this.#scenario, 1)) return
    for (const vrid of this.#cluster.vrids) this.#hearing.of(host, vrid)?.slept(host.now())
  }

  #voices(host: Host): Voices {
    const { process } = host
    const voices = (process && this.#spoke.get(process)) ?? newVoices()
    if (process !== null) this.#spoke.set(process, voices)
    return voices
  }

  #violate(host: Host | null, what: string): never {
    violate(this.#agenda.now, host, what)
  }
}
