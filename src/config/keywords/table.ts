/**
 * The keyword table: every keyword of the language, once. Lowering walks a file with it, and
 * docs/configuration.md is its print-out.
 */

import type { BlockName, Entry, Keyword } from '../grammar/entries.ts'
import { garpLines, globalGarpLines, instanceExtraIf } from './announcements.ts'
import { hmacBlock, hmacKeywords } from './auth-hmac.ts'
import { balancerBlocks, balancerLines } from './balancer.ts'
import { bfdKeywords } from './bfd.ts'
import { controlKeywords } from './control.ts'
import { garpGroupKeywords } from './garp-group.ts'
import { alwaysKeywords, globalKeywords } from './global.ts'
import { balancerGlobalKeywords } from './global-balancer.ts'
import { includeKeywords, unsupportedGlobalKeywords } from './global-unsupported.ts'
import { authenticationKeywords, groupKeywords, groupOptionLines } from './group.ts'
import { httpKeywords } from './http.ts'
import { identityKeywords } from './identity.ts'
import { instanceKeywords } from './instance.ts'
import { globalInstanceLines, instanceOptionLines } from './instance-options.ts'
import { checkedInstanceKeywords, unsupportedInstanceKeywords } from './instance-unsupported.ts'
import { interfaceDelayKeywords } from './interface-delays.ts'
import { ipvlanKeywords } from './ipvlan.ts'
import { mailKeywords } from './mail.ts'
import { globalNotifyLines, groupNotify, instanceNotify } from './notify.ts'
import { processKeywords as daemonKeywords } from './process.ts'
import { programKeywords } from './programs.ts'
import { rootBlocks, unsupportedRootKeywords } from './root.ts'
import { scriptKeywords, scriptOptionLines } from './script.ts'
import { snmpKeywords } from './snmp.ts'
import { staticBlocks, trackGroupKeywords } from './statics.ts'
import { fileKeywords, fileOptionLines, processKeywords, processOptionLines } from './trackers.ts'
import { globalUnicastLines, unicastLines } from './unicast.ts'
import { vmacKeywords } from './vmac.ts'

/** Every keyword, in the order of the documentation. */
export const keywords: readonly Keyword[] = [
  ...rootBlocks,
  ...identityKeywords,
  ...interfaceDelayKeywords,
  ...staticBlocks,
  ...unsupportedRootKeywords,
  ...balancerBlocks,
  ...globalKeywords,
  ...alwaysKeywords,
  ...mailKeywords,
  ...controlKeywords,
  ...httpKeywords,
  ...snmpKeywords,
  ...daemonKeywords,
  ...globalNotifyLines,
  ...programKeywords,
  ...globalInstanceLines,
  ...globalUnicastLines,
  ...globalGarpLines,
  ...includeKeywords,
  ...unsupportedGlobalKeywords,
  ...balancerGlobalKeywords,
  ...scriptKeywords,
  ...scriptOptionLines,
  ...processKeywords,
  ...processOptionLines,
  ...fileOptionLines,
  ...fileKeywords,
  ...bfdKeywords,
  ...instanceKeywords,
  ...instanceOptionLines,
  ...unicastLines,
  ...garpLines,
  ...instanceExtraIf,
  ...instanceNotify,
  ...checkedInstanceKeywords,
  ...unsupportedInstanceKeywords,
  ...hmacBlock,
  ...vmacKeywords,
  ...ipvlanKeywords,
  ...authenticationKeywords,
  ...hmacKeywords,
  ...groupKeywords,
  ...groupOptionLines,
  ...groupNotify,
  ...trackGroupKeywords,
  ...garpGroupKeywords,
  ...balancerLines,
]

const byBlock = new Map<BlockName, Map<string, Keyword>>()
for (const keyword of keywords) {
  const block = byBlock.get(keyword.block) ?? new Map<string, Keyword>()
  byBlock.set(keyword.block, block.set(keyword.name, keyword))
}

/**
 * The entry of a word in a block. `T` is the draft of that block: blocks and drafts belong together in
 * build/walk.ts, the only caller.
 */
export function findKeyword<T>(block: BlockName, name: string): Entry<T> | undefined {
  return byBlock.get(block)?.get(name) as Entry<T> | undefined
}

const ofBalancer = new Set(balancerLines.map(({ block }) => block))

/** The blocks in which a word is a keyword, for the message about one that is in the wrong place: not the load balancer's. */
export function blocksOf(name: string): readonly BlockName[] {
  return keywords
    .filter((keyword) => keyword.name === name && !ofBalancer.has(keyword.block))
    .map((keyword) => keyword.block)
}

/** The keyword of the block that differs least from a misspelt one; null when none is near. */
export function nearest(block: BlockName, name: string): string | null {
  const names = [...(byBlock.get(block)?.keys() ?? [])]
  const limit = name.length < 6 ? 1 : 2
  return names.find((other) => distance(name, other) <= limit) ?? null
}

/** Letters to insert, drop, change or swap with their neighbour to get from one word to the other. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3
  let before: readonly number[] = []
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = nextRow(a, b, i, last, before)
    before = last
    last = row
  }
  return last[b.length] ?? 0
}

/** Distances of the first i letters of `a` to each beginning of `b`, from the two rows before. */
function nextRow(
  a: string,
  b: string,
  i: number,
  last: readonly number[],
  before: readonly number[],
): readonly number[] {
  const row = [i]
  for (let j = 1; j <= b.length; j++) {
    const changed = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
    const least = Math.min(changed, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1)
    const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
    row.push(swapped ? Math.min(least, (before[j - 2] ?? 0) + 1) : least)
  }
  return row
}
