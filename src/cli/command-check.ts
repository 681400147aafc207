/** `vipd check`: what the configuration means and what is wrong with it. Touches nothing. */
import { Command, Option } from 'commander'
import type { DiagnosticFormat } from './diagnostic-formats.ts'
import { printableLines } from './format.ts'
import { afterHelp } from './help.ts'
import {
  type FileOptions,
  fileOption,
  idOption,
  includeOption,
  readFileOptions,
} from './options.ts'

type Options = FileOptions & {
  readonly format: DiagnosticFormat | 'text' | 'json'
  readonly json?: boolean
}

export const command = (): Command => {
  const check = new Command('check')
    .argument('[config]')
    .description('check a configuration and say what it means; also: vipd -t -f <file>')
    .addOption(fileOption())
    .addOption(
      new Option(
        '--format <format>',
        'text and json: all of it; gcc and github: what is wrong, in the lines that editors and CI read',
      )
        .choices(['text', 'json', 'gcc', 'github'])
        .default('text'),
    )
    .addOption(new Option('--json', 'the same as --format json').implies({ format: 'json' }))
    .addOption(idOption())
    .addOption(includeOption())
    .addHelpText(
      'after',
      afterHelp(
        'Exit status, as of keepalived -t: 0 nothing wrong, 2 an operand is missing, 4 cannot run, 5 mistakes, 6 script security. The last line says whether the daemon would start.',
      ),
    )
  return check.action(async (config: string | undefined, options: Options) => {
    if (config !== undefined && options.file !== undefined)
      check.error('error: the file is given twice')
    const file = options.file ?? config
    process.exitCode = await report(file === undefined ? options : { ...options, file })
  })
}

/** Prints the report to standard output; the exit status is the report's. */
async function report(options: Options): Promise<number> {
  const { checkReport } = await import('../config/explain/check.ts')
  const { realMachine } = await import('../loading/machine.ts')
  const { readForeignAddresses } = await import('./foreign-addresses.ts')
  const { diagnosticLines } = await import('./diagnostic-formats.ts')
  const { configPath, language } = readFileOptions(options)
  const made = checkReport(configPath, realMachine({ readHeld: readForeignAddresses }), language)
  const { format } = options
  if (format === 'text') process.stdout.write(printableLines(made.text))
  else if (format === 'json') process.stdout.write(`${JSON.stringify(made.json, null, 2)}\n`)
  else
    process.stdout.write(printableLines(diagnosticLines(format, made.diagnostics, process.cwd())))
  return made.exit
}
