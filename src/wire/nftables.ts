/** nfnetlink as far as a table of rules is looked at: which rules it has (linux/netfilter/nf_tables.h). */
import { concatBytes, viewOf } from '../base/bytes.ts'
import {
  cString,
  encodeAttribute,
  encodeMessage,
  readAttributes,
  splitMessages,
} from './netlink.ts'

/** NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_*. */
const newRule = 0x0a06
const getRule = 0x0a07
/** NLM_F_REQUEST | NLM_F_DUMP. */
const dump = 0x0301
/** NFPROTO_INET; struct nfgenmsg: family, version, resource. */
const inet = Uint8Array.of(1, 0, 0, 0)
const headerBytes = inet.length
const attribute = { table: 1, handle: 3 } as const

/** Asks for the rules of a table of family inet. A table that is not there has none. */
export const encodeRuleDump = (table: string): Uint8Array =>
  encodeMessage(
    getRule,
    dump,
    concatBytes([inet, encodeAttribute(attribute.table, cString(table))]),
  )

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
