/**
 * Whether a file that was changed may replace the one that runs. At start a file is taken as keepalived takes it,
 * without what is wrong in it; by reload a slip of the editor, or a file that is still being written, would take
 * addresses away. So a new mistake refuses the file whole, and so does what looks like a part of a file.
 */

import { identityOptions } from '../keywords/identity.ts'
import { errorAt, wholeFile } from '../language/diagnostics.ts'
import type { Identified } from '../language/identity.ts'
import type { Config, Diagnostic, Instance } from '../types.ts'

export type Running = { readonly config: Config; readonly diagnostics: readonly Identified[] }
export type Next = { readonly config: Config | null; readonly diagnostics: readonly Identified[] }

export type Judgement =
  | { readonly accepted: true; readonly config: Config }
  /** `forcible`: `vipd reload --force` would take it. */
  | {
      readonly accepted: false
      readonly reasons: readonly Diagnostic[]
      readonly forcible: boolean
    }

/** Part of what is written has no effect. Script security changes nothing of that, whatever its exit status. */
export const isMistake = ({ verdict }: Diagnostic): boolean =>
  verdict !== 'none' && verdict !== 'security'

/** `path` is where a reason stands that no line of the file is to blame for. */
export function judgeReload(
  running: Running,
  next: Next,
  { path, force }: { readonly path: string; readonly force: boolean },
): Judgement {
  const { config } = next
  if (config === null) {
    const reasons = next.diagnostics.filter(isMistake)
    return { accepted: false, reasons, forcible: false }
  }
  const another = otherDaemon(running.config, config, path)
  if (another.length > 0) return { accepted: false, reasons: another, forcible: false }
  const reasons = force
    ? []
    : [...newMistakes(running, next), ...losses(running.config, config, path)]
  if (reasons.length === 0) return { accepted: true, config }
  return { accepted: false, reasons, forcible: true }
}

/** What belongs to another daemon than the one that runs. */
function otherDaemon(running: Config, next: Config, path: string): readonly Diagnostic[] {
  return identityOptions.fields.flatMap((field) => {
    const { name, onReload } = identityOptions.rows[field]
    const from = running.globals[field]
    const to = next.globals[field]
    if (onReload !== 'refused' || from === to) return []
    const message = `${name} cannot change at a reload (${from ?? 'none'} → ${to ?? 'none'}): restart the daemon`
    return [errorAt(wholeFile(path), 'needs-restart', message)]
  })
}

/** Codes of mistakes that are no better for being old: what follows them in the file is not known. */
const neverOld: ReadonlySet<string> = new Set(['missing-close-brace', 'too-many-diagnostics'])

function newMistakes(running: Running, next: Next): readonly Diagnostic[] {
  const known = new Set(running.diagnostics.map(({ identity }) => identity))
  return next.diagnostics.filter(
    (one) => isMistake(one) && (neverOld.has(one.code) || !known.has(one.identity)),
  )
}

function losses(running: Config, next: Config, path: string): readonly Diagnostic[] {
  if (running.instances.length > 0 && next.instances.length === 0) {
    const names = running.instances.map(({ name }) => name)
    const message = `it defines no instance: ${listed(names)} would be removed`
    return [errorAt(wholeFile(path), 'removes-all-instances', message)]
  }
  const before = new Map(running.instances.map((one) => [one.name, one]))
  return next.instances.flatMap((one) => {
    const was = before.get(one.name)
    if (was === undefined || addressCount(was) === 0 || addressCount(one) > 0) return []
    const message = `${one.name} would lose all of its addresses`
    return [errorAt(one.place, 'removes-all-addresses', message)]
  })
}

const addressCount = ({ addresses, excluded }: Instance): number =>
  addresses.length + excluded.length

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ')
  return names.length > 3 ? `${shown} and ${names.length - 3} others` : shown
}
