/** `/api/v1/history`: what is kept over restarts, as far as it can be read, and what the daemon has in its memory. */
import { readInstant } from '../../report/instant.ts'
import {
  claimsOf,
  type KeptPage,
  type LatestPage,
  type LatestQuery,
  transitionsOf,
} from '../../report/kept.ts'
import {
  byInstance,
  type InstancePast,
  joined,
  remembered,
  rememberedClaims,
  type Told,
} from '../../report/past.ts'
import { claimKey, type KeptClaim, newestClaims } from '../../report/past-claim.ts'
import type { Status } from '../../report/status.ts'
import { Refusal } from './answers.ts'
import type { Outcome } from './messages.ts'

/** Of all instances together; about as many as one message from the history's thread holds. */
const historyMax = 1_000

export type History = {
  readonly instances: readonly InstancePast[]
  /** Ask again with this `before` for older ones; null: that was all. */
  readonly older: number | null
  /** Why only what the daemon has in its memory is told; null: what is kept is told as well. */
  readonly memoryOnly: string | null
}

/** Throws Refusal. */
export function latestQuery(asked: URLSearchParams, nowMs: number): LatestQuery {
  const instant = (key: string, otherwise: number): number => {
    const text = asked.get(key)
    if (text === null) return otherwise
    const at = readInstant(text, nowMs)
    if (at !== null) return at
    throw bad(`${key} is a span like 1h, which is so long ago, or a date like 2026-11-28T03:00`)
  }
  return {
    name: asked.get('instance'),
    sinceMs: instant('since', 0),
    untilMs: instant('until', Number.MAX_SAFE_INTEGER),
    before: asked.has('before') ? whole(asked, 'before', Number.MAX_SAFE_INTEGER) : null,
    limit: asked.has('limit') ? whole(asked, 'limit', historyMax) : historyMax,
  }
}

const bad = (message: string): Refusal => new Refusal(400, 'bad-query', message)

function whole(asked: URLSearchParams, key: string, max: number): number {
  const text = asked.get(key) ?? ''
  if (/^[1-9]\d*$/.test(text) && Number(text) <= max) return Number(text)
  throw bad(`${key} is a whole number from 1 to ${max}`)
}

/**
 * `kept`: what the daemon answers, with a KeptPage; null: too many ask. Returns null when no instance has the name that is
 * asked for, nor had.
 */
export function historyOf(
  status: Status,
  query: LatestQuery,
  kept: Outcome | null,
): History | null {
  const page = pageOf(kept)
  const isKept = typeof page !== 'string'
  const there: readonly Told[] = isKept ? transitionsOf(page) : []
  const older = isKept ? page.next : null
  // What comes before a page that was cut is on another one; so is, perhaps, what is of its first millisecond.
  const sinceMs = older === null ? query.sinceMs : Date.parse(there[0]?.at ?? '') + 1
  const inMemory = query.before === null ? remembered(status.instances, { ...query, sinceMs }) : []
  const told = joined(there, inMemory).slice(-query.limit)
  const fromMs = older === null ? 0 : sinceMs
  const claims = claimsWith(isKept ? page : null, status, query, fromMs)
  const states = new Map(status.instances.map(({ name, state }) => [name, state]))
  const { name } = query
  if (name !== null && told.length + claims.length === 0 && !states.has(name)) return null
  const instances = byInstance({ told, claims }, states, name)
  return { instances, older, memoryOnly: isKept ? null : page }
}

/** Those of the page, as the memory has them by now, and on the first page those that are in the memory alone, of `fromMs` on. */
function claimsWith(
  page: KeptPage | LatestPage | null,
  status: Status,
  query: LatestQuery,
  fromMs: number,
): readonly KeptClaim[] {
  const kept = page !== null && 'claims' in page ? claimsOf(page.claims) : []
  const there = new Set(kept.map(claimKey))
  const live = status.instances.map(({ name, claims }) => ({ name, claims: claims.history }))
  const inMemory = rememberedClaims(live, query).filter(
    (it) => there.has(claimKey(it)) || (query.before === null && Date.parse(it.at) >= fromMs),
  )
  return newestClaims([...kept, ...inMemory])
}

/** A sentence: why there is none. */
function pageOf(kept: Outcome | null): KeptPage | string {
  if (kept === null) return 'too many ask at once'
  if (!kept.ok) return kept.why
  const page = kept.result as KeptPage
  return page.directory === null ? 'nothing is kept over a restart' : page
}
