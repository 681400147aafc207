/** The proposal as a patch of the configuration, checked by `vipd check` before it is shown. */
import { checkReport } from '../config/explain/check.ts'
import { parseTree } from '../config/language/tree.ts'
import type { LanguageOptions } from '../config/language/tree-types.ts'
import type { World } from '../config/world.ts'
import { realMachine } from '../loading/machine.ts'
import type { Advice } from '../tune/advice.ts'
import { changesOf } from '../tune/changes.ts'
import { applyChanges, patchText } from '../tune/patch.ts'

export type Proposal = {
  /** '' when there is nothing to change, or nothing that may be shown. */
  readonly patch: string
  readonly verdict: string
}

export function proposePatch(
  advice: Advice,
  { configPath, language }: { readonly configPath: string; readonly language: LanguageOptions },
): Proposal {
  const world = realMachine()
  const tree = parseTree(configPath, world, language)
  const before = new Map(
    tree.files.flatMap((file) => {
      const read = world.readFile(file)
      return 'text' in read ? [[file, read.text] as const] : []
    }),
  )
  const after = applyChanges(tree.nodes, before, changesOf(advice))
  const patch = patchText(before, after)
  if (patch === '') return { patch, verdict: `nothing to change in ${configPath}` }
  const statusOf = (readFile: World['readFile']) =>
    checkReport(configPath, { ...world, readFile }, language).exit
  const [now, then] = [
    statusOf((path) => world.readFile(path)),
    statusOf((path) => {
      const text = after.get(path)
      return text === undefined ? world.readFile(path) : { text }
    }),
  ]
  if (then === now || then === 0)
    return { patch, verdict: `vipd check accepts it (exit status ${then}, as ${now} before)` }
  return {
    patch: '',
    verdict: `vipd check would not accept what was found (exit status ${then}, ${now} before): no patch`,
  }
}
