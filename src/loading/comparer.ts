/** The thread that compares. It is kept for a while, because `status` is asked for again and again. */
import type { Worker } from 'node:worker_threads'
import { idleMs } from './bounds.ts'
import type { Seen } from './machine.ts'
import type { FromThread, ToThread } from './thread.ts'

/** `unknown`: the file system did not answer in time. */
export type Unchanged = boolean | 'unknown'

type Waiting = { readonly answer: (unchanged: Unchanged) => void; readonly fromMs: number }

export class Comparer {
  over = false
  readonly #thread: Worker
  readonly #waitMs: number
  readonly #end: () => void
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0
  #idle: NodeJS.Timeout | undefined

  constructor(thread: Worker, waitMs: number, end: () => void) {
    this.#thread = thread
    this.#waitMs = waitMs
    this.#end = end
    thread.on('message', (message: FromThread) => {
      if (message.kind !== 'compared') return
      this.#waiting.get(message.id)?.answer(message.unchanged)
      this.#waiting.delete(message.id)
      if (this.#waiting.size === 0) this.#rest()
    })
    thread.on('error', () => this.close())
    thread.on('exit', () => this.close())
  }

  ask(seen: Seen): Promise<Unchanged> {
    const [oldest] = this.#waiting.values()
    // It hangs: nothing is piled up behind it.
    if (oldest !== undefined && performance.now() - oldest.fromMs > this.#waitMs)
      return Promise.resolve('unknown')
    clearTimeout(this.#idle)
    const id = ++this.#lastId
    this.#thread.postMessage({ kind: 'compare', id, seen } satisfies ToThread)
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
    if (this.over) return
    this.over = true
    clearTimeout(this.#idle)
    for (const { answer } of this.#waiting.values()) answer('unknown')
    this.#waiting.clear()
    this.#end()
  }

  #rest(): void {
    this.#idle = setTimeout(() => this.close(), idleMs)
    this.#idle.unref()
  }
}
