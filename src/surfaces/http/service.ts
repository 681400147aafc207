/** The addresses that are served, opened, kept and closed as the configuration says; and what is told to all of them. */
import { textOf } from '../../base/errors.ts'
import { type HttpListener, httpAddressText } from '../../config/http.ts'
import { Snapshots } from '../feed/snapshots.ts'
import { TransitionExemplars } from '../metrics/exemplars.ts'
import type { LoopDelay } from '../metrics/process-names.ts'
import { Listening } from './listening.ts'
import { statusBytes } from './made-once.ts'
import type { FromHttp, Outcome, ToHttp } from './messages.ts'
import { OneAtATime } from './one-at-a-time.ts'
import { Peers } from './peers.ts'
import { RecentAnswers } from './recent-answers.ts'
import type { Shared } from './routes.ts'
import { Streams } from './streams.ts'

/** Of readers of events, of all addresses together. */
const streamsMax = 100
const beatMs = 1_000
/** A peer that was asked later than that is not asked again by a beat. */
const askAgainMs = 500
/** What a peer says is held against a status that is no older; transitions since are in it. */
const pairWithinMs = 2_500
/** The daemon says something each second. */
const silentMs = 2_500
/** Files are looked at, and addresses that could not be opened are tried again. */
const lookMs = 5_000
/** A reload may read files for so long; the control socket waits as long. */
const orderMs = 65_000
const recentMs = 2_500
/** Longer than the daemon waits for its disk. */
const keptMs = 6_000
/** Questions for it. */
const keptWaitingMax = 16

export class HttpService {
  readonly #post: (message: FromHttp) => void
  readonly #snapshots = new Snapshots(() => this.#post({ kind: 'want' }))
  readonly #streams = new Streams(streamsMax)
  readonly #orders = new Map<number, (outcome: Outcome) => void>()
  readonly #recent = new RecentAnswers((names) =>
    this.#asked(recentMs, (id) => ({ kind: 'recent', id, names })),
  )
  readonly #kept = new OneAtATime(keptWaitingMax)
  readonly #peers = new Peers()
  readonly #exemplars = new TransitionExemplars()
  #loopDelay: LoopDelay | null = null
  readonly #shared: Shared
  readonly #timers: readonly NodeJS.Timeout[]
  readonly #open = new Map<string, Listening>()
  /** Why an address is not served, as it was said. */
  readonly #unserved = new Map<string, string>()
  #wanted: readonly HttpListener[] = []
  #lastOrder = 0
  /** Monotonic milliseconds: the daemon has said something. */
  #heardAt = performance.now()
  /** One change after the other. */
  #change: Promise<void> = Promise.resolve()

  constructor(post: (message: FromHttp) => void) {
    this.#post = post
    this.#shared = {
      snapshots: this.#snapshots,
      streams: this.#streams,
      peers: this.#peers,
      loopDelay: () => this.#loopDelay,
      exemplars: this.#exemplars,
      carryOut: (order) => this.#asked(orderMs, (id) => ({ kind: 'order', id, order })),
      recent: this.#recent.ask,
      kept: async (query) =>
        await this.#kept.run(() => this.#asked(keptMs, (id) => ({ kind: 'kept', id, query }))),
    }
    this.#timers = [
      setInterval(() => this.#beat(), beatMs),
      setInterval(() => this.#look(), lookMs),
    ]
  }

  take(message: Exclude<ToHttp, { kind: 'stop' }>): void {
    this.#heardAt = performance.now()
    switch (message.kind) {
      case 'ping':
        this.#streams.beat()
        return this.#post({ kind: 'pong' })
      case 'listen':
        this.#wanted = message.config.listeners
        this.#peers.follow(message.config.peers)
        return this.#look()
      case 'transition':
        this.#snapshots.apply(message.what)
        if (message.number !== null) this.#exemplars.note(message.what, message.number)
        this.#streams.transition(message.what)
        this.#wantForStreams()
        void this.#tellPair(0)
        return
      case 'loop-delay':
        this.#loopDelay = message.delay
        return
      case 'done':
        this.#orders.get(message.id)?.(message.outcome)
        return
      default:
        if (this.#snapshots.take(message)) this.#tellStatus()
    }
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    this.#wanted = []
    this.#streams.close()
    this.#peers.close()
    this.#look()
    await this.#change
  }

  #wantForStreams(): void {
    if (this.#streams.statusDue) this.#snapshots.want()
  }

  #tellStatus(): void {
    const { last } = this.#snapshots
    if (last !== null && this.#streams.statusDue) this.#streams.status(statusBytes(last.status))
  }

  /** The peers' side, to the listeners. `within`: of an answer that will do. */
  async #tellPair(within: number): Promise<void> {
    if (!this.#streams.pairDue || !this.#peers.some) return
    await this.#peers.ask(within)
    const snapshot = await this.#snapshots.fresh(pairWithinMs)
    if (snapshot !== null && this.#streams.pairDue)
      this.#streams.pair(Buffer.from(JSON.stringify(this.#peers.pair(snapshot.status))))
  }

  #beat(): void {
    this.#wantForStreams()
    void this.#tellPair(askAgainMs)
    const isSilent = performance.now() - this.#heardAt > silentMs
    if (isSilent || this.#snapshots.isSilent) this.#streams.silence()
  }

  #look(): void {
    this.#change = this.#change.then(() => this.#settle())
  }

  async #settle(): Promise<void> {
    const wanted = new Map(this.#wanted.map((it) => [httpAddressText(it.address), it]))
    for (const [where, open] of this.#open) {
      if (JSON.stringify(wanted.get(where)) === JSON.stringify(open.listener)) this.#refresh(open)
      else {
        this.#open.delete(where)
        await open.close()
      }
    }
    for (const where of this.#unserved.keys()) if (!wanted.has(where)) this.#unserved.delete(where)
    for (const [where, listener] of wanted)
      if (!this.#open.has(where)) await this.#serve(where, listener)
    this.#post({ kind: 'unserved', reasons: [...this.#unserved.values()] })
  }

  async #serve(where: string, listener: HttpListener): Promise<void> {
    try {
      this.#open.set(where, await Listening.open(listener, this.#shared))
      this.#unserved.delete(where)
      this.#say('info', `HTTP: served at ${where}`)
    } catch (error) {
      const why = `HTTP: nothing is served at ${where}: ${textOf(error)}`
      if (this.#unserved.get(where) !== why) this.#say('error', why)
      this.#unserved.set(where, why)
    }
  }

  #refresh(open: Listening): void {
    const { changed, why } = open.refresh()
    if (why !== null)
      this.#say('error', `HTTP at ${open.where}: ${why}; what was read before stays in use`)
    else if (changed) this.#say('info', `HTTP at ${open.where}: tokens and certificates read again`)
  }

  #say(level: 'info' | 'error', text: string): void {
    this.#post({ kind: 'say', level, text })
  }

  /** What the daemon says to a message that it answers with `done`. */
  #asked(waitMs: number, message: (id: number) => FromHttp): Promise<Outcome> {
    const id = ++this.#lastOrder
    return new Promise((resolve) => {
      const done = (outcome: Outcome) => {
        clearTimeout(timer)
        this.#orders.delete(id)
        resolve(outcome)
      }
      const late = { ok: false, why: 'no answer in time; it may still happen' } as const
      const timer = setTimeout(done, waitMs, late)
      this.#orders.set(id, done)
      this.#post(message(id))
    })
  }
}
