/**
 * One run from one seed: hosts on a LAN, episodes of faults, and silence between them in which the cluster must
 * come to rest. Everything is drawn from the seed, so a seed is a run, bit for bit.
 */
import { Agenda } from './agenda.ts'
import { attack } from './attack.ts'
import { claims } from './claims.ts'
import { defenders } from './defenders.ts'
import { meet } from './encounters.ts'
import { faults } from './faults.ts'
import { bfdFaults } from './faults-bfd.ts'
import { changes } from './faults-changes.ts'
import { leaseFaults } from './faults-lease.ts'
import { attacks } from './foreign-adverts.ts'
import { Host } from './host.ts'
import { Invariants } from './invariants.ts'
import { Lan } from './lan.ts'
import { Prng } from './prng.ts'
import { drawScenario, type Profile, type Scenario } from './scenario.ts'
import { settleUs } from './times.ts'
import { upgrades } from './upgrades.ts'
import { wholeFaults } from './whole-faults.ts'
import type { Ending, Fault, World } from './world.ts'

export type RunResult = {
  readonly seed: number
  readonly scenario: Scenario
  readonly hours: number
  readonly faults: number
  readonly transitions: number
  /** Equal digests: equal runs. */
  readonly digest: number
  /** The rule that was broken, in which part, and what went before; null: none. */
  readonly broken: (Broken & { readonly part: Part }) | null
}

type Broken = { readonly what: string; readonly trace: readonly string[] }

/** What a run consists of, one after the other; each draws from the seed by itself. */
const parts = ['life', 'attack', 'encounters', 'whole-faults', 'claims', 'upgrades'] as const
export type Part = (typeof parts)[number]

export const isPart = (text: unknown): text is Part => parts.some((part) => part === text)

const hourUs = 3_600_000_000

/** By kind, so long that a run takes about a second at most. */
const lengthHours = (profile: Profile, prng: Prng): number =>
  isStorm(profile) ? 0.5 + prng.next() : profile === 'quiet' ? 150 + 100 * prng.next() : 700

/** The kind follows from the seed as well: of ten runs one is calm, three are quiet, three change and three are storms. */
export function profileOf(seed: number): Profile {
  const kinds: readonly Profile[] = ['calm', 'quiet', 'quiet', 'quiet', 'storm', 'changes']
  return kinds[seed % 10] ?? (seed % 10 > 7 ? 'changes' : 'storm')
}

/** A minute's work beside the rest: with some of the storms. */
const playsClaims = (seed: number): boolean => seed % 10 === 4 || seed % 10 === 6

const isStorm = (profile: Profile): boolean => profile === 'storm' || profile === 'changes'

/** `only`: nothing but that part of it, if the run has it. */
export function run(seed: number, only: Part | null = null): RunResult {
  const simulation = new Simulation(seed)
  return simulation.run(only)
}

/** Hosts on a LAN, none of them started. */
export function makeWorld(scenario: Scenario, agenda: Agenda, prng: Prng): World {
  const lan = new Lan(agenda, prng)
  const invariants = new Invariants(scenario, agenda, lan)
  const around = { scenario, agenda, prng, lan, witness: invariants }
  const hosts = scenario.hosts.map((plan) => new Host(plan, around))
  const foreigner = lan.attach({ receive: () => undefined, frame: () => undefined })
  invariants.watch(hosts)
  const later = (spanUs: number, what: () => void) => agenda.after(spanUs, what)
  return { scenario, prng, lan, hosts, invariants, foreigner, later }
}

class Simulation {
  readonly #prng: Prng
  readonly #agenda = new Agenda()
  readonly #scenario: Scenario
  readonly #world: World
  #faults = 0

  constructor(seed: number) {
    this.#prng = new Prng(seed)
    const profile = profileOf(seed)
    this.#scenario = drawScenario(seed, this.#prng, profile, lengthHours(profile, this.#prng))
    this.#world = makeWorld(this.#scenario, this.#agenda, this.#prng)
  }

  run(only: Part | null): RunResult {
    const { invariants } = this.#world
    let broken: RunResult['broken'] = null
    for (const part of parts) {
      if (broken !== null || (only !== null && only !== part)) continue
      const found = this.#foundIn(part)
      if (found !== null) broken = { part, ...found }
    }
    return {
      seed: this.#scenario.seed,
      scenario: this.#scenario,
      hours: this.#agenda.now / hourUs,
      faults: this.#faults,
      transitions: invariants.transitions,
      digest: invariants.digest,
      broken,
    }
  }

  /** What breaks as a part is set up is found as well. */
  #foundIn(part: Part): Broken | null {
    try {
      return this.#play(part)
    } catch (error) {
      return {
        what: error instanceof Error ? (error.stack ?? error.message) : `${error}`,
        trace: [],
      }
    }
  }

  #play(part: Part): Broken | null {
    const { seed, sealed, profile } = this.#scenario
    switch (part) {
      case 'life':
        return this.#liveThrough()
      case 'attack':
        return sealed === true ? attack(seed, makeWorld) : null
      case 'encounters':
        return seed % 4 === 0 ? meet(seed, makeWorld) : null
      case 'whole-faults':
        // Beside some of the storms, which are short.
        return isStorm(profile) && seed % 4 === 0 ? wholeFaults(seed, makeWorld) : null
      case 'claims':
        return (
          (playsClaims(seed) ? claims(seed, makeWorld) : null) ??
          (seed % 20 === 4 ? defenders(seed, makeWorld) : null)
        )
      case 'upgrades':
        return seed % 5 === 2 ? upgrades(seed, makeWorld) : null
    }
  }

  #liveThrough(): Broken | null {
    try {
      this.#live(this.#scenario.hours * hourUs)
      return null
    } catch (error) {
      const what = error instanceof Error ? (error.stack ?? error.message) : String(error)
      return { what, trace: [...this.#world.invariants.trace] }
    }
  }

  #live(endUs: number): void {
    const { hosts, invariants } = this.#world
    for (const host of hosts)
      this.#agenda.at(this.#prng.between(0, 2 * this.#scenario.advertUs), () => {
        host.start()
        invariants.disturb(0, 'started', host)
      })
    this.#rest()
    while (this.#agenda.now < endUs) {
      if (this.#scenario.profile !== 'calm') this.#episode()
      this.#rest()
    }
  }

  /** Some faults at once; what passes ends, what lasts ends only after a rest. */
  #episode(): void {
    const { prng, invariants } = this.#world
    const { profile } = this.#scenario
    const count = isStorm(profile) ? prng.between(1, 4) : prng.between(1, 2)
    const usual = profile === 'changes' ? [...faults, ...changes, ...changes, ...changes] : faults
    const attacked = this.#scenario.sealed === true
    const withBfd = this.#scenario.bfd === undefined ? [] : [...bfdFaults, ...bfdFaults]
    const withLease = this.#scenario.lease === undefined ? [] : leaseFaults
    const all = [...usual, ...(attacked ? [...attacks, ...attacks] : []), ...withBfd, ...withLease]
    const lasting: { readonly name: string; readonly end: Ending }[] = []
    for (let i = 0; i < count; i++) {
      const fault = prng.pick(all)
      const end = this.#begin(fault)
      if (fault.lasts === 'lasting') lasting.push({ name: fault.name, end })
      else if (fault.lasts === 'passing') {
        const span = Math.ceil(this.#scenario.advertUs * prng.pick([0.05, 0.7, 2.5, 6, 15]))
        this.#agenda.after(span, () => {
          invariants.disturb(-1, `end of ${fault.name}`)
          end()
        })
      }
      this.#pass(Math.floor(this.#scenario.advertUs * prng.pick([0, 0.01, 0.5, 3, 8])))
    }
    if (lasting.length > 0 && prng.chance(0.6)) this.#rest()
    for (const { name, end } of lasting) {
      this.#pass(Math.floor(this.#scenario.advertUs * prng.pick([0, 0.3, 4])))
      invariants.disturb(0, `end of ${name}`)
      end()
    }
  }

  #begin(fault: Fault): Ending {
    this.#faults += 1
    this.#world.invariants.disturb(fault.lasts === 'passing' ? 1 : 0, fault.name)
    return fault.begin(this.#world)
  }

  /** Until all is settled (or, in a storm, perhaps not), and then silence for a while. */
  #rest(): void {
    const { prng } = this.#world
    const { profile, advertUs } = this.#scenario
    if (isStorm(profile) && prng.chance(0.25)) return this.#pass(advertUs * prng.between(1, 20))
    this.#pass(Math.ceil(15 * advertUs) + settleUs(this.#scenario))
    const { refreshS } = this.#scenario
    const silence = isStorm(profile) ? prng.between(0, 20) : prng.between(100, 1_000)
    this.#pass(Math.floor(advertUs * silence + 2.4e6 * refreshS))
  }

  /** Lets time pass and looks at the cluster: often at first, then ever less often. */
  #pass(spanUs: number): void {
    const end = this.#agenda.now + spanUs
    let step = Math.max(this.#scenario.advertUs * 0.6, 1)
    while (this.#agenda.now < end) {
      this.#agenda.runUntil(Math.floor(Math.min(end, this.#agenda.now + step)))
      this.#world.invariants.check()
      step *= 1.04
    }
  }
}
