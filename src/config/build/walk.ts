/**
 * Walks the tree with the table: finds the entry of each line, checks its form and arguments, and lets the
 * entry fill the draft. What is unknown is skipped whole with its place; nothing leaks into its parent.
 */

import type { Lowering } from '../draft/report.ts'
import { readArguments } from '../grammar/arguments.ts'
import type { BlockName, Entry } from '../grammar/entries.ts'
import { reasonOf } from '../keywords/reasons.ts'
import { blocksOf, findKeyword, nearest } from '../keywords/table.ts'
import type { Node } from '../language/tree-types.ts'

/** Reads the lines of a block into its draft. */
export function walkBlock<T>(
  block: BlockName,
  nodes: readonly Node[],
  draft: T,
  lowering: Lowering,
): void {
  const written = new Set<string>()
  for (const node of nodes) walkLine(block, node, draft, lowering, written)
}

/** One line, and the block behind it if the entry has one. `written`: those of this block so far that count once. */
export function walkLine<T>(
  block: BlockName,
  node: Node,
  draft: T,
  lowering: Lowering,
  written: Set<string> = new Set(),
): void {
  const entry = findKeyword<T>(block, node.keyword.text)
  if (entry === undefined) {
    unknown(block, node, lowering)
    return
  }
  if (entry.status === 'ignored' && entry.form !== 'line' && entry.block === 'root')
    lowering.noteBalancer(node.place, entry.name)
  if (!formFits(entry, node, lowering)) return
  reportDeprecated(entry, node, lowering)
  const values = readArguments(entry, node, lowering)
  if (values === null) {
    entry.bad?.(draft)
    return
  }
  if (entry.once === true) {
    if (written.has(entry.name)) {
      const message = `${entry.name} is written twice; the first counts`
      lowering.error(node.place, 'duplicate', message)
      return
    }
    written.add(entry.name)
  }
  reportStatus(entry, node, lowering)
  entry.set?.(draft, values, node, lowering)
  if (entry.inner !== undefined) walkBlock(entry.inner, node.block ?? [], draft, lowering)
  for (const line of entry.form === 'entries' ? (node.block ?? []) : []) {
    walkEntry(entry, line, draft, lowering)
  }
}

function walkEntry<T>(entry: Entry<T>, line: Node, draft: T, lowering: Lowering): void {
  if (line.block !== null) {
    const message = `${line.keyword.text} opens a block inside ${entry.name}; it is skipped`
    lowering.error(line.opened ?? line.place, 'unexpected-block', message)
    return
  }
  entry.each?.(draft, line, lowering)
}

function unknown(block: BlockName, node: Node, lowering: Lowering): void {
  const { text } = node.keyword
  const where = block === 'root' ? 'outside every block' : `in ${block}`
  const skipped = node.block === null ? 'the line is ignored' : 'the whole block is skipped'
  const near = lowering.mayGuess() ? nearest(block, text) : null
  const elsewhere = blocksOf(text).map((name) =>
    name === 'root' ? 'outside blocks' : `in ${name}`,
  )
  let hint = near === null ? '' : ` (did you mean ${near}?)`
  if (elsewhere.length > 0) hint = ` (it belongs ${[...new Set(elsewhere)].join(' or ')})`
  const message = `${text} is not a keyword ${where}${hint}; ${skipped}`
  lowering.error(node.keyword, 'unknown-keyword', message)
}

function formFits<T>(entry: Entry<T>, node: Node, lowering: Lowering): boolean {
  if (entry.form === 'line' && node.block !== null) {
    const message = `${entry.name} takes no block; the block is skipped`
    lowering.error(node.opened ?? node.place, 'unexpected-block', message)
    return true
  }
  if ((entry.form === 'block' || entry.form === 'entries') && node.block === null) {
    if (entry.name === 'global_defs') {
      const message = 'global_defs has no block { … }; it sets nothing'
      lowering.lost(node.place, 'missing-block', message)
      return false
    }
    lowering.error(
      node.place,
      'missing-block',
      `${entry.name} needs a block { … }; the line is ignored`,
    )
    return false
  }
  const [extra] = entry.form === 'entries' ? node.args.slice(entry.args.length) : []
  if (extra !== undefined) {
    const message = `the values of ${entry.name} belong inside its braces; '${extra.text}' is ignored`
    lowering.error(extra, 'extra-words', message)
  }
  return true
}

function reportDeprecated<T>(entry: Entry<T>, node: Node, lowering: Lowering): void {
  if (entry.deprecated === undefined) return
  const message = `${entry.name} is an old keyword; today it is ${entry.deprecated}`
  if (entry.deprecationCounts === true) lowering.error(node.place, 'deprecated', message)
  else lowering.warning(node.place, 'deprecated', message)
}

/** A block is reported as a whole, not each of its lines. */
const reported = new Set<BlockName>(['root', 'global_defs', 'vrrp_instance', 'vrrp_sync_group'])

function reportStatus<T>(entry: Entry<T>, node: Node, lowering: Lowering): void {
  if (!reported.has(entry.block)) return
  if (entry.status === 'recognised') {
    const message = `${entry.name} is not supported by this version and has no effect: ${reasonOf(entry)}`
    lowering.warning(node.place, 'not-supported', message)
  } else if (entry.status === 'ignored' && entry.form === 'line') {
    const message = `${entry.name} belongs to the load balancer and has no effect here`
    lowering.note(node.place, 'not-ours', message)
  }
}
