/** Whether a configuration would be made from the same files today. Looks at them and reads none. */
import { markOf, sameMark } from './files.ts'
import { glob, usualAllowance } from './glob.ts'
import type { Matched, Seen } from './machine.ts'

export function unchangedSince(seen: Seen): boolean {
  const allowance = usualAllowance()
  const sameNames = ({ pattern, paths }: Matched): boolean =>
    sameList(paths, glob(pattern, allowance))
  return (
    seen.files.every(({ path, mark }) => sameMark(mark, markOf(path))) &&
    seen.patterns.every(sameNames)
  )
}

function sameList(a: readonly string[] | null, b: readonly string[] | null): boolean {
  if (a === null || b === null) return a === b
  return a.length === b.length && a.every((one, i) => one === b[i])
}
