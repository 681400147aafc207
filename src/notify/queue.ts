/**
 * One instance's notifications, strictly in order: the next program starts when the one before has ended, or
 * has run so long that waiting for it would hide what happens now. An overdue program is not killed: it may
 * be promoting a database.
 */
import { notifyQueuedMax } from '../base/limits.ts'
import type { Job, JobResult } from './messages.ts'
import type { RunCounts } from './run-counts.ts'
import type { Handle, NotifyWorker } from './worker-handle.ts'

export type QueuedJob = {
  readonly job: Job
  /** Must run even at the end: the STOP notification. */
  readonly final: boolean
  readonly done: (result: JobResult) => void
}

export type QueueOptions = {
  readonly worker: NotifyWorker
  readonly counts: RunCounts
  readonly overdueMs: number
  readonly onOverdue: () => void
  /** So many since the queue was last empty; at the first, and then seldom. */
  readonly onDropped: (count: number, why: string) => void
  readonly onIdle: () => void
}

type Current = {
  readonly queued: QueuedJob
  readonly handle: Handle
  readonly timer: NodeJS.Timeout
}

export class NotifyQueue {
  readonly #options: QueueOptions
  #waiting: QueuedJob[] = []
  #current: Current | null = null
  /** Since it was last empty, and what has been said of it. */
  #dropped = 0
  #reported = 0

  constructor(options: QueueOptions) {
    this.#options = options
  }

  /** Behind the one that runs. */
  get waiting(): number {
    return this.#waiting.length
  }

  get idle(): boolean {
    return this.#current === null && this.#waiting.length === 0
  }

  push(queued: QueuedJob): void {
    if (this.#waiting.length >= notifyQueuedMax) {
      this.#waiting.shift()
      this.#dropped += 1
      this.#options.counts.drop(1)
      if (Number.isInteger(Math.log10(this.#dropped))) this.#reportDropped()
    }
    this.#waiting.push(queued)
    this.#advance()
  }

  /** The daemon's patience is over: only final jobs still run; a program in their way is asked to end. */
  hurry(): void {
    const dropped = this.#waiting.filter(({ final }) => !final)
    this.#waiting = this.#waiting.filter(({ final }) => final)
    this.#options.counts.drop(dropped.length)
    if (dropped.length > 0) this.#options.onDropped(dropped.length, 'the daemon stops')
    if (this.#current === null || this.#current.queued.final) return
    this.#current.handle.signal('SIGTERM')
    this.#abandon(this.#current)
  }

  #advance(): void {
    if (this.#current !== null) return
    const queued = this.#waiting.shift()
    if (queued === undefined) {
      if (this.#dropped > this.#reported) this.#reportDropped()
      this.#dropped = 0
      this.#reported = 0
      this.#options.onIdle()
      return
    }
    const ended = this.#options.counts.begin()
    const handle = this.#options.worker.submit(queued.job, (result) => {
      ended(result)
      queued.done(result)
      if (this.#current === current) this.#leave(current)
    })
    const timer = setTimeout(() => {
      this.#options.onOverdue()
      this.#abandon(current)
    }, this.#options.overdueMs)
    const current: Current = { queued, handle, timer }
    this.#current = current
  }

  #reportDropped(): void {
    this.#reported = this.#dropped
    this.#options.onDropped(this.#dropped, 'too many are waiting')
  }

  #abandon(current: Current): void {
    if (this.#current === current) this.#leave(current)
  }

  #leave(current: Current): void {
    clearTimeout(current.timer)
    this.#current = null
    this.#advance()
  }
}
