/** `vipd check`: what the configuration means and what is wrong with it. Touches nothing. */
import { Command } from 'commander'
import {
  type FileOptions,
  fileOption,
  idOption,
  includeOption,
  readFileOptions,
} from './options.ts'

type Options = FileOptions & { readonly json?: boolean }

export const command = (): Command => {
  const check = new Command('check')
    .argument('[config]')
    .description('check a configuration and say what it means; also: vipd -t -f <file>')
    .addOption(fileOption())
    .option('--json', 'machine-readable')
    .addOption(idOption())
    .addOption(includeOption())
    .addHelpText(
      'after',
      '\nExit status, as of keepalived -t: 0 nothing wrong, 2 an operand is missing, 4 cannot run,\n5 mistakes, 6 script security. The last line says whether the daemon would start.',
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
  const { configPath, language } = readFileOptions(options)
  const made = checkReport(configPath, realMachine([], readForeignAddresses()), language)
  process.stdout.write(
    options.json === true ? `${JSON.stringify(made.json, null, 2)}\n` : made.text,
  )
  return made.exit
}
