/**
 * What must hold of BFD, from packets alone: sessions are up where packets pass in both directions, polls end, and a lost
 * session takes over from no other master than the one that it was with.
 */
import type { Ip } from '../../src/base/ip.ts'
import type { Us } from '../../src/base/time.ts'
import { decodeBfd } from '../../src/wire/bfd.ts'
import type { Host } from './host.ts'
import type { Lan, Packet } from './lan.ts'
import { answerUs, betweenThreadsUs } from './latency.ts'
import type { Listening } from './listening.ts'
import type { Scenario } from './scenario.ts'

/** Packets that are missed when a session is lost, as the configuration has it. */
const multiplier = 3

type Notes = {
  /** Arrival of the neighbour's last packet. */
  heardAt: number
  /** When this host last said to it that the session is up. */
  upSaidAt: number
  /** The last packet said something else than up. */
  downHeard: boolean
  /** It said that the session has been taken away there, which is no loss. */
  goneHeard: boolean
  /** When it was last heard while its session counted as lost: what follows from the loss may be under way. */
  backAt: number
}

export class BfdRules {
  readonly #scenario: Scenario
  readonly #lan: Lan
  readonly #notes = new Map<Host, Map<Ip, Notes>>()
  /** When a host last woke up, and for how long it had slept. */
  readonly #slept = new Map<Host, { readonly at: number; readonly spanUs: number }>()
  /** When a thread last ended that did not tell what it knew: it may have been away. */
  readonly #seizedAt = new Map<Host, number>()

  constructor(scenario: Scenario, lan: Lan) {
    this.#scenario = scenario
    this.#lan = lan
  }

  /** What is wrong with it, or null. */
  sent(host: Host, { to, bytes }: Packet, settled: boolean): string | null {
    const decoded = decodeBfd(bytes)
    if (!decoded.ok) return `sends ${to} what is no BFD packet: ${decoded.why}`
    const { state, poll } = decoded.value
    if (state === 'Up') this.#of(host, to).upSaidAt = host.now()
    if (host.asleep) return 'a BFD packet of a host that sleeps'
    const notes = this.#of(host, to)
    const silence = host.now() - notes.heardAt
    const { bfd } = this.#scenario
    const exact = bfd?.exact === true && !this.#isUnknown(host, notes)
    if (exact && state === 'Up' && silence > multiplier * bfd.everyUs)
      return `says up to ${to}, which it heard ${silence} µs ago`
    return settled && poll && state === 'Up' ? `still polls ${to} in a settled run` : null
  }

  heard(host: Host, { from, valid, bytes }: Packet, at: Us): void {
    if (!valid) return
    const lost = this.#isLost(host, from)
    const notes = this.#of(host, from)
    if (lost) notes.backAt = at
    notes.heardAt = at
    const decoded = decodeBfd(bytes)
    notes.downHeard = decoded.ok && decoded.value.state !== 'Up'
    notes.goneHeard = decoded.ok && decoded.value.state === 'AdminDown'
  }

  slept(host: Host, spanUs: number): void {
    this.#slept.set(host, { at: host.now(), spanUs })
  }

  seized(host: Host): void {
    this.#seizedAt.set(host, host.now())
  }

  /** Nothing was heard of it by who seized the sessions: its adverts alone decide. */
  #isUnknown(host: Host, { heardAt }: Notes): boolean {
    return heardAt <= (this.#seizedAt.get(host) ?? Number.NEGATIVE_INFINITY)
  }

  /** Its session with that master was up, and is lost, or was so recently that the engine, or in a group the main thread, acts on it. */
  lost(host: Host, master: Ip): boolean {
    const backAt = this.#notes.get(host)?.get(master)?.backAt ?? Number.NEGATIVE_INFINITY
    const slackUs = this.#scenario.grouped ? answerUs : betweenThreadsUs
    return this.#isLost(host, master) || host.now() - backAt <= slackUs
  }

  #isLost(host: Host, master: Ip): boolean {
    const { bfd } = this.#scenario
    const notes = this.#notes.get(host)?.get(master)
    if (bfd === undefined || notes === undefined || !host.plan.file.takeover) return false
    if (notes.goneHeard) return false
    // What was lost before may be under way.
    const seizedFor = host.now() - (this.#seizedAt.get(host) ?? host.now())
    if (this.#isUnknown(host, notes) && seizedFor > answerUs) return false
    const silence = host.now() - notes.heardAt
    // A reload that slows the session down, or the neighbour's, may be under way.
    const most = 2 * multiplier * bfd.everyUs
    const wasUp = notes.upSaidAt >= notes.heardAt - 2 * bfd.everyUs
    const wokeUp = this.#slept.get(host)
    // Who slept has heard nothing of it, and by its silence since then it may merely have lost who slept; a thread that is
    // late by less than the detection time does not notice. It stays so for another process.
    const deaf = wokeUp !== undefined && wokeUp.spanUs > 2 * most && notes.heardAt <= wokeUp.at
    return silence >= multiplier * bfd.everyUs && silence <= 3 * most + answerUs && wasUp && !deaf
  }

  /**
   * How long ago its session with the master, whose last advert came at that instant, was lost while it was up. 0: it was
   * not, or not for certain, or the host did not follow then.
   */
  lostFor(host: Host, master: NonNullable<Listening['followed']>): number {
    const { bfd } = this.#scenario
    const notes = this.#notes.get(host)?.get(master.from)
    if (bfd === undefined || notes === undefined || master.since > notes.heardAt) return 0
    if (this.#isUnknown(host, notes)) return 0
    const soonest = notes.heardAt + multiplier * bfd.everyUs
    // An advert that came behind the loss is of a master that lives: nothing is taken over from it any more.
    if (notes.upSaidAt < notes.heardAt || master.at > soonest || notes.downHeard) return 0
    // As slow as a reload may have made it.
    return host.now() - (notes.heardAt + 2 * multiplier * bfd.everyUs)
  }

  /** In a settled run. */
  check(hosts: readonly Host[]): void {
    for (const host of hosts)
      for (const other of hosts) if (other !== host) this.#checkSession(host, other)
  }

  #checkSession(host: Host, other: Host): void {
    const { process } = host
    if (process === null || host.asleep || process.stalled || process.stopping) return
    if (this.#scenario.bfd === undefined) return
    const name = `bfd/${other.name}`
    const found = process.main.dispatcher.bfd.status(() => []).find((it) => it.name === name)
    const passes = this.#runs(host) && this.#runs(other) && this.#passes(host, other)
    if ((found?.state === 'Up') !== passes)
      throw new Error(
        `${host.name}: the session with ${other.name} is ${found?.state} (${found?.failure}), and packets ${passes ? 'pass' : 'do not pass'}`,
      )
  }

  #runs({ process, asleep, kernel, plan }: Host): boolean {
    return process !== null && !asleep && !process.stopping && kernel.up && plan.file.sessions
  }

  #passes({ port: a }: Host, { port: b }: Host): boolean {
    return this.#lan.passes(a, b, 'bfd') && this.#lan.passes(b, a, 'bfd')
  }

  #of(host: Host, neighbour: Ip): Notes {
    const all = this.#notes.get(host) ?? new Map<Ip, Notes>()
    this.#notes.set(host, all)
    const never = Number.NEGATIVE_INFINITY
    const notes = all.get(neighbour) ?? {
      heardAt: never,
      upSaidAt: never,
      downHeard: false,
      goneHeard: false,
      backAt: never,
    }
    all.set(neighbour, notes)
    return notes
  }
}
