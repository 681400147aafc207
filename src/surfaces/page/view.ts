/** What the page knows, of what it was told. */
import type { Pair, PairPeer, SummaryInstance } from '../../report/pair.ts'
import type { Recent, RecentCheck, RecentInstance } from '../../report/recent.ts'
import type { Status, Transition } from '../../report/status.ts'

export type Right = 'none' | 'read' | 'act'

export type View = {
  status: Status | null
  /** What the peers say; null: none is asked. */
  pair: Pair | null
  pairAt: number
  /** `performance.now()` at which the status came: its ages are of then. */
  statusAt: number
  /** At which anything came that a living daemon sends. */
  newsAt: number
  /** The deciding part of the daemon does not answer. */
  silent: boolean
  right: Right
  /** Something can be ordered at this address, with the token for it. */
  actions: boolean
  /** What the host's clock is ahead of the browser's. */
  aheadMs: number
  windowMs: number
  readonly recentInstances: Map<string, RecentInstance>
  readonly recentChecks: Map<string, RecentCheck>
}

export const hourMs = 3_600_000

export const newView = (): View => ({
  status: null,
  pair: null,
  pairAt: 0,
  statusAt: 0,
  newsAt: performance.now(),
  silent: false,
  right: 'none',
  actions: false,
  aheadMs: 0,
  windowMs: hourMs,
  recentInstances: new Map(),
  recentChecks: new Map(),
})

/** The host's clock. */
export const hostNow = (view: View): number => Date.now() + view.aheadMs

/** How old the status is by now. */
export const ageOf = (view: View): number => performance.now() - view.statusAt

/** The daemon sends something each second: after two that did not come the page is out of date. */
export const staleMs = 2_500

export const isStale = (view: View): boolean =>
  view.silent || performance.now() - view.newsAt > staleMs

/** The state of one instance is the new one at once; all else follows with the next status. */
export function applyTransition(view: View, { instance, ...entry }: Transition): void {
  const { status } = view
  if (status === null) return
  const age = ageOf(view)
  const instances = status.instances.map((it) =>
    it.name === instance
      ? {
          ...it,
          state: entry.to === 'STOPPED' ? 'STOP' : (entry.to as typeof it.state),
          why: entry.why,
          sinceMs: -age,
          transitions: it.transitions + 1,
          history: [...it.history, entry],
        }
      : it,
  )
  view.status = { ...status, instances }
}

export function takeRecent(view: View, recent: Recent): void {
  for (const it of recent.instances) view.recentInstances.set(it.name, it)
  for (const it of recent.checks) view.recentChecks.set(it.name, it)
}

export type Side = {
  readonly peer: PairPeer
  /** What it says of that instance; null: it has said nothing. */
  readonly it: SummaryInstance | null
  /** How old that is. */
  readonly ageMs: number
}

/** What each peer says of an instance. */
export function sidesOf({ pair, pairAt }: View, name: string): readonly Side[] {
  return (pair?.peers ?? []).map((peer) => {
    const there = peer.counterparts.find(({ here }) => here === name)?.there
    const it = peer.summary?.instances.find((other) => other.name === there) ?? null
    return { peer, it, ageMs: (peer.answeredAgoMs ?? 0) + performance.now() - pairAt }
  })
}
