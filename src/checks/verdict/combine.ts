/** A check that is made of others: so many of them must be good. */
import type { Outcome } from '../../programs/outcome.ts'

export type Combination = { readonly least: number; readonly of: readonly string[] }

/** What is known of another check; null: nothing yet. */
export type VerdictOf = (name: string) => boolean | null

/** null while what is not known yet could still decide it. */
export function combine({ least, of }: Combination, verdictOf: VerdictOf): Outcome | null {
  const named = of.map((name) => ({ name, good: verdictOf(name) }))
  const good = named.filter((one) => one.good === true).length
  const open = named.filter((one) => one.good === null).length
  if (good < least && good + open >= least) return null
  const bad = named.filter((one) => one.good === false).map(({ name }) => name)
  const failed = bad.length === 0 ? '' : `: ${bad.join(', ')} failed`
  const detail = `${good} of ${of.length} good, ${least} needed${failed}`
  return { kind: 'probe', ok: good >= least, detail }
}
