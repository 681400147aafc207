/**
 * From a path to a configuration that may run, or the diagnostics that say why not. The same function serves
 * start and reload: what start would refuse, a reload refuses too, and nothing has changed then.
 */
import { checkReport } from '../config/check.ts'
import { formatDiagnostic } from '../config/diagnostics.ts'
import type { Config, Diagnostic } from '../config/types.ts'
import type { DaemonOptions, Log } from './daemon-types.ts'

export type Loaded = {
  readonly config: Config | null
  readonly diagnostics: readonly Diagnostic[]
  /** The main file as read, to tell later whether it has changed on disk. */
  readonly text: string | null
}

export function loadConfig(
  options: Pick<DaemonOptions, 'configPath' | 'world' | 'language'>,
): Loaded {
  const { configPath, world, language } = options
  const report = checkReport(configPath, world, language)
  const runs = report.exit !== 2 && report.exit !== 4
  return {
    config: runs ? report.config : null,
    diagnostics: report.diagnostics,
    text: world.readFile(configPath),
  }
}

export function logDiagnostics(log: Log, diagnostics: readonly Diagnostic[]): void {
  for (const diagnostic of diagnostics) {
    const fields = { code: diagnostic.code, place: diagnostic.place }
    if (diagnostic.severity === 'error') log.error(formatDiagnostic(diagnostic), fields)
    else if (diagnostic.severity === 'warning') log.warn(formatDiagnostic(diagnostic), fields)
    else log.info(formatDiagnostic(diagnostic), fields)
  }
}
