/** Of each kind of transition the last one that is kept: its number, by which `vipd history` tells the rest. */
import type { Transition } from '../../report/status.ts'
import type { Exemplar } from './exposition.ts'

/** As many as there are series of transitions on a large host; beyond it the oldest go. */
const kindsMax = 10_000

export type Kind = Pick<Transition, 'instance' | 'from' | 'to' | 'cause'>
/** The last transition of a kind; null: it is not known. */
export type ExemplarOf = (kind: Kind) => Exemplar | null

export class TransitionExemplars {
  readonly #last = new Map<string, Exemplar>()

  note(what: Transition, number: number): void {
    const key = keyOf(what)
    this.#last.delete(key)
    this.#last.set(key, {
      labels: { transition: number },
      value: 1,
      atSeconds: Date.parse(what.at) / 1_000,
    })
    const [oldest] = this.#last.keys()
    if (this.#last.size > kindsMax && oldest !== undefined) this.#last.delete(oldest)
  }

  readonly of = (kind: Kind): Exemplar | null => this.#last.get(keyOf(kind)) ?? null
}

const keyOf = ({ instance, from, to, cause }: Kind): string =>
  JSON.stringify([instance, from, to, cause])
