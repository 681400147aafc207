/**
 * What a surface's thread knows of the daemon: the last status, put together from its parts, with the transitions since.
 * A reader that wants a fresh one waits for one that was asked for after it came, for a bounded time.
 */
import {
  type Status,
  type StatusInstance,
  stateAfter,
  type Transition,
} from '../../report/status.ts'
import type { StatusPart } from './status-feed.ts'

export type Snapshot = {
  readonly status: Status
  /** The wall clock in milliseconds. */
  readonly madeMs: number
  /** Monotonic milliseconds: when its last part came. */
  readonly at: number
}

type Waiting = (snapshot: Snapshot | null) => void

/** A status is fresh for so long: the daemon makes one a second at most. */
const freshMs = 1_000
/** The main thread makes one of thousands of instances in well under a second; silent for longer, it is said to be. */
const answerMs = 2_500

export class Snapshots {
  readonly #want: () => void
  /** Since when one is wanted that has not come, in monotonic milliseconds; null: none is. */
  #wantedAt: number | null = null
  #last: Snapshot | null = null
  #parts: StatusInstance[] = []
  #number = 0
  #waiting = new Set<Waiting>()

  /** `want`: asks the daemon for a status. */
  constructor(want: () => void) {
    this.#want = () => {
      this.#wantedAt ??= performance.now()
      want()
    }
  }

  /** One that is made from now on, for a reader that is told when it comes. */
  want(): void {
    this.#want()
  }

  /** However old it is. */
  get last(): Snapshot | null {
    return this.#last
  }

  /** What was asked for a while ago has not come. */
  get isSilent(): boolean {
    return this.#wantedAt !== null && performance.now() - this.#wantedAt > answerMs
  }

  /** One that is no older than `withinMs`; null: the daemon did not answer in time. */
  fresh(withinMs = freshMs): Promise<Snapshot | null> {
    const { last } = this
    if (last !== null && performance.now() - last.at < withinMs) return Promise.resolve(last)
    return new Promise((resolve) => {
      const answered: Waiting = (snapshot) => {
        clearTimeout(timer)
        this.#waiting.delete(answered)
        resolve(snapshot)
      }
      const timer = setTimeout(answered, answerMs, null)
      this.#waiting.add(answered)
      this.#want()
    })
  }

  /** True when a status is complete. */
  take(message: StatusPart): boolean {
    // A status that another one overtakes is never completed.
    if (message.number !== this.#number) this.#parts = []
    this.#number = message.number
    if (message.kind === 'instances') {
      this.#parts.push(...message.some)
      return false
    }
    const instances = this.#parts
    this.#parts = []
    this.#wantedAt = null
    if (message.kind === 'no-status') {
      this.#answer(null)
      return false
    }
    const status = { ...message.rest, instances }
    this.#last = { status, madeMs: Date.now(), at: performance.now() }
    this.#answer(this.#last)
    return true
  }

  /** The state that is known is at once the new one; all else follows with the next status. */
  apply({ instance, ...entry }: Transition): void {
    const applied = (it: StatusInstance) => (it.name === instance ? after(it, entry) : it)
    // Of a status that is under way: what has come of it was made before.
    this.#parts = this.#parts.map(applied)
    const last = this.#last
    if (last === null) return
    const instances = last.status.instances.map(applied)
    this.#last = { ...last, status: { ...last.status, instances } }
  }

  #answer(snapshot: Snapshot | null): void {
    for (const answered of [...this.#waiting]) answered(snapshot)
  }
}

const after = (it: StatusInstance, entry: StatusInstance['history'][number]): StatusInstance => ({
  ...it,
  state: stateAfter(entry),
  why: entry.why,
  sinceMs: 0,
  transitions: it.transitions + 1,
  history: [...it.history, entry],
})
