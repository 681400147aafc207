/**
 * Whether an nft table of ours is as we wrote it. The kernel tells of each change of any table; then, and when asked, the
 * handles of the rules in ours are read, which costs microseconds and waits for nothing. Heard only while there
 * is a table: with a listener the kernel describes every object that any program changes.
 */
import { failureOf } from '../addon/bindings.ts'
import { netfilterRequest, openRulesetNews } from '../addon/ruleset.ts'
import { tickUs } from '../addon/surroundings.ts'
import { type Us, us } from '../base/time.ts'
import {
  countElements,
  decodeChains,
  decodeRuleHandles,
  decodeSets,
  encodeChainDump,
  encodeElementDump,
  encodeRuleDump,
  encodeSetDump,
  type Table,
} from '../wire/nftables.ts'

/** Between two looks: a host whose programs commit hundreds of times a second is looked at ten times. */
const pauseMs = 100

export type { Table } from '../wire/nftables.ts'

/** Of a kernel that does not say: the longest there is (CONFIG_HZ 100). */
const longestTickUs = 10_000

/** The step in which the kernel counts the timeouts of elements. */
export const timeoutTickUs = (): Us => us(tickUs() || longestTickUs)

/** What was read, to be compared; rules counted. */
export type TableLook = { readonly rules: number; readonly mark: string }

/** null: it cannot be read. */
export function lookAtTable(table: Table): TableLook | null {
  try {
    const handles = decodeRuleHandles(netfilterRequest(encodeRuleDump(table)))
    return handles === null ? null : { rules: handles.length, mark: handles.join(' ') }
  } catch {
    return null
  }
}

/** What has a name in it; nothing where it cannot be read. */
export function namesInTable(table: Table) {
  try {
    return {
      chains: decodeChains(netfilterRequest(encodeChainDump(table)), table) ?? [],
      sets: decodeSets(netfilterRequest(encodeSetDump(table)), table) ?? [],
    }
  } catch {
    return { chains: [], sets: [] }
  }
}

/** How many elements of a set have not run out; null: it cannot be read. */
export function elementsOf(table: Table, set: string): number | null {
  try {
    return countElements(netfilterRequest(encodeElementDump(table, set)))
  } catch {
    return null
  }
}

export class RulesetNews {
  readonly #onChange: () => void
  readonly #open: typeof openRulesetNews
  #socket: ReturnType<typeof openRulesetNews> | null = null
  #pause: NodeJS.Timeout | null = null
  #missed = false

  /** `onChange`: some table has changed since it was called last. */
  constructor(onChange: () => void, open = openRulesetNews) {
    this.#onChange = onChange
    this.#open = open
  }

  /** null, or why the kernel does not tell: the errno's name. */
  listen(): string | null {
    if (this.#socket !== null) return null
    try {
      this.#socket = this.#open(() => this.#heard())
      return null
    } catch (error) {
      return failureOf(error)
    }
  }

  close(): null {
    this.#socket?.close()
    this.#socket = null
    if (this.#pause !== null) clearTimeout(this.#pause)
    this.#pause = null
    this.#missed = false
    return null
  }

  /** The first is passed on at once, what follows it soon together. */
  #heard(): void {
    if (this.#socket === null) return
    if (this.#pause !== null) {
      this.#missed = true
      return
    }
    this.#pause = setTimeout(() => {
      this.#pause = null
      if (!this.#missed) return
      this.#missed = false
      this.#heard()
    }, pauseMs).unref()
    this.#onChange()
  }
}
