/** BFD sessions: one between two addresses, which alone tell whose the first packet of a neighbour is. */
import type { Ip } from '../../base/ip.ts'
import type { BfdDraft } from '../draft/bfd.ts'
import type { Lowering } from '../draft/report.ts'
import { checkName } from '../draft/trackers.ts'
import { settlePlain } from '../grammar/settle.ts'
import { bfdOptions } from '../keywords/bfd.ts'
import type { Node } from '../language/tree-types.ts'
import type { BfdInstance } from '../types.ts'

export function addBfd(name: string, draft: BfdDraft, node: Node, lowering: Lowering): void {
  const { neighbor, source, ...options } = settlePlain(bfdOptions, draft.options, lowering)
  if (neighbor === null) {
    const message = `bfd_instance ${name} has no neighbor_ip; it is ignored`
    lowering.error(node.place, 'missing-operand', message)
    return
  }
  if (source !== null && isSix(source) !== isSix(neighbor)) {
    const message = `bfd_instance ${name}: source_ip ${source} and neighbor_ip ${neighbor} are of two families; it is ignored`
    lowering.error(draft.options.placeOf('source') ?? node.place, 'address-family', message)
    return
  }
  const key = checkName('bfd', name)
  const clash = [...lowering.sessions.values()].find(
    (one) => one.name === key || isBetween(one, { neighbor, source, multihop: options.multihop }),
  )
  if (clash !== undefined) {
    const what =
      clash.name === key ? 'is defined twice' : `has the neighbour and the source of ${clash.name}`
    const message = `bfd_instance ${name} ${what} (first in line ${clash.place.line}); this one is ignored`
    lowering.error(node.place, 'duplicate', message)
    return
  }
  const { weight, reverse } = draft
  const session: BfdInstance = {
    ...{ ...options, name: key, neighbor, source, weight, reverse },
    place: node.place,
  }
  lowering.sessions.set(key, session)
}

type Path = Pick<BfdInstance, 'neighbor' | 'source' | 'multihop'>

/** Without a source a session takes its neighbour's packets at any of this host's addresses. */
const isBetween = (one: Path, other: Path): boolean =>
  one.neighbor === other.neighbor &&
  one.multihop === other.multihop &&
  (one.source === null || other.source === null || one.source === other.source)

const isSix = (address: Ip): boolean => address.includes(':')
