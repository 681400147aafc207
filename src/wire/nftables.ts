/** nfnetlink as far as a table is looked at: its rules, chains, sets and their elements (linux/netfilter/nf_tables.h). */
import { concatBytes, viewOf } from '../base/bytes.ts'
import {
  countAttributes,
  cString,
  encodeAttribute,
  encodeMessage,
  readAttributes,
  splitMessages,
} from './netlink.ts'

/** NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_*. */
const newChain = 0x0a03
const getChain = 0x0a04
const newRule = 0x0a06
const getRule = 0x0a07
const newSet = 0x0a09
const getSet = 0x0a0a
const newElements = 0x0a0c
const getElements = 0x0a0d
/** NLM_F_REQUEST | NLM_F_DUMP. */
const dump = 0x0301
/** NFPROTO_* */
const families = { inet: 1, netdev: 5 } as const
export type TableFamily = keyof typeof families
export type Table = { readonly family: TableFamily; readonly name: string }

/** struct nfgenmsg: family, version, resource. */
const headerBytes = 4
/** NFTA_RULE_*, NFTA_CHAIN_*, NFTA_SET_*, NFTA_SET_ELEM_LIST_*; the table is the first of each. */
const attribute = { table: 1, handle: 3, chainName: 3, setName: 2, ofSet: 2, elements: 3 } as const

function encodeDump(type: number, { family, name }: Table, ...more: readonly Uint8Array[]) {
  const header = Uint8Array.of(families[family], 0, 0, 0)
  const table = encodeAttribute(attribute.table, cString(name))
  return encodeMessage(type, dump, concatBytes([header, table, ...more]))
}

/** Asks for the rules of a table. A table that is not there has none. */
export const encodeRuleDump = (table: Table): Uint8Array => encodeDump(getRule, table)
/** For its chains, and its sets. */
export const encodeChainDump = (table: Table): Uint8Array => encodeDump(getChain, table)
export const encodeSetDump = (table: Table): Uint8Array => encodeDump(getSet, table)
/** For the elements of a set that have not run out. */
export const encodeElementDump = (table: Table, set: string): Uint8Array =>
  encodeDump(getElements, table, encodeAttribute(attribute.ofSet, cString(set)))

/** Names in an answer; older kernels answer for all tables. null: the answer is not understood. */
function decodeNames(
  answer: Uint8Array,
  kind: number,
  at: number,
  table: string,
): readonly string[] | null {
  const { messages, whole } = splitMessages(answer)
  if (!whole) return null
  const names: string[] = []
  for (const { type, body } of messages) {
    if (type !== kind) continue
    const attributes = readAttributes(body.subarray(headerBytes))
    const [of, name] = [attributes?.get(attribute.table), attributes?.get(at)]
    if (of === undefined || name === undefined) return null
    if (textOf(of) === table) names.push(textOf(name))
  }
  return names
}

export const decodeChains = (answer: Uint8Array, { name }: Table): readonly string[] | null =>
  decodeNames(answer, newChain, attribute.chainName, name)

/** Those that have a name of their own: the kernel calls the others __set0, __map1, … */
export const decodeSets = (answer: Uint8Array, { name }: Table): readonly string[] | null =>
  decodeNames(answer, newSet, attribute.setName, name)?.filter((it) => !it.startsWith('__')) ?? null

/** null: the answer is not understood. */
export function countElements(answer: Uint8Array): number | null {
  const { messages, whole } = splitMessages(answer)
  if (!whole) return null
  let count = 0
  for (const { type, body } of messages) {
    if (type !== newElements) continue
    const list = readAttributes(body.subarray(headerBytes))?.get(attribute.elements)
    if (list !== undefined) count += countAttributes(list)
  }
  return count
}

const textOf = (octets: Uint8Array): string =>
  new TextDecoder().decode(octets.subarray(0, Math.max(0, octets.indexOf(0))))

/**
 * The handles of the rules in an answer, in the kernel's order. A handle is given once in the life of a table: a rule
 * that was removed and written again has another. null: the answer is not understood.
 */
export function decodeRuleHandles(answer: Uint8Array): readonly bigint[] | null {
  const { messages, whole } = splitMessages(answer)
  if (!whole) return null
  const handles: bigint[] = []
  for (const { type, body } of messages) {
    if (type !== newRule) continue
    const handle = readAttributes(body.subarray(headerBytes))?.get(attribute.handle)
    if (handle === undefined || handle.length < 8) return null
    handles.push(viewOf(handle).getBigUint64(0, false))
  }
  return handles
}
