/**
 * Files and programs that the daemon needs beside its work and that can hang: carried out by a thread of their own,
 * one after the other, each within its time. A thread that does not answer is left behind and another takes over: nothing
 * ends a call that waits for a dead file server.
 */
import { Worker } from 'node:worker_threads'
import { OpError } from '../base/errors.ts'
import type { Errand, ErrandAnswer, FromErrands } from './errands-thread.ts'

/** Beyond so many threads that hang no further errand is tried: each keeps some megabytes. */
const hangingMax = 4
/** A thread that has nothing to do for so long is ended. */
const idleMs = 2_000

type Waiting = {
  readonly errand: Errand
  readonly timeoutMs: number
  readonly resolve: (value: ErrandAnswer[keyof ErrandAnswer]) => void
  readonly reject: (why: OpError) => void
}

export class Errands {
  readonly #threadFile: URL
  readonly #queue: Waiting[] = []
  #thread: Worker | null = null
  #busy: Waiting | null = null
  #timer: NodeJS.Timeout | undefined
  #hanging = 0

  constructor(threadFile = new URL('./errands-thread.js', import.meta.url)) {
    this.#threadFile = threadFile
  }

  /** `timeoutMs` counts from when the errand's turn comes. Rejects with OpError: ETIMEDOUT when it hangs. */
  run<E extends Errand>(errand: E, timeoutMs: number): Promise<ErrandAnswer[E['kind']]> {
    return new Promise<ErrandAnswer[keyof ErrandAnswer]>((resolve, reject) => {
      this.#queue.push({ errand, timeoutMs, resolve, reject })
      this.#next()
    }) as Promise<ErrandAnswer[E['kind']]>
  }

  #next(): void {
    if (this.#busy !== null) return
    clearTimeout(this.#timer)
    const waiting = this.#queue.shift()
    if (waiting === undefined) {
      this.#timer = setTimeout(() => this.#end(), idleMs)
      this.#timer.unref()
      return
    }
    if (this.#hanging >= hangingMax) {
      waiting.reject(new OpError(waiting.errand.kind, 'EBUSY', `${hangingMax} earlier ones hang`))
      return this.#next()
    }
    this.#busy = waiting
    this.#thread ??= this.#start()
    this.#thread.postMessage(waiting.errand)
    // The answer may lie behind a late timer.
    this.#timer = setTimeout(() => setImmediate(() => this.#late(waiting)), waiting.timeoutMs)
  }

  #start(): Worker {
    const thread = new Worker(this.#threadFile, {
      name: 'vipd-errands',
      resourceLimits: { maxOldGenerationSizeMb: 256 },
    })
    thread.unref()
    thread.on('message', (answer: FromErrands) => this.#heard(thread, answer))
    thread.on('error', (error) => this.#lost(thread, String(error)))
    return thread
  }

  #heard(thread: Worker, answer: FromErrands): void {
    if (thread !== this.#thread) {
      // It hung, and has come back to where it is not waited for.
      this.#hanging -= 1
      void thread.terminate()
      return
    }
    const busy = this.#busy
    this.#busy = null
    if (answer.ok) busy?.resolve(answer.value)
    else busy?.reject(new OpError(answer.op, answer.code, answer.detail))
    this.#next()
  }

  #late(waiting: Waiting): void {
    if (this.#busy !== waiting) return
    this.#hanging += 1
    this.#fail('ETIMEDOUT', `no answer within ${waiting.timeoutMs / 1_000} s`)
  }

  #lost(thread: Worker, why: string): void {
    if (thread === this.#thread) this.#fail('EIO', why)
    else this.#hanging -= 1
  }

  #fail(code: string, detail: string): void {
    const busy = this.#busy
    this.#thread = null
    this.#busy = null
    busy?.reject(new OpError(busy.errand.kind, code, detail))
    this.#next()
  }

  #end(): void {
    const thread = this.#thread
    this.#thread = null
    void thread?.terminate()
  }
}
