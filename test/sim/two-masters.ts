/**
 * Two masters that hear each other are two for one advert interval: the next adverts send the lesser one back. Whatever
 * made them two, a wrong take-over by a lost BFD session too.
 */
import type { Agenda } from './agenda.ts'
import type { Host } from './host.ts'
import { fair, type Lan } from './lan.ts'
import { answerUs } from './latency.ts'
import type { Scenario } from './scenario.ts'

export class TwoMasters {
  readonly #scenario: Scenario
  readonly #agenda: Agenda
  readonly #lan: Lan
  /** By VRID, since when a host leads. */
  readonly #since = new Map<number, Map<Host, number>>()

  constructor(scenario: Scenario, agenda: Agenda, lan: Lan) {
    this.#scenario = scenario
    this.#agenda = agenda
    this.#lan = lan
  }

  /** An interval of a clock that is 3 % slow, the way to the other host, and its answer. */
  get #mostUs(): number {
    return Math.ceil(1.04 * this.#scenario.advertUs) + fair.delayMaxUs + 2 * answerUs
  }

  standing(host: Host, vrid: number | null, leading: boolean): void {
    if (vrid === null) return
    const leaders = this.#since.get(vrid) ?? new Map<Host, number>()
    this.#since.set(vrid, leaders)
    if (leading) leaders.set(host, this.#agenda.now)
    else leaders.delete(host)
  }

  /** Looks when a host that leads from now on must be alone. */
  watch(vrid: number | null, look: () => void): void {
    if (vrid !== null) this.#agenda.after(this.#mostUs + 1, look)
  }

  /** `undisturbed`: since when nothing has happened to a host. */
  tooLong(
    masters: readonly Host[],
    vrid: number,
    undisturbed: (host: Host) => number,
  ): readonly [Host, Host] | null {
    const leaders = [...(this.#since.get(vrid) ?? [])].filter(([host]) => masters.includes(host))
    for (const [a, aFrom] of leaders)
      for (const [b, bFrom] of leaders) {
        const from = Math.max(aFrom, bFrom, undisturbed(a), undisturbed(b))
        if (a !== b && this.#hear(a, b) && this.#agenda.now - from > this.#mostUs) return [a, b]
      }
    return null
  }

  #hear(a: Host, b: Host): boolean {
    const passes = this.#lan.passes(a.port, b.port) && this.#lan.passes(b.port, a.port)
    return passes && a.kernel.up && b.kernel.up && this.#turns(a) && this.#turns(b)
  }

  #turns({ process, asleep, opens }: Host): boolean {
    return process !== null && !asleep && !process.stalled && !process.stopping && opens
  }
}
