/** What this version does not do and must not leave out: the instance is not run, with the reason. */
import type { InstanceDraft } from '../draft/draft.ts'
import type { InstanceEntry } from '../grammar/entries.ts'
import { anyWords, inBlock } from '../grammar/make.ts'
import type { Node } from '../language/tree-types.ts'

/** The instance is left out, with the reason; the rest of the file runs. */
const refuse = (why: string) => (draft: InstanceDraft, _values: unknown, node: Node) => {
  draft.refused ??= { place: node.place, why }
}

export const refusedKeywords: readonly InstanceEntry[] = inBlock<InstanceDraft>('vrrp_instance', [
  {
    name: 'use_ipvlan',
    status: 'refused',
    args: [anyWords('[[NAME] INTERFACE] [ADDRESS] [bridge|private|vepa] [group GROUP]')],
    since: '2.0.18',
    doc: 'An ipvlan interface for the addresses.',
    set: refuse(
      'use_ipvlan is not supported by this version: the addresses would appear on another interface than the one intended',
    ),
  },
])
