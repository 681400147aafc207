/**
 * A reload as a value: what has to change so that what runs becomes what is wanted, worked out before anything is
 * touched. Nothing here asks a kernel or a clock, so the plan of a start is the plan of a reload from nothing.
 */

import { type Clash, doubleVrids, pairInstances } from '../../config/build/instance-identity.ts'
import { errorAt } from '../../config/language/diagnostics.ts'
import type { Statics } from '../../config/statics.ts'
import type {
  Config,
  Diagnostic,
  Globals,
  Instance,
  Script,
  SyncGroup,
} from '../../config/types.ts'
import type { SlotId } from '../../engine/order.ts'
import { globalChanges } from './globals.ts'
import { describeAlteration } from './instance-changes.ts'
import { same } from './same.ts'
import { type Kept, type Unit, unitsOf } from './units.ts'

/** One instance that takes part. `applied`: its configuration is in force; if not, it is applied once more. */
export type RunningFact = {
  readonly slot: SlotId
  readonly cfg: Instance
  readonly applied: boolean
}

export type ReloadFacts = {
  readonly running: readonly RunningFact[]
  /** The globals that the daemon was started with. */
  readonly started: Globals
}

export type ReloadPlan = {
  readonly ok: true
  readonly next: Config
  /** In the order in which they are applied: what only releases comes first, what only acquires last. */
  readonly units: readonly Unit[]
  /** What the check pool has to know while instances of both configurations take part. */
  readonly checksMeanwhile: readonly Script[]
  /** One sentence each: what is added, altered and removed, and what only a restart can change. */
  readonly changes: readonly string[]
}

/** Nothing was changed, and nothing would have been. */
export type Refusals = { readonly ok: false; readonly refusals: readonly Diagnostic[] }

/** So many instances are compared between two steps: about a millisecond. */
const instancesPerStep = 100

/**
 * `old`: the configuration that was applied last. Step by step, for a caller with something else to do meanwhile. Asks
 * nothing and changes nothing.
 */
export function* planReload(
  old: Config,
  next: Config,
  facts: ReloadFacts,
): Generator<void, ReloadPlan | Refusals> {
  const clashes = doubleVrids(next.instances)
  if (clashes.length > 0) {
    const refusal = ({ one, message }: Clash) => errorAt(one.place, 'double-vrid', message, 'fatal')
    return { ok: false, refusals: clashes.map(refusal) }
  }
  yield
  const { kept, removed, added } = pairInstances(facts.running, next.instances)
  yield
  const pairs: Kept[] = []
  const said: string[] = []
  for (const { from, to } of kept) {
    const altered = !same(from.cfg, to)
    pairs.push({ slot: from.slot, from: from.cfg, to, altered: altered || !from.applied })
    if (altered) said.push(describeAlteration(from.cfg, to))
    else if (!from.applied) said.push(`${to.name}: applied again`)
    if (pairs.length % instancesPerStep === 0) yield
  }
  const units = yield* unitsOf({ kept: pairs, removed, added, old: old.groups, next: next.groups })
  yield
  const names = new Set(next.scripts.map(({ name }) => name))
  const changes = [
    ...removed.map(({ cfg }) => `${cfg.name}: removed`),
    ...said,
    ...added.map(({ name }) => `${name}: added`),
    ...(facts.running.length > 0 ? groupChanges(old.groups, next.groups) : []),
    ...scriptChanges(old.scripts, next.scripts),
    ...listChanges(old.bfd, next.bfd).map(({ name, verb }) => `${kindOf(name)}: ${verb}`),
    ...staticChanges(old.statics, next.statics),
    ...globalChanges(facts.started, old.globals, next.globals),
  ]
  return {
    ok: true,
    next,
    units,
    checksMeanwhile: [...next.scripts, ...old.scripts.filter(({ name }) => !names.has(name))],
    changes,
  }
}

function groupChanges(old: readonly SyncGroup[], next: readonly SyncGroup[]): readonly string[] {
  return listChanges(old, next).map(({ name, verb }) => `sync group ${name}: ${verb}`)
}

/** `init_file` writes at start alone, as in keepalived. */
function scriptChanges(old: readonly Script[], next: readonly Script[]): readonly string[] {
  const before = new Map(old.map((script) => [script.name, script]))
  const said = listChanges(old, next).map(({ name, verb }) => `${kindOf(name)}: ${verb}`)
  const initial = next.flatMap(({ name, initialValue }) => {
    const known = before.get(name)?.initialValue ?? null
    const news = initialValue !== null && !same(known, initialValue)
    return news ? [`init_file of ${kindOf(name)}: takes effect at the next start`] : []
  })
  return [...said, ...initial]
}

/** Told apart by what is written: what is altered is another one. */
function staticChanges(old: Statics, next: Statics): readonly string[] {
  const lines = ({ addresses, routes, rules }: Statics): readonly string[] => [
    ...addresses.map(({ text }) => `static address ${text}`),
    ...routes.map(({ text }) => `static route ${text}`),
    ...rules.map(({ text, preference }) => `static rule ${preference}: ${text}`),
  ]
  const [before, after] = [new Set(lines(old)), new Set(lines(next))]
  return [
    ...[...before].flatMap((line) => (after.has(line) ? [] : [`${line}: removed`])),
    ...[...after].flatMap((line) => (before.has(line) ? [] : [`${line}: added`])),
  ]
}

const kindOf = (name: string): string =>
  name.includes('/') ? `track_${name.replace('/', ' ')}` : `script ${name}`

function listChanges<T extends { readonly name: string }>(
  old: readonly T[],
  next: readonly T[],
): readonly { readonly name: string; readonly verb: string }[] {
  const before = new Map(old.map((one) => [one.name, one]))
  const after = new Set(next.map(({ name }) => name))
  const removed = old.flatMap(({ name }) => (after.has(name) ? [] : [{ name, verb: 'removed' }]))
  const others = next.flatMap((one) => {
    const known = before.get(one.name)
    if (known === undefined) return [{ name: one.name, verb: 'added' }]
    return same(known, one) ? [] : [{ name: one.name, verb: 'altered' }]
  })
  return [...removed, ...others]
}
