/** `vipd probe`: its words. */
import { Command } from 'commander'
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
    .description('run one configured check now and say what each run took; no daemon is asked')
    .option('-n, --count <n>', 'so many runs, one after the other', countTo(10_000), 1)
    .addOption(fileOption())
    .addOption(idOption())
    .addOption(includeOption())
    .addHelpText('after', '\nExit status: 0 every run was good, 1 not, 3 no check has that name.')
    .action(async (name: string, options: FileOptions & { readonly count: number }) => {
      const { probeNow } = await import('./probe-now.ts')
      process.exitCode = await probeNow({ ...readFileOptions(options), name, n: options.count })
    })
