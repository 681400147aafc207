/**
 * The list of faults of one machine. An instance's own faults and the one that its sync group lays on it
 * arrive in different events and are kept in one list, each kind replaced only by its own event.
 */
import { type Faulty, move, stay } from './effects.ts'
import type { Event, Fault, Machine, Step } from './types.ts'

type FaultyMember = (Event & { kind: 'group-fault' })['faultyMember']

/** Not a failure: a first result is being waited for, here or at another member of the group. */
export const isPending = (fault: Fault): boolean =>
  fault.kind === 'check-pending' || (fault.kind === 'sync-group' && fault.pending)

/** What the instance itself suffers from, without what the group imposed on it. */
export const ownFaults = (faults: readonly Fault[]): readonly Fault[] =>
  faults.filter((fault) => fault.kind !== 'sync-group')

export const withOwnFaults = (
  standing: readonly Fault[],
  own: readonly Fault[],
): readonly Fault[] => [
  ...ownFaults(own),
  ...standing.filter((fault) => fault.kind === 'sync-group'),
]

export const withGroupFault = (
  standing: readonly Fault[],
  group: string,
  faultyMember: FaultyMember,
): readonly Fault[] =>
  faultyMember === null
    ? ownFaults(standing)
    : [...ownFaults(standing), { kind: 'sync-group', group, ...faultyMember }]

/** From any state that takes part; without faults nothing happens. */
export function enterFault(machine: Machine, faults: readonly Fault[]): Step {
  if (faults.length === 0) return stay(machine)
  const state: Faulty = { kind: 'fault', faults, silent: faults.every(isPending) }
  return move(machine, state, { kind: 'faults', faults })
}
