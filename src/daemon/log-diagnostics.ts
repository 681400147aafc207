/** What is wrong with a configuration, in the log. */
import { formatDiagnostic } from '../config/diagnostics.ts'
import type { Diagnostic } from '../config/types.ts'
import type { Log } from './daemon-types.ts'

export function logDiagnostics(log: Log, diagnostics: readonly Diagnostic[]): void {
  for (const diagnostic of diagnostics) {
    const fields = { code: diagnostic.code, place: diagnostic.place }
    if (diagnostic.severity === 'error') log.error(formatDiagnostic(diagnostic), fields)
    else if (diagnostic.severity === 'warning') log.warn(formatDiagnostic(diagnostic), fields)
    else log.info(formatDiagnostic(diagnostic), fields)
  }
}
