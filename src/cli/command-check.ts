/** `vipd check`: what the configuration means and what is wrong with it. Touches nothing. */
import { checkReport } from '../config/explain/check.ts'
import type { LanguageOptions } from '../config/language/tree-types.ts'
import { realMachine } from '../loading/machine.ts'
import { readForeignAddresses } from './foreign-addresses.ts'

export type CheckOptions = {
  readonly configPath: string
  readonly language: LanguageOptions
  readonly json: boolean
}

/** Prints the report to standard output; the exit status is the report's. */
export function commandCheck(options: CheckOptions): number {
  const report = checkReport(
    options.configPath,
    realMachine([], readForeignAddresses()),
    options.language,
  )
  process.stdout.write(options.json ? `${JSON.stringify(report.json, null, 2)}\n` : report.text)
  return report.exit
}
