/** The life of `vipd watch`: asks each second, hears of events at once, and obeys keys and signals until it is left. */
import { setTimeout as delay } from 'node:timers/promises'
import { textOf } from '../base/errors.ts'
import { readEvents, requestStatus } from '../control/client.ts'
import type { DaemonEvent } from '../report/event.ts'
import { daemonSocket } from './trusted-directory.ts'
import { Keys } from './watch-keys.ts'
import { orders, type WatchState, watchRows } from './watch-screen.ts'
import { WatchTerminal } from './watch-terminal.ts'

const everyMs = 1_000
const eventsMax = 200
const reopenMs = 1_000

export async function watch(runDir: string): Promise<void> {
  await new Watch(runDir).run()
}

class Watch {
  readonly #runDir: string
  readonly #terminal = new WatchTerminal(process.stdin, process.stdout)
  readonly #end = new AbortController()
  readonly #colour = (process.env['NO_COLOR'] ?? '') === ''
  #asking = false
  #again = false
  #state: WatchState = {
    ...{ status: null, statusAt: 0, askedAt: null, away: null, events: [] },
    ...{ order: 'configured', onlyUnwell: false, scrolled: 0 },
  }

  constructor(runDir: string) {
    this.#runDir = runDir
  }

  async run(): Promise<void> {
    const { stdin, stdout } = process
    // Whatever throws: the trace is written to the terminal as it was before.
    process.once('exit', () => this.#terminal.leave())
    this.#obeySignals()
    this.#terminal.enter()
    const keys = new Keys((key) => this.#obey(key))
    stdin.on('data', (octets: Buffer) => keys.take(octets.toString('latin1')))
    for (const gone of [stdin, stdout])
      for (const how of ['end', 'error']) gone.once(how, () => this.#end.abort())
    stdout.on('resize', () => this.#drawAnew())
    const timer = setInterval(() => void this.#ask(), everyMs)
    void this.#ask()
    this.#draw()
    await this.#hear()
    clearInterval(timer)
    this.#terminal.leave()
    // An answer that is still awaited is of no use.
    process.exit()
  }

  #obeySignals(): void {
    process.once('SIGINT', () => this.#end.abort())
    for (const [signal, number] of [
      ['SIGTERM', 15],
      ['SIGHUP', 1],
      ['SIGQUIT', 3],
    ] as const)
      process.once(signal, () => {
        this.#terminal.leave()
        process.exit(128 + number)
      })
    process.on('SIGTSTP', this.#suspend)
    process.on('SIGCONT', () => this.#goOn())
  }

  /**
   * As a terminal does it: the whole process group, so that a script that runs watch is stopped with it and the shell
   * gets the terminal. Without a shell that could continue it (`ssh -t HOST vipd watch`) the kernel stops nothing.
   */
  readonly #suspend = (): void => {
    this.#terminal.leave()
    process.removeListener('SIGTSTP', this.#suspend)
    process.kill(0, 'SIGTSTP')
    // Stopped here, until SIGCONT.
    process.on('SIGTSTP', this.#suspend)
    this.#goOn()
  }

  #goOn(): void {
    this.#terminal.enterAgain()
    // The time of the stop is not the daemon's.
    this.#change({ askedAt: this.#asking ? Date.now() : null })
    void this.#ask()
  }

  #obey(key: string): void {
    const { order, onlyUnwell } = this.#state
    const page = Math.max(1, Math.floor(this.#terminal.size.rows / 2))
    if (key === 'q' || key === '\u0003' || key === '\u001b') this.#end.abort()
    else if (key === '\u001a') this.#suspend()
    else if (key === '\u000c') this.#drawAnew()
    else if (key === 'f') this.#change({ onlyUnwell: !onlyUnwell, scrolled: 0 })
    else if (key === 's')
      this.#change({ order: orders[(orders.indexOf(order) + 1) % orders.length] ?? order })
    else if (key === '\u001b[A' || key === '\u001bOA') this.#scroll(-1)
    else if (key === '\u001b[B' || key === '\u001bOB') this.#scroll(1)
    else if (key === '\u001b[5~') this.#scroll(-page)
    else if (key === '\u001b[6~') this.#scroll(page)
  }

  #scroll(by: number): void {
    const most = Math.max(0, (this.#state.status?.instances.length ?? 0) - 1)
    this.#change({ scrolled: Math.min(most, Math.max(0, this.#state.scrolled + by)) })
  }

  #change(what: Partial<WatchState>): void {
    this.#state = { ...this.#state, ...what }
    this.#draw()
  }

  /** One question at a time; what is asked for meanwhile is asked behind it. */
  async #ask(): Promise<void> {
    this.#again = this.#asking
    if (this.#asking) return this.#draw()
    this.#asking = true
    this.#state = { ...this.#state, askedAt: Date.now() }
    try {
      const status = await requestStatus(daemonSocket(this.#runDir, 'read'))
      this.#change({ status, statusAt: Date.now(), askedAt: null, away: null })
    } catch (error) {
      this.#change({ askedAt: null, away: textOf(error) })
    }
    this.#asking = false
    if (this.#again) void this.#ask()
  }

  /** Until the end. The daemon may come and go. */
  async #hear(): Promise<void> {
    const { signal } = this.#end
    const take = (events: readonly DaemonEvent[], recent: boolean) => {
      if (events.length === 0) return undefined
      // A daemon that was restarted does not remember what the one before it told.
      const from = events[0]?.at ?? ''
      const known = recent ? this.#state.events.filter(({ at }) => at < from) : this.#state.events
      this.#change({ events: [...known, ...events].slice(-eventsMax) })
      if (!recent) void this.#ask()
      return undefined
    }
    while (!signal.aborted) {
      // Why it is away is told by the answer to a question.
      await Promise.resolve()
        .then(() => readEvents(daemonSocket(this.#runDir, 'read'), { take }, signal))
        .catch(() => this.#ask())
      await delay(reopenMs, null, { signal }).catch(() => undefined)
    }
  }

  #drawAnew(): void {
    this.#terminal.forget()
    this.#draw()
  }

  #draw(): void {
    this.#terminal.draw(watchRows(this.#state, this.#terminal.size, Date.now(), this.#colour))
  }
}
