/**
 * From a path to a configuration that may run, or the diagnostics that say why not. The same function serves
 * start and reload.
 */
import { type CheckReport, checkReport } from '../config/explain/check.ts'
import { wholeFile } from '../config/language/diagnostics.ts'
import type { Identified } from '../config/language/identity.ts'
import type { LanguageOptions } from '../config/language/tree-types.ts'
import type { Config, Diagnostic } from '../config/types.ts'
import { diagnosticsMax } from './bounds.ts'
import { type Machine, realMachine, type Seen } from './machine.ts'
import { marked } from './marker.ts'

export type LoadRequest = {
  readonly path: string
  readonly language: LanguageOptions
  /** Interfaces that count as existing although they are absent at the moment. */
  readonly knownInterfaces: readonly string[]
  /** The network namespace that the daemon has entered, if one. */
  readonly namespace: string | null
  /** A file that is there while the configuration is read. */
  readonly marker?: string | null
}

/** Plain data: it crosses from one thread to another. */
export type Loaded = {
  /** null: the daemon would not start with this file. */
  readonly config: Config | null
  readonly diagnostics: readonly Identified[]
  /** What it was made from, to be compared later. */
  readonly seen: Seen
}

/** Asks the machine, with calls that may hang. */
export function loadConfiguration(request: LoadRequest, machine?: Machine): Loaded {
  const asked =
    machine ?? realMachine({ known: request.knownInterfaces, namespace: request.namespace })
  const unmarked: Identified[] = []
  const report = marked(
    request.marker ?? null,
    () => checkReport(request.path, asked, request.language),
    (why) => {
      const message = `reload_file: ${why}`
      const code = 'reload-file'
      const place = wholeFile(request.path)
      unmarked.push({ place, severity: 'warning', code, message, verdict: 'none', identity: code })
    },
  )
  return {
    config: report.config,
    diagnostics: [...bounded(report), ...unmarked],
    seen: asked.seen(),
  }
}

/** From the heaviest on. */
const verdicts: readonly Diagnostic['verdict'][] = [
  'fatal',
  'operand',
  'config',
  'lost',
  'security',
  'none',
]

/** What is cut off weighs as much as the heaviest of it. */
function bounded({ diagnostics, identified }: CheckReport): readonly Identified[] {
  const kept = identified(diagnosticsMax)
  const rest = diagnostics.slice(diagnosticsMax)
  const [first] = rest
  if (first === undefined) return kept
  const verdict = verdicts.find((one) => rest.some((d) => d.verdict === one)) ?? 'none'
  const severity = rest.some((d) => d.severity === 'error') ? 'error' : 'warning'
  const message = `${rest.length} more findings are not shown; vipd check shows them`
  const code = 'too-many-diagnostics'
  const place = wholeFile(first.place.file)
  return [...kept, { place, severity, code, message, verdict, identity: code }]
}
