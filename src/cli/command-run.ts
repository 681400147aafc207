/** `vipd run`: its words. The daemon itself is loaded when it is started. */
import { Command, Option } from 'commander'
import { afterHelp } from './help.ts'
import {
  countTo,
  type FileOptions,
  fileOption,
  idOption,
  includeOption,
  readFileOptions,
} from './options.ts'
import { defaultRunDir, packageVersion } from './paths.ts'

type Options = FileOptions & {
  readonly runDir: string | null
  readonly logFormat: 'text' | 'json' | 'auto'
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
  readonly workers: number
}

export const command = (): Command =>
  new Command('run')
    .description('run the daemon in the foreground; logs go to standard error')
    .addOption(fileOption())
    .addOption(
      new Option('--run-dir <dir>', 'directory of the control socket').default(
        null,
        `"${defaultRunDir}", below it with net_namespace or instance`,
      ),
    )
    .addOption(
      new Option(
        '--log-format <format>',
        'auto is text on a terminal, entries with fields for journald, json elsewhere',
      )
        .choices(['auto', 'text', 'json'])
        .default('auto'),
    )
    .addOption(
      new Option('--log-level <level>', 'lowest level that is logged')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .option('--workers <n>', 'threads that run programs; as many more run probes', countTo(64), 1)
    .addOption(idOption())
    .addOption(includeOption())
    .addHelpText(
      'after',
      afterHelp(
        'TERM and INT hand over and stop, HUP reloads the configuration.',
        'Exit status: 0 stopped, 2 or 4 the configuration cannot run, 1 any other reason not to start.',
      ),
    )
    .action(async (options: Options) => {
      const { runDaemon } = await import('./run-daemon.ts')
      await runDaemon({ ...options, ...readFileOptions(options), version: packageVersion() })
    })
