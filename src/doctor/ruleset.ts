/**
 * What becomes of a packet in the rules of `nft -j list ruleset`. Only what is understood counts: a rule with an
 * expression that is not leaves open whether it applies, and the answer says that it is not sure.
 */

import { isJson, type Json, matches, names, type Packet, text } from './ruleset-match.ts'

export type Fate = {
  readonly dropped: boolean
  /** Each rule on the way was understood. */
  readonly sure: boolean
  /** `inet filter input`. */
  readonly chain: string
}

type Chain = { readonly of: string; readonly table: string; readonly json: Json }
/** null: the packet goes on in the chain that called. */
type End = { readonly dropped: boolean | null; readonly sure: boolean }

const depthMax = 16

/** One for each base chain on the packet's way that drops it, or may. Empty: it passes. */
export function fatesOf(ruleset: readonly unknown[], packet: Packet): readonly Fate[] {
  const chains = itemsOf(ruleset, 'chain')
  const rules = itemsOf(ruleset, 'rule')
  return chains
    .filter(({ json }) => json['hook'] === packet.hook && sees(text(json['family']), packet.family))
    .flatMap((chain): Fate[] => {
      const end = walk(chain, packet, { chains, rules }, 0)
      const dropped = end.dropped ?? chain.json['policy'] === 'drop'
      return dropped ? [{ dropped, sure: end.sure, chain: `${chain.table} ${chain.of}` }] : []
    })
}

function itemsOf(ruleset: readonly unknown[], kind: 'chain' | 'rule'): readonly Chain[] {
  return ruleset.flatMap((item) => {
    const json = isJson(item) ? item[kind] : null
    if (!isJson(json)) return []
    const of = text(json[kind === 'chain' ? 'name' : 'chain'])
    return [{ of, table: tableOf(json), json }]
  })
}

const tableOf = (json: Json): string => `${text(json['family'])} ${text(json['table'])}`

const sees = (table: string, family: 4 | 6): boolean =>
  table === 'inet' || table === (family === 4 ? 'ip' : 'ip6')

type All = { readonly chains: readonly Chain[]; readonly rules: readonly Chain[] }

function walk(chain: Chain, packet: Packet, all: All, depth: number): End {
  if (depth > depthMax) return { dropped: null, sure: false }
  let sure = true
  for (const { json } of all.rules) {
    if (text(json['chain']) !== chain.of || tableOf(json) !== chain.table) continue
    const statements = Array.isArray(json['expr']) ? json['expr'].filter(isJson) : []
    const end = step(statements, packet, (name) => {
      const target = all.chains.find((it) => it.of === name && it.table === chain.table)
      if (target === undefined) return { dropped: null, sure: false }
      return walk(target, packet, all, depth + 1)
    })
    if (!end.sure) sure = false
    if (end.leaves) return { dropped: end.dropped, sure }
  }
  return { dropped: null, sure }
}

const passes = { dropped: null, sure: true, leaves: false }

/** What one rule does. `leaves`: the rules after it are not reached. */
function step(
  statements: readonly Json[],
  packet: Packet,
  into: (chain: string) => End,
): End & { readonly leaves: boolean } {
  const applies = matches(statements, packet)
  const end = applies === 'no' ? null : verdict(statements, into)
  if (end === null) return passes
  if (applies === 'yes') {
    const back = statements.some((it) => 'return' in it || 'goto' in it)
    return { ...end, leaves: end.dropped !== null || back }
  }
  // A rule made for this protocol is taken at its word; of any other that may apply, nothing is sure.
  if (end.dropped === false && names(statements, packet)) return { ...end, leaves: true }
  return { dropped: null, sure: end.dropped === null && end.sure, leaves: false }
}

/** null: the rule only counts, logs or marks. */
function verdict(statements: readonly Json[], into: (chain: string) => End): End | null {
  for (const statement of statements) {
    if ('accept' in statement) return { dropped: false, sure: true }
    if ('drop' in statement || 'reject' in statement) return { dropped: true, sure: true }
    if ('return' in statement) return { dropped: null, sure: true }
    if ('queue' in statement || 'vmap' in statement) return { dropped: null, sure: false }
    const jump = statement['jump'] ?? statement['goto']
    if (isJson(jump)) return into(text(jump['target']))
  }
  return null
}
