/** Sync groups: who belongs to which, and what is left of a group when that is known. */
import { groupBy } from '../../base/collections.ts'
import type { Draft, GroupDraft, InstanceDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import { optionValue, settlePlain } from '../grammar/settle.ts'
import { groupOptions } from '../keywords/group.ts'
import type { Instance, SyncGroup } from '../types.ts'
import { notifyOf } from './notify.ts'
import { reportTrackedTwice, resolveInterfaces, resolveScripts } from './tracked.ts'

/** Instance name → its group. An instance is in one group at most: the first. */
export function membership(draft: Draft, lowering: Lowering): Map<string, GroupDraft> {
  const defined = new Set(draft.instances.map(({ name }) => name))
  const groupOf = new Map<string, GroupDraft>()
  for (const group of draft.groups) {
    for (const { name, place } of group.members ?? []) {
      const before = groupOf.get(name)
      if (!defined.has(name)) {
        const message = `there is no instance ${name}; sync group ${group.name} goes without it`
        lowering.error(place, 'unknown-instance', message)
      } else if (before !== undefined) {
        const message = `${name} is in sync group ${before.name} already; here it is ignored`
        lowering.error(place, 'duplicate', message)
      } else groupOf.set(name, group)
    }
  }
  const members = byGroup(draft.instances, groupOf)
  for (const group of draft.groups) {
    reportTrackedTwice(group, members.get(group) ?? [], lowering)
    reportSize(group, members.get(group) ?? [], lowering)
  }
  return groupOf
}

/** The members of each group (null: of none), in the order in which the file defines them. */
export const byGroup = <T extends { readonly name: string }>(
  instances: readonly T[],
  groupOf: ReadonlyMap<string, GroupDraft>,
): Map<GroupDraft | null, T[]> => groupBy(instances, ({ name }) => groupOf.get(name) ?? null)

function reportSize(group: GroupDraft, members: readonly InstanceDraft[], lowering: Lowering) {
  const { name, place } = group
  if (members.length === 0) {
    lowering.error(place, 'empty-group', `sync group ${name} has no instance; it is ignored`)
  } else if (members.length === 1) {
    const message = `sync group ${name} has one instance only, ${members[0]?.name}; it does nothing`
    lowering.error(place, 'small-group', message)
  }
}

/** Whether its members keep their weighted trackers. */
export const weightsCount = ({ options }: GroupDraft, lowering: Lowering): boolean =>
  optionValue(groupOptions, 'trackingWeight', options, null, lowering)

/** null: nothing is left of it. */
export function finishGroup(
  group: GroupDraft,
  members: readonly Instance[],
  lowering: Lowering,
): SyncGroup | null {
  if (members.length === 0) return null
  return {
    name: group.name,
    members: members.map((one) => one.name),
    trackInterfaces: resolveInterfaces(group.trackInterfaces),
    trackChecks: resolveScripts(group.trackChecks, lowering),
    ...settlePlain(groupOptions, group.options, lowering),
    notify: notifyOf(group, lowering),
    place: group.place,
  }
}
