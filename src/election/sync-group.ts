/**
 * Sync groups: several instances that are master together or not at all. The rule is keepalived's: the group
 * becomes master only when every member would; one member in backup takes all to backup, one in fault all to
 * fault.
 *
 * How it maps on orders. At a follow's deadline the engine carries out `then` without asking. So a member has
 * its true lead prepared there only while `mayLead` holds, that is while it alone is missing; all others
 * have an empty one, and the deadline is reported as `held`: the member then *wants* to be master. The last
 * deadline of a dead peer takes over at once, without JavaScript; `groupDecide` sends the others after it.
 *
 *     member 1  ──held────────────────────► want:'master'
 *     member 2  ─────────held─────────────► want:'master'
 *     member 3  ───────────────expired────► (master already: mayLead was true since member 2 wanted)
 *
 * The daemon calls `groupDecide` after every step of a member, feeds what it returns, and calls again until it
 * returns nothing (at most three rounds); then it orders anew the members whose `mayLead` changed.
 */
import { isPending, ownFaults } from './faults.ts'
import type { Event, Fault, Machine, State } from './types.ts'

export type Member = { readonly machine: Machine }
export type Members = ReadonlyMap<string, Member>
export type GroupAction = { readonly member: string; readonly event: Event }

/**
 * What must be fed to which member so that the group agrees. Empty when it does. Each action removes a
 * disagreement and makes no new one, so feeding and asking again ends.
 */
export function groupDecide(group: string, members: Members): readonly GroupAction[] {
  const taking = new Map([...members].filter(([, { machine }]) => machine.state.kind !== 'stopped'))
  const faults = spreadFaults(group, taking)
  if (faults.length > 0) return faults
  const states = [...taking.values()].map(({ machine }) => machine.state)
  // Not every member has begun, or all are in fault together: nothing to agree on.
  if (!states.every((s) => s.kind === 'backup' || s.kind === 'master')) return []
  if (states.every(leadsOrWants)) return command(group, taking, 'backup', 'master')
  return command(group, taking, 'master', 'backup')
}

/** May this member's deadline lead on its own: is every other member master already, or waiting to be? */
export function mayLead(members: Members, name: string): boolean {
  return [...members].every(
    ([other, { machine }]) =>
      other === name || machine.state.kind === 'stopped' || leadsOrWants(machine.state),
  )
}

/** The state of the group as a whole, for its notification: master and backup only when all agree. */
export function groupState(members: Members): 'init' | 'backup' | 'master' | 'fault' | 'stopped' {
  const states = [...members.values()].map(({ machine }) => machine.state)
  const taking = states.filter(({ kind }) => kind !== 'stopped')
  if (taking.length === 0) return 'stopped'
  if (taking.some((s) => s.kind === 'fault' && !s.silent)) return 'fault'
  if (taking.some(({ kind }) => kind === 'init' || kind === 'fault')) return 'init'
  return taking.every(({ kind }) => kind === 'master') ? 'master' : 'backup'
}

const leadsOrWants = (state: State): boolean =>
  state.kind === 'master' || (state.kind === 'backup' && state.wantsMaster)

/** Each member that is `from` is told to become `want`. */
const command = (
  group: string,
  members: Members,
  from: 'master' | 'backup',
  want: 'master' | 'backup',
): readonly GroupAction[] =>
  [...members]
    .filter(([, { machine }]) => machine.state.kind === from)
    .map(([member]) => ({ member, event: { kind: 'group', want, group } }))

/** Lays on each member the fault of another one, and takes it off when no other has one any more. */
function spreadFaults(group: string, members: Members): readonly GroupAction[] {
  const faultyMembers = [...members].flatMap(([member, { machine }]) => {
    const own = ownFaults(faultsIn(machine.state))
    return own.length === 0 ? [] : [{ member, pending: own.every(isPending) }]
  })
  return [...members].flatMap(([member, { machine }]) => {
    const others = faultyMembers.filter((faultyMember) => faultyMember.member !== member)
    const faultyMember = others.find(({ pending }) => !pending) ?? others[0] ?? null
    // Not started yet: it will be looked at when it has begun.
    if (machine.state.kind === 'init') return []
    const imposed = faultsIn(machine.state).find((fault) => fault.kind === 'sync-group')
    if (same(imposed, faultyMember) && (imposed === undefined || imposed.group === group)) return []
    return [{ member, event: { kind: 'group-fault', group, faultyMember } }]
  })
}

const faultsIn = (state: State): readonly Fault[] => (state.kind === 'fault' ? state.faults : [])

const same = (
  imposed: (Fault & { kind: 'sync-group' }) | undefined,
  faultyMember: { readonly member: string; readonly pending: boolean } | null,
): boolean =>
  imposed === undefined || faultyMember === null
    ? imposed === undefined && faultyMember === null
    : imposed.member === faultyMember.member && imposed.pending === faultyMember.pending

/** The line that operators know from keepalived; the daemon logs it once for each change of the group. */
export function describeSync(group: string, state: 'master' | 'backup' | 'fault'): string {
  return `VRRP_Group(${group}) Syncing instances to ${state.toUpperCase()} state`
}
