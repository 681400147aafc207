/** Which trackers an instance keeps: its own interface, an owner and a sync group each forbid some. */
import { groupBy } from '../../base/collections.ts'
import type { GroupDraft, InstanceDraft, TrackedDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import type { Tracked } from '../types.ts'

type Trackers = {
  readonly trackInterfaces: readonly Tracked[]
  readonly trackChecks: readonly Tracked[]
}

/** A script's own weight counts where the line names none. */
export function resolveScripts(entries: readonly TrackedDraft[], lowering: Lowering): Tracked[] {
  return entries.map((entry) => {
    const script = lowering.sessions.get(entry.name) ?? lowering.scripts.get(entry.name)
    // What only takes over counts for nothing else: a fault would hold the survivor.
    return {
      kind: entry.kind,
      name: entry.name,
      place: entry.place,
      weight: entry.weight ?? (entry.takeover ? 0 : (script?.weight ?? 0)),
      reverse: entry.reverse ?? script?.reverse ?? false,
      ...(entry.takeover === undefined ? {} : { takeover: entry.takeover }),
    }
  })
}

export const resolveInterfaces = (entries: readonly TrackedDraft[]): Tracked[] =>
  entries.map((entry) => ({ ...entry, weight: entry.weight ?? 0, reverse: entry.reverse ?? false }))

export function keepTrackers(
  draft: InstanceDraft,
  owner: boolean,
  weightsForbidden: boolean,
  lowering: Lowering,
): Trackers {
  const drop = (tracked: Tracked, why: string) => {
    lowering.error(tracked.place, 'tracker-dropped', `${draft.name}: ${why}`)
    return false
  }
  const called = ({ kind, name }: Tracked) => (kind === 'script' ? `script ${name}` : name)
  const trackChecks = resolveScripts(draft.trackChecks, lowering).filter((script) => {
    if (script.weight === 0) return true
    if (owner)
      return drop(script, `priority 255 takes no weights; ${called(script)} is not tracked`)
    if (!weightsForbidden) return true
    const why = `it is in a sync group without sync_group_tracking_weight; weighted ${called(script)} is not tracked`
    return drop(script, why)
  })
  const trackInterfaces = resolveInterfaces(draft.trackInterfaces)
    .filter((link) => {
      if (link.name === draft.interface) {
        return drop(link, `its own interface ${link.name} is tracked anyway; the line is ignored`)
      }
      if (link.weight === 0 || !owner) return true
      return drop(link, `priority 255 takes no weights; interface ${link.name} is not tracked`)
    })
    .map((link) => {
      if (link.weight === 0 || !weightsForbidden) return link
      drop(
        link,
        `it is in a sync group without sync_group_tracking_weight; interface ${link.name} counts without its weight`,
      )
      return { ...link, weight: 0, reverse: false }
    })
  return { trackInterfaces, trackChecks }
}

/** A group that tracks the interface of a member says twice what is known once. */
export function reportTrackedTwice(
  group: GroupDraft,
  members: readonly InstanceDraft[],
  lowering: Lowering,
): void {
  const byLink = groupBy(members, (member) => member.interface)
  for (const link of group.trackInterfaces) {
    const twice = byLink.get(link.name)
    if (twice === undefined) continue
    const names = twice.map(({ name }) => name).join(', ')
    const message = `${link.name} is the interface of ${names} and is tracked anyway`
    lowering.error(link.place, 'duplicate', message)
  }
}
