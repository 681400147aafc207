/**
 * The client of the lab: what a user of the service sees. It asks the address all the time and knows which host
 * answered and for how long none did.
 */
import type { Child } from './child.ts'
import type { Host } from './host.ts'
import { program } from './program.ts'
import { Journal } from './wait.ts'

/** `askedMs`: when the question was put, milliseconds since the epoch. `by`: null when no host answered. */
export type Answer = { readonly askedMs: number; readonly by: string | null }

/** No answer between two answers: from the last question answered before to the first answered after. */
export type Gap = {
  readonly fromMs: number
  readonly lastedMs: number
  readonly before: string
  readonly after: string
  readonly unanswered: number
}

export class Client {
  readonly answers: Journal<Answer>
  readonly #child: Child

  private constructor(child: Child, answers: Journal<Answer>) {
    this.#child = child
    this.answers = answers
  }

  /** Starts asking from that host: every `everyMs`, giving up on a question after `patienceMs`. */
  static start(host: Host, address: string, everyMs = 10, patienceMs = 250): Client {
    const answers = new Journal<Answer>()
    const onLine = ({ text }: { readonly text: string }): void => {
      const [, asked, by] = /^(\d+\.\d+) (.*)$/.exec(text) ?? []
      if (asked !== undefined)
        answers.push({ askedMs: Number(asked), by: by === '-' ? null : (by ?? null) })
    }
    const args = [program('./asker.js'), address, String(everyMs), String(patienceMs)]
    return new Client(host.spawn(process.execPath, args, { name: 'client', onLine }), answers)
  }

  get mark(): number {
    return this.answers.items.length
  }

  /** Resolves at the first answer from that host, from index `from` on. */
  answeredBy(host: string, timeoutMs: number, from = this.mark): Promise<Answer> {
    return this.answers.next(`${host} answers`, timeoutMs, (answer) => answer.by === host, from)
  }

  /**
   * The stretches in which a question went unanswered or the answering host changed, among the questions put
   * since `fromMs`, in the order in which they were put.
   */
  gaps(fromMs = 0): Gap[] {
    const asked = this.answers.items.toSorted((a, b) => a.askedMs - b.askedMs)
    const gaps: Gap[] = []
    let last: { readonly askedMs: number; readonly by: string } | null = null
    let unanswered = 0
    for (const { askedMs, by } of asked) {
      if (by === null) {
        unanswered++
        continue
      }
      if (last !== null && askedMs >= fromMs && (last.by !== by || unanswered > 0)) {
        const lastedMs = askedMs - last.askedMs
        gaps.push({ fromMs: last.askedMs, lastedMs, before: last.by, after: by, unanswered })
      }
      last = { askedMs, by }
      unanswered = 0
    }
    return gaps
  }

  stop(): Promise<unknown> {
    return this.#child.stop(60_000)
  }
}
