/**
 * An upgrade as the process that was started for it sees it: it prepares, adopts the state that it is passed, and takes
 * the slots; until that instant it alters nothing, and ends when it cannot go on or the other process has gone.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { assert } from '../base/assert.ts'
import { OpError } from '../base/errors.ts'
import { inheritedExchange } from '../engine/exchange.ts'
import type { ExchangeHandle } from '../engine/succession-contract.ts'
import { Channel } from './upgrade-channel.ts'
import { exchangeProtocol, type FromFirst, type FromSecond } from './upgrade-messages.ts'
import { type PassedState, passedVersion } from './upgrade-state.ts'

/** In the environment of a process that is to take the place of another; see engine/exchange.ts for what it inherits. */
export const successionVariable = 'VIPD_SUCCEEDS'

/** The first process speaks at once, and then passes its state when it can. */
const helloMs = 10_000
const stateMs = 60_000
/** The engine's thread has taken them by then, or does not any more. */
const tookMs = 1_000
/** What it closes takes a second or two. */
const leftMs = 10_000

const hasGone = () => new Error('the process to be succeeded has gone')

type Hello = FromFirst & { readonly kind: 'hello' }

/** Adopts a state; a sentence that says why not. */
export type Adopt = (state: unknown, attempt: number) => PassedState | string

/** The process before this one, which still runs. */
export class Predecessor {
  readonly #exchange: ExchangeHandle | OpError
  /** Rejects when it has gone and the slots were not taken: this process is of no use. Stays pending otherwise. */
  readonly gone: Promise<never>
  /** Resolves when the slots are this process's. */
  readonly taken: Promise<void>
  readonly #channel: Channel<FromSecond, FromFirst>
  #hello: Hello | null = null
  #state: PassedState | null = null
  #took = false
  #prepared = false
  /** A message that is awaited, so that none is lost to a question that nothing asks any more. */
  #awaited: Promise<FromFirst | null> | null = null
  #onTook: () => void = () => undefined

  /** null: this process was started like any other. Takes the variable out of the environment. Throws OpError. */
  static inherited(environment: NodeJS.ProcessEnv): Predecessor | null {
    const said = environment[successionVariable]
    delete environment[successionVariable]
    if (said === undefined) return null
    const { channel, exchange } = inheritedExchange()
    return new Predecessor(channel, exchange)
  }

  /** `channel`: a connected stream. */
  constructor(channel: number, exchange: ExchangeHandle | OpError) {
    this.#exchange = exchange
    let reject: (why: Error) => void = () => undefined
    this.gone = new Promise((_, no) => {
      reject = no
    })
    this.gone.catch(() => undefined)
    this.taken = new Promise((resolve) => {
      this.#onTook = resolve
    })
    this.#channel = new Channel(channel, () => void this.#ended(reject))
  }

  get exchange(): ExchangeHandle {
    assert(!(this.#exchange instanceof OpError), 'the memory of the exchange is not understood')
    return this.#exchange
  }
  get pid(): number {
    return this.#hello?.pid ?? 0
  }
  get version(): string {
    return this.#hello?.version ?? ''
  }
  /** The state that was adopted last; null: none yet. */
  get state(): PassedState | null {
    return this.#state
  }

  /** Waits for its first word. Throws an Error that says why it cannot be succeeded. */
  async meet(): Promise<Hello> {
    const message = await this.#channel.next(helloMs)
    if (message?.kind !== 'hello') throw new Error('the process to be succeeded does not answer')
    if (message.protocol !== exchangeProtocol)
      throw new Error(
        `vipd ${message.version} speaks version ${message.protocol} of what is said in an upgrade, this one version ${exchangeProtocol}`,
      )
    if (this.#exchange instanceof OpError)
      throw new Error(
        `vipd ${message.version} passes memory of another layout than this one reads (${this.#exchange.message})`,
      )
    this.#hello = message
    return message
  }

  /** Links whose state does not count yet, after `meet`; none before. */
  get delays(): Hello['delays'] {
    return this.#hello?.delays ?? []
  }

  /** What it knows of the kernel's objects, after `meet`. */
  get known(): PassedState['ownership'] {
    assert(this.#hello !== null, 'the other process has not spoken yet')
    return this.#hello.known
  }

  /** The slots are this process's. */
  took(): void {
    this.#took = true
    this.#onTook()
  }

  /** Resolves when the slots are taken. Throws an Error that says why not: nothing has been altered then. */
  async takeSlots(version: string, adopt: Adopt): Promise<void> {
    const protocol = exchangeProtocol
    this.#prepared = true
    void this.#channel.send({ kind: 'prepared', protocol, version, reads: passedVersion })
    const took = this.taken.then(() => 'took' as const)
    while (!this.#took) {
      const message = await Promise.race([took, this.#next(stateMs)])
      if (message === 'took') return
      // Its farewell may come before the engine's word: it leaves only when the slots are taken. Its end may, too.
      if (message?.kind !== 'state') return await this.#takenSoon()
      this.#awaited = null
      const adopted = adopt(message.state, message.attempt)
      if (typeof adopted === 'string') throw new Error(adopted)
      this.#state = adopted
      void this.#channel.send({ kind: 'adopted', attempt: message.attempt })
    }
  }

  async #takenSoon(): Promise<void> {
    await Promise.race([this.taken, delay(tookMs)])
    if (!this.#took) throw hasGone()
  }

  async #ended(reject: (why: Error) => void): Promise<void> {
    // The engine's word that it took the slots may come later than the end of the process that gave them.
    if (this.#prepared && !this.#took) await delay(tookMs)
    if (!this.#took) reject(hasGone())
  }

  /** Says why this process ends. */
  async refuse(why: string): Promise<void> {
    await this.#channel.send({ kind: 'refused', why })
  }

  /** Resolves when the other process serves nothing any more: it says so, or has gone. */
  async left(): Promise<void> {
    for (;;) {
      const message = await this.#next(leftMs)
      this.#awaited = null
      if (message === null || message.kind === 'left') return
    }
  }

  #next(withinMs: number): Promise<FromFirst | null> {
    this.#awaited ??= this.#channel.next(withinMs)
    return this.#awaited
  }

  /** Everything is served here: the other process may end. */
  async serving(): Promise<void> {
    await this.#channel.send({ kind: 'serving' })
    this.#channel.close()
  }
}
