/** Hosts that start, and what befalls them until a run is over: episodes of faults, and silence between them. */
import type { Agenda } from './agenda.ts'
import { faults } from './faults.ts'
import { bfdFaults } from './faults-bfd.ts'
import { changes } from './faults-changes.ts'
import { leaseFaults } from './faults-lease.ts'
import { attacks } from './foreign-adverts.ts'
import type { Profile } from './scenario.ts'
import { settleUs } from './times.ts'
import type { Ending, Fault, World } from './world.ts'

export const isStorm = (profile: Profile): boolean => profile === 'storm' || profile === 'changes'

export class Life {
  /** How many have begun. */
  faults = 0
  readonly #world: World
  readonly #agenda: Agenda

  constructor(world: World, agenda: Agenda) {
    this.#world = world
    this.#agenda = agenda
  }

  live(endUs: number): void {
    const { hosts, invariants, prng, scenario } = this.#world
    for (const host of hosts)
      this.#agenda.at(prng.between(0, 2 * scenario.advertUs), () => {
        host.start()
        invariants.disturb(0, 'started', host)
      })
    this.#rest()
    while (this.#agenda.now < endUs) {
      if (scenario.profile !== 'calm') this.#episode()
      this.#rest()
    }
  }

  /** Some faults at once; what passes ends, what lasts ends only after a rest. */
  #episode(): void {
    const { prng, invariants, scenario } = this.#world
    const { profile, advertUs } = scenario
    const count = isStorm(profile) ? prng.between(1, 4) : prng.between(1, 2)
    const usual = profile === 'changes' ? [...faults, ...changes, ...changes, ...changes] : faults
    const attacked = scenario.seal !== undefined
    const withBfd = scenario.bfd === undefined ? [] : [...bfdFaults, ...bfdFaults]
    const withLease = scenario.lease === undefined ? [] : leaseFaults
    const all = [...usual, ...(attacked ? [...attacks, ...attacks] : []), ...withBfd, ...withLease]
    const lasting: { readonly name: string; readonly end: Ending }[] = []
    for (let i = 0; i < count; i++) {
      const fault = prng.pick(all)
      const end = this.#begin(fault)
      if (fault.lasts === 'lasting') lasting.push({ name: fault.name, end })
      else if (fault.lasts === 'passing') {
        const span = Math.ceil(advertUs * prng.pick([0.05, 0.7, 2.5, 6, 15]))
        this.#agenda.after(span, () => {
          invariants.disturb(-1, `end of ${fault.name}`)
          end()
        })
      }
      this.#pass(Math.floor(advertUs * prng.pick([0, 0.01, 0.5, 3, 8])))
    }
    if (lasting.length > 0 && prng.chance(0.6)) this.#rest()
    for (const { name, end } of lasting) {
      this.#pass(Math.floor(advertUs * prng.pick([0, 0.3, 4])))
      invariants.disturb(0, `end of ${name}`)
      end()
    }
  }

  #begin(fault: Fault): Ending {
    this.faults += 1
    this.#world.invariants.disturb(fault.lasts === 'passing' ? 1 : 0, fault.name)
    return fault.begin(this.#world)
  }

  /** Until all is settled (or, in a storm, perhaps not), and then silence for a while. */
  #rest(): void {
    const { prng, scenario } = this.#world
    const { profile, advertUs, refreshS } = scenario
    if (isStorm(profile) && prng.chance(0.25)) return this.#pass(advertUs * prng.between(1, 20))
    this.#pass(Math.ceil(15 * advertUs) + settleUs(scenario))
    const silence = isStorm(profile) ? prng.between(0, 20) : prng.between(100, 1_000)
    this.#pass(Math.floor(advertUs * silence + 2.4e6 * refreshS))
  }

  /** Lets time pass and looks at the cluster: often at first, then ever less often. */
  #pass(spanUs: number): void {
    const end = this.#agenda.now + spanUs
    let step = Math.max(this.#world.scenario.advertUs * 0.6, 1)
    while (this.#agenda.now < end) {
      this.#agenda.runUntil(Math.floor(Math.min(end, this.#agenda.now + step)))
      this.#world.invariants.check()
      step *= 1.04
    }
  }
}
