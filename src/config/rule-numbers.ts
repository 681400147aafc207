/**
 * Rules without a preference get one by their place in the file, so that a rule that is written above them would move
 * them all. Over a reload each keeps the one that it has; a new one gets the next that is free.
 */
import type { Family } from '../base/ip.ts'
import type { Rule } from './routing.ts'
import type { Config } from './types.ts'

/** A rule, as far as its number goes. */
export type RuleNumber = Pick<Rule, 'family' | 'text' | 'numbered' | 'preference'>

/** Those that got their number by their place. */
export const ruleNumbers = (config: Config): readonly RuleNumber[] =>
  rulesOf(config).flatMap(({ family, text, numbered, preference }) =>
    numbered ? [{ family, text, numbered, preference }] : [],
  )

/** `next` with the numbers of `old`. */
export const keepRuleNumbers = (old: Config, next: Config): Config =>
  withRuleNumbers(ruleNumbers(old), next)

/** `next` with these numbers, where it has such a rule. */
export function withRuleNumbers(numbers: readonly RuleNumber[], next: Config): Config {
  const listed = rulesOf(next).filter(({ numbered }) => numbered)
  if (listed.length === 0) return next
  const known = new Map<string, number[]>()
  for (const it of numbers) known.set(keyOf(it), [...(known.get(keyOf(it)) ?? []), it.preference])
  const kept = new Map<Rule, number>()
  for (const it of listed) {
    const number = known.get(keyOf(it))?.shift()
    if (number !== undefined) kept.set(it, number)
  }
  const taken = { 4: new Set<number>(), 6: new Set<number>() }
  for (const [{ family }, number] of kept) taken[family].add(number)
  const numberOf = (it: Rule): number => {
    if (!it.numbered) return it.preference
    const number = kept.get(it) ?? free(it.preference, it.family, taken)
    taken[it.family].add(number)
    return number
  }
  const renumber = (rules: readonly Rule[]): readonly Rule[] =>
    rules.map((it) => ({ ...it, preference: numberOf(it) }))
  // In the order in which they were numbered: static entries and instances by their place in the file.
  return {
    ...next,
    statics: { ...next.statics, rules: renumber(next.statics.rules) },
    instances: next.instances.map((it) => ({ ...it, rules: renumber(it.rules) })),
  }
}

const rulesOf = ({ instances, statics }: Config): readonly Rule[] => [
  ...statics.rules,
  ...instances.flatMap(({ rules }) => rules),
]

/** What it says, but for its number: the same words twice are told apart by their order. */
const keyOf = ({ family, text }: RuleNumber): string => `${family} ${text}`

function free(from: number, family: Family, taken: Readonly<Record<Family, Set<number>>>): number {
  let number = from
  while (taken[family].has(number)) number -= 1
  return number
}
