/**
 * The daemon's side of HTTP: starts the thread while there is an address to serve, feeds it with statuses when it asks
 * for them, and carries out what is ordered. The main thread pays for slices of a status, once a second at most.
 */
import { isDeepStrictEqual } from 'node:util'
import { textOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { HttpConfig } from '../../config/http.ts'
import type { KeptPage, LatestQuery } from '../../report/kept.ts'
import type { Recent, RecentNames } from '../../report/recent.ts'
import type { StatusInstance, StatusRest, Transition } from '../../report/status.ts'
import { SupervisedThread, usualBackOff } from '../../threads/supervised.ts'
import { StatusFeed, type StatusPart } from '../feed/status-feed.ts'
import { LoopDelayMeter } from './loop-delay.ts'
import type { FromHttp, Order, Outcome, ToHttp } from './messages.ts'

export type HttpPorts = {
  readonly log: Log
  /** `part`: called with some instances at a time. */
  status(part: (some: readonly StatusInstance[]) => void): Promise<StatusRest>
  /** Rejects with the reason why it is refused. */
  carryOut(order: Order): Promise<unknown>
  recent(names: RecentNames): Recent
  /** Rejects with the reason why nothing can be told. */
  kept(query: LatestQuery): Promise<KeptPage>
}

const heartbeat = {
  everyMs: 1_000,
  hangMs: 10_000,
  ping: { kind: 'ping' },
  isAnswer: ({ kind }: FromHttp) => kind === 'pong',
} as const
/** The status of thousands of instances, several times over. */
const heapMegabytes = 256
/** What a request makes is gone soon; more of it only waits longer to be collected. */
const youngMegabytes = 12
/** A third of the processor time of the deciding thread, where both want the same one. */
const yields = 5
const hangingMax = 4
const queueMax = 1_024
/** Longer than an address takes to close. */
const stopMs = 1_500

const nothing: HttpConfig = { listeners: [], peers: [] }

export class HttpSurface {
  readonly #ports: HttpPorts
  #thread: SupervisedThread<ToHttp, FromHttp> | null = null
  #config = nothing
  /** What was asked for last. */
  #next = nothing
  /** Being carried out. */
  #orders = 0
  #unserved: readonly string[] = []
  readonly #loopDelay = new LoopDelayMeter()
  readonly #feed: StatusFeed

  constructor(ports: HttpPorts) {
    this.#ports = ports
    this.#feed = new StatusFeed({
      status: (part) => ports.status(part),
      post: (part) => this.#tellStatus(part),
    })
  }

  /** For `status`: the addresses that are not served, and why. */
  get warnings(): readonly string[] {
    return this.#unserved
  }

  /** Once what was ordered over HTTP has its answer: it may be a reload that ends this. */
  follow(config: HttpConfig): void {
    this.#next = config
    if (this.#orders === 0) this.#settle()
  }

  #settle(): void {
    const config = this.#next
    if (isDeepStrictEqual(config, this.#config)) return
    this.#config = config
    if (config.listeners.length === 0) return void this.stop()
    // A thread that is started here is told what to serve by onStarted.
    if (this.#thread === null) {
      this.#loopDelay.start()
      this.#thread = this.#supervised()
      this.#thread.start()
    } else this.#thread.post({ kind: 'listen', config })
  }

  transition(what: Transition, number: number | null): void {
    if (this.#thread?.running === true) this.#thread.post({ kind: 'transition', what, number })
  }

  async stop(): Promise<void> {
    const thread = this.#thread
    this.#thread = null
    this.#loopDelay.stop()
    this.#config = nothing
    this.#unserved = []
    this.#feed.stop()
    await thread?.stop({ kind: 'stop' }, stopMs)
  }

  #supervised(): SupervisedThread<ToHttp, FromHttp> {
    const { log } = this.#ports
    return new SupervisedThread<ToHttp, FromHttp>({
      body: () => ({
        file: new URL('./body.js', import.meta.url),
        name: 'vipd-http',
        heapMegabytes,
        youngMegabytes,
        yields,
      }),
      onMessage: (message) => this.#take(message),
      onStarted: () => this.#thread?.post({ kind: 'listen', config: this.#config }),
      onLost: ({ why }, { worthSaying }) => {
        if (worthSaying) log.error(`HTTP: the thread ${why}; another one takes its place`)
        this.#thread?.start()
      },
      heartbeat,
      backOff: usualBackOff,
      hangingMax,
      queueMax,
    })
  }

  #take(message: FromHttp): void {
    const { log } = this.#ports
    if (message.kind === 'say') log[message.level](message.text)
    else if (message.kind === 'unserved') this.#unserved = message.reasons
    else if (message.kind === 'order') void this.#carryOut(message.id, message.order)
    else if (message.kind === 'recent') this.#tellRecent(message.id, message.names)
    else if (message.kind === 'kept') void this.#tellKept(message.id, message.query)
    else if (message.kind === 'want') this.#feed.want()
  }

  #tellStatus(part: StatusPart): void {
    if (part.kind === 'status')
      this.#thread?.post({ kind: 'loop-delay', delay: this.#loopDelay.read() })
    this.#thread?.post(part)
  }

  #tellRecent(id: number, names: RecentNames): void {
    const done = (outcome: Outcome) => this.#thread?.post({ kind: 'done', id, outcome })
    try {
      done({ ok: true, result: this.#ports.recent(names) })
    } catch (error) {
      done({ ok: false, why: textOf(error) })
    }
  }

  async #tellKept(id: number, query: LatestQuery): Promise<void> {
    const outcome = await outcomeOf(this.#ports.kept(query))
    this.#thread?.post({ kind: 'done', id, outcome })
  }

  async #carryOut(id: number, order: Order): Promise<void> {
    const { log, carryOut } = this.#ports
    log.info(`HTTP: ${[order.verb, order.name ?? []].flat().join(' ')} ordered by ${order.by}`)
    this.#orders += 1
    const outcome = await outcomeOf(carryOut(order))
    this.#orders -= 1
    this.#thread?.post({ kind: 'done', id, outcome })
    if (this.#orders === 0) this.#settle()
  }
}

const outcomeOf = (act: Promise<unknown>): Promise<Outcome> =>
  act.then(
    (result): Outcome => ({ ok: true, result }),
    (error): Outcome => ({ ok: false, why: textOf(error) }),
  )
