/**
 * `probe KIND TARGET … [OPTION VALUE]…`, the options on the line or one per line in braces: what an in-process
 * check asks. The words become plain data; whatever they cannot mean is reported with its place, and the check then cannot
 * run.
 */
import type { Command } from '../../base/command.ts'
import type { Lowering } from '../draft/report.ts'
import type { Node, Word } from '../language/tree-types.ts'
import { probeWords } from './probe-table.ts'
import { Mistake, type Option } from './probe-words.ts'

/** null after a mistake, which has been reported. */
export function readProbe(node: Node, lowering: Lowering): Command | null {
  const [kindWord, ...words] = node.args
  if (kindWord === undefined) return null
  try {
    return read(kindWord, words, node.block ?? [], lowering)
  } catch (error) {
    if (!(error instanceof Mistake)) throw error
    lowering.error(error.word, 'bad-probe', `${error.message}; the check cannot run`)
    return null
  }
}

function read(
  kindWord: Word,
  words: readonly Word[],
  block: readonly Node[],
  lowering: Lowering,
): Command {
  const kind = Object.hasOwn(probeWords, kindWord.text) ? probeWords[kindWord.text] : undefined
  if (kind === undefined) {
    const known = Object.keys(probeWords).join(', ')
    throw new Mistake(kindWord, `${kindWord.text} is no probe; there are ${known}`)
  }
  const [target = kindWord, ...after] = kind.target === 'none' ? [kindWord, ...words] : words
  if (target === kindWord && kind.target !== 'none')
    throw new Mistake(kindWord, `probe ${kindWord.text} needs a target`)
  const end = after.findIndex(({ text }, i) => kind.belongs?.(text, i) !== true)
  const more = end < 0 ? after : after.slice(0, end)
  const pairs = [...pairsOf(after.slice(more.length)), ...block.map(pairOf)]
  const options = optionsOf(kindWord, pairs, kind.options)
  return kind.make({ target, options, more, lowering })
}

type Pair = readonly [Word, Word | undefined]

const pairsOf = (words: readonly Word[]): Pair[] =>
  words.flatMap((word, i): Pair[] => (i % 2 === 0 ? [[word, words[i + 1]]] : []))

function pairOf({ keyword, args, block }: Node): Pair {
  const [value, surplus] = args
  if (block !== null) throw new Mistake(keyword, `${keyword.text} takes no block`)
  if (surplus !== undefined)
    throw new Mistake(surplus, `${keyword.text} takes one value; quote it if it has blanks`)
  return [keyword, value]
}

function optionsOf(kind: Word, pairs: readonly Pair[], allowed: readonly string[]): Option[] {
  return pairs.map(([name, value]) => {
    if (!allowed.includes(name.text)) {
      const known = allowed.length === 0 ? 'it takes none' : `it takes ${allowed.join(', ')}`
      throw new Mistake(name, `probe ${kind.text} has no option ${name.text}: ${known}`)
    }
    if (value === undefined) throw new Mistake(name, `${name.text} needs a value`)
    return { name, value }
  })
}
