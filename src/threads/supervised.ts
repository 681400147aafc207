/**
 * A worker thread that is kept going: started when there is something to say to it, watched, replaced when it is lost,
 * with growing delay when its successors do not last. Threads that hang in a system call are left behind, and their
 * number is bounded. What becomes of the work that a lost thread had is its owner's decision.
 *
 *   post ─► queue (while there is no thread) ─► Thread ─► onMessage
 *                          └── back-off ◄── onLost ◄──┘
 */
import { type Loss, Thread, type ThreadBody } from './thread.ts'

export type Heartbeat<To, From> = {
  readonly everyMs: number
  /** Silence after which it has hung; a multiple of `everyMs`, longer than its longest honest stall. */
  readonly hangMs: number
  readonly ping: To
  readonly isAnswer: (message: From) => boolean
}

export type Supervision<To, From> = {
  /** Called for each start. */
  readonly body: () => ThreadBody
  readonly onMessage: (message: From) => void
  /** What shall be done again may be posted at once. */
  readonly onLost: (loss: Loss, series: Series) => void
  /** A thread was started; what is posted now comes before what waits in the queue. */
  readonly onStarted?: () => void
  /** Absent: the owner says by `expect` what is owed and when. */
  readonly heartbeat?: Heartbeat<To, From>
  /** Between a loss and the successor, from the second loss in a row on; null: none. */
  readonly backOff: BackOff | null
  /** Ends the thread when nothing has been owed for so long; absent: it is kept. */
  readonly idleMs?: number
  /** With so many threads left behind no other one is started until one of them has gone. */
  readonly hangingMax: number
  /** Messages that wait for a thread. */
  readonly queueMax: number
}

/** A series of losses ends when a thread has lasted. */
export type Series = {
  /** This loss included. */
  readonly count: number
  /** The first for this reason, or the 10th in a row, the 100th, …: a line in the log. */
  readonly worthSaying: boolean
}

export type BackOff = { readonly firstMs: number; readonly mostMs: number }

export const usualBackOff: BackOff = { firstMs: 100, mostMs: 5_000 }

/** A thread that lived so long has lasted: its successor is started at once. */
const stableMs = 30_000
/** Loading its code takes a thread longer on a busy machine than answering does. */
const bootPatience = 5

export class SupervisedThread<To, From> {
  readonly #how: Supervision<To, From>
  readonly #queue: To[] = []
  #thread: Thread<To, From> | null = null
  #inARow = 0
  #lastWhy = ''
  /** Of those in a row, how many for that reason. */
  #alike = 0
  #hanging = 0
  /** Monotonic milliseconds: no thread is started before. */
  #notBefore = 0
  #restart: NodeJS.Timeout | null = null
  #heart: NodeJS.Timeout | undefined
  #idle: NodeJS.Timeout | undefined
  /** It shall run, and may not yet. */
  #wanted = false
  /** What is owed, while there is no thread to owe it. */
  #expected: readonly [ms: number, bootMs: number] | null = null
  #pinged = false
  #stopped = false

  constructor(how: Supervision<To, From>) {
    this.#how = how
  }

  /** As many threads hang as may: nothing is taken. */
  get blocked(): boolean {
    return this.#hanging >= this.#how.hangingMax
  }

  /** A thread runs; it may have hung without our knowing it yet. */
  get running(): boolean {
    return this.#thread !== null
  }

  /** False when the message was not taken: the queue is full, or all threads hang, or it was stopped. */
  post(message: To): boolean {
    this.start()
    if (this.#thread !== null) {
      this.#thread.post(message)
      return true
    }
    if (this.#stopped || this.blocked || this.#queue.length >= this.#how.queueMax) return false
    this.#queue.push(message)
    return true
  }

  /** Has it started, at once or when the back-off permits. */
  start(): void {
    if (this.#stopped || this.#thread !== null || this.#restart !== null) return
    this.#wanted = true
    if (this.blocked) return
    const delay = this.#notBefore - performance.now()
    if (delay <= 0) return this.#start()
    this.#restart = setTimeout(() => {
      this.#restart = null
      this.start()
    }, delay)
  }

  /** As Thread.expect; counts from the start of a thread that has yet to be started. */
  expect(ms: number, bootMs = ms): void {
    clearTimeout(this.#idle)
    if (this.#thread === null) this.#expected = [ms, bootMs]
    else this.#thread.expect(ms, bootMs)
  }

  /** Nothing is owed any more. */
  answered(): void {
    this.#expected = null
    this.#thread?.answered()
    const { idleMs } = this.#how
    if (idleMs === undefined) return
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => this.discard(), idleMs)
    this.#idle.unref()
  }

  /** The owner has seen it fail. */
  lose(why: string): void {
    this.#thread?.lose(why)
  }

  /** Ends the thread as far as it can be ended; the next message starts another one. Reports nothing. */
  discard(): void {
    const thread = this.#forget()
    if (thread === null) return
    thread.discard()
    this.#leaveBehind(thread.gone)
  }

  /** No thread is started any more; the last one gets a message, and `ms` to end by itself. Resolves within `ms`. */
  async stop(last: To | null, ms: number): Promise<void> {
    this.#stopped = true
    this.#wanted = false
    this.#queue.length = 0
    if (this.#restart !== null) clearTimeout(this.#restart)
    await this.#forget()?.stop(last, ms)
  }

  #start(): void {
    const { body, onMessage, onStarted, heartbeat } = this.#how
    const thread = new Thread<To, From>(body(), {
      onMessage: (message) => {
        if (heartbeat?.isAnswer(message) === true) {
          this.#pinged = false
          thread.answered()
        }
        onMessage(message)
      },
      onLost: (loss) => this.#lost(loss),
    })
    this.#thread = thread
    this.#wanted = false
    if (heartbeat !== undefined) this.#beat(heartbeat)
    onStarted?.()
    for (const message of this.#queue.splice(0)) thread.post(message)
    if (this.#expected !== null) thread.expect(...this.#expected)
    this.#expected = null
  }

  #beat({ everyMs, hangMs, ping }: Heartbeat<To, From>): void {
    const beat = () => {
      if (this.#pinged) return
      this.#pinged = true
      this.#thread?.post(ping)
      this.#thread?.expect(hangMs, hangMs * bootPatience)
    }
    this.#pinged = false
    beat()
    this.#heart = setInterval(beat, everyMs)
  }

  #lost(loss: Loss): void {
    const { backOff, onLost } = this.#how
    this.#forget()
    this.#leaveBehind(loss.gone)
    const goesOn = loss.livedMs < stableMs
    this.#inARow = goesOn ? this.#inARow + 1 : 1
    this.#alike = goesOn && loss.why === this.#lastWhy ? this.#alike + 1 : 1
    this.#lastWhy = loss.why
    if (backOff !== null) this.#notBefore = performance.now() + delayAfter(this.#inARow, backOff)
    onLost(loss, { count: this.#inARow, worthSaying: Number.isInteger(Math.log10(this.#alike)) })
  }

  #forget(): Thread<To, From> | null {
    clearInterval(this.#heart)
    clearTimeout(this.#idle)
    const thread = this.#thread
    this.#thread = null
    return thread
  }

  #leaveBehind(gone: Promise<void>): void {
    this.#hanging += 1
    void gone.then(() => {
      this.#hanging -= 1
      if (this.#wanted) this.start()
    })
  }
}

const delayAfter = (inARow: number, { firstMs, mostMs }: BackOff): number =>
  inARow < 2 ? 0 : Math.min(mostMs, firstMs * 2 ** (inARow - 2))
