/**
 * What one instance watches, with the present verdicts: its own and its sync group's scripts and interfaces,
 * the interface it speaks on, and those that its addresses are put on.
 */

import { describeResult } from '../../checks/verdict/describe.ts'
import type { CheckStatus } from '../../checks/verdict/types.ts'
import type { Config, Instance, SyncGroup, Tracked } from '../../config/types.ts'
import { type Assessment, assess, type Tracker } from '../../election/priority.ts'
import type { KernelView } from '../../kernel/mirror.ts'
import { addressInterfaces } from '../binding/interface-resolution.ts'

export type { Assessment } from '../../election/priority.ts'

/** Where verdicts come from. */
export type Verdicts = {
  check(name: string): CheckStatus | null
  /** A script that a reload brought does not hold anybody until its first result. */
  holds(name: string): boolean
  readonly kernel: KernelView
}

export function assessInstance(
  cfg: Instance,
  group: SyncGroup | null,
  verdicts: Verdicts,
): Assessment {
  const scripts = [...cfg.trackChecks, ...(group?.trackChecks ?? [])]
  const interfaces = [...cfg.trackInterfaces, ...(group?.trackInterfaces ?? [])]
  const implied = addressInterfaces(cfg).filter((name) => !interfaces.some((t) => t.name === name))
  return assess(cfg.priority, [
    ...scripts.map((tracked) => checkTracker(tracked, verdicts)),
    ...interfaces.map((tracked) => interfaceTracker(tracked, verdicts.kernel)),
    ...implied.map((name) =>
      interfaceTracker({ name, weight: 0, reverse: false }, verdicts.kernel),
    ),
  ])
}

/** Every interface whose change can change the assessment or the resolution. */
export function watchedInterfaces(cfg: Instance, group: SyncGroup | null): ReadonlySet<string> {
  const tracked = [...cfg.trackInterfaces, ...(group?.trackInterfaces ?? [])].map((t) => t.name)
  const own = cfg.interface === null ? [] : [cfg.interface]
  return new Set([...own, ...tracked, ...addressInterfaces(cfg)])
}

/** Every interface that the configuration names. */
export function namedInterfaces({ instances, groups }: Config): readonly string[] {
  const watched = instances.flatMap((cfg) => [...watchedInterfaces(cfg, null)])
  return [...watched, ...groups.flatMap((group) => group.trackInterfaces.map((t) => t.name))]
}

function checkTracker(tracked: Tracked, verdicts: Verdicts): Tracker {
  const { name, weight, reverse } = tracked
  const status = verdicts.check(name)
  // A file that hangs has no number: it is a check that has failed.
  if (tracked.kind === 'file' && status?.last?.outcome.kind !== 'timeout') {
    const value = numberIn(status)
    return { kind: 'file', name, weight, reverse, value, holds: verdicts.holds(name) }
  }
  const good = status?.good ?? null
  const verdict = good === null ? 'unknown' : good ? 'good' : 'bad'
  const detail = status?.last == null ? '' : describeResult(status.last)
  return { kind: 'check', name, weight, reverse, verdict, detail, holds: verdicts.holds(name) }
}

/** What cannot be read is 0. */
function numberIn(status: CheckStatus | null): number | null {
  const outcome = status?.last?.outcome
  if (outcome === undefined) return null
  return outcome.kind === 'value' ? outcome.value : 0
}

function interfaceTracker(
  tracked: Pick<Tracked, 'name' | 'weight' | 'reverse'>,
  kernel: KernelView,
): Tracker {
  const link = kernel.linkByName(tracked.name)
  const verdict = link === null ? 'missing' : link.up ? 'up' : 'down'
  const { name, weight, reverse } = tracked
  return { kind: 'interface', name, weight, reverse, verdict }
}
