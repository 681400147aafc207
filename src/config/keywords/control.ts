/** `global_defs`: groups that may ask the daemon over sockets of their own; see docs/security.md. */
import type { GlobalDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import type { GlobalEntry, Values } from '../grammar/entries.ts'
import { inBlock, text, word } from '../grammar/make.ts'
import type { Node } from '../language/tree-types.ts'
import type { ControlGroup } from '../types.ts'

export const controlKeywords: readonly GlobalEntry[] = inBlock<GlobalDraft>('global_defs', [
  {
    name: 'vipd_control_group',
    args: [word('GROUP')],
    missing: 'config',
    default: 'none: the daemon’s user alone',
    doc: 'vipd’s own: members of this group may read over `vipd-read.sock` in the run directory: `vipd status`, `history`, `tune`, and so what checks print. Whatever orders something (`reload`, `drain`, `failover`, `resume`) stays with the daemon’s user. See docs/security.md.',
    set: (draft, values, node, lowering) => {
      draft.controlGroup = groupOf(values, node, lowering) ?? draft.controlGroup
    },
  },
  {
    name: 'vipd_push_group',
    args: [word('GROUP')],
    missing: 'config',
    default: 'none: the daemon’s user alone',
    doc: 'vipd’s own: members of this group may report the results of push checks (`vipd push`) over `vipd-push.sock` in the run directory, and nothing else. See docs/security.md.',
    set: (draft, values, node, lowering) => {
      draft.pushGroup = groupOf(values, node, lowering) ?? draft.pushGroup
    },
  },
])

function groupOf(values: Values, node: Node, lowering: Lowering): ControlGroup | null {
  const name = text(values)
  const gid = lowering.world.group(name)
  if (gid !== null) return { name, gid }
  const message = `there is no group ${name}: nothing is opened for ${node.keyword.text}`
  lowering.error(node.args[0] ?? node.place, 'unknown-group', message)
  return null
}
