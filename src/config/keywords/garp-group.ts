/** `garp_group`: interfaces that share a pace of announcements. */
import type { Us } from '../../base/time.ts'
import type { GarpGroupDraft } from '../draft/garp-group.ts'
import type { Lowering } from '../draft/report.ts'
import type { Entry } from '../grammar/entries.ts'
import { decimal, inBlock, interfaceName, seconds } from '../grammar/make.ts'
import type { Word } from '../language/tree-types.ts'

const gap = (
  name: string,
  of: string,
  fill: (draft: GarpGroupDraft, value: Us) => void,
): Pick<Entry<GarpGroupDraft>, 'name' | 'args' | 'unit' | 'default' | 'doc' | 'set'> => ({
  name,
  args: [decimal('SECONDS', 0, 4294.967295, 6)],
  unit: 's',
  default: '0 (no gap)',
  doc: `Least time between two ${of} on all interfaces of the group.`,
  set: (draft, values) => fill(draft, seconds(values)),
})

export const garpGroupKeywords: readonly Entry<GarpGroupDraft>[] = inBlock<GarpGroupDraft>(
  'garp_group',
  [
    gap('garp_interval', 'gratuitous ARP frames', (draft, value) => {
      draft.arpIntervalUs = value
    }),
    gap('gna_interval', 'unsolicited neighbour advertisements', (draft, value) => {
      draft.naIntervalUs = value
    }),
    {
      name: 'interface',
      args: [interfaceName],
      doc: 'An interface of the group; more lines add others.',
      set: (draft, _values, node, lowering) => addAll(draft, node.args.slice(0, 1), lowering),
    },
    {
      name: 'interfaces',
      form: 'entries',
      entry: 'INTERFACE …',
      doc: 'Interfaces of the group.',
      each: (draft, node, lowering) => addAll(draft, [node.keyword, ...node.args], lowering),
      set: (_draft, _values, node, lowering) => {
        if ((node.block ?? []).length > 0) return
        lowering.error(node.place, 'empty-group', 'interfaces names none; it is ignored')
      },
    },
  ],
)

/** Those of one line. An interface is in one group: the first that names it. */
function addAll(draft: GarpGroupDraft, words: readonly Word[], lowering: Lowering): void {
  for (const word of words) {
    const name = word.text
    if (lowering.interfaceIsMissing(name))
      lowering.missingInterface(word, `interface ${name} of garp_group does not exist`)
    else if (isGrouped(name, draft, lowering)) {
      const message = `${name} is in a garp_group already; the first counts`
      lowering.error(word, 'duplicate', message)
    } else draft.interfaces.push(name)
  }
}

const isGrouped = (name: string, draft: GarpGroupDraft, { garpGroups }: Lowering): boolean =>
  [draft, ...garpGroups].some(({ interfaces }) => interfaces.includes(name))
