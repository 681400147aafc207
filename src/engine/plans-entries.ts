/** Routes and rules in plans: finished requests, told apart by the identity that the kernel gives them. */
import { errno } from '../wire/rtnetlink-numbers.ts'
import { encodeRouteTakeBack } from '../wire/rtnetlink-route.ts'
import type { Plan, Step } from './order.ts'

/** A route or a rule, resolved to the interfaces that it names. */
export type EntryFacts = {
  readonly kind: 'route' | 'rule'
  /** Of two with the same identity the kernel holds one. */
  readonly identity: string
  /** As the operator wrote it. */
  readonly text: string
  readonly add: Uint8Array
  readonly remove: Uint8Array
  /** Put back when another program removes it. */
  readonly track: boolean
}

/** EEXIST: it is there already. */
export const addEntry = ({ add }: EntryFacts): Step => ({
  kind: 'netlink',
  bytes: add,
  tolerate: [errno.EEXIST],
})

/** After another program's route took its place, else as at first. */
export const restoreEntry = (it: EntryFacts, replaced: boolean): Step =>
  addEntry(replaced ? { ...it, add: encodeRouteTakeBack(it.add) } : it)

/** What is not there: ESRCH for a route, ENOENT for a rule; ENODEV when its interface has gone. */
const removeEntry = ({ remove }: EntryFacts): Step => ({
  kind: 'netlink',
  bytes: remove,
  tolerate: [errno.ESRCH, errno.ENOENT, errno.ENODEV],
})

/** Backwards: rules before the routes that they lead to. */
export const removeEntries = (
  entries: readonly EntryFacts[],
  but: ReadonlySet<string> = new Set(),
): Plan =>
  entries
    .filter(({ identity }) => !but.has(identity))
    .reverse()
    .map(removeEntry)

/** Some go, some come, and those that are altered do both, in one request. */
export function planEntryChanges(
  before: readonly EntryFacts[],
  now: readonly EntryFacts[],
  shared: ReadonlySet<string>,
): Plan {
  const had = new Map(before.map((it) => [it.identity, it]))
  const wanted = new Map(now.map((it) => [it.identity, it]))
  const altered = (it: EntryFacts, other: EntryFacts | undefined) =>
    other === undefined || Buffer.compare(it.add, other.add) !== 0
  const gone = before.filter((it) => altered(it, wanted.get(it.identity)))
  const lasting = new Set([...shared].filter((identity) => !wanted.has(identity)))
  const added = now.filter((it) => altered(it, had.get(it.identity)))
  return [...removeEntries(gone, lasting), ...added.map(addEntry)]
}
