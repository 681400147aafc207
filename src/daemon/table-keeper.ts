/**
 * Keeps one nft table as it must be. nft runs on a thread of its own, one run after the other; what is wanted last wins; a
 * failure is said once and the run repeated ever later. What another program does to the table, a flush of the whole
 * ruleset say, is undone at once; when it goes on doing so, ever later.
 */
import { OpError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Errands } from '../kernel/errands.ts'
import type { RulesetNews, TableLook } from '../kernel/ruleset.ts'

export type TablePorts = {
  readonly log: Log
  /** Of its own: nft may hang. */
  readonly errands: Pick<Errands, 'run'>
  /** The table as it is; null: it cannot be read. */
  look(): TableLook | null
  news(onChange: () => void): Pick<RulesetNews, 'listen' | 'close'>
  /** False: the table may not be made yet; `next` is called when it may. */
  mayMake(): boolean
  /** It has been made so; null: another program has changed it. */
  stands(made: WantedTable | null): void
}

export type WantedTable = {
  /** Two that have the same are the same. */
  readonly key: string
  /** For nft(8): replaces the rules of the table, or removes it. Asked for when its turn has come. */
  readonly script: () => string
  /** Rules in the table; 0: there is no table. */
  readonly count: number
}

/** For the log and for `status`. */
export type TableWords = {
  /** The table, as nft names it: family and name. */
  readonly name: string
  readonly keyword: string
  /** 'no_accept is enforced', and the opposite with its reason. */
  readonly holds: string
  fails(why: string): string
  /** Where it cannot be had it is done without, and the operator need not know; absent: never. */
  isOptional?(): boolean
}

/** Above nft's own bound, which its thread keeps. */
export const nftMs = 7_000
/** nft takes a second for a thousand instances' megabytes of rules, and several on a busy machine. */
const perMegabyteMs = 5_000
/** So much earlier than ours is nft's own bound. */
const marginMs = 2_000
const againMs = { first: 1_000, longest: 60_000 }
/** Another program changes the table: the first time it is put back at once, then after so long, and for so long it counts. */
const putBackMs = { second: 100, longest: 10_000, forgotten: 60_000 }

/** What the table was made from, and how it looked then; null: that could not be read. */
type Applied = { readonly key: string; readonly mark: string | null }

export type PassedTable = { readonly applied: Applied | null }

export class TableKeeper {
  readonly #ports: TablePorts
  readonly #words: TableWords
  readonly #news: Pick<RulesetNews, 'listen' | 'close'>
  #wanted: WantedTable
  /** null: not known. */
  #applied: Applied | null = null
  #running: Promise<void> | null = null
  #failing: string | null = null
  #failures = 0
  #again: NodeJS.Timeout | null = null
  #deaf: string | null = null
  #changes = 0
  #changedAt = 0
  #left = false

  /** `none`: without the table. */
  constructor(ports: TablePorts, words: TableWords, none: WantedTable) {
    this.#ports = ports
    this.#words = words
    this.#news = ports.news(() => this.look())
    this.#wanted = none
  }

  get wanted(): WantedTable {
    return this.#wanted
  }

  /** The kernel has the table as it is wanted, as far as is known. */
  get holds(): boolean {
    return this.#wanted.key === this.#applied?.key
  }

  want(wanted: WantedTable): void {
    this.#wanted = wanted
    this.#listen()
    this.look()
    this.next()
  }

  /** How it stands, as far as is known at the start; null: in another way. */
  assume(standing: WantedTable | null): void {
    this.#applied = standing === null ? null : { key: standing.key, mark: null }
  }

  /** Something else is done to the table first; `applied`: what is known of it then. */
  after(first: Promise<WantedTable | null>): void {
    this.#running = first.then((applied) => {
      if (applied !== null) this.#applied = { key: applied.key, mark: null }
      this.#running = null
      this.next()
    })
  }

  /** For another process; null: nft is at work, or the table waits to be put back. */
  snapshot(): PassedTable | null {
    return this.#running === null && this.#again === null ? { applied: this.#applied } : null
  }

  /** The table of another process, which `wanted` it so; nothing is done to it before the next `want`. */
  adopt({ applied }: PassedTable, wanted: WantedTable): void {
    this.#applied = applied
    this.#wanted = wanted
    if (this.holds) this.#ports.stands(wanted)
  }

  /** The table is another process's from now on. */
  leave(): void {
    this.#left = true
    if (this.#again !== null) clearTimeout(this.#again)
    this.#news.close()
  }

  /** When what was wanted last has been tried once, or the time has passed. */
  async settled(timeoutMs: number): Promise<void> {
    const end = performance.now() + timeoutMs
    while (this.#failing === null && !this.holds) {
      const leftMs = end - performance.now()
      if (leftMs <= 0) return
      await Promise.race([this.#running ?? pause(Math.min(leftMs, 5)), pause(leftMs)])
    }
  }

  /** Why it does not stand as it is wanted; null: it does, or has not been tried yet. */
  get failing(): string | null {
    return this.#failing
  }

  /** For `status`. */
  get warnings(): readonly string[] {
    const deaf =
      this.#deaf === null ? [] : [`changes of the nft table are not noticed: ${this.#deaf}`]
    return this.#failing === null ? deaf : [this.#words.fails(this.#failing), ...deaf]
  }

  #listen(): void {
    const deaf = this.#wanted.count === 0 ? this.#news.close() : this.#news.listen()
    if (deaf !== null && this.#deaf === null)
      this.#ports.log.warn(`Changes of the nft table by other programs are not noticed: ${deaf}`)
    this.#deaf = deaf
  }

  /** Whether the table is still as it was made. */
  look(): void {
    if (this.#running !== null || !this.holds || this.#wanted.count === 0) return
    const look = this.#ports.look()
    if (look === null || this.#applied === null || this.#applied.mark === look.mark) return
    this.#changed(look.rules)
    if (this.#again === null) this.next()
  }

  #changed(rules: number): void {
    const { log } = this.#ports
    const now = performance.now()
    this.#changes = now - this.#changedAt > putBackMs.forgotten ? 1 : this.#changes + 1
    this.#changedAt = now
    this.#applied = null
    this.#ports.stands(null)
    const { keyword, name } = this.#words
    const what = rules === 0 ? 'removed' : 'changed'
    log.warn(`${keyword}: another program has ${what} the nft table ${name}: put back`)
    if (this.#changes === 1) return
    this.#failing = `another program has ${what} the nft table ${this.#changes} times`
    const laterMs = Math.min(putBackMs.second * 2 ** (this.#changes - 2), putBackMs.longest)
    this.#later(laterMs)
  }

  #later(afterMs: number): void {
    if (this.#again !== null) clearTimeout(this.#again)
    this.#again = setTimeout(() => {
      this.#again = null
      this.next()
    }, afterMs)
    this.#again.unref()
  }

  /** Makes it as it is wanted, unless that is under way. */
  next(): void {
    if (this.#running !== null || this.holds || this.#left) return
    if (this.#wanted.count > 0 && !this.#ports.mayMake()) return
    this.#running = this.#apply(this.#wanted)
  }

  async #apply(wanted: WantedTable): Promise<void> {
    const { key, script, count } = wanted
    if (this.#again !== null) clearTimeout(this.#again)
    this.#again = null
    let failure: string | null = null
    try {
      const input = script()
      const boundMs = nftMs + Math.ceil((input.length / 1_000_000) * perMegabyteMs)
      const withinMs = boundMs - marginMs
      const errand = { kind: 'nft', args: ['-f', '-'], input, withinMs } as const
      await this.#ports.errands.run(errand, boundMs)
    } catch (error) {
      if (!(error instanceof OpError)) throw error
      failure = error.message
    }
    this.#running = null
    if (failure !== null) return this.#failed(failure)
    const look = count === 0 ? null : this.#ports.look()
    if (look !== null && look.rules !== count) {
      this.#changed(look.rules)
      if (this.#again === null) this.next()
      return
    }
    this.#applied = { key, mark: look?.mark ?? null }
    this.#succeeded(wanted)
  }

  #succeeded(made: WantedTable): void {
    if (this.#failing !== null) this.#ports.log.info(this.#words.holds)
    this.#failing = null
    this.#failures = 0
    this.#ports.stands(made)
    this.next()
  }

  #failed(why: string): void {
    const level = this.#words.isOptional?.() === true ? 'debug' : 'error'
    if (this.#failing === null) this.#ports.log[level](this.#words.fails(why))
    this.#failing = why
    this.#failures += 1
    this.#later(Math.min(againMs.first * 2 ** (this.#failures - 1), againMs.longest))
  }
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
