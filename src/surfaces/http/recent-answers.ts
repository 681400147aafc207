/**
 * Questions for what was seen lately: one at a time goes to the daemon, and a client that asks the same within a second is given the
 * same answer, so that any number of pages costs the deciding part a bounded share of its time.
 */
import type { RecentNames } from '../../report/recent.ts'
import type { Outcome } from './messages.ts'
import { OneAtATime } from './one-at-a-time.ts'

const keptMs = 1_000
/** Different questions that wait. */
const waitingMax = 64

export class RecentAnswers {
  readonly #ask: (names: RecentNames) => Promise<Outcome>
  readonly #answers = new Map<string, { readonly at: number; readonly answer: Promise<Outcome> }>()
  readonly #turns = new OneAtATime(waitingMax)

  /** `ask`: resolves in bounded time. */
  constructor(ask: (names: RecentNames) => Promise<Outcome>) {
    this.#ask = ask
  }

  /** null: too many wait. */
  readonly ask = async (names: RecentNames): Promise<Outcome | null> => {
    const now = performance.now()
    for (const [key, { at }] of this.#answers)
      if (now - at > keptMs) this.#answers.delete(key)
      else break
    const key = JSON.stringify([names.instances, names.checks])
    const known = this.#answers.get(key)
    if (known !== undefined) return await known.answer
    const answer = this.#turns.run(() => this.#ask(names))
    if (answer === null) return null
    this.#answers.set(key, { at: now, answer })
    return await answer
  }
}
