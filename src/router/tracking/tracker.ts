/**
 * What one instance watches, with the present verdicts: its own and its sync group's scripts and interfaces,
 * the interface it speaks on, and those that its addresses are put on.
 */

import type { Config, Instance, SyncGroup, Tracked } from '../../config/types.ts'
import { type Assessment, assess, type Tracker } from '../../election/priority.ts'
import { interfacesOf } from '../binding/entry-facts.ts'
import { addressInterfaces } from '../binding/interface-resolution.ts'
import { staticInterfaces } from '../binding/static-facts.ts'
import { readings, type Verdicts } from './readings.ts'

export type { Assessment } from '../../election/priority.ts'

export function assessInstance(
  cfg: Instance,
  group: SyncGroup | null,
  verdicts: Verdicts,
): Assessment {
  const all = [...cfg.trackChecks, ...(group?.trackChecks ?? [])]
  // A session that is to end a wait for adverts, and no more: its loss must not hold the survivor.
  const scripts = all.filter(({ takeover, weight }) => takeover !== true || weight !== 0)
  const interfaces = [...cfg.trackInterfaces, ...(group?.trackInterfaces ?? [])]
  const implied = addressInterfaces(cfg).filter((name) => !interfaces.some((t) => t.name === name))
  const trackerOf = (tracked: Watched): Tracker => {
    const { kind, name, weight, reverse } = tracked
    const reading = readings[kind](name, verdicts)
    return { key: { kind, name }, reading, weight, reverse, holds: verdicts.holds(name) }
  }
  return assess(cfg.priority, [
    ...scripts.map(trackerOf),
    ...interfaces.map(trackerOf),
    ...implied.map((name) => trackerOf({ kind: 'interface', name, weight: 0, reverse: false })),
  ])
}

type Watched = Omit<Tracked, 'place'>

/** Every interface whose change can change the assessment or the resolution. */
export function watchedInterfaces(cfg: Instance, group: SyncGroup | null): ReadonlySet<string> {
  const tracked = [...cfg.trackInterfaces, ...(group?.trackInterfaces ?? [])].map((t) => t.name)
  const own = [cfg.interface ?? [], cfg.vrf ?? []].flat()
  const led = cfg.routes.flatMap(interfacesOf)
  const made = cfg.virtualLinks.flatMap(({ name, base }) => [name, base])
  return new Set([...own, ...tracked, ...addressInterfaces(cfg), ...led, ...made])
}

/** Every interface that the configuration names. */
export function namedInterfaces({ instances, groups, statics }: Config): readonly string[] {
  const watched = instances.flatMap((cfg) => [...watchedInterfaces(cfg, null)])
  const grouped = groups.flatMap((group) => group.trackInterfaces.map((t) => t.name))
  return [...watched, ...grouped, ...staticInterfaces(statics)]
}
