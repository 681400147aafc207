/**
 * The daemon's side of SNMP: starts the thread while a MIB is switched on, feeds it when it asks, tells it what happens.
 * The main thread pays for slices of a status and, after a reload, of the configuration; once a second at most.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Log } from '../../base/log.ts'
import { isSnmpOn, noSnmp, type SnmpConfig } from '../../config/snmp.ts'
import type { Happening } from '../../report/event.ts'
import type { MibFacts, MibInstance, MibPlace, MibSettings } from '../../report/mib.ts'
import type { StatusInstance, StatusRest } from '../../report/status.ts'
import { SupervisedThread, usualBackOff } from '../../threads/supervised.ts'
import { StatusFeed } from '../feed/status-feed.ts'
import type { FromSnmp, News, ToSnmp } from './messages.ts'

export type SnmpPorts = {
  readonly log: Log
  /** `part`: called with the instances of each slice. */
  status(part: (some: readonly StatusInstance[]) => void): Promise<StatusRest>
  /** Throws while the daemon starts. */
  facts(): MibFacts
  /** null: while it starts. */
  placeOf(instance: string): MibPlace | null
}

const heartbeat = {
  everyMs: 1_000,
  hangMs: 10_000,
  ping: { kind: 'ping' },
  isAnswer: ({ kind }: FromSnmp) => kind === 'pong',
} as const
/** The status of thousands of instances, and the next one while it comes. */
const heapMegabytes = 128
const hangingMax = 2
const queueMax = 1_024
/** Longer than the thread gives its last notifications. */
const stopMs = 1_500
/** A slice of the configuration. */
const sliceMs = 5

export class SnmpSurface {
  readonly #ports: SnmpPorts
  readonly #feed: StatusFeed
  #thread: SupervisedThread<ToSnmp, FromSnmp> | null = null
  #config = noSnmp
  /** The configuration that the thread has been told. */
  #told: MibSettings | null = null
  #unserved: readonly string[] = []

  constructor(ports: SnmpPorts) {
    this.#ports = ports
    this.#feed = new StatusFeed({
      status: (part) => this.#status(part),
      post: (part) => void this.#thread?.post(part),
    })
  }

  /** For `status`: what is not served, and why. */
  get warnings(): readonly string[] {
    return this.#unserved
  }

  follow(config: SnmpConfig): void {
    if (isDeepStrictEqual(config, this.#config)) return
    this.#config = config
    if (!isSnmpOn(config)) return void this.stop()
    // A thread that is started here is told what to serve by onStarted.
    if (this.#thread === null) {
      this.#thread = this.#supervised()
      this.#thread.start()
    } else this.#thread.post({ kind: 'serve', config })
  }

  happened(what: Happening): void {
    if (what.kind === 'transition') {
      const { kind, silent, ...transition } = what
      this.#tell({ kind, silent, transition, place: this.#ports.placeOf(what.instance) })
    } else if (what.kind === 'group') this.#tell({ kind: 'group', name: what.name, to: what.to })
    // Instances that are new are known to the thread before they are asked for.
    else if (what.kind === 'reload' && what.ok && this.#thread !== null) this.#feed.want()
  }

  /** After the last transition. */
  async stop(): Promise<void> {
    const thread = this.#thread
    this.#thread = null
    this.#config = noSnmp
    this.#told = null
    this.#unserved = []
    this.#feed.stop()
    await thread?.stop({ kind: 'stop' }, stopMs)
  }

  #tell(news: News): void {
    if (this.#thread?.running === true) this.#thread.post({ kind: 'news', news })
  }

  #supervised(): SupervisedThread<ToSnmp, FromSnmp> {
    const { log } = this.#ports
    return new SupervisedThread<ToSnmp, FromSnmp>({
      body: () => ({
        file: new URL('./body.js', import.meta.url),
        name: 'vipd-snmp',
        heapMegabytes,
      }),
      onMessage: (message) => this.#take(message),
      onStarted: () => {
        this.#told = null
        this.#thread?.post({ kind: 'serve', config: this.#config })
      },
      onLost: ({ why }, { worthSaying }) => {
        if (worthSaying) log.error(`SNMP: the thread ${why}; another one takes its place`)
        this.#thread?.start()
      },
      heartbeat,
      backOff: usualBackOff,
      hangingMax,
      queueMax,
    })
  }

  #take(message: FromSnmp): void {
    const { log } = this.#ports
    if (message.kind === 'say') log[message.level](message.text)
    else if (message.kind === 'unserved') this.#unserved = message.reasons
    else if (message.kind === 'want') this.#feed.want()
  }

  async #status(part: (some: readonly StatusInstance[]) => void): Promise<StatusRest> {
    await this.#tellSettings()
    const status = await this.#ports.status(part)
    this.#thread?.post({ kind: 'host', host: this.#ports.facts().host })
    return status
  }

  async #tellSettings(): Promise<void> {
    const { settings, instances } = this.#ports.facts()
    if (settings === this.#told) return
    this.#told = settings
    this.#thread?.post({ kind: 'settings', settings })
    let some: MibInstance[] = []
    let beganMs = performance.now()
    for (const it of instances()) {
      some.push(it)
      if (performance.now() - beganMs < sliceMs) continue
      this.#thread?.post({ kind: 'configured', some })
      some = []
      await new Promise<void>((turned) => setImmediate(turned))
      beganMs = performance.now()
    }
    this.#thread?.post({ kind: 'configured', some })
  }
}
