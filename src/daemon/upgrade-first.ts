/**
 * An upgrade as the process that runs sees it: it starts its successor, passes it its state, and gives it the slots; until
 * that instant it goes on, whatever becomes of the other, and says why.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { textOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { ruleNumbers } from '../config/rule-numbers.ts'
import type { Engine } from '../engine/contract.ts'
import { endSuccessor } from '../engine/exchange.ts'
import type { Started, Succession } from '../engine/succession-contract.ts'
import type { Gate } from './gate.ts'
import { Channel } from './upgrade-channel.ts'
import { exchangeProtocol, type FromFirst, type FromSecond } from './upgrade-messages.ts'
import { type PassableParts, passedState, passedVersion } from './upgrade-state.ts'

/** How long each step may take, in ms. */
export type UpgradeTimes = {
  /** Until it has read the configuration. */
  readonly start: number
  /** From the state to its adoption. */
  readonly adopt: number
  /** From its adoption to the instant. */
  readonly give: number
  /** All attempts together. */
  readonly attempts: number
  /** Between two attempts. */
  readonly again: number
  /** To serve control, HTTP and history again. */
  readonly serving: number
}

/** All of it is less than the minute that a client waits. */
const usualTimes: UpgradeTimes = {
  // On a machine that is busy: loading Node.js, the code and a large configuration.
  start: 25_000,
  // With thousands of sockets to be opened.
  adopt: 8_000,
  // Something waits for the kernel, or announcements are still being sent.
  give: 3_000,
  attempts: 12_000,
  // What comes does not come alone.
  again: 20,
  serving: 8_000,
}

export type UpgradeResult = {
  readonly pid: number
  readonly version: string
  /** This process's. */
  readonly from: { readonly pid: number; readonly version: string }
  /**
   * Of the other process, at the end: it can be asked, it cannot yet, it has ended and its warden has acted, or it has
   * stopped in order, as this one was to.
   */
  readonly afterwards: 'serves' | 'late' | 'ended' | 'stopped'
}

export type FirstPorts = {
  readonly parts: PassableParts
  readonly engine: Pick<Engine, 'flush'>
  readonly succession: Succession
  readonly gate: Gate
  readonly log: Log
  readonly version: string
  /** Throws what prevents it. */
  start(): Started
  /** The slots are given: stops what would act or serve, and touches nothing. */
  leave(pid: number): Promise<void>
  /** The process that has the slots has ended. */
  lost(): void
  readonly times?: UpgradeTimes
}

/** Why there was no upgrade. */
export class UpgradeRefused extends Error {}

type Attempt = 'given' | { readonly again: string }

export class FirstOfTwo {
  readonly #ports: FirstPorts
  readonly #started: Started
  readonly #channel: Channel<FromFirst, FromSecond>
  readonly #times: UpgradeTimes
  #given = false
  #aborted: string | null = null
  /** Resolves when it is aborted. */
  readonly #abort: Promise<null>
  #onAbort: () => void = () => undefined
  #over: string | null = null
  #news: () => void = () => undefined

  /** Starts the successor. Throws UpgradeRefused. */
  constructor(ports: FirstPorts) {
    this.#ports = ports
    this.#times = ports.times ?? usualTimes
    this.#abort = new Promise((resolve) => {
      this.#onAbort = () => resolve(null)
    })
    try {
      this.#started = ports.start()
    } catch (error) {
      throw new UpgradeRefused(`it cannot be started: ${textOf(error)}`)
    }
    this.#channel = new Channel(this.#started.channel, () => this.#news())
  }

  /** Of the other process. */
  get pid(): number {
    return this.#started.pid
  }

  /** The engine has given the slots. */
  gave(): void {
    this.#given = true
    this.#news()
  }

  /** The engine never will. */
  over(why: string): void {
    this.#over = why
    this.#news()
  }

  /** Ends it, unless the slots are given. Resolves when this process goes on alone, with true; false: they are given. */
  async abort(why: string): Promise<boolean> {
    this.#aborted = why
    this.#onAbort()
    this.#news()
    await this.#withdraw(true)
    return !this.#given
  }

  /** Rejects with UpgradeRefused: this process goes on. Resolved: it is of no more use, and has to end. */
  async run(): Promise<UpgradeResult> {
    const { log, parts, version } = this.#ports
    const { pid } = this.#started
    parts.record.started(pid)
    log.info(`Upgrade: started process ${pid} to go on in place of this one`)
    const known = parts.ownership.snapshot()
    const rules = ruleNumbers(parts.dispatcher.config)
    const protocol = exchangeProtocol
    const delays = parts.delays.snapshot()
    void this.#channel.send({
      ...{ kind: 'hello', protocol, version, pid: process.pid },
      ...{ known, delays, rules },
    })
    let next = ''
    try {
      next = (await this.#prepared()).version
      await this.#giveInTime()
    } catch (error) {
      await this.#withdraw(true)
      // The last word is the engine's.
      if (!this.#given) throw this.#goOn(error)
    }
    log.info(`Upgrade: process ${pid} (vipd ${next}) has everything; leaving`)
    await this.#ports.leave(pid)
    void this.#channel.send({ kind: 'left' })
    const afterwards = await this.#outcome()
    return { pid, version: next, from: { pid: process.pid, version }, afterwards }
  }

  async #outcome(): Promise<UpgradeResult['afterwards']> {
    const { log, lost } = this.#ports
    const { pid } = this.#started
    const message = await this.#channel.next(this.#times.serving)
    log.debug(`Upgrade: ${message?.kind ?? 'not serving yet'}`)
    if (message?.kind === 'serving') return 'serves'
    if (!this.#channel.ended) return 'late'
    if (this.#aborted !== null) return 'stopped'
    log.error(`Upgrade: process ${pid} has ended since: its warden gives up what it led`)
    lost()
    return 'ended'
  }

  #goOn(error: unknown): unknown {
    const { gate, log } = this.#ports
    this.#channel.close()
    endSuccessor(this.#started)
    if (gate.isShut) gate.open()
    const why = this.#aborted ?? textOf(error)
    log.error(`Upgrade refused, process ${process.pid} goes on: ${why}`)
    return error instanceof UpgradeRefused ? new UpgradeRefused(why) : error
  }

  async #prepared(): Promise<FromSecond & { readonly kind: 'prepared' }> {
    const message = await this.#next(this.#times.start, 'it was not ready')
    if (message.kind !== 'prepared') throw new UpgradeRefused(`it says ${message.kind}`)
    const { protocol, reads, version } = message
    if (protocol !== exchangeProtocol)
      throw new UpgradeRefused(
        `vipd ${version} speaks version ${protocol} of what is said in an upgrade, this one version ${exchangeProtocol}`,
      )
    if (reads !== passedVersion)
      throw new UpgradeRefused(
        `vipd ${version} reads version ${reads} of the state, this one has version ${passedVersion}`,
      )
    this.#ports.log.debug(`Upgrade: process ${this.#started.pid} is prepared`)
    return message
  }

  async #giveInTime(): Promise<void> {
    const end = performance.now() + this.#times.attempts
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt(attempt)
      if (outcome === 'given') return
      if (performance.now() > end) throw new UpgradeRefused(outcome.again)
      this.#ports.log.debug(`Upgrade: once more: ${outcome.again}`)
      await delay(this.#times.again)
    }
  }

  async #attempt(attempt: number): Promise<Attempt> {
    const { engine, gate, parts, succession } = this.#ports
    // Everything that has been told by now is judged.
    await engine.flush()
    this.#requireGoingOn()
    let stale = false
    gate.shut(() => {
      stale = true
      this.#news()
    })
    const state = passedState(parts, this.#started, attempt)
    if ('why' in state) {
      gate.open()
      return { again: state.why }
    }
    succession.offer(this.#started.exchange, attempt)
    this.#ports.log.debug(`Upgrade: passing the state, attempt ${attempt}`)
    void this.#channel.send({ kind: 'state', attempt, state })
    const over = () =>
      stale || this.#given || this.#aborted !== null || this.#over !== null || this.#channel.ended
    const answer = this.#next(this.#times.adopt, 'it did not adopt the state')
    answer.then(({ kind }) => this.#ports.log.debug(`Upgrade: it says ${kind}`)).catch(() => null)
    await Promise.race([answer, this.#until(over, this.#times.adopt)])
    if (!over()) await this.#until(over, this.#times.give)
    if (!this.#given) await this.#withdraw(false)
    if (!this.#given) gate.open()
    const message = await answer
    if (this.#given) return 'given'
    this.#requireGoingOn()
    if (this.#channel.ended) throw new UpgradeRefused(`process ${this.#started.pid} has ended`)
    if (this.#over !== null) throw new UpgradeRefused(this.#over)
    if (message.kind !== 'adopted') throw new UpgradeRefused(`it says ${message.kind}`)
    return {
      again: stale
        ? 'something happened again and again while the state was passed'
        : 'requests to the kernel, or announcements, are still on their way',
    }
  }

  /** After it no state is offered, or the slots have been given. */
  async #withdraw(forGood: boolean): Promise<void> {
    const { succession, engine, parts } = this.#ports
    succession.withdraw(forGood)
    await engine.flush()
    if (!this.#given) parts.bfd.withdraw()
  }

  #requireGoingOn(): void {
    if (this.#aborted !== null) throw new UpgradeRefused(this.#aborted)
  }

  /** Its next word, unless that is a refusal or there is none. */
  async #next(withinMs: number, what: string): Promise<FromSecond> {
    const message = await Promise.race([this.#channel.next(withinMs), this.#abort])
    if (message?.kind === 'refused') throw new UpgradeRefused(message.why)
    if (message !== null) return message
    // It took the slots: what becomes of it now is its warden's.
    if (this.#given) return { kind: 'serving' }
    this.#requireGoingOn()
    throw new UpgradeRefused(
      this.#channel.ended
        ? `process ${this.#started.pid} has ended`
        : `process ${this.#started.pid}: ${what} within ${withinMs / 1000} s`,
    )
  }

  #until(over: () => boolean, withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs).unref()
      this.#news = () => {
        if (!over()) return
        clearTimeout(timer)
        resolve()
      }
      this.#news()
    })
  }
}
