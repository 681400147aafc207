/**
 * What makes a mistake the same one in another version of the file, wherever it has moved: its code, the blocks
 * that it is in, the words of its line, and its message without numbers (line numbers, counts).
 */

import type { Diagnostic } from '../types.ts'
import type { Node } from './tree-types.ts'

export type Identified = Diagnostic & { readonly identity: string }

/** Where a line stands: `vrrp_instance VI_1 > virtual_ipaddress`, and its words. */
type Spot = { readonly column: number; readonly blocks: string; readonly words: string }
/** Of one line, by column. */
type Spots = Map<number, Spot>

export function identify(
  diagnostics: readonly Diagnostic[],
  nodes: readonly Node[],
): readonly Identified[] {
  const spots = new Map<string, Spots>()
  for (const { place } of diagnostics) if (place.line > 0) spots.set(lineKey(place), new Map())
  if (spots.size > 0) collect(nodes, '', spots)
  return diagnostics.map((diagnostic) => ({
    ...diagnostic,
    identity: identityOf(diagnostic, spots.get(lineKey(diagnostic.place))),
  }))
}

const lineKey = ({ file, line }: { readonly file: string; readonly line: number }): string =>
  `${line}:${file}`

/** Blocks nest 64 deep at most (lines-limits.ts). */
function collect(nodes: readonly Node[], blocks: string, spots: Map<string, Spots>): void {
  for (const { place, raw: words, block } of nodes) {
    const here = spots.get(lineKey(place))
    // Several lines stand at one place where a sequence or a definition unfolds: the first is as good as any.
    if (here?.has(place.column) === false)
      here.set(place.column, { column: place.column, blocks, words })
    if (block !== null) collect(block, blocks === '' ? words : `${blocks} > ${words}`, spots)
  }
}

function identityOf({ code, message, place }: Diagnostic, here: Spots | undefined): string {
  const spots = [...(here?.values() ?? [])].sort((a, b) => a.column - b.column)
  const spot = spots.findLast(({ column }) => column <= place.column) ?? spots[0]
  const general = message.replace(/\d+/g, '#')
  return [code, spot?.blocks ?? '', spot?.words ?? '', general].join('\n')
}
