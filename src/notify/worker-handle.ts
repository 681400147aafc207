/**
 * The notifier's hold on its worker thread: jobs go out, each comes back exactly once. A worker that ends,
 * or does not take a job up within its patience, is replaced; what it had not started yet is handed to the
 * successor, except the job at which it got stuck, or that has seen too many workers die.
 */
import { signalGroup } from '../programs/run.ts'
import { SupervisedThread, usualBackOff } from '../threads/supervised.ts'
import type { Loss } from '../threads/thread.ts'
import type { FromNotifyWorker, Job, JobResult, ToNotifyWorker } from './messages.ts'

export type WorkerOptions = {
  readonly workerFile: URL
  /** Covers the loading of the worker's code on a busy machine. */
  readonly patienceMs: number
  /** Of a series of losses for one reason the first is reported, and then the 10th, the 100th, … */
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
  /** What losses of workers, while it waited to be started, say against it. */
  blame: number
}

/** Two workers that had been running; one that could not be started says little against a job. */
const blameOf = ({ ready }: Loss): number => (ready ? 4 : 1)
const blameMax = 8
/** How long `close` waits for programs that shall be signalled and are not known to run yet. */
const closeMs = 1_000
/** How long it waits for the thread, which may hang. */
const endMs = 500
const hangingMax = 16
/** Each instance has one job out at most, its FIFOs' scripts aside. */
const queueMax = 16_384

export class NotifyWorker {
  readonly #patienceMs: number
  readonly #pending = new Map<number, Pending>()
  readonly #thread: SupervisedThread<ToNotifyWorker, FromNotifyWorker>
  #lastId = 0
  #watching = false
  #signalled: () => void = () => undefined

  constructor({ workerFile, patienceMs, onLost }: WorkerOptions) {
    this.#patienceMs = patienceMs
    this.#thread = new SupervisedThread<ToNotifyWorker, FromNotifyWorker>({
      body: () => ({
        file: workerFile,
        name: 'vipd-notify',
        heapMegabytes: 64,
        keepsProcess: true,
      }),
      onMessage: (message) => this.#receive(message),
      onLost: (loss, { worthSaying }) => {
        if (worthSaying) onLost(loss.why)
        this.#lost(loss)
      },
      backOff: usualBackOff,
      hangingMax,
      queueMax,
    })
  }

  /** `done` is called once, never during this call. */
  submit(job: Job, done: (result: JobResult) => void): Handle {
    const id = ++this.#lastId
    const unknown = { pid: null, started: false, signal: null, blame: 0 }
    const pending: Pending = { job, done, ...unknown }
    this.#pending.set(id, pending)
    this.#send(id, pending)
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
    await this.#thread.stop(null, endMs)
  }

  #signal(id: number, pending: Pending, name: NodeJS.Signals): void {
    if (pending.started) signalGroup(pending.pid, name)
    else if (this.#pending.has(id)) pending.signal = name
  }

  #awaitsSignal(): boolean {
    return Array.from(this.#pending.values()).some((p) => !p.started && p.signal !== null)
  }

  #send(id: number, pending: Pending): void {
    if (this.#thread.post({ id, job: pending.job })) this.#watch()
    else setImmediate(() => this.#giveUp(id, pending))
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
      this.#watch()
    } else {
      this.#pending.delete(message.id)
      pending.done(message.result)
    }
  }

  /** The first job that has not been started shall be, in time. */
  #watch(): void {
    if (this.#watching || this.#firstUnstarted() === null) return
    this.#watching = true
    this.#thread.expect(this.#patienceMs)
  }

  #unwatch(): void {
    this.#watching = false
    this.#thread.answered()
  }

  #firstUnstarted(): number | null {
    for (const [id, { started }] of this.#pending) if (!started) return id
    return null
  }

  #lost(loss: Loss): void {
    this.#watching = false
    const stuckAt = loss.kind === 'hung' ? this.#firstUnstarted() : null
    for (const [id, pending] of Array.from(this.#pending)) {
      pending.blame += blameOf(loss)
      if (pending.started || id === stuckAt || pending.blame >= blameMax) this.#giveUp(id, pending)
      else this.#send(id, pending)
    }
  }

  #giveUp(id: number, pending: Pending): void {
    if (!this.#pending.delete(id)) return
    pending.done({ kind: 'lost' })
  }
}
