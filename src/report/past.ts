/** Every transition that is still known, as `vipd history` and `/api/v1/history` tell it: kept on the disk, and in the memory. */
import type { StatusInstance, StatusTransition } from './status.ts'

/** `number`: of one that is kept. */
export type Told = StatusTransition & { readonly instance: string; readonly number?: number }

/** Of one instance, oldest first. */
export type InstancePast = {
  readonly name: string
  /** Its state now; of one that the daemon has no longer the last that is known, null: none is. */
  readonly state: string | null
  readonly history: readonly (StatusTransition & { readonly number?: number })[]
}

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
  span: { readonly name: string | null; readonly sinceMs: number; readonly untilMs: number },
): readonly Told[] =>
  instances
    .filter(({ name }) => span.name === null || name === span.name)
    .flatMap(({ name, history }) => history.map((it): Told => ({ instance: name, ...it })))
    .filter(({ at }) => Date.parse(at) >= span.sinceMs && Date.parse(at) <= span.untilMs)

/** Those that the daemon has first, in its order; then those that it had once. `name`: null is all. */
export function byInstance(
  told: readonly Told[],
  states: ReadonlyMap<string, string>,
  name: string | null,
): readonly InstancePast[] {
  const histories = new Map<string, InstancePast['history'][number][]>()
  for (const it of states.keys()) histories.set(it, [])
  for (const { instance, ...entry } of told) {
    const known = histories.get(instance)
    if (known === undefined) histories.set(instance, [entry])
    else known.push(entry)
  }
  return [...histories]
    .filter(([it]) => name === null || it === name)
    .map(([it, history]) => ({
      ...{ name: it, history },
      state: states.get(it) ?? history.at(-1)?.to ?? null,
    }))
}
