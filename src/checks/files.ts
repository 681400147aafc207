/**
 * Files can hang: a file server that is gone holds whoever asks for them, and nothing ends that call. They are looked at
 * in a thread of their own. One that hangs is left to it, with the path that it hangs on, and another takes over; when the
 * call returns at last the path is looked at again. (Node's own asynchronous calls would hang in the pool of
 * threads that the whole process shares.)
 */
import { Worker } from 'node:worker_threads'
import type { Question, Seen } from './file-look.ts'
import type { FromFiles, ToFiles } from './files-thread.ts'

/** Threads that hang; with more the file systems are not asked any more. */
const hungMax = 16

type Waiting = { readonly question: Question; readonly answer: (seen: Seen) => void }

export class Files {
  readonly #onChanged: (path: string) => void
  #thread: Worker | null = null
  /** In the order in which the thread takes them. */
  #waiting = new Map<number, Waiting>()
  #hung = new Map<Worker, string>()
  #lastId = 0

  /** `onChanged`: a file that has been asked for changed, came or went. */
  constructor(onChanged: (path: string) => void) {
    this.#onChanged = onChanged
  }

  /** Returns what gives the question up: its thread counts as hung if it was in it. */
  ask(question: Question, answer: (seen: Seen) => void): () => void {
    const why = this.#refuses(question.path)
    if (why !== null) {
      answer({ ok: false, detail: why, value: 0 })
      return () => undefined
    }
    const id = ++this.#lastId
    this.#waiting.set(id, { question, answer })
    this.#thread ??= this.#start()
    this.#send(id, question)
    return () => this.#giveUp(id)
  }

  close(): void {
    const threads = [...this.#hung.keys(), ...(this.#thread === null ? [] : [this.#thread])]
    this.#thread = null
    for (const thread of threads) void thread.terminate()
  }

  #refuses(path: string): string | null {
    if ([...this.#hung.values()].includes(path)) return 'an earlier look at it still hangs'
    return this.#hung.size < hungMax ? null : `${hungMax} threads hang in file systems already`
  }

  #start(): Worker {
    const thread = new Worker(new URL('./files-thread.js', import.meta.url), {
      name: 'vipd-files',
      resourceLimits: { maxOldGenerationSizeMb: 32 },
    })
    thread.unref()
    thread.on('message', (message: FromFiles) => this.#heard(thread, message))
    thread.on('error', (error) => this.#lost(thread, String(error)))
    return thread
  }

  #heard(thread: Worker, message: FromFiles): void {
    if (this.#hung.delete(thread)) {
      void thread.terminate()
      return
    }
    if (message.kind === 'changed') return this.#onChanged(message.path)
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    waiting?.answer(message.seen)
  }

  #giveUp(id: number): void {
    const [current] = this.#waiting.keys()
    const given = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (id !== current || given === undefined || this.#thread === null) return
    this.#hung.set(this.#thread, given.question.path)
    this.#thread = this.#waiting.size > 0 ? this.#start() : null
    for (const [other, { question }] of this.#waiting) this.#send(other, question)
  }

  /** A bug, or no memory: everybody who waits is told. */
  #lost(thread: Worker, why: string): void {
    if (thread !== this.#thread) return
    this.#thread = null
    const all = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { answer } of all) answer({ ok: false, detail: why, value: 0 })
  }

  #send(id: number, question: Question): void {
    const message: ToFiles = { id, question }
    this.#thread?.postMessage(message)
  }
}
