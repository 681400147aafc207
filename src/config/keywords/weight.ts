/** `weight N [reverse]` of a check. */
import type { Lowering } from '../draft/report.ts'
import type { Values } from '../grammar/entries.ts'
import { number } from '../grammar/make.ts'
import type { Node } from '../language/tree-types.ts'

export function setWeight(
  draft: { weight: number; reverse: boolean },
  values: Values,
  node: Node,
  lowering: Lowering,
): void {
  const option = node.args[1]
  if (option !== undefined && option.text !== 'reverse') {
    const message = `weight takes 'reverse', not ${option.text}; it is ignored`
    lowering.error(option, 'unknown-word', message)
  }
  draft.weight = number(values)
  draft.reverse = option?.text === 'reverse'
}
