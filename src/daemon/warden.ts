/**
 * Keeps the warden alive: starts it with the daemon, and starts another when it has gone, or when it stands still and
 * had to be killed. Without one the pair still works; only a killed or frozen daemon is cleaned up later.
 */
import { join } from 'node:path'
import { OpError } from '../base/errors.ts'
import type { Log, LogForm } from '../base/log.ts'
import type { Guard } from '../engine/contract.ts'

/** What a warden of this run directory holds while it lives; see stale-wardens.ts. */
export const wardenLock = (runDir: string): string => join(runDir, 'warden.lock')

/** One that dies at once, again and again, must not keep us busy: the first is replaced at once, then ever later. */
const againMs = { first: 1_000, longest: 60_000 }
/** A killed warden's end takes microseconds, unless the kernel holds it. */
const endingMs = 20
/** A warden that has lived for so long after a loss makes up for it. */
const settledMs = 60_000
/**
 * It moves its beats once a second. Looks are counted, not time: after a pause of the whole machine both sides have
 * missed the same.
 */
const lookMs = 1_000
const looksMax = 4

export type WardenOptions = { readonly runDir: string; readonly logForm: LogForm }

export class Warden {
  readonly #guard: Guard
  readonly #options: WardenOptions
  readonly #log: Log
  #state: 'none' | 'running' | 'frozen' = 'none'
  /** Since one lived for `settledMs`. */
  #lost = 0
  /** Since the daemon's start. */
  #losses = 0
  #again: NodeJS.Timeout | null = null
  #settled: NodeJS.Timeout | null = null
  #looks: NodeJS.Timeout | null = null
  #beats = 0
  #silent = 0

  constructor(guard: Guard, options: WardenOptions, log: Log) {
    this.#guard = guard
    this.#options = options
    this.#log = log
  }

  start(): void {
    this.#looks ??= setInterval(() => this.#look(), lookMs)
    this.#again = null
    if (!this.#guard.endWarden()) {
      this.#again = setTimeout(() => this.start(), endingMs)
      return
    }
    try {
      const { runDir, logForm } = this.#options
      this.#guard.startWarden(wardenLock(runDir), logForm)
    } catch (error) {
      if (!(error instanceof OpError)) throw error
      this.#log.error(`No warden: ${error.message}`)
      this.#again = setTimeout(() => this.start(), againMs.longest)
      return
    }
    this.#state = 'running'
    this.#beats = 0
    this.#silent = 0
    this.#settled = setTimeout(() => {
      this.#lost = 0
    }, settledMs)
  }

  /** The engine lost its warden: another, at once the first time. */
  lost(): void {
    this.#lost += 1
    this.#losses += 1
    this.#state = 'none'
    if (this.#settled !== null) clearTimeout(this.#settled)
    this.#log.error('The warden is gone: starting another', { lost: this.#lost })
    const laterMs = this.#lost === 1 ? 0 : againMs.first * 2 ** Math.min(this.#lost - 2, 10)
    this.#again ??= setTimeout(() => this.start(), Math.min(laterMs, againMs.longest))
  }

  stop(): void {
    for (const timer of [this.#again, this.#settled, this.#looks])
      if (timer !== null) clearTimeout(timer)
  }

  get figures(): { readonly running: boolean; readonly lost: number } {
    return { running: this.#state === 'running', lost: this.#losses }
  }

  /** For `status`; nothing is said any more of a loss that is made up for. */
  get warnings(): readonly string[] {
    if (this.#state === 'frozen') return ['the warden does not answer and is being replaced']
    const running =
      this.#state === 'running'
        ? []
        : ['no warden: if the daemon is killed, its addresses stay until their lifetime ends']
    const times = this.#lost === 1 ? 'once' : `${this.#lost} times`
    return this.#lost === 0 ? running : [...running, `the warden was lost ${times}`]
  }

  /** A warden that stands still (stopped, starved) is killed; that is then a loss like every other. */
  #look(): void {
    if (this.#state === 'none') return
    const beats = this.#guard.beats()
    this.#silent = beats === this.#beats ? this.#silent + 1 : 0
    this.#beats = beats
    if (this.#silent < looksMax) return
    if (this.#state === 'running')
      this.#log.error(`The warden has not answered for ${this.#silent} s: ending it`)
    this.#state = 'frozen'
    this.#guard.endWarden()
  }
}
