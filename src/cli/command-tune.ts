/** `vipd tune`: its words. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { readSpan } from '../report/instant.ts'
import { afterHelp } from './help.ts'
import {
  type FileOptions,
  fileOption,
  idOption,
  includeOption,
  readFileOptions,
  runDirOption,
} from './options.ts'
import { readRate } from './quantities.ts'
import { addSetting, type Settings, settingNames } from './tune-settings.ts'

export const command = (): Command => {
  const tune = new Command('tune')
    .argument('[names...]')
    .description(
      'how fast and how often wrong the configured intervals are on this machine; proposes others',
    )
  for (const option of tuneOptions()) tune.addOption(option)
  return tune
    .addOption(fileOption())
    .addOption(idOption())
    .addOption(includeOption())
    .addOption(runDirOption())
    .addHelpText(
      'after',
      afterHelp(
        'Asks the running daemon; without one it runs the checks of the configuration itself, and then knows nothing of adverts. The names are those of checks; without names it is all checks.',
        'Exit status: 0 done, 1 no setting reaches the target, 2 the daemon does not answer, 3 wrong usage.',
      ),
    )
    .action(async (names: string[], options: Options) => {
      const { observe, every, targetFailover, maxFalse, set, ...rest } = options
      const { tune: run } = await import('./tune.ts')
      process.exitCode = await run({
        ...rest,
        ...readFileOptions(options),
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

type Options = FileOptions & {
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
  new Option(
    '--observe <span>',
    'observe for this time (60s, 10m) instead of using what is recorded',
  )
    .argParser(span)
    .default(null, 'what the daemon has recorded'),
  new Option('--every <span>', 'while observing, also run the checks from here, at this interval')
    .argParser(span)
    .default(null, 'as the daemon does'),
  new Option(
    '--target-failover <span>',
    'propose settings that fail over within this time, at worst',
  )
    .argParser(span)
    .default(null, 'none'),
  new Option('--max-false <rate>', 'with no more false failovers than this (1/year, 2/month)')
    .argParser(falseRate)
    .default(1, '1/year'),
  new Option(
    '--replay <file>',
    'print how another setting would have judged a saved observation',
  ).default(null, 'none'),
  new Option('--set <keyword=value>', `for --replay, may be repeated: ${settingNames.join(', ')}`)
    .argParser(setting)
    .default({}, 'as recorded'),
  new Option('--save <file>', 'write the observation, for --replay').default(null, 'nowhere'),
  new Option('--out <dir>', 'where tune.html and tune.patch go').default(null, 'nowhere'),
]

function span(text: string): number {
  const ms = readSpan(text)
  if (ms !== null) return ms
  throw new InvalidArgumentError('It must be a time span such as 500ms, 60s, 10m or 2h.')
}

function falseRate(text: string): number {
  const rate = readRate(text)
  if (rate !== null) return rate
  throw new InvalidArgumentError('It must be a rate such as 1/year, 2/month or 1/day.')
}

function setting(text: string, before: Settings): Settings {
  const next = addSetting(text, before)
  if (next !== null) return next
  throw new InvalidArgumentError(
    `It must be KEYWORD=VALUE; the keywords are ${settingNames.join(', ')}.`,
  )
}
