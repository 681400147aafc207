/** Diagnostics in the lines that editors and CI systems read. */
import { isAbsolute, relative } from 'node:path'
import type { Diagnostic, Severity } from '../config/types.ts'

export type DiagnosticFormat = 'gcc' | 'github'

/** A line for each, ended; nothing for none. `from`: the directory that paths are named from. */
export function diagnosticLines(
  format: DiagnosticFormat,
  diagnostics: readonly Diagnostic[],
  from: string,
): string {
  const line = format === 'gcc' ? gccLine : githubLine
  return diagnostics.map((diagnostic) => `${line(diagnostic, from)}\n`).join('')
}

/** As gcc and clang write them: `file:line:column: error: message [code]`. */
function gccLine({ place, severity, code, message }: Diagnostic, from: string): string {
  const file = pathFrom(from, place.file)
  const where = place.line === 0 ? file : `${file}:${place.line}:${place.column}`
  return `${where}: ${severity}: ${oneLine(message)} [${code}]`
}

const githubCommands: Readonly<Record<Severity, string>> = {
  error: 'error',
  warning: 'warning',
  note: 'notice',
}

/** A workflow command of GitHub Actions, which shows it at the line of the file. */
function githubLine({ place, severity, code, message }: Diagnostic, from: string): string {
  const where = place.line === 0 ? [] : [`line=${place.line}`, `col=${place.column}`]
  const properties = [`file=${property(pathFrom(from, place.file))}`, ...where, `title=${code}`]
  return `::${githubCommands[severity]} ${properties.join(',')}::${data(message)}`
}

/** Short where the file is below the directory: annotations and editors know files by the path from the project. */
function pathFrom(from: string, file: string): string {
  const short = relative(from, file)
  return short === '' || short.startsWith('..') || isAbsolute(short) ? file : short
}

const oneLine = (text: string): string => text.replace(/\s*[\r\n]+\s*/g, ' ')

const data = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')

const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
