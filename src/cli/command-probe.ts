/** `vipd probe`: its words. */
import { Command } from 'commander'
import { afterHelp } from './help.ts'
import {
  countTo,
  type FileOptions,
  fileOption,
  idOption,
  includeOption,
  readFileOptions,
} from './options.ts'

export const command = (): Command =>
  new Command('probe')
    .argument('<name>')
    .description(
      'run one configured check now and print how long each run took; the daemon is not asked',
    )
    .option('-n, --count <n>', 'number of runs, one after the other', countTo(10_000), 1)
    .addOption(fileOption())
    .addOption(idOption())
    .addOption(includeOption())
    .addHelpText(
      'after',
      afterHelp(
        'Exit status: 0 every run was good, 1 at least one was not, 3 no check has that name.',
      ),
    )
    .action(async (name: string, options: FileOptions & { readonly count: number }) => {
      const { probeNow } = await import('./probe-now.ts')
      process.exitCode = await probeNow({ ...readFileOptions(options), name, n: options.count })
    })
