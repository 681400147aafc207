/** What the pool and a worker say to each other, and the memory that they share. */
import type { News, Progress } from '../verdict/progress.ts'
import type { CheckSpec } from '../verdict/types.ts'

/** A check as a worker gets it. The id changes when the check starts anew. */
export type Assignment = {
  readonly id: number
  readonly spec: CheckSpec
  /** Where it stands; a worker that knows the id already keeps its own. */
  readonly progress: Progress
  /** Where its results are kept. */
  readonly ring: SharedArrayBuffer
}

export type ToWorker =
  /** Everything that this worker shall run from now on. */
  | { readonly kind: 'set'; readonly checks: readonly Assignment[] }
  | { readonly kind: 'ping' }
  /** The result of a push check. */
  | { readonly kind: 'push'; readonly id: number; readonly ok: boolean; readonly message: string }
  /** Run it before its turn. */
  | { readonly kind: 'now'; readonly id: number }
  /** Kill what runs and end the thread. */
  | { readonly kind: 'stop' }

export type Report = { readonly id: number; readonly progress: Progress }

export type FromWorker =
  /** A verdict or an exit status changed: at once. */
  | { readonly kind: 'news'; readonly report: Report; readonly news: News }
  /** Sign of life. */
  | { readonly kind: 'pong' }
  /** What else has moved since the last sign of life. */
  | { readonly kind: 'moved'; readonly reports: readonly Report[] }

export type WorkerData = { readonly shared: SharedArrayBuffer }

/**
 * What a worker leaves readable even when it is stuck: the id of the check that it is starting right now (0:
 * none), and the process groups that it has running.
 */
export class SharedState {
  readonly memory: SharedArrayBuffer
  readonly #cells: Int32Array

  constructor(memory = new SharedArrayBuffer(4 * (1 + groupsMax))) {
    this.memory = memory
    this.#cells = new Int32Array(memory)
  }

  get starting(): number {
    return Atomics.load(this.#cells, 0)
  }

  set starting(id: number) {
    Atomics.store(this.#cells, 0, id)
  }

  enter(pid: number): void {
    const free = this.#cells.indexOf(0, 1)
    if (free > 0) Atomics.store(this.#cells, free, pid)
  }

  leave(pid: number): void {
    const at = this.#cells.indexOf(pid, 1)
    if (at > 0) Atomics.store(this.#cells, at, 0)
  }

  groups(): readonly number[] {
    return Array.from(this.#cells.subarray(1)).filter((pid) => pid !== 0)
  }
}

/** Programs running at once in one worker that a successor can still kill. */
const groupsMax = 4_096
