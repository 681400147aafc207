/**
 * Files and programs that the daemon needs beside its work and that can hang: carried out by a thread of their own,
 * one after the other, each within its time. A thread that does not answer is left behind and another takes over: nothing
 * ends a call that waits for a dead file server.
 */
import { OpError } from '../base/errors.ts'
import { SupervisedThread } from '../threads/supervised.ts'
import type { Loss } from '../threads/thread.ts'
import type { Errand, ErrandAnswer, FromErrands } from './errands-thread.ts'

/** Beyond so many threads that hang no further errand is tried: each keeps some megabytes. */
const hangingMax = 4
/** A thread that has nothing to do for so long is ended. */
const idleMs = 2_000
/** Of errands that wait for their turn; each is a decision of the daemon, which waits for the answer. */
const waitingMax = 64

type Waiting = {
  readonly errand: Errand
  readonly timeoutMs: number
  readonly resolve: (value: ErrandAnswer[keyof ErrandAnswer]) => void
  readonly reject: (why: OpError) => void
}

export class Errands {
  readonly #thread: SupervisedThread<Errand, FromErrands>
  readonly #queue: Waiting[] = []
  #busy: Waiting | null = null

  constructor(threadFile = new URL('./errands-thread.js', import.meta.url)) {
    this.#thread = new SupervisedThread<Errand, FromErrands>({
      body: () => ({ file: threadFile, name: 'vipd-errands', heapMegabytes: 256 }),
      onMessage: (answer) => this.#answered(answer),
      onLost: (loss) => this.#lost(loss),
      backOff: null,
      idleMs,
      hangingMax,
      queueMax: 0,
    })
  }

  /**
   * `timeoutMs` counts from when the errand's turn comes. Rejects with OpError: ETIMEDOUT when it hangs, EIO when its
   * thread fails, EBUSY when too many hang or wait.
   */
  run<E extends Errand>(errand: E, timeoutMs: number): Promise<ErrandAnswer[E['kind']]> {
    return new Promise<ErrandAnswer[keyof ErrandAnswer]>((resolve, reject) => {
      if (this.#queue.length >= waitingMax)
        return reject(new OpError(errand.kind, 'EBUSY', `${waitingMax} others wait`))
      this.#queue.push({ errand, timeoutMs, resolve, reject })
      this.#next()
    }) as Promise<ErrandAnswer[E['kind']]>
  }

  #next(): void {
    if (this.#busy !== null) return
    const waiting = this.#queue.shift()
    if (waiting === undefined) return
    if (!this.#thread.post(waiting.errand)) {
      waiting.reject(new OpError(waiting.errand.kind, 'EBUSY', `${hangingMax} earlier ones hang`))
      return this.#next()
    }
    this.#busy = waiting
    this.#thread.expect(waiting.timeoutMs)
  }

  #answered(answer: FromErrands): void {
    this.#thread.answered()
    const busy = this.#busy
    this.#busy = null
    if (answer.ok) busy?.resolve(answer.value)
    else busy?.reject(new OpError(answer.op, answer.code, answer.detail))
    this.#next()
  }

  #lost({ kind, why }: Loss): void {
    const busy = this.#busy
    this.#busy = null
    if (busy !== null) {
      const late = `no answer within ${busy.timeoutMs / 1_000} s`
      const [code, detail] = kind === 'hung' ? ['ETIMEDOUT', late] : ['EIO', why]
      busy.reject(new OpError(busy.errand.kind, code, detail))
    }
    this.#next()
  }
}
