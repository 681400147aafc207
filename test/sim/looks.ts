/**
 * What must hold at every look, now and then: addresses with who leads, a master within the floor, nothing left
 * behind; and, once a run is settled, one master in each part, the right one, and clients that know it.
 */
import type { Ip } from '../../src/base/ip.ts'
import { decodeArp } from '../../src/wire/arp.ts'
import { decodeNa } from '../../src/wire/ndp.ts'
import type { Agenda } from './agenda.ts'
import type { BfdRules } from './bfd-rules.ts'
import type { Cluster } from './cluster.ts'
import { routeOf } from './configuration.ts'
import type { Disturbances } from './disturbances.ts'
import type { Hearing } from './hearing.ts'
import type { Host } from './host.ts'
import { thirdVrid } from './host-file.ts'
import { answerUs } from './latency.ts'
import { LeftBehind } from './left-behind.ts'
import { downUs, settleUs, skewUs } from './times.ts'
import { violate } from './violation.ts'

export type Known = {
  readonly agenda: Agenda
  readonly cluster: Cluster
  readonly disturbances: Disturbances
  readonly hearing: Hearing
  readonly bfd: BfdRules
}

export class Looks {
  readonly #agenda: Agenda
  readonly #cluster: Cluster
  readonly #disturbances: Disturbances
  readonly #hearing: Hearing
  readonly #bfd: BfdRules
  readonly #leftBehind: LeftBehind
  /** What the LAN's client last learned: address → MAC. */
  readonly #client = new Map<string, string>()

  constructor({ agenda, cluster, disturbances, hearing, bfd }: Known) {
    this.#agenda = agenda
    this.#cluster = cluster
    this.#disturbances = disturbances
    this.#hearing = hearing
    this.#bfd = bfd
    this.#leftBehind = new LeftBehind(cluster.scenario, agenda)
  }

  check(): void {
    for (const host of this.#cluster.hosts) {
      this.#checkAddresses(host)
      this.#checkFloor(host)
      this.#checkTakeover(host)
      this.#checkLease(host)
      this.#checkLeftBehind(host)
      this.#checkKernelLease(host)
    }
    if (!this.#disturbances.settled) return
    for (const vrid of this.#cluster.vrids) this.#checkMasters(vrid)
    this.#bfd.check(this.#cluster.hosts)
    if (this.#cluster.scenario.refreshS > 0) this.#checkClient()
  }

  /**
   * Addresses held if and only if leading, within the time of one answer of the main thread. A daemon that starts
   * with its link down learns what a dead predecessor left behind only when the link comes up.
   */
  #checkAddresses(host: Host): void {
    if (this.#disturbances.impaired(host, answerUs) || !host.kernel.up) return
    for (const address of this.#cluster.addresses) {
      const vrid = this.#cluster.ownerOf(host, address)
      const leads = vrid !== null && this.#cluster.leads(host, vrid)
      const holds = host.kernel.holds(address)
      if (holds !== leads && !(holds && this.#leftBehind.excuses(host, address, vrid)))
        this.#violate(
          host,
          `vrid ${vrid} ${leads ? 'leads without' : 'holds, but does not lead,'} ${address}`,
        )
      if (leads && this.#disturbances.settled) this.#checkLabel(host, address)
    }
    for (const vrid of this.#cluster.vrids) this.#checkEntries(host, vrid)
  }

  /** A route and a rule, as long as its instance leads and no longer. */
  #checkEntries(host: Host, vrid: number): void {
    const held = host.kernel.entriesWith(routeOf(vrid)).length
    const wanted = this.#cluster.leads(host, vrid) ? 2 : 0
    if (held !== wanted)
      this.#violate(host, `vrid ${vrid} has ${held} routes and rules, not ${wanted}`)
  }

  /** An address that is held is as the file says. */
  #checkLabel(host: Host, address: Ip): void {
    const labelled = host.plan.file.label && this.#cluster.scenario.family === 4
    const wanted = labelled && address === this.#cluster.vips[0]?.address ? 'eth0:vip' : null
    const label = host.kernel.labelOf(address)
    if (label !== wanted) this.#violate(host, `${address} has the label ${label}, not ${wanted}`)
  }

  /**
   * A master within the floor: a host that may lead and has heard nothing for its own down interval (its skew time
   * after a resignation) leads. By its own clock, plus the time of one answer; not asked for twice that, and the second in which a check first
   * reports, after it was late or held up.
   */
  #checkFloor(host: Host): void {
    const scenario = this.#cluster.scenario
    const grace = 2.2 * downUs(scenario, 1) + 1_000_000
    if (scenario.grouped || this.#disturbances.impaired(host, grace)) return
    for (const vrid of this.#cluster.vrids) {
      if (!this.#cluster.capable(host, vrid)) continue
      const notes = this.#hearing.of(host, vrid)
      const priority = this.#cluster.effective(host, vrid)
      if (notes === null || this.#cluster.leads(host, vrid)) continue
      if (notes.damped(host.now(), skewUs(scenario, priority))) continue
      const silence = notes.silence(host.now())
      const floor = silence.resigned ? skewUs(scenario, priority) : downUs(scenario, priority)
      if (silence.us > floor + answerUs)
        this.#violate(host, `vrid ${vrid} heard nothing for ${silence.us} µs and does not lead`)
    }
  }

  /** A backup whose session with its master is lost waits for no advert. */
  #checkTakeover(host: Host): void {
    const scenario = this.#cluster.scenario
    const grace = 2.2 * downUs(scenario, 1) + 1_000_000
    if (scenario.bfd === undefined || scenario.grouped || this.#disturbances.impaired(host, grace))
      return
    for (const vrid of this.#cluster.vrids) {
      const master = this.#hearing.of(host, vrid)?.followed ?? null
      if (!this.#cluster.capable(host, vrid) || this.#cluster.leads(host, vrid) || master === null)
        continue
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
    if (host.process !== null || !this.#leftBehind.outlasted(host)) return
    for (const address of this.#cluster.addresses)
      if (host.kernel.holds(address)) this.#violate(host, `${address} was left behind`)
  }

  /** With a kernel lease: who leads answers as long as it speaks; who does not, and is well, mutes nothing that it forwards. */
  #checkKernelLease(host: Host): void {
    const { lease } = host
    const { advertUs } = this.#cluster.scenario
    if (lease === null || !lease.stands || !host.kernel.up) return
    if (this.#disturbances.impaired(host, Math.ceil(1.1 * advertUs) + answerUs)) return
    for (const { vrid } of this.#cluster.vips) {
      const leads = this.#cluster.leads(host, vrid)
      if (leads && !lease.answers(vrid)) this.#violate(host, `vrid ${vrid} leads, and is muted`)
      if (leads && !lease.mutes(vrid)) this.#violate(host, `vrid ${vrid} leads without a lease`)
      if (!leads && lease.mutes(vrid) && !this.#leftBehind.excusesMuting(host, vrid))
        this.#violate(host, `vrid ${vrid} does not lead, and mutes`)
    }
  }

  /** Who does not turn does not lead: within the lease, and the engine acts at once. */
  #checkLease(host: Host): void {
    const { process } = host
    if (process === null || host.asleep || process.frozen || process.stopping) return
    const { livenessUs } = process.main.dispatcher.config.globals
    if (livenessUs === 0) return
    if (process.stalledUs <= livenessUs) return
    for (const vrid of this.#cluster.vrids)
      if (this.#cluster.leads(host, vrid))
        this.#violate(host, `vrid ${vrid} leads, but its main thread hangs`)
  }

  /**
   * One master in each connected part that has a host able to lead, none elsewhere; and it is none that a
   * better host should have replaced. Within `settleUs` after the last disturbance.
   */
  #checkMasters(vrid: number): void {
    for (const part of this.#cluster.parts()) {
      if (vrid === thirdVrid && !this.#cluster.comparable(part)) continue
      const able = part.filter((host) => this.#cluster.capable(host, vrid))
      const masters = part.filter((host) => this.#cluster.leads(host, vrid))
      const names = part.map((host) => host.name).join(' ')
      const expected = able.length === 0 ? 0 : 1
      const [master] = masters
      if (masters.length !== expected)
        this.#violate(master ?? null, `vrid ${vrid}: ${masters.length} masters among ${names}`)
      if (master !== undefined) this.#checkMaster(master, vrid, able)
    }
  }

  #checkMaster(master: Host, vrid: number, able: readonly Host[]): void {
    const rank = this.#cluster.rank(master, vrid)
    if (!able.includes(master)) this.#violate(master, `vrid ${vrid}: leads, but may not`)
    const better = able.find(
      (host) => this.#cluster.rank(host, vrid) > rank && !host.plan.nopreempt,
    )
    if (better !== undefined)
      this.#violate(better, `vrid ${vrid}: should have replaced ${master.name}`)
    const effective = this.#cluster.effective(master, vrid)
    if (effective !== rank)
      this.#violate(master, `vrid ${vrid}: leads with priority ${effective} instead of ${rank}`)
  }

  /** With a refresh, the LAN's client sends to the master, at the latest one refresh after all is settled. */
  #checkClient(): void {
    const parts = this.#cluster.parts()
    const waited = this.#agenda.now - this.#disturbances.lastAt - settleUs(this.#cluster.scenario)
    if (parts.length > 1 || waited < 1.1e6 * this.#cluster.scenario.refreshS) return
    for (const { vrid, address } of this.#cluster.vips) {
      const master = this.#cluster.hosts.find((host) => this.#cluster.leads(host, vrid))
      if (master !== undefined && this.#client.get(address) !== `${master.kernel.mac}`)
        this.#violate(master, `the client sends ${address} to ${this.#client.get(address)}`)
    }
  }

  learn(bytes: Uint8Array): void {
    const arp = decodeArp(bytes)
    if (arp.ok) this.#client.set(arp.value.sender, `${arp.value.senderMac}`)
    const na = decodeNa(bytes)
    if (na.ok) this.#client.set(na.value.target, `${na.value.mac}`)
  }

  #violate(host: Host | null, what: string): never {
    violate(this.#agenda.now, host, what)
  }
}
