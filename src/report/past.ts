/**
 * Every transition and claim of another machine that is still known, as `vipd history` and `/api/v1/history` tell it: kept on
 * the disk, and in the memory.
 */
import { claimIsWithin, type KeptClaim, newestClaims, type PastClaim } from './past-claim.ts'
import type { StatusInstance, StatusTransition } from './status.ts'

/** `number`: of one that is kept. */
export type Told = StatusTransition & { readonly instance: string; readonly number?: number }

/** Of one instance, oldest first. */
export type InstancePast = {
  readonly name: string
  /** Its state now; of one that the daemon has no longer the last that is known, null: none is. */
  readonly state: string | null
  readonly history: readonly (StatusTransition & { readonly number?: number })[]
  /** Other machines that claimed an address of it. */
  readonly claims: readonly PastClaim[]
}

/** Oldest first, each. */
export type AllTold = {
  readonly told: readonly Told[]
  readonly claims: readonly KeptClaim[]
}

type Span = { readonly name: string | null; readonly sinceMs: number; readonly untilMs: number }

/** Those of one millisecond stay as they are. */
const inOrder = (told: readonly Told[]): readonly Told[] =>
  [...told].sort((a, b) => Date.parse(a.at) - Date.parse(b.at))

const identity = ({ instance, at, from, to }: Told): string => [instance, at, from, to].join(' ')

/** Oldest first; what is in both is told once, with its number. */
export function joined(kept: readonly Told[], inMemory: readonly Told[]): readonly Told[] {
  const there = new Set(kept.map(identity))
  return inOrder([...kept, ...inMemory.filter((it) => !there.has(identity(it)))])
}

/** What the daemon has in its memory, of the span; `name`: null is all instances. */
export const remembered = (
  instances: readonly Pick<StatusInstance, 'name' | 'history'>[],
  span: Span,
): readonly Told[] =>
  instances
    .filter(({ name }) => span.name === null || name === span.name)
    .flatMap(({ name, history }) => history.map((it): Told => ({ instance: name, ...it })))
    .filter(({ at }) => Date.parse(at) >= span.sinceMs && Date.parse(at) <= span.untilMs)

/** What the daemon has in its memory of them, of the span. */
export const rememberedClaims = (
  instances: readonly { readonly name: string; readonly claims: readonly PastClaim[] }[],
  span: Span,
): readonly KeptClaim[] =>
  newestClaims(
    instances
      .flatMap(({ name, claims }) => claims.map((it): KeptClaim => ({ instance: name, ...it })))
      .filter((it) => claimIsWithin(it, span)),
  )

/** Those that the daemon has first, in its order; then those that it had once. `name`: null is all. */
export function byInstance(
  { told, claims }: AllTold,
  states: ReadonlyMap<string, string>,
  name: string | null,
): readonly InstancePast[] {
  const histories = groupedByInstance(told)
  const claimed = groupedByInstance(claims)
  return [...new Set([...states.keys(), ...histories.keys(), ...claimed.keys()])]
    .filter((it) => name === null || it === name)
    .map((it) => {
      const history = histories.get(it) ?? []
      const state = states.get(it) ?? history.at(-1)?.to ?? null
      return { name: it, history, state, claims: claimed.get(it) ?? [] }
    })
}

function groupedByInstance<Entry extends { readonly instance: string }>(
  entries: readonly Entry[],
): ReadonlyMap<string, readonly Omit<Entry, 'instance'>[]> {
  const grouped = new Map<string, Omit<Entry, 'instance'>[]>()
  for (const { instance, ...entry } of entries) {
    const known = grouped.get(instance)
    if (known === undefined) grouped.set(instance, [entry])
    else known.push(entry)
  }
  return grouped
}
