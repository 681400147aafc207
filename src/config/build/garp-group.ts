/** `garp_group`, when its block is read, and what an instance has of it. */
import { us } from '../../base/time.ts'
import type { GarpGroup } from '../announcements.ts'
import type { InstanceDraft } from '../draft/draft.ts'
import type { GarpGroupDraft } from '../draft/garp-group.ts'
import type { Lowering } from '../draft/report.ts'
import type { Node } from '../language/tree-types.ts'

/** A group that says nothing is left out. */
export function addGarpGroup(draft: GarpGroupDraft, node: Node, lowering: Lowering): void {
  const { arpIntervalUs, naIntervalUs, interfaces } = draft
  if (arpIntervalUs === null && naIntervalUs === null) {
    const message = 'garp_group has neither garp_interval nor gna_interval; it is ignored'
    return lowering.error(node.place, 'missing-value', message)
  }
  if (interfaces.length === 0) {
    const message = 'garp_group names no interface; it is ignored'
    return lowering.lost(node.place, 'empty-group', message)
  }
  lowering.garpGroups.push({
    arpIntervalUs: arpIntervalUs ?? us(0),
    naIntervalUs: naIntervalUs ?? us(0),
    interfaces,
  })
}

/** A reload that changes another group leaves the instance alone. */
export function garpGroupsOf(
  { interface: own, addresses, excluded }: InstanceDraft,
  { garpGroups }: Lowering,
): readonly GarpGroup[] {
  const names = new Set([own, ...[...addresses, ...excluded].map((it) => it.interface)])
  return garpGroups.filter(({ interfaces }) => interfaces.some((name) => names.has(name)))
}
