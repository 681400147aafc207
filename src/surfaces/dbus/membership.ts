/**
 * Being on the bus under a name: connects, asks for the name, looks whether the bus still answers, and begins again, ever
 * more rarely, when it has gone. A name that another process has is waited for in the bus's queue.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { textOf } from '../../base/errors.ts'
import type { DbusMessage } from '../../wire/dbus-message.ts'
import { socketsOf } from './bus-address.ts'
import { BusConnection, DbusError } from './connection.ts'

export type MemberEvents = {
  /** The name is ours from now on; told at each time. */
  onOwned(connection: BusConnection): void
  onCall(call: DbusMessage, connection: BusConnection): void
  /** Why the name is not ours; null: it is. Told when that changes. */
  onState(why: string | null): void
}

export type MemberTimes = {
  /** For an answer of the bus. */
  readonly answerMs: number
  /** Between two looks whether it answers. */
  readonly lookMs: number
  /** Before another attempt: the first, and the longest. */
  readonly firstMs: number
  readonly mostMs: number
  /** A connection that lived so long has lasted: the attempts begin anew. */
  readonly lastedMs: number
}

export const usualTimes: MemberTimes = {
  answerMs: 10_000,
  lookMs: 30_000,
  firstMs: 250,
  mostMs: 10_000,
  lastedMs: 30_000,
}

/** Of RequestName. */
const owned = new Set([1, 4])
const closeMs = 500

export class BusMember {
  readonly #address: string
  readonly #name: string
  readonly #events: MemberEvents
  readonly #times: MemberTimes
  readonly #stopped = new AbortController()
  #connection: BusConnection | null = null
  #owned = false
  #why: string | null | undefined
  #attempts = 0

  constructor(address: string, name: string, events: MemberEvents, times = usualTimes) {
    this.#address = address
    this.#name = name
    this.#events = events
    this.#times = times
    void this.#run()
  }

  /** While the name is ours; else null. */
  get connection(): BusConnection | null {
    return this.#owned ? this.#connection : null
  }

  /** Once what has been sent is with the bus, for a bounded time. Nothing is told any more. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    const connection = this.#connection
    this.#owned = false
    this.#connection = null
    await connection?.close(closeMs)
  }

  get #isStopped(): boolean {
    return this.#stopped.signal.aborted
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const beganMs = performance.now()
      const why = await this.#once()
      if (this.#isStopped) return
      this.#tell(why)
      const { firstMs, mostMs, lastedMs } = this.#times
      if (performance.now() - beganMs >= lastedMs) this.#attempts = 0
      const waitMs = Math.min(mostMs, firstMs * 2 ** this.#attempts)
      this.#attempts = Math.min(this.#attempts + 1, 20)
      await delay(waitMs, undefined, { signal: this.#stopped.signal }).catch(() => undefined)
    }
  }

  /** From connecting to the end of the connection: why it ended, or never was. */
  async #once(): Promise<string> {
    const sockets = socketsOf(this.#address)
    if (sockets.length === 0) return `${this.#address} names no Unix socket`
    let why = ''
    for (const path of sockets) {
      if (this.#isStopped) return why
      why = await this.#at(path)
    }
    return why
  }

  #at(path: string): Promise<string> {
    return new Promise((ended) => {
      const connection: BusConnection = new BusConnection(path, {
        onMessage: (message) => this.#take(message, connection),
        onLost: (why) => {
          this.#owned = false
          this.#connection = null
          ended(why)
        },
      })
      this.#connection = connection
      void this.#join(connection).catch((error: unknown) => connection.lose(textOf(error)))
    })
  }

  async #join(connection: BusConnection): Promise<void> {
    const { answerMs, lookMs } = this.#times
    const late = setTimeout(
      () => connection.lose(`the bus has not answered within ${answerMs / 1_000} s`),
      answerMs,
    )
    await connection.opened
    clearTimeout(late)
    await connection.call({ member: 'Hello' }, answerMs)
    await this.#askForName(connection)
    for (;;) {
      await delay(lookMs, undefined, { signal: this.#stopped.signal, ref: false })
      const ping = { interface: 'org.freedesktop.DBus.Peer', member: 'Ping' }
      await connection.call(ping, answerMs)
    }
  }

  async #askForName(connection: BusConnection): Promise<void> {
    const call = { member: 'RequestName', signature: 'su', body: [this.#name, 0] }
    try {
      const { body } = await connection.call(call, this.#times.answerMs)
      if (owned.has(Number(body?.[0]))) return this.#own(connection)
    } catch (error) {
      if (!(error instanceof DbusError)) throw error
      throw new Error(refusalText(error, this.#name))
    }
    this.#tell(await this.#owner(connection))
  }

  async #owner(connection: BusConnection): Promise<string> {
    const call = { member: 'GetConnectionUnixProcessID', signature: 's', body: [this.#name] }
    const found = await connection.call(call, this.#times.answerMs).catch(() => null)
    const pid = found?.body?.[0]
    const who = typeof pid === 'number' ? `process ${pid}` : 'another process'
    return `the name belongs to ${who}; vipd is next`
  }

  #own(connection: BusConnection): void {
    if (this.#owned || this.#isStopped) return
    this.#owned = true
    this.#tell(null)
    this.#events.onOwned(connection)
  }

  #take(message: DbusMessage, connection: BusConnection): void {
    if (this.#isStopped) return
    if (message.kind === 'call') return this.#events.onCall(message, connection)
    const { sender, member, body } = message
    if (sender !== 'org.freedesktop.DBus' || body?.[0] !== this.#name) return
    if (member === 'NameAcquired') this.#own(connection)
    else if (member === 'NameLost') {
      this.#owned = false
      connection.lose('the bus has taken the name away')
    }
  }

  #tell(why: string | null): void {
    if (why === this.#why || this.#isStopped) return
    this.#why = why
    this.#events.onState(why)
  }
}

const refusalText = ({ errorName, message }: DbusError, name: string): string =>
  errorName === 'org.freedesktop.DBus.Error.AccessDenied'
    ? `the policy of the bus does not let this process have the name ${name} (docs/dbus.md)`
    : message
