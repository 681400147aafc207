/** The thread that compares. It is kept for a while, because `status` is asked for again and again. */
import { SupervisedThread } from '../threads/supervised.ts'
import type { ThreadBody } from '../threads/thread.ts'
import { hangingMax, idleMs } from './bounds.ts'
import type { Seen } from './machine.ts'
import type { FromThread, ToThread } from './thread.ts'

/** `unknown`: the file system did not answer in time. */
export type Unchanged = boolean | 'unknown'

type Waiting = { readonly answer: (unchanged: Unchanged) => void; readonly fromMs: number }

export class Comparer {
  readonly #thread: SupervisedThread<ToThread, FromThread>
  readonly #waitMs: number
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0

  constructor(body: ThreadBody, waitMs: number) {
    this.#waitMs = waitMs
    this.#thread = new SupervisedThread<ToThread, FromThread>({
      body: () => body,
      onMessage: (message) => this.#receive(message),
      onLost: () => this.#answerAll(),
      backOff: null,
      idleMs,
      hangingMax,
      queueMax: 0,
    })
  }

  /** Resolves within the time to wait. */
  ask(seen: Seen): Promise<Unchanged> {
    const [oldest] = this.#waiting.values()
    // It hangs: nothing is piled up behind it.
    if (oldest !== undefined && performance.now() - oldest.fromMs > this.#waitMs)
      return Promise.resolve('unknown')
    const id = ++this.#lastId
    if (!this.#thread.post({ kind: 'compare', id, seen })) return Promise.resolve('unknown')
    return new Promise((resolve) => {
      const deadline = setTimeout(() => resolve('unknown'), this.#waitMs)
      const answer = (unchanged: Unchanged) => {
        clearTimeout(deadline)
        resolve(unchanged)
      }
      this.#waiting.set(id, { answer, fromMs: performance.now() })
    })
  }

  close(): void {
    this.#thread.discard()
    this.#answerAll()
  }

  #receive(message: FromThread): void {
    if (message.kind !== 'compared') return
    this.#waiting.get(message.id)?.answer(message.unchanged)
    this.#waiting.delete(message.id)
    if (this.#waiting.size === 0) this.#thread.answered()
  }

  #answerAll(): void {
    for (const { answer } of this.#waiting.values()) answer('unknown')
    this.#waiting.clear()
  }
}
