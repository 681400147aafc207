/** Making, printing and summing up what is wrong with a configuration. */

import type { Place } from '../place.ts'
import type { Diagnostic, Severity } from '../types.ts'

type Verdict = Diagnostic['verdict']

/** An error that keepalived survives by ignoring what is wrong, unless `verdict` says otherwise. */
export function errorAt(
  place: Place,
  code: string,
  message: string,
  verdict: Verdict = 'config',
): Diagnostic {
  return { place, severity: 'error', code, message, verdict }
}

/** A warning or note changes no exit status, unless `verdict` says otherwise. */
export function warningAt(
  place: Place,
  code: string,
  message: string,
  verdict: Verdict = 'none',
): Diagnostic {
  return { place, severity: 'warning', code, message, verdict }
}

export function noteAt(place: Place, code: string, message: string): Diagnostic {
  return { place, severity: 'note', code, message, verdict: 'none' }
}

/** A file as a whole, when no line of it can be named. */
export const wholeFile = (file: string): Place => ({ file, line: 0, column: 0 })

export function formatPlace({ file, line, column }: Place): string {
  return line === 0 ? file : `${file}:${line}:${column}`
}

/** `file:line:column: message [code]`; a warning or note says so before its message. */
export function formatDiagnostic(d: Diagnostic): string {
  const kind: Record<Severity, string> = { error: '', warning: 'warning: ', note: 'note: ' }
  return `${formatPlace(d.place)}: ${kind[d.severity]}${d.message} [${d.code}]`
}
