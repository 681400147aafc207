/** Lines that this version does not act on and whose words are more than a table of arguments says. */
import type { Lowering } from '../draft/report.ts'
import { readWord } from '../grammar/arguments.ts'
import { integer } from '../grammar/make.ts'
import type { Node, Word } from '../language/tree-types.ts'

/** `[all] SECONDS` of garp_extra_if; null: it says nothing that can be used. */
export function readExtraIf(
  node: Node,
  least: number,
  most: number,
  lowering: Lowering,
): { readonly all: boolean; readonly seconds: number } | null {
  const all = node.args[0]?.text === 'all'
  const words = all ? node.args.slice(1) : node.args
  if (words.length === 0) {
    const message = `${node.keyword.text} needs a number of seconds`
    lowering.error(node.place, 'missing-operand', message)
    return null
  }
  const read = words.map((word) => checkInteger(word, least, most, node, lowering))
  const [seconds = null] = read
  return seconds === null ? null : { all, seconds }
}

/** A processor for each word that is one. */
export function readProcessors(node: Node, lowering: Lowering): readonly number[] {
  if (node.args.length === 0) {
    lowering.error(node.place, 'missing-operand', `${node.keyword.text} needs a processor`)
  }
  return node.args.flatMap((word) => checkInteger(word, 0, 4095, node, lowering) ?? [])
}

/** null: it is said that it is no such number. */
function checkInteger(
  word: Word,
  least: number,
  most: number,
  node: Node,
  lowering: Lowering,
): number | null {
  const read = readWord(integer('NUMBER', least, most), word)
  if ('value' in read) return Number(read.value)
  lowering.error(word, 'bad-number', `${node.keyword.text} ${word.text} ${read.why}; it is ignored`)
  return null
}

export const checkProcessors = (
  _draft: unknown,
  _values: unknown,
  node: Node,
  lowering: Lowering,
): void => void readProcessors(node, lowering)

/** `[tcp S] [tcpfin S] [udp S]`. */
export function checkTimeouts(
  _draft: unknown,
  _values: unknown,
  node: Node,
  lowering: Lowering,
): void {
  if (/^\S+(\s+(tcp|tcpfin|udp)\s+\d+)+$/.test(node.raw.trim())) return
  lowering.error(
    node.place,
    'bad-timeouts',
    'lvs_timeouts takes tcp, tcpfin and udp, each with seconds',
  )
}
