#!/usr/bin/env node
/**
 * The vipd command. Reads the arguments, and loads the one command that was asked for and nothing else:
 * `vipd status` must not open the addon or pay for the parser. Joining the layers is the commands' work.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { exit } from './exit.ts'
import { likeKeepalived } from './like-keepalived.ts'
import { watchOutput } from './output.ts'
import { configPath, defaultRunDir, packageVersion } from './paths.ts'
import { readRate, readSpan } from './quantities.ts'
import { addSetting, type Settings, settingNames } from './tune-settings.ts'

const fileOption = () =>
  new Option(
    '-f, --file <file>',
    'configuration file (default: /etc/vipd/vipd.conf, else /etc/keepalived/keepalived.conf)',
  )
const runDirOption = () =>
  new Option('--run-dir <dir>', 'directory of the control socket').default(defaultRunDir)
const idOption = () =>
  new Option('-i, --config-id <id>', 'the id that @id lines compare with (default: the host name)')
const includeOption = () =>
  new Option('-e, --all-config', 'an include that finds no file is an error')

type Language = { file?: string; configId?: string; allConfig?: boolean }
type Run = Language & {
  runDir: string
  logFormat: 'text' | 'json' | 'auto'
  logLevel: 'debug' | 'info' | 'warn' | 'error'
  workers: number
}

function program(): Command {
  const vipd = new Command('vipd')
    .description(
      'Keeps virtual IP addresses alive on a pair of Linux hosts: VRRP v2 and v3, health checks, keepalived.conf.',
    )
    .version(`vipd ${packageVersion()}`, '-V, --version')
    .showHelpAfterError('(vipd --help tells more)')
    .exitOverride()
  vipd
    .command('run')
    .description('run the daemon in the foreground; logs go to standard error')
    .addOption(fileOption())
    .addOption(runDirOption())
    .addOption(
      new Option(
        '--log-format <format>',
        'auto is text on a terminal and for journald, json elsewhere',
      )
        .choices(['auto', 'text', 'json'])
        .default('auto'),
    )
    .addOption(
      new Option('--log-level <level>', 'least level that is logged')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .option('--workers <n>', 'threads that run programs, and as many that ask probes', workers, 1)
    .addOption(idOption())
    .addOption(includeOption())
    .action(async (options: Run) => {
      const { commandRun } = await import('./command-run.ts')
      await commandRun({ ...options, ...language(options), version: packageVersion() })
    })
  addCheck(vipd)
  addProbe(vipd)
  addQuestions(vipd)
  vipd
    .command('version')
    .description('print the version')
    .action(() => console.log(`vipd ${packageVersion()}`))
  return vipd
}

function addCheck(vipd: Command): void {
  vipd
    .command('check [config]')
    .description('check a configuration and say what it means; also: vipd -t -f <file>')
    .addOption(fileOption())
    .option('--json', 'machine-readable')
    .addOption(idOption())
    .addOption(includeOption())
    .addHelpText(
      'after',
      '\nExit status, as of keepalived -t: 0 nothing wrong, 2 an operand is missing, 4 cannot run,\n5 mistakes, 6 script security. The last line says whether the daemon would start.',
    )
    .action(async (config: string | undefined, options: Language & { json?: boolean }) => {
      if (config !== undefined && options.file !== undefined)
        vipd.error('error: the file is given twice')
      const { commandCheck } = await import('./command-check.ts')
      const file = options.file ?? config
      const given = file === undefined ? options : { ...options, file }
      process.exitCode = commandCheck({ ...language(given), json: options.json === true })
    })
}

function addProbe(vipd: Command): void {
  vipd
    .command('probe <name>')
    .description('run one configured check now and say what each run took; no daemon is asked')
    .option('-n, --count <n>', 'so many runs, one after the other', positive, 1)
    .addOption(fileOption())
    .addOption(idOption())
    .addOption(includeOption())
    .addHelpText('after', '\nExit status: 0 every run was good, 1 not, 3 no check has that name.')
    .action(async (name: string, options: Language & { count: number }) => {
      const { commandProbe } = await import('./command-probe.ts')
      process.exitCode = await commandProbe({ ...language(options), name, n: options.count })
    })
}

/** The commands that ask a running daemon. */
function addQuestions(vipd: Command): void {
  vipd
    .command('status [name]')
    .description('what the running daemon does: instances, checks, addresses')
    .option('--json', 'machine-readable, schema 1')
    .addOption(runDirOption())
    .addHelpText(
      'after',
      '\n[name] is an instance or a check, shown in full.\nExit status: 0 all well, 1 degraded (fault, check down, address missing, second master),\n2 no daemon answers, 3 wrong usage.',
    )
    .action(async (name: string | undefined, options: { json?: boolean; runDir: string }) => {
      const { commandStatus } = await import('./command-status.ts')
      process.exitCode = await commandStatus({ ...options, name, json: options.json === true })
    })
  vipd
    .command('reload')
    .description('read the configuration again; changes nothing unless all of it is valid')
    .option('--force', 'take a file with mistakes, without what is wrong in it, as a start does')
    .addOption(runDirOption())
    .addHelpText(
      'after',
      `\nRejected is a file with a mistake that the running one does not have, one that ends inside a block, and one that\nleaves no instance, or an instance no address. --force takes these.\nExit status: 0 accepted, 1 rejected, 2 no daemon answers, 3 wrong usage.`,
    )
    .action(async (options: { force?: boolean; runDir: string }) => {
      const { commandReload } = await import('./command-reload.ts')
      process.exitCode = await commandReload(options.runDir, options.force === true)
    })
  vipd
    .command('push <name>')
    .description(
      'say how a check is that waits to be told (probe push); it counts for its interval',
    )
    .option('--fail <why>', 'it has failed')
    .addOption(runDirOption())
    .addHelpText('after', '\nExit status: 0 taken, 1 refused, 2 no daemon answers, 3 wrong usage.')
    .action(async (name: string, options: { fail?: string; runDir: string }) => {
      const { commandPush } = await import('./command-push.ts')
      process.exitCode = await commandPush({ name, failure: options.fail, runDir: options.runDir })
    })
  addHandOvers(vipd)
  addTune(vipd)
  addBench(vipd)
  addCleanup(vipd)
  vipd
    .command('history [name]')
    .description('the transitions of every instance, or of one, and why')
    .option('--json', 'machine-readable')
    .addOption(runDirOption())
    .addHelpText(
      'after',
      '\nExit status: 0 done, 2 no daemon answers, 3 no instance has that name.',
    )
    .action(async (name: string | undefined, options: { json?: boolean; runDir: string }) => {
      const { commandHistory } = await import('./command-history.ts')
      process.exitCode = await commandHistory({ ...options, name, json: options.json === true })
    })
}

function addCleanup(vipd: Command): void {
  vipd
    .command('cleanup')
    .description('remove what a dead daemon left: its addresses and its nft table, nothing else')
    .addOption(runDirOption())
    // What is vipd's is known without a configuration; units that name one go on working.
    .addOption(fileOption().hideHelp())
    .addOption(idOption().hideHelp())
    .addOption(includeOption().hideHelp())
    .addHelpText('after', '\nExit status: 0 done, 1 refused (a daemon runs) or failed.')
    .action(async (options: { runDir: string }) => {
      const { commandCleanup } = await import('./command-cleanup.ts')
      process.exitCode = await commandCleanup(options)
    })
}

/** Planned hand-overs. */
function addHandOvers(vipd: Command): void {
  const statuses = '\nExit status: 0 done, 1 not (said why), 2 no daemon answers, 3 wrong usage.'
  vipd
    .command('failover <name>')
    .description(
      'hand an instance, or a sync group, over to its peer while it goes on being served',
    )
    .addOption(runDirOption())
    .addHelpText(
      'after',
      `\nThe instance says priority 1 and leads until the peer has taken over, which takes one down interval. It then\nstands by until the peer fails, or until vipd resume. Nothing changes when nobody takes over.\n${statuses}`,
    )
    .action(async (name: string, options: { runDir: string }) => {
      const { commandHandOver } = await import('./command-hand-over.ts')
      process.exitCode = await commandHandOver({ ...options, verb: 'failover', name })
    })
  vipd
    .command('drain')
    .description(
      'hand everything over, for work on this host; it takes over only when nobody else does',
    )
    .addOption(runDirOption())
    .addHelpText('after', `\nLasts until vipd resume or the end of the daemon.\n${statuses}`)
    .action(async (options: { runDir: string }) => {
      const { commandHandOver } = await import('./command-hand-over.ts')
      process.exitCode = await commandHandOver({ ...options, verb: 'drain' })
    })
  vipd
    .command('resume [name]')
    .description('end drain and failover: the configured priorities hold again')
    .addOption(runDirOption())
    .addHelpText('after', statuses)
    .action(async (name: string | undefined, options: { runDir: string }) => {
      const { commandResume } = await import('./command-hand-over.ts')
      process.exitCode = await commandResume({ ...options, name })
    })
}

type Tune = Language & {
  observe: number | null
  every: number | null
  targetFailover: number | null
  maxFalse: number
  replay: string | null
  set: Settings
  save: string | null
  out: string | null
  runDir: string
}

const tuneOptions = (): readonly Option[] => [
  new Option('--observe <span>', 'watch for so long (60s, 10m) instead of using what is recorded')
    .argParser(span)
    .default(null, 'what the daemon has recorded'),
  new Option(
    '--every <span>',
    'while observing, ask the checks from here so often, beside the daemon',
  )
    .argParser(span)
    .default(null, 'as the daemon does'),
  new Option('--target-failover <span>', 'propose settings that fail over within it, at worst')
    .argParser(span)
    .default(null, 'none'),
  new Option('--max-false <rate>', 'and are wrong no more often than this (1/year, 2/month)')
    .argParser(falseRate)
    .default(1, '1/year'),
  new Option(
    '--replay <file>',
    'say what another setting would have made of a saved observation',
  ).default(null, 'none'),
  new Option('--set <keyword=value>', `for --replay, again and again: ${settingNames.join(', ')}`)
    .argParser(setting)
    .default({}, 'as recorded'),
  new Option('--save <file>', 'write the observation, for --replay').default(null, 'nowhere'),
  new Option('--out <dir>', 'where tune.html and tune.patch go').default(null, 'nowhere'),
]

function addTune(vipd: Command): void {
  const tune = vipd
    .command('tune [names...]')
    .description('what the intervals mean on this machine, and which ones reach a time and a rate')
  for (const option of tuneOptions()) tune.addOption(option)
  tune
    .addOption(fileOption())
    .addOption(idOption())
    .addOption(includeOption())
    .addOption(runDirOption())
    .addHelpText(
      'after',
      '\nAsks the running daemon; without one it runs the checks of the configuration itself, and then knows nothing of\nadverts. The names are those of checks; without any it is all of them.\nExit status: 0 done, 1 no setting reaches the target, 2 the daemon does not answer, 3 wrong usage.',
    )
    .action(async (names: string[], options: Tune) => {
      const { commandTune } = await import('./command-tune.ts')
      const { observe, every, targetFailover, maxFalse, set, ...rest } = options
      process.exitCode = await commandTune({
        ...rest,
        ...language(options),
        names,
        configGiven: options.file !== undefined,
        observeMs: observe,
        everyMs: every,
        target:
          targetFailover === null ? null : { failoverMs: targetFailover, falsePerYear: maxFalse },
        settings: set,
      })
    })
}

function span(text: string): number {
  const ms = readSpan(text)
  if (ms !== null) return ms
  throw new InvalidArgumentError('It is a span such as 500ms, 60s, 10m or 2h.')
}

function falseRate(text: string): number {
  const rate = readRate(text)
  if (rate !== null) return rate
  throw new InvalidArgumentError('It is a rate such as 1/year, 2/month or 1/day.')
}

function setting(text: string, before: Settings): Settings {
  const next = addSetting(text, before)
  if (next !== null) return next
  throw new InvalidArgumentError(`It is KEYWORD=VALUE; there are ${settingNames.join(', ')}.`)
}

type Bench = {
  n: number
  advertInt: number[]
  causes: string[]
  keepalived: string[]
  vipd: boolean
  out: string | null
}

function addBench(vipd: Command): void {
  vipd
    .command('bench')
    .description('measure on this machine, in network namespaces of its own')
    .command('failover')
    .description('failover latency against advert_int, beside keepalived where there is one')
    .option('--n <n>', 'trials of each case; fewer where the interval is long', positive, 20)
    .option('--advert-int <list>', 'seconds', seconds, [1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01])
    .option('--causes <list>', 'what ends the reign', words, [
      ...['cut', 'return', 'stop', 'kill', 'script', 'weighted', 'unplug'],
    ])
    .option('--keepalived <list>', 'commands; an empty list for none', words, ['keepalived'])
    .option('--no-vipd', 'keepalived alone')
    .addOption(
      new Option('--out <dir>', 'where results go: JSON, pictures (SVG) and a page (HTML)').default(
        null,
        'nowhere',
      ),
    )
    .addHelpText(
      'after',
      '\nNeeds root or user namespaces, iproute2, util-linux and tcpdump. Nothing outside of the namespaces is touched.\nWith the defaults it takes half an hour to an hour.\nExit status: 0 done, 1 failed (what was measured is shown and written), 3 wrong usage.',
    )
    .action(async ({ advertInt, ...rest }: Bench) => {
      const { commandBench } = await import('./command-bench.ts')
      process.exitCode = await commandBench({ ...rest, advertInts: advertInt })
    })
}

const words = (text: string): string[] => text.split(',').filter((word) => word !== '')

function seconds(text: string): number[] {
  const all = words(text).map(Number)
  if (all.length > 0 && all.every((s) => s >= 0.01 && s <= 40)) return all
  throw new InvalidArgumentError('Each is a number of seconds from 0.01 to 40.')
}

function positive(text: string): number {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1 && count <= 10_000) return count
  throw new InvalidArgumentError('It is a whole number from 1 to 10000.')
}

const language = (options: Language) => ({
  configPath: configPath(options.file),
  language: { configId: options.configId ?? null, includeAll: options.allConfig === true },
})

function workers(text: string): number {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1 && count <= 64) return count
  throw new InvalidArgumentError('It is a whole number from 1 to 64.')
}

watchOutput()
try {
  await program().parseAsync(likeKeepalived(process.argv.slice(2)), { from: 'user' })
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = error.exitCode === 0 ? exit.ok : exit.usage
}
