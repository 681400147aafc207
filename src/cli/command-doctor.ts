/** `vipd doctor`: what bites on this host, why it matters, and what mends it. Changes nothing. */
import { Command } from 'commander'
import { afterHelp } from './help.ts'
import {
  type FileOptions,
  fileOption,
  idOption,
  includeOption,
  readFileOptions,
  runDirOption,
} from './options.ts'

type Options = FileOptions & { readonly json?: boolean; readonly runDir: string }

export const command = (): Command =>
  new Command('doctor')
    .description('what on this host keeps the pair from working: firewall, sysctls, peer, rights')
    .option('--json', 'machine-readable, schema 1')
    .addOption(fileOption())
    .addOption(idOption())
    .addOption(includeOption())
    .addOption(runDirOption())
    .addHelpText(
      'after',
      afterHelp(
        'Looks at the host, the configuration and the running daemon, also where none runs; without -f the file is the one that the daemon runs with. Best as root: what it could not look at stands at the end. Changes nothing.',
        'Exit status: 0 nothing (notes do not count), 1 warnings, 2 errors, 3 wrong usage. docs/doctor.md has every code.',
      ),
    )
    .action(async (options: Options) => {
      const { doctor } = await import('./doctor.ts')
      const { runDir, json = false } = options
      process.exitCode = await doctor({
        ...readFileOptions(options),
        configGiven: options.file !== undefined,
        runDir,
        json,
      })
    })
