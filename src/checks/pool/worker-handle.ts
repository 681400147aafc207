/**
 * The pool's hold on one of its worker threads, which is pinged and replaced. What a lost one had running is killed, and
 * waited for by another thread.
 */
import { signalGroup } from '../../programs/run.ts'
import { adoptProgram } from '../../programs/start.ts'
import { type Series, SupervisedThread, usualBackOff } from '../../threads/supervised.ts'
import type { Loss } from '../../threads/thread.ts'
import {
  type Assignment,
  type FromWorker,
  SharedState,
  type ToWorker,
  type WorkerData,
} from './messages.ts'

export type WorkerOptions = {
  readonly workerFile: URL
  readonly heartbeatMs: number
  /** Silence after which the worker counts as hung. */
  readonly hangMs: number
  readonly onMessage: (message: FromWorker) => void
  /** It runs none of the checks yet. */
  readonly onStarted: () => void
  /** `starting` is the id of the check that was being started at that moment, 0 if none. */
  readonly onLost: (loss: Loss, series: Series, starting: number) => void
}

/** Covers the runner's own wait for what it killed. */
const stopMs = 1_500
/** Each keeps its heap; a check that hangs its worker is held back until that worker has gone. */
const hangingMax = 64
/** Results pushed while the worker is being replaced. */
const pushesMax = 1_024

export class WorkerHandle {
  #shared = new SharedState()
  readonly #thread: SupervisedThread<ToWorker, FromWorker>

  constructor({ workerFile, heartbeatMs, hangMs, onMessage, onStarted, onLost }: WorkerOptions) {
    this.#thread = new SupervisedThread<ToWorker, FromWorker>({
      body: () => {
        this.#shared = new SharedState()
        const data: WorkerData = { shared: this.#shared.memory }
        return { file: workerFile, name: 'vipd-checks', heapMegabytes: 64, data }
      },
      heartbeat: {
        everyMs: heartbeatMs,
        hangMs,
        ping: { kind: 'ping' },
        isAnswer: ({ kind }) => kind === 'pong',
      },
      onMessage,
      onStarted,
      onLost: (loss, series) => {
        this.#killPrograms()
        onLost(loss, series, this.#shared.starting)
      },
      backOff: usualBackOff,
      hangingMax,
      queueMax: pushesMax,
    })
  }

  get running(): boolean {
    return this.#thread.running
  }

  /** Has it started, unless it runs. */
  start(): void {
    this.#thread.start()
  }

  /** Everything that it shall run from now on. */
  set(checks: readonly Assignment[]): void {
    this.#thread.post({ kind: 'set', checks })
  }

  /** False when it was not taken. */
  push(id: number, ok: boolean, message: string): boolean {
    return this.#thread.post({ kind: 'push', id, ok, message })
  }

  /** False when it was not taken. */
  runNow(id: number): boolean {
    return this.#thread.post({ kind: 'now', id })
  }

  async stop(): Promise<void> {
    await this.#thread.stop({ kind: 'stop' }, stopMs)
    this.#killPrograms()
  }

  #killPrograms(): void {
    for (const pid of this.#shared.groups()) {
      signalGroup(pid, 'SIGKILL')
      adoptProgram(pid)
    }
  }
}
