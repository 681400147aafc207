/** `vipd watch`: the daemon live on one screen, like top. */
import { Command } from 'commander'
import { exit } from './exit.ts'
import { runDirOption } from './options.ts'
import { watch } from './watch.ts'

export const command = (): Command =>
  new Command('watch')
    .description('live, like top: instances, checks and what happens')
    .addOption(runDirOption())
    .addHelpText(
      'after',
      '\nKeys: q, Esc or Ctrl-C quits; f shows only what is not well; s sorts by configuration, name, state or last change;\narrows, PgUp and PgDn scroll; Ctrl-L draws anew; Ctrl-Z suspends.\nExit status: 0, 3 it is no terminal.',
    )
    .action(async ({ runDir }: { runDir: string }) => {
      const { stdin, stdout } = process
      if (stdin.isTTY && stdout.isTTY && process.env['TERM'] !== 'dumb') {
        await watch(runDir)
        return
      }
      process.stderr.write('vipd: watch needs a terminal; see vipd status and vipd events\n')
      process.exitCode = exit.usage
    })
