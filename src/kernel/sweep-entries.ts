/**
 * Removes the routes and rules that a dead vipd left: those that the record of the run directory names, and those that
 * carry vipd's protocol, which no other program uses. The kernel compares the protocol of what is to be removed, so that
 * another program's route to the same destination stays.
 */
import { OpError } from '../base/errors.ts'
import type { Family } from '../base/ip.ts'
import { decodeMessages, type RouteMessage } from '../wire/rtnetlink.ts'
import { vipdProtocol } from '../wire/rtnetlink-address.ts'
import { encodeRouteDump, encodeRouteForget } from '../wire/rtnetlink-route.ts'
import { encodeRuleDump, encodeRuleForget } from '../wire/rtnetlink-rule.ts'
import type { OwnedEntry } from './marks.ts'
import type { Judge } from './ours.ts'
import type { Keeps, Request } from './sweep-types.ts'

export type FoundEntry = { readonly kind: 'route' | 'rule'; readonly text: string }

export type SweptEntries = {
  readonly removed: readonly FoundEntry[]
  readonly left: readonly (FoundEntry & { readonly why: string })[]
  readonly failed: readonly (FoundEntry & { readonly why: string })[]
}

type Candidate = FoundEntry & { readonly identity: string; readonly remove: Uint8Array }

/** Throws OpError when the kernel's routes or rules cannot be read. */
export function sweepEntries(
  recorded: readonly OwnedEntry[],
  judge: Judge,
  request: Request,
  keeps: Keeps,
): SweptEntries {
  const removed: FoundEntry[] = []
  const left: SweptEntries['left'][number][] = []
  const failed: SweptEntries['failed'][number][] = []
  const take = ({ kind, text, identity, remove }: Candidate) => {
    const verdict = judge.entry(identity)
    if (verdict.kind === 'left') return void left.push({ kind, text, why: verdict.why })
    const why = removeEntry(remove, request)
    if (why === null) removed.push({ kind, text })
    else if (why !== 'gone') failed.push({ kind, text, why })
  }
  // Backwards: as they came, rules last.
  const kept = new Set<string>()
  for (const { kind, text, identity, remove } of [...recorded].reverse())
    if (keeps.entry(identity, text)) kept.add(identity)
    else take({ kind, text, identity, remove: Buffer.from(remove, 'hex') })
  for (const it of marked(request)) if (!kept.has(it.identity)) take(it)
  return { removed, left, failed }
}

/** Rules first: they lead to the routes. */
function marked(request: Request): readonly Candidate[] {
  const dumps = [encodeRuleDump(4), encodeRuleDump(6), routeDump(4), routeDump(6)]
  return dumps
    .flatMap((dump) => decodeMessages(asked(dump, request)))
    .flatMap((message) => candidate(message) ?? [])
}

function candidate(message: RouteMessage): Candidate | null {
  if (message.kind !== 'newroute' && message.kind !== 'newrule') return null
  const { kind, protocol, identity, text, body } = message
  if (protocol !== vipdProtocol) return null
  return kind === 'newroute'
    ? { kind: 'route', identity, text, remove: encodeRouteForget(body) }
    : { kind: 'rule', identity, text, remove: encodeRuleForget(body) }
}

const routeDump = (family: Family): Uint8Array => encodeRouteDump(family, vipdProtocol)

const absent: readonly string[] = ['EOPNOTSUPP', 'EAFNOSUPPORT', 'ENOENT']

/** A kernel without IPv6, or without rules, has none. */
function asked(dump: Uint8Array, request: Request): Uint8Array {
  try {
    return request(dump)
  } catch (error) {
    if (error instanceof OpError && absent.includes(error.code)) return new Uint8Array(0)
    throw error
  }
}

const goneAlready: readonly string[] = ['ESRCH', 'ENOENT', 'ENODEV']

/** null: removed; else why not. */
function removeEntry(remove: Uint8Array, request: Request): string | null {
  try {
    request(remove)
    return null
  } catch (error) {
    if (!(error instanceof OpError)) throw error
    return goneAlready.includes(error.code) ? 'gone' : error.message
  }
}
