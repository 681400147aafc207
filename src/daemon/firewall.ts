/**
 * no_accept: packets to and from the virtual addresses are dropped unless the instance owns them
 * (RFC 9568 section 6.1, Accept_Mode). The rules depend on the configuration only, not on the
 * state: an address that is not on this host attracts no packets. So they are installed once, at load, by
 * nft, and the take-over path never waits for them. nft runs on a thread of its own, one run after the other; what is
 * wanted last wins; a failure is said once and the run repeated ever later.
 */
import { OpError } from '../base/errors.ts'
import { ipFamily } from '../base/ip.ts'
import type { Log } from '../base/log.ts'
import type { Instance } from '../config/types.ts'
import type { Errands } from '../kernel/errands.ts'
import type { OwnedObject } from '../kernel/marks.ts'
import { sweepTables, tableName } from '../kernel/nft-tables.ts'

const guarded = (instances: readonly Instance[]): readonly Instance[] =>
  instances.filter((it) => !it.accept && it.priority < 255)

export const needsRules = (instances: readonly Instance[]): boolean => guarded(instances).length > 0

/** The ruleset that replaces ours; deterministic in its arguments. Empty instances remove the table. */
export function acceptRules(table: string, instances: readonly Instance[]): string {
  const all = guarded(instances).flatMap((it) =>
    [...it.addresses, ...it.excluded].map((a) => a.address),
  )
  const remove = `add table inet ${table}\ndelete table inet ${table}\n`
  if (all.length === 0) return remove
  const four = [...new Set(all.filter((a) => ipFamily(a) === 4))]
  const six = [...new Set(all.filter((a) => ipFamily(a) === 6))]
  const nd = 'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept'
  const input = [...(six.length > 0 ? [nd] : []), ...drops('daddr', four, six)]
  const output = [...(six.length > 0 ? [nd] : []), ...drops('saddr', four, six)]
  return `${remove}table inet ${table} {
  chain input { type filter hook input priority -1; policy accept;
    ${input.join('\n    ')}
  }
  chain output { type filter hook output priority -1; policy accept;
    ${output.join('\n    ')}
  }
}
`
}

function drops(
  field: 'saddr' | 'daddr',
  four: readonly string[],
  six: readonly string[],
): string[] {
  const rule = (family: string, set: readonly string[]) =>
    set.length === 0 ? [] : [`${family} ${field} { ${set.join(', ')} } drop`]
  return [...rule('ip', four), ...rule('ip6', six)]
}

export type FirewallPorts = {
  readonly runDir: string
  readonly log: Log
  /** Of its own: nft may hang. */
  readonly errands: Errands
  /** Records what is about to be in the kernel; false: `recorded` is called when it may go on. */
  claim(objects: readonly OwnedObject[]): boolean
}

/** Above nft's own bound, which its thread keeps. */
const nftMs = 7_000
const againMs = { first: 1_000, longest: 60_000 }

export class Firewall {
  readonly #ports: FirewallPorts
  readonly #table: string
  #instances: readonly Instance[] = []
  #wanted: string
  /** null: not known. */
  #applied: string | null = null
  #running: Promise<void> | null = null
  #failing: string | null = null
  #failures = 0
  #again: NodeJS.Timeout | null = null

  constructor(ports: FirewallPorts) {
    this.#ports = ports
    this.#table = tableName(ports.runDir)
    this.#wanted = acceptRules(this.#table, [])
  }

  /** Removes the tables of dead daemons, first of all. `living`: the run directories of the vipds that live beside us. */
  sweep(living: readonly string[]): void {
    this.#running = this.#sweep(living)
  }

  /** The rules for these instances shall hold; none of them with no_accept: no table. */
  set(instances: readonly Instance[]): void {
    this.#instances = instances
    this.#wanted = acceptRules(this.#table, instances)
    this.#next()
  }

  /** The claim has been recorded. */
  recorded(): void {
    this.#next()
  }

  /** When what was wanted last has been tried once, or the time has passed. */
  async settled(timeoutMs: number): Promise<void> {
    const end = performance.now() + timeoutMs
    while (this.#failing === null && this.#wanted !== this.#applied) {
      const leftMs = end - performance.now()
      if (leftMs <= 0) return
      await Promise.race([this.#running ?? pause(Math.min(leftMs, 5)), pause(leftMs)])
    }
  }

  /** For `status`. */
  get warnings(): readonly string[] {
    return this.#failing === null ? [] : [`no_accept is not enforced: ${this.#failing}`]
  }

  #next(): void {
    if (this.#running !== null || this.#wanted === this.#applied) return
    const table = { kind: 'nft-table', family: 'inet', name: this.#table } as const
    if (needsRules(this.#instances) && !this.#ports.claim([table])) return
    this.#running = this.#apply(this.#wanted)
  }

  /** The table of this run directory's last daemon is replaced, or removed, like one of our own. */
  async #sweep(living: readonly string[]): Promise<void> {
    const { log } = this.#ports
    try {
      const { removed, own } = await sweepTables((args) => this.#nft(args, ''), living, this.#table)
      for (const table of removed)
        log.warn(`Removed the nft table ${table} that an earlier vipd left`)
      if (!own) this.#applied = acceptRules(this.#table, [])
    } catch (error) {
      if (!(error instanceof OpError)) throw error
      // Without nft there are no tables to remove.
      if (error.code === 'ENOENT') this.#applied = acceptRules(this.#table, [])
      else log.error(`nft tables that an earlier vipd may have left: ${error.message}`)
    }
    this.#running = null
    this.#next()
  }

  async #apply(rules: string): Promise<void> {
    if (this.#again !== null) clearTimeout(this.#again)
    this.#again = null
    let failure: string | null = null
    try {
      await this.#nft(['-f', '-'], rules)
      this.#applied = rules
    } catch (error) {
      if (!(error instanceof OpError)) throw error
      failure = error.message
    }
    this.#running = null
    if (failure === null) return this.#succeeded()
    this.#failed(failure)
  }

  #succeeded(): void {
    if (this.#failing !== null) this.#ports.log.info('no_accept is enforced')
    this.#failing = null
    this.#failures = 0
    if (this.#wanted === this.#applied && !needsRules(this.#instances)) this.#ports.claim([])
    this.#next()
  }

  #failed(why: string): void {
    if (this.#failing === null) this.#ports.log.error(`no_accept is not enforced: ${why}`)
    this.#failing = why
    this.#failures += 1
    const laterMs = Math.min(againMs.first * 2 ** (this.#failures - 1), againMs.longest)
    this.#again = setTimeout(() => this.#next(), laterMs)
    this.#again.unref()
  }

  #nft(args: readonly string[], input: string): Promise<string> {
    return this.#ports.errands.run({ kind: 'nft', args, input }, nftMs)
  }
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
