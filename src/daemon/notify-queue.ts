/**
 * One instance's notifications, strictly in order: the next program starts when the one before has ended, or
 * has run so long that waiting for it would hide what happens now. An overdue program is not killed: it may
 * be promoting a database.
 */
import { notifyQueuedMax } from '../base/limits.ts'
import type { Handle, NotifyLink } from './notify-link.ts'
import type { Job, JobResult } from './notify-messages.ts'

export type QueuedJob = {
  readonly job: Job
  /** Must run even at the end: the STOP notification. */
  readonly final: boolean
  readonly done: (result: JobResult) => void
}

export type QueueOptions = {
  readonly link: NotifyLink
  readonly overdueMs: number
  readonly onOverdue: () => void
  readonly onDropped: (why: string) => void
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

  constructor(options: QueueOptions) {
    this.#options = options
  }

  get idle(): boolean {
    return this.#current === null && this.#waiting.length === 0
  }

  push(queued: QueuedJob): void {
    if (this.#waiting.length >= notifyQueuedMax) {
      this.#waiting.shift()
      this.#options.onDropped('too many are waiting')
    }
    this.#waiting.push(queued)
    this.#advance()
  }

  /** The daemon's patience is over: only final jobs still run; a program in their way is asked to end. */
  hurry(): void {
    const dropped = this.#waiting.filter(({ final }) => !final)
    this.#waiting = this.#waiting.filter(({ final }) => final)
    for (const _ of dropped) this.#options.onDropped('the daemon stops')
    if (this.#current === null || this.#current.queued.final) return
    this.#current.handle.signal('SIGTERM')
    this.#abandon(this.#current)
  }

  #advance(): void {
    if (this.#current !== null) return
    const queued = this.#waiting.shift()
    if (queued === undefined) {
      this.#options.onIdle()
      return
    }
    const handle = this.#options.link.submit(queued.job, (result) => {
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

  #abandon(current: Current): void {
    if (this.#current === current) this.#leave(current)
  }

  #leave(current: Current): void {
    clearTimeout(current.timer)
    this.#current = null
    this.#advance()
  }
}
