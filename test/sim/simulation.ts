/**
 * One run from one seed: hosts on a LAN, episodes of faults, and silence between them in which the cluster must
 * come to rest. Everything is drawn from the seed, so a seed is a run, bit for bit.
 */
import { Agenda } from './agenda.ts'
import { authenticated } from './ah.ts'
import { attack } from './attack.ts'
import { claims } from './claims.ts'
import { defenders } from './defenders.ts'
import { meet } from './encounters.ts'
import { Host } from './host.ts'
import { Invariants } from './invariants.ts'
import { Lan } from './lan.ts'
import { isStorm, Life } from './life.ts'
import type { MakeWorld } from './pair.ts'
import { Prng } from './prng.ts'
import { drawScenario, type Profile, type Scenario } from './scenario.ts'
import { upgrades } from './upgrades.ts'
import { wholeFaults } from './whole-faults.ts'
import type { World } from './world.ts'

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
const parts = ['life', 'attack', 'encounters', 'whole-faults', 'claims', 'upgrades', 'ah'] as const
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

type Beside = {
  readonly isPlayed: (scenario: Scenario) => boolean
  readonly play: (seed: number, make: MakeWorld) => Broken | null
}

/** A minute's work beside the rest: with some of the storms. */
const besides: Readonly<Record<Exclude<Part, 'life'>, Beside>> = {
  attack: { isPlayed: ({ seal }) => seal !== undefined, play: attack },
  encounters: { isPlayed: ({ seed }) => seed % 4 === 0, play: meet },
  'whole-faults': {
    // Beside some of the storms, which are short.
    isPlayed: ({ seed, profile }) => isStorm(profile) && seed % 4 === 0,
    play: wholeFaults,
  },
  claims: {
    isPlayed: ({ seed }) => seed % 10 === 4 || seed % 10 === 6,
    play: (seed, make) => claims(seed, make) ?? (seed % 20 === 4 ? defenders(seed, make) : null),
  },
  upgrades: { isPlayed: ({ seed }) => seed % 5 === 2, play: upgrades },
  ah: { isPlayed: ({ seed }) => seed % 60 === 7, play: authenticated },
}

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
  readonly #life: Life

  constructor(seed: number) {
    this.#prng = new Prng(seed)
    const profile = profileOf(seed)
    this.#scenario = drawScenario(seed, this.#prng, profile, lengthHours(profile, this.#prng))
    this.#world = makeWorld(this.#scenario, this.#agenda, this.#prng)
    this.#life = new Life(this.#world, this.#agenda)
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
      faults: this.#life.faults,
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
    if (part === 'life') return this.#liveThrough()
    const { isPlayed, play } = besides[part]
    return isPlayed(this.#scenario) ? play(this.#scenario.seed, makeWorld) : null
  }

  #liveThrough(): Broken | null {
    try {
      this.#life.live(this.#scenario.hours * hourUs)
      return null
    } catch (error) {
      const what = error instanceof Error ? (error.stack ?? error.message) : String(error)
      return { what, trace: [...this.#world.invariants.trace] }
    }
  }
}
