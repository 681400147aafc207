/** `vipd bench failover`: its words. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { afterHelp } from './help.ts'
import { countTo } from './options.ts'

type Options = {
  readonly n: number
  readonly advertInt: readonly number[]
  readonly causes: readonly string[]
  readonly keepalived: readonly string[]
  readonly vipd: boolean
  readonly out: string | null
}

export const command = (): Command =>
  new Command('bench')
    .description('measure on this machine, in network namespaces of its own')
    .addCommand(failover())

const failover = (): Command =>
  new Command('failover')
    .description('failover latency against advert_int, beside keepalived where there is one')
    .option(
      '--n <n>',
      'number of trials of each case; fewer where the interval is long',
      countTo(10_000),
      20,
    )
    .option('--advert-int <list>', 'seconds', seconds, [1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01])
    .option('--causes <list>', 'what takes the master role away', words, [
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
      afterHelp(
        'Needs root or user namespaces, iproute2, util-linux and tcpdump. Nothing outside of the namespaces is touched. With the defaults it takes half an hour to an hour.',
        'Exit status: 0 done, 1 failed (what was measured is shown and written), 3 wrong usage.',
      ),
    )
    .action(async ({ advertInt, ...rest }: Options) => {
      const { benchFailoverCommand } = await import('./bench-failover.ts')
      process.exitCode = await benchFailoverCommand({ ...rest, advertInts: advertInt })
    })

function words(text: string): string[] {
  return text.split(',').filter((word) => word !== '')
}

function seconds(text: string): number[] {
  const all = words(text).map(Number)
  if (all.length > 0 && all.every((s) => s >= 0.01 && s <= 40)) return all
  throw new InvalidArgumentError('Each must be a number of seconds from 0.01 to 40.')
}
