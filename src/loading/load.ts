/**
 * From a path to a configuration that may run, or the diagnostics that say why not. The same function serves
 * start and reload.
 */
import { checkReport } from '../config/check.ts'
import type { LanguageOptions } from '../config/tree-types.ts'
import type { Config, Diagnostic } from '../config/types.ts'
import { type Machine, realMachine, type Seen } from './machine.ts'

export type LoadRequest = {
  readonly path: string
  readonly language: LanguageOptions
  /** Interfaces that count as existing although they are absent at the moment. */
  readonly knownInterfaces: readonly string[]
}

/** Plain data: it crosses from one thread to another. */
export type Loaded = {
  /** null: the daemon would not start with this file. */
  readonly config: Config | null
  readonly diagnostics: readonly Diagnostic[]
  /** What it was made from, to be compared later. */
  readonly seen: Seen
}

/** Asks the machine, with calls that may hang. */
export function loadConfiguration(request: LoadRequest, machine?: Machine): Loaded {
  const asked = machine ?? realMachine(request.knownInterfaces)
  const { config, diagnostics } = checkReport(request.path, asked, request.language)
  return { config, diagnostics, seen: asked.seen() }
}
