/**
 * The daemon's side of D-Bus: starts the thread while the configuration wants it, feeds it with statuses when it asks for
 * them and with every transition, and carries out what is ordered.
 */
import { isDeepStrictEqual } from 'node:util'
import { textOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { Removal } from '../../report/event.ts'
import type { StatusInstance, StatusRest, Transition } from '../../report/status.ts'
import { SupervisedThread, usualBackOff } from '../../threads/supervised.ts'
import { StatusFeed } from '../feed/status-feed.ts'
import type { DbusConfig, FromDbus, Order, Outcome, ToDbus } from './messages.ts'

export type DbusPorts = {
  readonly log: Log
  /** `part`: called with the instances of each slice. */
  status(part: (some: readonly StatusInstance[]) => void): Promise<StatusRest>
  /** Rejects with the reason why it is refused. */
  carryOut(order: Order): Promise<void>
}

const heartbeat = {
  everyMs: 1_000,
  hangMs: 10_000,
  ping: { kind: 'ping' },
  isAnswer: ({ kind }: FromDbus) => kind === 'pong',
} as const
/** Added to its nice value: any user of the host may ask it as fast as the bus permits. */
const yields = 5
/** The status of thousands of instances, several times over. */
const heapMegabytes = 128
const hangingMax = 4
const queueMax = 1_024
/** Longer than a bus that reads takes for the last signals. */
const stopMs = 1_000

export class DbusSurface {
  readonly #ports: DbusPorts
  readonly #feed: StatusFeed
  #thread: SupervisedThread<ToDbus, FromDbus> | null = null
  #config: DbusConfig | null = null
  /** What was asked for last. */
  #next: DbusConfig | null = null
  /** Being carried out. */
  #orders = 0
  #unserved: string | null = null
  #started = false

  constructor(ports: DbusPorts) {
    this.#ports = ports
    this.#feed = new StatusFeed({
      status: (part) => ports.status(part),
      post: (part) => this.#thread?.post(part),
    })
  }

  /** For `status`: why the name is not served. */
  get warnings(): readonly string[] {
    return this.#unserved === null ? [] : [this.#unserved]
  }

  /** Once what was ordered over the bus has its answer: it may be a reload that ends this. null: nothing is served. */
  follow(config: DbusConfig | null): void {
    this.#next = config
    if (this.#orders === 0) this.#settle()
  }

  transition(what: Transition, removal: Removal | null): void {
    if (this.#thread?.running === true) this.#thread.post({ kind: 'transition', what, removal })
  }

  /** A new configuration holds. */
  reloaded(): void {
    this.#thread?.post({ kind: 'reloaded', after: this.#feed.begun })
  }

  /** `stopping`: the daemon ends. */
  async stop(stopping: boolean): Promise<void> {
    const thread = this.#thread
    this.#thread = null
    this.#config = null
    this.#unserved = null
    this.#feed.stop()
    await thread?.stop({ kind: 'stop', stopping }, stopMs)
  }

  #settle(): void {
    const config = this.#next
    if (isDeepStrictEqual(config, this.#config)) return
    if (config === null) return void this.stop(false)
    this.#config = config
    // A thread that is started here is told what to serve by onStarted.
    if (this.#thread === null) {
      this.#thread = this.#supervised()
      this.#thread.start()
    } else this.#serve(config)
  }

  #serve(config: DbusConfig): void {
    this.#thread?.post({ kind: 'serve', config, started: this.#started })
  }

  #supervised(): SupervisedThread<ToDbus, FromDbus> {
    const { log } = this.#ports
    return new SupervisedThread<ToDbus, FromDbus>({
      body: () => ({
        file: new URL('./body.js', import.meta.url),
        name: 'vipd-dbus',
        heapMegabytes,
        yields,
      }),
      onMessage: (message) => this.#take(message),
      onStarted: () => {
        if (this.#config !== null) this.#serve(this.#config)
      },
      onLost: ({ why }, { worthSaying }) => {
        if (worthSaying) log.error(`D-Bus: the thread ${why}; another one takes its place`)
        this.#unserved = `D-Bus: the thread ${why}`
        this.#thread?.start()
      },
      heartbeat,
      backOff: usualBackOff,
      hangingMax,
      queueMax,
    })
  }

  #take(message: FromDbus): void {
    switch (message.kind) {
      case 'want':
        return this.#feed.want()
      case 'say':
        return this.#ports.log[message.level](message.text)
      case 'unserved':
        this.#unserved = message.why
        return
      case 'started':
        this.#started = true
        return
      case 'order':
        return void this.#carryOut(message)
      case 'pong':
    }
  }

  async #carryOut(ordered: Extract<FromDbus, { kind: 'order' }>): Promise<void> {
    const { log, carryOut } = this.#ports
    const { id, order, member, by } = ordered
    const of = order.verb === 'announce' ? ` of ${order.instance}` : ''
    log.info(`D-Bus: ${member}${of} ordered by ${by}`)
    this.#orders += 1
    const outcome = await carryOut(order).then(
      (): Outcome => ({ ok: true }),
      (error): Outcome => ({ ok: false, why: textOf(error) }),
    )
    this.#orders -= 1
    this.#thread?.post({ kind: 'done', id, outcome })
    if (this.#orders === 0) this.#settle()
  }
}
