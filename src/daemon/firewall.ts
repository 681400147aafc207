/**
 * Keeps the nft table of no_accept (accept-rules.ts) as it must be. nft runs on a thread of its own, one run after the
 * other; what is wanted last wins; a failure is said once and the run repeated ever later. What another program does to
 * the table, a flush of the whole ruleset say, is undone at once; when it goes on doing so, ever later.
 */
import { OpError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Instance } from '../config/types.ts'
import type { Errands } from '../kernel/errands.ts'
import type { OwnedObject } from '../kernel/marks.ts'
import { meansNoTables, sweepTables, tableName } from '../kernel/nft-tables.ts'
import type { RulesetNews, TableLook } from '../kernel/ruleset.ts'
import { type AcceptOptions, type AcceptRules, acceptRules, noRules } from './accept-rules.ts'

export type FirewallPorts = {
  readonly runDir: string
  readonly log: Log
  /** Of its own: nft may hang. */
  readonly errands: Pick<Errands, 'run'>
  /** Records what is about to be in the kernel; false: `recorded` is called when it may go on. */
  claim(objects: readonly OwnedObject[]): boolean
  look(table: string): TableLook | null
  news(onChange: () => void): Pick<RulesetNews, 'listen' | 'close'>
}

/** Above nft's own bound, which its thread keeps. */
const nftMs = 7_000
const againMs = { first: 1_000, longest: 60_000 }
/** Another program changes the table: the first time it is put back at once, then after so long, and for so long it counts. */
const putBackMs = { second: 100, longest: 10_000, forgotten: 60_000 }

/** What the table was made from, and how it looked then; null: that could not be read. */
type Applied = { readonly text: string; readonly mark: string | null }

export class Firewall {
  readonly #ports: FirewallPorts
  readonly #table: string
  readonly #news: Pick<RulesetNews, 'listen' | 'close'>
  #wanted: AcceptRules
  /** null: not known. */
  #applied: Applied | null = null
  #running: Promise<void> | null = null
  #failing: string | null = null
  #failures = 0
  #again: NodeJS.Timeout | null = null
  #deaf: string | null = null
  #changes = 0
  #changedAt = 0

  constructor(ports: FirewallPorts) {
    this.#ports = ports
    this.#table = tableName(ports.runDir)
    this.#news = ports.news(() => this.#look())
    this.#wanted = this.#without
  }

  /** Removes the tables of dead daemons, first of all. `living`: the run directories of the vipds that live beside us. */
  sweep(living: readonly string[]): void {
    this.#running = this.#sweep(living)
  }

  /** The rules for these instances shall hold; none of them with no_accept: no table. */
  set(instances: readonly Instance[], options: AcceptOptions): void {
    this.#wanted = acceptRules(this.#table, instances, options)
    this.#listen()
    this.#look()
    this.#next()
  }

  /** The table goes. */
  clear(): void {
    this.#wanted = this.#without
    this.#listen()
    this.#next()
  }

  /** The claim has been recorded. */
  recorded(): void {
    this.#next()
  }

  /** When what was wanted last has been tried once, or the time has passed. */
  async settled(timeoutMs: number): Promise<void> {
    const end = performance.now() + timeoutMs
    while (this.#failing === null && !this.#holds) {
      const leftMs = end - performance.now()
      if (leftMs <= 0) return
      await Promise.race([this.#running ?? pause(Math.min(leftMs, 5)), pause(leftMs)])
    }
  }

  /** For `status`. */
  get warnings(): readonly string[] {
    const deaf =
      this.#deaf === null ? [] : [`changes of the nft table are not noticed: ${this.#deaf}`]
    return this.#failing === null ? deaf : [`no_accept is not enforced: ${this.#failing}`, ...deaf]
  }

  get #holds(): boolean {
    return this.#wanted.text === this.#applied?.text
  }

  get #without(): AcceptRules {
    return noRules(this.#table)
  }

  #listen(): void {
    const deaf = this.#wanted.count === 0 ? this.#news.close() : this.#news.listen()
    if (deaf !== null && this.#deaf === null)
      this.#ports.log.warn(`Changes of the nft table by other programs are not noticed: ${deaf}`)
    this.#deaf = deaf
  }

  /** Whether the table is still as it was made. */
  #look(): void {
    if (this.#running !== null || !this.#holds || this.#wanted.count === 0) return
    const look = this.#ports.look(this.#table)
    if (look === null || this.#applied === null || this.#applied.mark === look.mark) return
    this.#changed(look.rules)
    if (this.#again === null) this.#next()
  }

  #changed(rules: number): void {
    const { log } = this.#ports
    const now = performance.now()
    this.#changes = now - this.#changedAt > putBackMs.forgotten ? 1 : this.#changes + 1
    this.#changedAt = now
    this.#applied = null
    const what = rules === 0 ? 'removed' : 'changed'
    log.warn(`no_accept: another program has ${what} the nft table ${this.#table}: put back`)
    if (this.#changes === 1) return
    this.#failing = `another program has ${what} the nft table ${this.#changes} times`
    const laterMs = Math.min(putBackMs.second * 2 ** (this.#changes - 2), putBackMs.longest)
    this.#later(laterMs)
  }

  #later(afterMs: number): void {
    if (this.#again !== null) clearTimeout(this.#again)
    this.#again = setTimeout(() => {
      this.#again = null
      this.#next()
    }, afterMs)
    this.#again.unref()
  }

  #next(): void {
    if (this.#running !== null || this.#holds) return
    const table = { kind: 'nft-table', family: 'inet', name: this.#table } as const
    if (this.#wanted.count > 0 && !this.#ports.claim([table])) return
    this.#running = this.#apply(this.#wanted)
  }

  /** The table of this run directory's last daemon is replaced, or removed, like one of our own. */
  async #sweep(living: readonly string[]): Promise<void> {
    const { log } = this.#ports
    const none = { text: this.#without.text, mark: null }
    try {
      const { removed, own } = await sweepTables((args) => this.#nft(args, ''), living, this.#table)
      for (const table of removed)
        log.warn(`Removed the nft table ${table} that an earlier vipd left`)
      if (!own) this.#applied = none
    } catch (error) {
      if (!(error instanceof OpError)) throw error
      if (meansNoTables(error)) this.#applied = none
      else log.error(`nft tables that an earlier vipd may have left: ${error.message}`)
    }
    this.#running = null
    this.#next()
  }

  async #apply({ text, count }: AcceptRules): Promise<void> {
    if (this.#again !== null) clearTimeout(this.#again)
    this.#again = null
    let failure: string | null = null
    try {
      await this.#nft(['-f', '-'], text)
    } catch (error) {
      if (!(error instanceof OpError)) throw error
      failure = error.message
    }
    this.#running = null
    if (failure !== null) return this.#failed(failure)
    const look = count === 0 ? null : this.#ports.look(this.#table)
    if (look !== null && look.rules !== count) {
      this.#changed(look.rules)
      if (this.#again === null) this.#next()
      return
    }
    this.#applied = { text, mark: look?.mark ?? null }
    this.#succeeded()
  }

  #succeeded(): void {
    if (this.#failing !== null) this.#ports.log.info('no_accept is enforced')
    this.#failing = null
    this.#failures = 0
    if (this.#holds && this.#wanted.count === 0) this.#ports.claim([])
    this.#next()
  }

  #failed(why: string): void {
    if (this.#failing === null) this.#ports.log.error(`no_accept is not enforced: ${why}`)
    this.#failing = why
    this.#failures += 1
    this.#later(Math.min(againMs.first * 2 ** (this.#failures - 1), againMs.longest))
  }

  #nft(args: readonly string[], input: string): Promise<string> {
    return this.#ports.errands.run({ kind: 'nft', args, input }, nftMs)
  }
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
