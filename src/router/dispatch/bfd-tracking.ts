/** What a BFD session is to the instances that track it. */
import type { SlotId } from '../../engine/order.ts'
import type { DispatcherPorts } from './dispatcher-ports.ts'
import type { Roster } from './roster.ts'

type Concerned = Pick<DispatcherPorts, 'happened' | 'log'> & {
  readonly roster: Pick<Roster, 'instances' | 'scriptsOf' | 'assessTracking'>
}

/** `name` of the trackable; `word`: what it is now, UP or DOWN. */
export function sessionChanged(
  name: string,
  word: string,
  { roster, log, happened }: Concerned,
): void {
  const session = name.slice(name.indexOf('/') + 1)
  happened({ kind: 'bfd', name: session, up: word === 'UP' })
  for (const it of roster.instances)
    if (roster.scriptsOf(it).has(name)) {
      log.info(`VRRP_Instance(${it.name}) Tracked BFD instance ${session} is ${word}`)
    }
  roster.assessTracking(name)
}

/** Which slots may take over when a session is lost, by session. */
export function takeovers(
  roster: Pick<Roster, 'instances' | 'takeoversOf'>,
): ReadonlyMap<string, readonly SlotId[]> {
  const slots = new Map<string, SlotId[]>()
  for (const it of roster.instances)
    for (const name of roster.takeoversOf(it))
      slots.set(name, [...(slots.get(name) ?? []), it.slot])
  return slots
}
