/** The nft table of no_accept (accept-rules.ts): what it is made from, and the tables that dead daemons left. */
import { OpError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Instance } from '../config/types.ts'
import type { Errands } from '../kernel/errands.ts'
import type { OwnedObject } from '../kernel/marks.ts'
import { meansNoTables, sweepTables, tableName } from '../kernel/nft-tables.ts'
import type { RulesetNews, TableLook } from '../kernel/ruleset.ts'
import { type AcceptOptions, type AcceptRules, acceptRules, noRules } from './accept-rules.ts'
import { nftMs, type PassedTable, TableKeeper, type WantedTable } from './table-keeper.ts'

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

const asWanted = ({ text, count }: AcceptRules): WantedTable => ({
  key: text,
  script: () => text,
  count,
})

export class Firewall {
  readonly #ports: FirewallPorts
  readonly #table: string
  readonly #keeper: TableKeeper

  constructor(ports: FirewallPorts) {
    const { log, errands } = ports
    const table = tableName(ports.runDir)
    this.#ports = ports
    this.#table = table
    const keyword = 'no_accept'
    const holds = 'no_accept is enforced'
    this.#keeper = new TableKeeper(
      {
        ...{ log, errands },
        look: () => ports.look(table),
        news: (onChange) => ports.news(onChange),
        mayMake: () => ports.claim([{ kind: 'nft-table', family: 'inet', name: table }]),
        stands: () => {
          if (this.#keeper.holds && this.#keeper.wanted.count === 0) ports.claim([])
        },
      },
      { name: table, keyword, holds, fails: (why) => `no_accept is not enforced: ${why}` },
      this.#without,
    )
  }

  /** Removes the tables of dead daemons, first of all. `living`: the run directories of the vipds that live beside us. */
  sweep(living: readonly string[]): void {
    this.#keeper.after(this.#sweep(living))
  }

  /** What this daemon knows of the table, for another process; null: not just now. */
  snapshot(): PassedTable | null {
    return this.#keeper.snapshot()
  }

  /** In place of `sweep`: the table of another process, which is looked at with the next `set`. */
  adopt(passed: PassedTable): void {
    this.#keeper.adopt(passed, this.#keeper.wanted)
  }

  /** The table is another process's from now on. */
  leave(): void {
    this.#keeper.leave()
  }

  /** The rules for these instances shall hold; none of them with no_accept: no table. */
  set(instances: readonly Instance[], options: AcceptOptions): void {
    this.#keeper.want(asWanted(acceptRules(this.#table, instances, options)))
  }

  /** The table goes. */
  clear(): void {
    this.#keeper.want(this.#without)
  }

  /** The claim has been recorded. */
  recorded(): void {
    this.#keeper.next()
  }

  /** When what was wanted last has been tried once, or the time has passed. */
  settled(timeoutMs: number): Promise<void> {
    return this.#keeper.settled(timeoutMs)
  }

  /** For `status`. */
  get warnings(): readonly string[] {
    return this.#keeper.warnings
  }

  get #without(): WantedTable {
    return asWanted(noRules(this.#table))
  }

  /** The table of this run directory's last daemon is replaced, or removed, like one of our own. */
  async #sweep(living: readonly string[]): Promise<WantedTable | null> {
    const { log, errands } = this.#ports
    const nft = (args: readonly string[]) => errands.run({ kind: 'nft', args, input: '' }, nftMs)
    try {
      const { removed, own } = await sweepTables(nft, living, this.#table)
      for (const table of removed)
        log.warn(`Removed the nft table ${table} that an earlier vipd left`)
      return own ? null : this.#without
    } catch (error) {
      if (!(error instanceof OpError)) throw error
      if (meansNoTables(error)) return this.#without
      log.error(`nft tables that an earlier vipd may have left: ${error.message}`)
      return null
    }
  }
}
