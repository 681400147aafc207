/**
 * One worker thread from its birth to its loss. The pool pings it; an answer that does not come, like a
 * thread that ends, is reported once as lost, and what the worker had running is killed. A thread stuck in a
 * system call cannot be ended: it is left behind, silent, and nobody waits for it. (Programs that outlive
 * their thread are killed, but stay as zombies until this process ends: only that thread could reap them.)
 *
 * Node must not track the thread's descriptors: those that a socket took over would be closed twice at its
 * end, and the second close would hit whatever the process has opened under that number meanwhile.
 */
import { Worker } from 'node:worker_threads'
import { signalGroup } from '../../programs/run.ts'
import { type Assignment, Board, type FromWorker, type ToWorker } from './messages.ts'

export type LaneOptions = {
  readonly workerFile: URL
  readonly heartbeatMs: number
  /** Silence after which the worker counts as hung; a multiple of `heartbeatMs`. */
  readonly hangMs: number
  readonly onMessage: (message: FromWorker) => void
  /** `starting` is the id of the check that was being started at that moment, 0 if none. */
  readonly onLost: (why: string, starting: number) => void
}

/** Loading its code on a busy machine takes a thread longer than answering does. */
const bootPatience = 5
/** Covers the runner's own wait for what it killed. */
const stopMs = 1_500

export class Lane {
  readonly startedAt = performance.now()
  readonly #options: LaneOptions
  readonly #board = new Board()
  readonly #worker: Worker
  readonly #heart: NodeJS.Timeout
  readonly #exited: Promise<void>
  #online = false
  #awaiting = false
  /** Beats that found the last ping unanswered. Counted, not timed: when this thread stalls, so does the count. */
  #misses = 0
  #why = 'ended'
  #over = false

  constructor(options: LaneOptions) {
    this.#options = options
    this.#worker = new Worker(options.workerFile, {
      workerData: { board: this.#board.memory },
      name: 'vipd-checks',
      trackUnmanagedFds: false,
      resourceLimits: { maxOldGenerationSizeMb: 64 },
    })
    this.#worker.on('message', (message: FromWorker) => this.#receive(message))
    this.#worker.on('error', (error) => {
      this.#why = `crashed: ${error instanceof Error ? error.message : String(error)}`
    })
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        resolve()
        this.#lose(this.#why)
      })
    })
    this.#heart = setInterval(() => this.#beat(), options.heartbeatMs)
    this.#ping()
  }

  set(checks: readonly Assignment[]): void {
    this.#send({ kind: 'set', checks })
  }

  push(id: number, ok: boolean, message: string): void {
    this.#send({ kind: 'push', id, ok, message })
  }

  async stop(): Promise<void> {
    if (this.#over) return
    this.#end()
    this.#send({ kind: 'stop' })
    const patience = new Promise<void>((resolve) => setTimeout(resolve, stopMs).unref())
    await Promise.race([this.#exited, patience])
    this.#discard()
  }

  #receive(message: FromWorker): void {
    if (this.#over) return
    this.#online = true
    if (message.kind === 'pong') {
      this.#awaiting = false
      this.#misses = 0
    }
    this.#options.onMessage(message)
  }

  #beat(): void {
    if (!this.#awaiting) {
      this.#ping()
      return
    }
    this.#misses++
    const { hangMs, heartbeatMs } = this.#options
    const patience = this.#online ? hangMs : hangMs * bootPatience
    if (this.#misses * heartbeatMs >= patience) this.#lose(`gave no answer for ${patience} ms`)
  }

  #ping(): void {
    this.#awaiting = true
    this.#send({ kind: 'ping' })
  }

  #lose(why: string): void {
    if (this.#over) return
    this.#end()
    const { starting } = this.#board
    this.#discard()
    this.#options.onLost(why, starting)
  }

  #end(): void {
    this.#over = true
    clearInterval(this.#heart)
  }

  #discard(): void {
    for (const pid of this.#board.groups()) signalGroup(pid, 'SIGKILL')
    this.#worker.unref()
    void this.#worker.terminate()
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message)
  }
}
