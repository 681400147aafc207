/** `static_ipaddress`, `static_routes`, `static_rules`, and the `track_group` that their interfaces are tracked for. */
import type { Draft, StaticsDraft, TrackGroupDraft } from '../draft/draft.ts'
import type { Lowering } from '../draft/report.ts'
import type { RootEntry, TrackGroupEntry } from '../grammar/entries.ts'
import { inBlock, word } from '../grammar/make.ts'
import { readRoute } from '../grammar/routes.ts'
import { readRule } from '../grammar/rules.ts'
import { optionValue } from '../grammar/settle.ts'
import { readStaticAddress } from '../grammar/static-address.ts'
import type { Place } from '../place.ts'
import { globalInputs } from './global.ts'
import { routeWords, ruleWords } from './routing.ts'

const there = 'that are there while the daemon runs, set before an instance begins, removed at stop'
const putBack =
  'One that another program removes is put back at once, unless no_track is written. docs/routes.md.'

export const staticBlocks: readonly RootEntry[] = inBlock<Draft>('root', [
  {
    name: 'static_ipaddress',
    form: 'entries',
    entry: 'as virtual_ipaddress, and [track_group GROUP]',
    doc: `Addresses ${there}; without dev on default_interface. ${putBack}`,
    each: ({ statics }, node, lowering) => {
      const usual = optionValue(
        globalInputs,
        'defaultInterface',
        lowering.globals.inputs,
        null,
        lowering,
      )
      const address = readStaticAddress(node, usual, lowering)
      if (address === null) return
      const trackGroup = settleGroup(address, [address.interface], statics, lowering)
      statics.addresses.push({ ...address, trackGroup })
    },
  },
  {
    name: 'static_routes',
    form: 'entries',
    entry: `${routeWords} [track_group GROUP]`,
    doc: `Routes ${there}. ${putBack}`,
    each: ({ statics }, node, lowering) => {
      const route = readRoute(node, lowering, { group: true })
      if (route === null) return
      const named = route.interface === null ? [] : [route.interface]
      statics.routes.push({ ...route, trackGroup: settleGroup(route, named, statics, lowering) })
    },
  },
  {
    name: 'static_rules',
    form: 'entries',
    entry: `${ruleWords} [track_group GROUP]`,
    doc: `Routing rules ${there}. ${putBack}`,
    each: ({ statics }, node, lowering) => {
      const rule = readRule(node, lowering, { group: true })
      if (rule === null) return
      const named = rule.incoming === null ? [] : [rule.incoming]
      statics.rules.push({ ...rule, trackGroup: settleGroup(rule, named, statics, lowering) })
    },
  },
  {
    name: 'track_group',
    args: [word('NAME')],
    missing: 'config',
    form: 'block',
    inner: 'track_group',
    doc: 'Instances that are in FAULT while the interface (dev, iif) of a static entry with this track_group is down or absent. It must stand above the entries.',
  },
])

export const trackGroupKeywords: readonly TrackGroupEntry[] = inBlock<TrackGroupDraft>(
  'track_group',
  [
    {
      name: 'group',
      form: 'entries',
      entry: 'INSTANCE …',
      doc: 'The instances; they may be defined below.',
      set: (draft, _values, node, lowering) => {
        if (draft.members !== null) {
          const message = `the members of ${draft.name} are listed twice; all count`
          lowering.error(node.place, 'duplicate', message)
        }
        draft.members ??= []
      },
      each: (draft, node) => {
        for (const { text: name, place } of [node.keyword, ...node.args])
          draft.members?.push({ name, place })
      },
    },
  ],
)

type Grouped = {
  readonly track: boolean
  readonly trackGroup: string | null
  readonly text: string
  readonly place: Place
}

/** The group that counts; null: none. `interfaces`: those that it would track. */
function settleGroup(
  { track, trackGroup, text, place }: Grouped,
  interfaces: readonly string[],
  { trackGroups }: StaticsDraft,
  lowering: Lowering,
): string | null {
  if (trackGroup === null) return null
  if (!trackGroups.has(trackGroup)) {
    const message = `there is no track_group ${trackGroup} above ${text}; the word is ignored`
    lowering.error(place, 'unknown-group', message)
    return null
  }
  if (interfaces.length === 0) {
    const message = `track_group ${trackGroup} of ${text} is ignored: it names no interface (dev, iif)`
    lowering.error(place, 'track-group', message)
    return null
  }
  if (track) return trackGroup
  const message = `track_group ${trackGroup} of ${text} is ignored: it has no_track too`
  lowering.lost(place, 'track-group', message)
  return null
}
