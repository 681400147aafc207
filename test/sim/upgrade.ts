/**
 * `vipd upgrade` on one host, step by step as src/daemon/upgrade-first.ts and upgrade-second.ts take them: the second
 * process prepares, adopts the state that the first passes, and takes the slots by the word of the page, which is the
 * shipped one. Between any two steps anything can happen; each takes its time.
 */
import { us } from '../../src/base/time.ts'
import { exchangeState, makeExchange } from '../../src/engine/core-harness.ts'
import type { Host } from './host.ts'
import { passSessions } from './pass-sessions.ts'
import { Process } from './process.ts'
import type { Surroundings } from './witness.ts'

export const steps = [
  'prepared',
  'passed',
  'adopted',
  'given',
  'taken up',
  'taken',
  'left',
] as const
export type Step = (typeof steps)[number]

export type UpgradeOptions = {
  /** Called when the step has been taken. */
  onStep(step: Step, upgrade: Upgrade): void
  /** What becomes of the state on its way. */
  readonly alterState?: (state: object) => object
  /** How long the second engine's thread takes to wake up, µs. */
  wakeUs(): number
  /** From having read what was given to taking it. */
  takeUs(): number
}

type Span = { readonly least: number; readonly most: number }

/** A second process starts, and reads its configuration. */
const startUs = { least: 1_000, most: 300_000 }
/** From one process to the other, with reading and writing. */
const messageUs = { least: 60, most: 4_000 }
/** Between two attempts, as the daemon has it. */
const againUs = 20_000
/** From the word's change to the next look at it. */
const nextLookUs = { least: 1, most: 40 }
/** All attempts together. */
const attemptsUs = 12_000_000

export class Upgrade {
  readonly first: Process
  /** null: not started yet. */
  second: Process | null = null
  readonly exchange = makeExchange()
  /** Why there was none; null: there was, or it is still under way. */
  refused: string | null = null
  over = false
  readonly #host: Host
  readonly #around: Surroundings
  readonly #options: UpgradeOptions
  readonly #end: number
  #attempt = 0
  #adopted = 0
  /** As it was passed, and as the second process has it. */
  #passed: readonly [string, string] = ['', '']
  /** The second engine's thread is between reading what was given and taking it. */
  #taking = false
  /** When the next message reaches the second process: none overtakes another. */
  #adoptsAt = 0
  /** What the first engine had read by then was given. */
  #handled = us(0)

  constructor(host: Host, first: Process, around: Surroundings, options: UpgradeOptions) {
    this.#host = host
    this.#around = around
    this.#options = options
    this.first = first
    this.#end = around.agenda.now + attemptsUs
    first.onOver = (why) => this.#refuse(why)
    first.onGave = () => this.#gave()
    this.#later(startUs, () => this.#start())
  }

  get state(): string {
    return exchangeState(this.exchange)
  }

  get taken(): boolean {
    return this.state === 'taken'
  }

  /** A process has ended, and the other one hears of it. */
  ended(process: Process): void {
    this.#later(messageUs, () => {
      if (process === this.second && !this.taken) this.#refuse('the second process has ended')
      if (process === this.first && !this.taken) this.#endSecond()
    })
  }

  #start(): void {
    if (!this.first.alive || this.over) return this.#finish('the first process has ended')
    this.second = new Process(this.#host, this.#around, {
      before: this.first,
      exchange: this.exchange,
    })
    this.#host.alsoRuns(this.second)
    this.#step('prepared')
    this.#later(messageUs, () => this.#pass())
  }

  /** The first holds back what could change a decision, and passes its state. */
  #pass(): void {
    const { first } = this
    if (this.over || !first.alive) return
    if (this.#around.agenda.now > this.#end) return this.#refuse('it took too long')
    first.onMain(() => {
      if (this.over) return
      this.#attempt += 1
      const attempt = this.#attempt
      first.gate.shut(() => this.#again(attempt))
      const state = first.main.changing ? { ok: false } : first.main.dispatcher.state()
      if (!('version' in state)) return this.#again(attempt)
      const passed = JSON.stringify(state)
      first.bfd.offer()
      first.exchange = { handle: this.exchange, second: false }
      first.engine.offer(this.exchange, attempt)
      this.#step('passed')
      this.#adoptsAt = Math.max(this.#adoptsAt + 1, this.#around.agenda.now + this.#span(messageUs))
      this.#around.agenda.at(this.#adoptsAt, () => this.#adopt(attempt, passed))
      // Something waits for the kernel, or announcements are still being sent.
      this.#around.agenda.after(3_000_000, () => this.#again(attempt))
    })
  }

  /** Something has happened since: what waits happens now, and there will be another state. */
  #again(attempt: number): void {
    const { first } = this
    if (this.over || attempt !== this.#attempt || this.taken || !first.alive) return
    // While the slots are given the engine's thread hears nothing of it.
    if (first.engine.given) {
      this.#around.agenda.after(100, () => this.#again(attempt))
      return
    }
    first.engine.withdraw(false)
    this.#attempt += 1
    this.#openGate()
    this.#around.agenda.after(againUs, () => this.#pass())
  }

  #openGate(): void {
    if (this.first.gate.isShut) this.first.gate.open()
  }

  #adopt(attempt: number, passed: string): void {
    const { second, first } = this
    if (this.over || second === null || !second.alive) return
    if (second.busy || second.frozen || this.#host.asleep) {
      this.#around.agenda.after(1_000, () => this.#adopt(attempt, passed))
      return
    }
    if (attempt < this.#adopted) return
    this.#adopted = attempt
    const state = JSON.parse(passed)
    const why = second.adoptHeld(this.#options.alterState?.(state) ?? state)
    if (why !== null) return this.#refuse(why)
    const own = second.main.dispatcher.state()
    // One that is about to take over, by what it knows now, has none to pass on.
    this.#passed = [timeless(state), timeless('version' in own ? own : state)]
    const slots = new Map(second.main.dispatcher.instances.map((it) => [it.name, it.slot]))
    const pairs = first.main.dispatcher.instances.flatMap(({ name, slot }) => {
      const own = slots.get(name)
      return own === undefined ? [] : [[slot, own] as const]
    })
    second.engine.ready(attempt, new Map(pairs))
    this.#step('adopted')
    this.#later(nextLookUs, () => {
      if (first.alive && !first.frozen && !this.#host.asleep) first.engine.wake()
    })
  }

  /** By the first engine's thread when it was quiet, at whatever woke it; perhaps once more. */
  #gave(): void {
    this.#handled = this.#host.now()
    this.#step('given')
    this.#around.agenda.after(this.#options.wakeUs(), () => this.#takeUp())
  }

  #takeUp(): void {
    const { second } = this
    if (second === null || !second.alive || this.#taking) return
    if (this.#standsStill(second, () => this.#takeUp())) return
    if (!second.engine.held || !second.engine.takeUp()) return this.first.look()
    this.#taking = true
    this.#step('taken up')
    this.#around.agenda.after(this.#options.takeUs(), () => this.#take())
  }

  #take(): void {
    const { first, second } = this
    if (second === null || !second.alive) return
    if (this.#standsStill(second, () => this.#take())) return
    this.#taking = false
    // Too late: it looks again.
    if (!second.engine.held || !second.engine.take()) return this.#takeUp()
    this.#host.isNow(second, first)
    this.#around.witness.upgraded(this.#host, first, second, this.#passed)
    second.took(this.#handled)
    passSessions(this.#host, first, second, this.#around, true)
    this.#step('taken')
    this.#later(nextLookUs, () => this.#leave())
    this.#later(messageUs, () => this.#goOn(second))
  }

  #goOn(second: Process): void {
    if (!second.alive) return
    if (!this.#standsStill(second, () => this.#goOn(second))) second.goOn()
  }

  #leave(): void {
    const { first } = this
    if (first.alive && this.#standsStill(first, () => this.#leave())) return
    first.look()
    if (first.alive && !first.engine.left)
      this.#around.witness.mistaken(this.#host, 'both processes have the slots')
    this.#later(messageUs, () => {
      first.end()
      this.#finish(null)
      this.#step('left')
    })
  }

  #refuse(why: string): void {
    if (this.over || this.taken) return
    const { first } = this
    if (first.engine.given && first.alive) {
      this.#later(nextLookUs, () => this.#refuse(why))
      return
    }
    if (first.alive) {
      first.engine.withdraw(true)
      this.#openGate()
    }
    this.#finish(why)
    this.#endSecond()
  }

  /** It ends by itself, and its warden is dismissed with it. */
  #endSecond(): void {
    const { second } = this
    if (this.taken) return
    this.#finish('the first process has ended')
    if (second === null || !second.alive) return
    this.#host.kill(second)
    this.#host.alsoRuns(null)
  }

  #finish(why: string | null): void {
    if (this.over) return
    this.over = true
    this.refused = why
  }

  /** True: it goes on from here when it runs again. */
  #standsStill(process: Process, goesOn: () => void): boolean {
    const still = process.frozen || this.#host.asleep
    if (still) this.#later(messageUs, goesOn)
    return still
  }

  #step(step: Step): void {
    this.#options.onStep(step, this)
  }

  #later(span: Span, run: () => void): void {
    this.#around.agenda.after(this.#span(span), run)
  }

  #span = ({ least, most }: Span): number => this.#around.prng.between(least, most)
}

/** Without the instant at which it was made. */
const timeless = (state: object): string => JSON.stringify({ ...state, at: 0 })
