/**
 * A check that is an ES module, in a worker thread of its own that stays between runs. A thread that does not come back
 * in time, crashes or eats its memory is ended, and the next run begins with a new one.
 */
import { Worker } from 'node:worker_threads'
import type { FromModule, ModuleData, ToModule } from './module-thread.ts'

/** How long a module may take to notice that its time is up. */
const graceMs = 100
const heapMb = 64
const outputBytesMax = 1_024

type Answer = { readonly ok: boolean; readonly message: string }
type Run = { readonly id: number; readonly answer: (answer: Answer, output: string) => void }

export class Module {
  readonly #path: string
  #thread: Worker | null = null
  #output = ''
  #run: Run | null = null
  /** Given up, and not heard of since. */
  #late = false
  #grace: NodeJS.Timeout | undefined
  #lastId = 0

  constructor(path: string) {
    this.#path = path
  }

  /** Returns what gives the run up. */
  ask(answer: Run['answer']): () => void {
    if (this.#late) this.#end()
    const id = ++this.#lastId
    this.#run = { id, answer }
    this.#output = ''
    this.#thread ??= this.#start()
    this.#send({ kind: 'ask', id })
    return () => this.#giveUp(id)
  }

  close(): void {
    this.#run = null
    this.#end()
  }

  #start(): Worker {
    const data: ModuleData = { path: this.#path }
    const thread = new Worker(new URL('./module-thread.js', import.meta.url), {
      name: 'vipd-module',
      workerData: data,
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    })
    for (const stream of [thread.stdout, thread.stderr])
      stream.on('data', (text: Buffer) => {
        this.#output = (this.#output + text.toString()).slice(-outputBytesMax)
      })
    thread.on('message', (message: FromModule) => this.#heard(thread, message))
    thread.on('error', (error) => this.#lost(thread, `it crashed: ${String(error)}`))
    thread.on('exit', () => this.#lost(thread, 'its thread ended'))
    return thread
  }

  #heard(thread: Worker, { id, ok, message }: FromModule): void {
    if (thread !== this.#thread) return
    this.#inTime()
    if (this.#run?.id === id) this.#settle({ ok, message })
  }

  #giveUp(id: number): void {
    if (this.#run?.id !== id) return
    this.#run = null
    this.#late = true
    this.#send({ kind: 'abort', id })
    this.#grace = setTimeout(() => this.#end(), graceMs).unref()
  }

  #lost(thread: Worker, message: string): void {
    if (thread !== this.#thread) return
    this.#thread = null
    this.#inTime()
    this.#settle({ ok: false, message })
  }

  #settle(answer: Answer): void {
    const run = this.#run
    this.#run = null
    run?.answer(answer, this.#output.trimEnd())
  }

  #inTime(): void {
    clearTimeout(this.#grace)
    this.#late = false
  }

  #end(): void {
    this.#inTime()
    const thread = this.#thread
    this.#thread = null
    void thread?.terminate()
  }

  #send(message: ToModule): void {
    this.#thread?.postMessage(message)
  }
}
