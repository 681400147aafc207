/**
 * The notifier's hold on its worker thread: jobs go out, each comes back exactly once. A worker that ends,
 * or does not take a job up within its patience, is replaced; what it had not started yet is handed to the
 * successor, except the job at which it got stuck, or that has seen two workers die.
 */
import { Worker } from 'node:worker_threads'
import { signalGroup } from '../programs/run.ts'
import type { FromNotifyWorker, Job, JobResult, ToNotifyWorker } from './messages.ts'

export type LinkOptions = {
  readonly workerFile: URL
  /** Covers the loading of the worker's code on a busy machine. */
  readonly patienceMs: number
  readonly onLost: (why: string) => void
}

export type Handle = {
  /**
   * To the program's process group: at once, or as soon as it is known to have been started, so that none is
   * left behind in between. Nothing for mail.
   */
  signal(name: NodeJS.Signals): void
}

type Pending = {
  readonly job: Job
  readonly done: (result: JobResult) => void
  pid: number | null
  started: boolean
  /** Wanted before the program was known to run. */
  signal: NodeJS.Signals | null
  /** Workers lost while it waited to be started. */
  losses: number
}

const lossesMax = 2
/** How long `close` waits for programs that shall be signalled and are not known to run yet. */
const closeMs = 1_000

export class NotifyLink {
  readonly #options: LinkOptions
  readonly #pending = new Map<number, Pending>()
  #worker: Worker | null = null
  #watch: NodeJS.Timeout | null = null
  #lastId = 0
  #signalled: () => void = () => undefined

  constructor(options: LinkOptions) {
    this.#options = options
  }

  /** `done` is called once, never during this call. */
  submit(job: Job, done: (result: JobResult) => void): Handle {
    const id = ++this.#lastId
    const unknown = { pid: null, started: false, signal: null, losses: 0 }
    const pending: Pending = { job, done, ...unknown }
    this.#pending.set(id, pending)
    this.#send(id, job)
    return { signal: (name) => this.#signal(id, pending, name) }
  }

  /** Programs that run go on until the process ends, unless they were signalled; nothing is reported any more. */
  async close(): Promise<void> {
    if (this.#awaitsSignal()) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, closeMs)
        this.#signalled = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    this.#pending.clear()
    this.#unwatch()
    const worker = this.#worker
    this.#worker = null
    await worker?.terminate()
  }

  #signal(id: number, pending: Pending, name: NodeJS.Signals): void {
    if (pending.started) signalGroup(pending.pid, name)
    else if (this.#pending.has(id)) pending.signal = name
  }

  #awaitsSignal(): boolean {
    return Array.from(this.#pending.values()).some((p) => !p.started && p.signal !== null)
  }

  #send(id: number, job: Job): void {
    this.#worker ??= this.#startWorker()
    const message: ToNotifyWorker = { id, job }
    this.#worker.postMessage(message)
    this.#watch ??= setTimeout(() => this.#check(), this.#options.patienceMs)
  }

  #startWorker(): Worker {
    // Not tracked: descriptors that a socket took over would be closed twice when the thread ends.
    const options = { name: 'vipd-notify', trackUnmanagedFds: false }
    const worker = new Worker(this.#options.workerFile, options)
    let why = 'ended'
    worker.on('message', (message: FromNotifyWorker) => {
      if (this.#worker === worker) this.#receive(message)
    })
    worker.on('error', (error) => {
      why = `crashed: ${error instanceof Error ? error.message : String(error)}`
    })
    worker.on('exit', () => {
      if (this.#worker === worker) this.#replace(why, null)
    })
    return worker
  }

  #receive(message: FromNotifyWorker): void {
    const pending = this.#pending.get(message.id)
    if (pending === undefined) return
    if (message.kind === 'started') {
      pending.pid = message.pid
      pending.started = true
      if (pending.signal !== null) signalGroup(pending.pid, pending.signal)
      if (!this.#awaitsSignal()) this.#signalled()
      this.#unwatch()
      if (this.#firstUnstarted() !== null) {
        this.#watch = setTimeout(() => this.#check(), this.#options.patienceMs)
      }
    } else {
      this.#pending.delete(message.id)
      pending.done(message.result)
    }
  }

  /** When this thread stalled itself, the answer lies in its queue: look once more behind it. */
  #check(): void {
    this.#watch = null
    setImmediate(() => {
      if (this.#watch === null && this.#worker !== null && this.#firstUnstarted() !== null) {
        const why = `gave no answer for ${this.#options.patienceMs} ms`
        this.#replace(why, this.#firstUnstarted())
      }
    })
  }

  #firstUnstarted(): number | null {
    for (const [id, { started }] of this.#pending) if (!started) return id
    return null
  }

  #replace(why: string, stuckAt: number | null): void {
    this.#unwatch()
    const worker = this.#worker
    this.#worker = null
    worker?.unref()
    void worker?.terminate()
    this.#options.onLost(why)
    for (const [id, pending] of Array.from(this.#pending)) {
      pending.losses++
      if (pending.started || id === stuckAt || pending.losses >= lossesMax) {
        this.#pending.delete(id)
        pending.done({ kind: 'lost' })
      } else {
        this.#send(id, pending.job)
      }
    }
  }

  #unwatch(): void {
    if (this.#watch !== null) clearTimeout(this.#watch)
    this.#watch = null
  }
}
