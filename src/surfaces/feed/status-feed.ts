/**
 * Statuses for the thread of a surface, on the daemon's side: made when the thread asks for one, once a second at most, and
 * passed on in the parts in which they are made, so that no single message is a large one.
 */
import { textOf } from '../../base/errors.ts'
import type { StatusInstance, StatusRest } from '../../report/status.ts'

/** A status in parts: instances as they are made, then all the rest, which ends it. `number`: of the status. */
export type StatusPart =
  | {
      readonly kind: 'instances'
      readonly number: number
      readonly some: readonly StatusInstance[]
    }
  | {
      readonly kind: 'status'
      readonly number: number
      readonly rest: StatusRest
    }
  | { readonly kind: 'no-status'; readonly number: number; readonly why: string }

export type FeedPorts = {
  /** `part`: called with some instances at a time. */
  status(part: (some: readonly StatusInstance[]) => void): Promise<StatusRest>
  post(part: StatusPart): void
}

/** Between the beginnings of two statuses. */
const everyMs = 1_000

export class StatusFeed {
  readonly #ports: FeedPorts
  #number = 0
  #beganAt = Number.NEGATIVE_INFINITY
  #wanted = false
  #feeding = false
  #timer: NodeJS.Timeout | null = null

  constructor(ports: FeedPorts) {
    this.#ports = ports
  }

  /** The number of the last one that was begun. */
  get begun(): number {
    return this.#number
  }

  /** One that is begun from now on. */
  want(): void {
    this.#wanted = true
    this.#feedInTime()
  }

  stop(): void {
    this.#wanted = false
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  #feedInTime(): void {
    if (!this.#wanted || this.#feeding || this.#timer !== null) return
    const waitMs = this.#beganAt + everyMs - performance.now()
    this.#timer = setTimeout(
      () => {
        this.#timer = null
        void this.#feed()
      },
      Math.max(0, waitMs),
    )
  }

  async #feed(): Promise<void> {
    const { status, post } = this.#ports
    const number = ++this.#number
    this.#wanted = false
    this.#feeding = true
    this.#beganAt = performance.now()
    try {
      const rest = await status((some) => post({ kind: 'instances', number, some }))
      post({ kind: 'status', number, rest })
    } catch (error) {
      post({ kind: 'no-status', number, why: textOf(error) })
    }
    this.#feeding = false
    this.#feedInTime()
  }
}
