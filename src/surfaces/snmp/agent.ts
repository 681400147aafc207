/**
 * The subagent: a session with the master agent while there is one, another one when it is lost; what is asked answered
 * from what is known, what happens told as notifications.
 */
import { type SnmpConfig, snmpSocketText } from '../../config/snmp.ts'
import { agentxError } from '../../wire/agentx.ts'
import type { Binding } from '../../wire/agentx-parts.ts'
import type { Oid } from '../../wire/oid.ts'
import { type Answer, answerReading, failure, type Reading } from './answer.ts'
import { Connection } from './connection.ts'
import { keepalivedSubtrees } from './keepalived-mib.ts'
import { Knowledge } from './knowledge.ts'
import type { FromSnmp, News, ToSnmp } from './messages.ts'
import { rfc2787 } from './rfc2787.ts'
import { rfc6527 } from './rfc6527.ts'
import { TrapQueue } from './trap-queue.ts'
import { groupTrap, transitionTraps } from './traps.ts'

/** Between attempts: doubled up to the most, begun anew by a session that was served. */
const retry = { firstMs: 250, mostMs: 8_000 }
/** Changes of state that wait for a configuration that knows them. */
const newsMax = 1_024
/** The daemon had no status, as while it starts. */
const askAgainMs = 500
/** At the end, for notifications to leave. */
const farewellMs = 1_000

export class SnmpAgent {
  readonly #post: (message: FromSnmp) => void
  readonly #knowledge: Knowledge
  readonly #traps = new TrapQueue()
  #config: SnmpConfig | null = null
  #connection: Connection | null = null
  #served = false
  #retryMs = retry.firstMs
  #retry: NodeJS.Timeout | null = null
  #askAgain: NodeJS.Timeout | null = null
  #news: News[] = []
  /** A status has been asked for since the first of them came. */
  #asked = false
  #sending = false
  /** As it was said. */
  #reasons: readonly string[] = []
  #emptied: (() => void) | null = null

  constructor(post: (message: FromSnmp) => void) {
    this.#post = post
    this.#knowledge = new Knowledge({
      want: () => post({ kind: 'want' }),
      sysUpTime: () => this.#connection?.sysUpTime ?? 0,
    })
  }

  take(message: Exclude<ToSnmp, { kind: 'stop' }>): void {
    switch (message.kind) {
      case 'ping':
        return this.#post({ kind: 'pong' })
      case 'serve':
        return this.#serve(message.config)
      case 'news':
        return this.#hear(message.news)
      default:
        if (this.#knowledge.take(message)) this.#tellNews(true)
        else if (message.kind === 'no-status') this.#askLater()
    }
  }

  /** Resolves in bounded time, when what was to be told has been. */
  async close(): Promise<void> {
    if (this.#served && (this.#news.length > 0 || this.#sending))
      await new Promise<void>((resolve) => {
        this.#emptied = resolve
        setTimeout(resolve, farewellMs)
      })
    this.#config = null
    this.#disconnect()
  }

  #serve(config: SnmpConfig): void {
    this.#disconnect()
    this.#config = config
    this.#retryMs = retry.firstMs
    // For the first notification, and the first question.
    this.#post({ kind: 'want' })
    this.#connect(config)
  }

  #disconnect(): void {
    if (this.#retry !== null) clearTimeout(this.#retry)
    if (this.#askAgain !== null) clearTimeout(this.#askAgain)
    this.#retry = null
    this.#askAgain = null
    this.#served = false
    this.#connection?.close()
    this.#connection = null
  }

  #connect(config: SnmpConfig): void {
    const where = snmpSocketText(config.socket)
    const connection: Connection = new Connection({
      socket: config.socket,
      subtrees: subtreesOf(config),
      description: 'vipd',
      answer: (request) => this.#answer(request),
      onServed: (refused) => {
        this.#served = true
        this.#retryMs = retry.firstMs
        if (refused.length < subtreesOf(config).length)
          this.#post({ kind: 'say', level: 'info', text: `SNMP: served through ${where}` })
        this.#unserved(refused.map((it) => `SNMP: ${where} refuses ${it}`))
        void this.#sendTraps(connection)
      },
      onEnd: (why) => {
        if (this.#connection !== connection) return
        this.#served = false
        this.#connection = null
        this.#unserved([`SNMP: nothing is served through ${where}: ${why}`])
        this.#reconnect(config)
      },
    })
    this.#connection = connection
  }

  #reconnect(config: SnmpConfig): void {
    this.#retry = setTimeout(() => this.#connect(config), this.#retryMs)
    this.#retryMs = Math.min(retry.mostMs, 2 * this.#retryMs)
  }

  /** Said when it is another reason than before. */
  #unserved(reasons: readonly string[]): void {
    for (const reason of reasons)
      if (!this.#reasons.includes(reason))
        this.#post({ kind: 'say', level: 'warn', text: `${reason}; tried again` })
    this.#reasons = reasons
    this.#post({ kind: 'unserved', reasons })
  }

  async #answer(request: Reading): Promise<Answer> {
    const config = this.#config
    const mib = config === null ? null : await this.#knowledge.mib(config)
    return mib === null ? failure(agentxError.genErr, 1) : answerReading(mib, request)
  }

  #hear(news: News): void {
    if (news.kind === 'transition') this.#knowledge.apply(news.transition)
    if (this.#config?.traps !== true || !isNotified(news)) return
    this.#news.push(news)
    if (this.#news.length > newsMax) {
      this.#news.shift()
      this.#traps.lose()
    }
    this.#tellNews(false)
  }

  /** `known`: what cannot be told now will not be known any better. */
  #tellNews(known: boolean): void {
    const config = this.#config
    const { routerId } = this.#knowledge
    if (known) this.#asked = false
    if (config === null || routerId === null) return this.#askOnce()
    for (let news = this.#news[0]; news !== undefined; news = this.#news[0]) {
      if (!this.#tell(news, config, routerId) && !known) return this.#askOnce()
      this.#news.shift()
    }
    if (this.#connection !== null && this.#served) void this.#sendTraps(this.#connection)
  }

  /** False: of an instance that is not known. */
  #tell(news: News, config: SnmpConfig, routerId: string): boolean {
    const push = (bindings: readonly Binding[]) => this.#traps.push(bindings, performance.now())
    if (news.kind === 'group') {
      if (config.keepalived) push(groupTrap(news.name, news.to, routerId))
      return true
    }
    const instance = this.#knowledge.configOf(news.transition.instance)
    if (instance === null) return false
    const place = news.place ?? this.#knowledge.placeOf(instance)
    const facts = { routerId, config: instance, place }
    for (const trap of transitionTraps(news.transition, config, facts)) push(trap)
    return true
  }

  #askOnce(): void {
    if (this.#asked || this.#news.length === 0) return
    this.#asked = true
    this.#post({ kind: 'want' })
  }

  #askLater(): void {
    if (this.#news.length === 0) return
    this.#askAgain ??= setTimeout(() => {
      this.#askAgain = null
      this.#post({ kind: 'want' })
    }, askAgainMs)
  }

  /** One after the other, as the master takes them. */
  async #sendTraps(connection: Connection): Promise<void> {
    if (this.#sending) return
    this.#sending = true
    for (;;) {
      const trap = this.#traps.first(performance.now())
      if (trap === null || this.#connection !== connection) break
      if (!(await connection.notify(trap))) break
      this.#traps.sent()
    }
    this.#sending = false
    this.#emptied?.()
    const lost = this.#traps.takeLost()
    if (lost > 0)
      this.#post({
        ...{ kind: 'say', level: 'warn' },
        text: `SNMP: ${lost} notifications are lost: the master agent did not take them in time`,
      })
  }
}

/** As keepalived: neither a state that is held back nor the one before the first. */
const isNotified = (news: News): boolean =>
  news.kind === 'group' ? news.to !== 'INIT' : !news.silent && news.transition.to !== 'INIT'

const subtreesOf = ({ keepalived, rfc2787: v2, rfc6527: v3 }: SnmpConfig): readonly Oid[] => [
  ...(keepalived ? keepalivedSubtrees : []),
  ...(v2 ? [rfc2787.subtree] : []),
  ...(v3 ? [rfc6527.subtree] : []),
]
