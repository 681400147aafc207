/** `vipd watch`: the daemon live on one screen, like top. */
import { Command } from 'commander'
import { exit } from './exit.ts'
import { afterHelp } from './help.ts'
import { runDirOption } from './options.ts'
import { watch } from './watch.ts'

export const command = (): Command =>
  new Command('watch')
    .description('live, like top: instances, checks and what happens')
    .addOption(runDirOption())
    .addHelpText(
      'after',
      afterHelp(
        'Keys: q, Esc or Ctrl-C quits; f shows only what is not well; s sorts by configuration, name, state or last change; arrows, PgUp and PgDn scroll; Ctrl-L draws anew; Ctrl-Z suspends.',
        'Exit status: 0, 3 no terminal that can place its cursor.',
      ),
    )
    .action(async ({ runDir }: { runDir: string }) => {
      const why = unsuited()
      if (why === null) return await watch(runDir)
      process.stderr.write(`vipd: watch: ${why}; see vipd status and vipd events\n`)
      process.exitCode = exit.usage
    })

/** Why rows cannot be put on what it runs on; null: they can. */
function unsuited(): string | null {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return 'this is no terminal'
  const { TERM = '' } = process.env
  if (TERM === '') return 'TERM is not set, so nothing is known of this terminal'
  return TERM === 'dumb' ? 'TERM is dumb: a terminal that cannot place its cursor' : null
}
