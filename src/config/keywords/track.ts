/** The `track_*` blocks of instances and of sync groups. */

import type { TrackedDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import { checkName } from '../draft/trackers.ts'
import type { Entry } from '../grammar/entries.ts'
import { readTrackEntry } from '../grammar/track-entry.ts'
import type { Node } from '../language/tree-types.ts'
import type { Tracked } from '../types.ts'

type Kind = Exclude<Tracked['kind'], 'interface'>

/** What defines a check of that kind, and how far a weight goes. */
const definitions: Readonly<Record<Kind, { readonly by: string; readonly bound: number }>> = {
  script: { by: 'vrrp_script', bound: 253 },
  process: { by: 'vrrp_track_process', bound: 254 },
  file: { by: 'track_file', bound: 254 },
  bfd: { by: 'bfd_instance', bound: 253 },
}

const takeover =
  ' With `takeover`, which keepalived has not, a backup takes over as soon as the session with the master’s address is lost, and the session counts for nothing else unless a weight is written here: [docs/bfd.md](bfd.md).'

/** `who`: 'counts here', 'every member tracks'. */
export function trackEntries<T extends { readonly trackChecks: TrackedDraft[] }>(
  where: string,
): readonly Pick<Entry<T>, 'name' | 'doc' | 'form' | 'entry' | 'each'>[] {
  const one = (kind: Kind, what: string) => ({
    name: `track_${kind}`,
    form: 'entries' as const,
    entry: `NAME [weight -${definitions[kind].bound}..${definitions[kind].bound} [reverse|noreverse]]${kind === 'bfd' ? ' [takeover]' : ''}`,
    doc: `${what}, defined above, ${where}. A weight written here replaces its own.${kind === 'bfd' ? takeover : ''}`,
    each: (draft: T, node: Node, lowering: Lowering) =>
      trackCheck(kind, draft.trackChecks, node, lowering),
  })
  return [
    one('script', 'Scripts'),
    one('process', 'Processes (`vrrp_track_process`)'),
    one('file', 'Files (`track_file`)'),
    one('bfd', 'BFD sessions (`bfd_instance`)'),
  ]
}

/** It must stand above. */
function trackCheck(kind: Kind, list: TrackedDraft[], node: Node, lowering: Lowering): void {
  const { by, bound } = definitions[kind]
  const written = node.keyword.text
  const name = checkName(kind, written)
  if (!lowering.scripts.has(name) && !lowering.sessions.has(name)) {
    const code = kind === 'script' ? 'unknown-script' : 'unknown-tracker'
    lowering.error(node.place, code, `no ${by} ${written} is defined above; it is not tracked`)
    return
  }
  // keepalived's line has no such word: it is taken out before the rest is read.
  const takes = kind === 'bfd' && node.args.some(({ text }) => text === 'takeover')
  const plain = takes
    ? { ...node, args: node.args.filter(({ text }) => text !== 'takeover') }
    : node
  const entry = { ...readTrackEntry(plain, bound, lowering), kind, name }
  add(list, takes ? { ...entry, takeover: true } : entry, lowering)
}

export function trackInterface(list: TrackedDraft[], node: Node, lowering: Lowering): void {
  const name = node.keyword.text
  if (lowering.interfaceIsMissing(name)) {
    lowering.missingInterface(node.place, `tracked interface ${name} does not exist`)
  }
  add(list, { ...readTrackEntry(node, 253, lowering), kind: 'interface', name }, lowering)
}

function add(list: TrackedDraft[], entry: TrackedDraft, lowering: Lowering): void {
  if (lowering.listed.before(list, entry.name, entry.place) !== null) {
    lowering.error(entry.place, 'duplicate', `${entry.name} is tracked twice; the first counts`)
  } else list.push(entry)
}
