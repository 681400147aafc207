/** What is wrong with a configuration, in the log. */

import type { Log } from '../base/log.ts'
import { isMistake } from '../config/explain/judge-reload.ts'
import { formatDiagnostic } from '../config/language/diagnostics.ts'
import type { Diagnostic } from '../config/types.ts'

export function logDiagnostics(log: Log, diagnostics: readonly Diagnostic[]): void {
  for (const diagnostic of diagnostics) {
    const fields = { code: diagnostic.code, place: diagnostic.place }
    if (diagnostic.severity === 'error') log.error(formatDiagnostic(diagnostic), fields)
    else if (diagnostic.severity === 'warning') log.warn(formatDiagnostic(diagnostic), fields)
    else log.info(formatDiagnostic(diagnostic), fields)
  }
}

/** One line about what a start passes over, as keepalived does; a reload would refuse it. */
export function logTolerated(log: Log, diagnostics: readonly Diagnostic[]): void {
  const mistakes = diagnostics.filter(isMistake)
  const [first] = mistakes
  if (first === undefined) return
  const count = mistakes.length === 1 ? 'one mistake' : `${mistakes.length} mistakes`
  log.warn(
    `The configuration has ${count}, and what they concern is left out: ${formatDiagnostic(first)}${mistakes.length > 1 ? '; …' : ''}`,
    { mistakes: mistakes.length },
  )
}
