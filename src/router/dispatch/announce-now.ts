/** Announcements out of turn, ordered by the operator. Of a backup they would take the clients away from the master. */
import type { Roster } from './roster.ts'
import { stateNames } from './status.ts'

/** Throws when no instance is called so, or this host does not hold its addresses. */
export function announceNow(roster: Roster, name: string): void {
  const instance = roster.instances.find((it) => it.name === name)
  if (instance === undefined) throw new Error(`no instance is called ${name}`)
  if (instance.keeper.announceAll()) return
  const state = stateNames[instance.state.kind]
  throw new Error(`${name} is ${state} here: only the master announces its addresses`)
}
