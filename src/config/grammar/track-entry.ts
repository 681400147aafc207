/** The lines of the `track_*` blocks. */
import type { TrackedDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import type { Node } from '../language/tree-types.ts'
import { readWord } from './arguments.ts'

/** `NAME [weight N [reverse|noreverse]]`, the line of every track_* block. */
export function readTrackEntry(
  node: Node,
  bound: number,
  lowering: Lowering,
): Omit<TrackedDraft, 'kind'> {
  const draft = { name: node.keyword.text, place: node.place, weight: null, reverse: null }
  const [option, value, reverse, ...more] = node.args
  if (option === undefined) return draft
  const ignored = 'the rest of the line is ignored'
  if (option.text !== 'weight') {
    lowering.error(
      option,
      'unknown-word',
      `${option.text} means nothing after ${draft.name}; ${ignored}`,
    )
    return draft
  }
  if (value === undefined) {
    lowering.error(option, 'missing-value', `weight of ${draft.name} needs a number; ${ignored}`)
    return draft
  }
  const range = { kind: 'integer', name: 'weight', min: -254, max: 254 } as const
  const weight = readWord(range, value)
  if (!('value' in weight) || Math.abs(Number(weight.value)) > bound) {
    const message = `weight ${value.text} of ${draft.name} is not in -${bound}..${bound}; its own weight counts`
    lowering.error(value, 'bad-number', message)
    return draft
  }
  const word = [reverse, ...more].find((w) => w !== undefined && !isReverse(w.text))
  if (word !== undefined) {
    lowering.error(word, 'unknown-word', `${word.text} means nothing after a weight; it is ignored`)
  }
  const said = reverse !== undefined && isReverse(reverse.text) ? reverse.text === 'reverse' : null
  return { ...draft, weight: Number(weight.value), reverse: said }
}

const isReverse = (text: string): boolean => text === 'reverse' || text === 'noreverse'
