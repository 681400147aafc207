/** `vipd push`: the result of a push check, from a program that knows it. */
import { Command } from 'commander'
import { requestPush } from '../control/client.ts'
import { asking } from './ask.ts'
import { exit } from './exit.ts'
import { afterHelp } from './help.ts'
import { runDirOption } from './options.ts'
import { daemonSocket } from './trusted-directory.ts'

export const command = (): Command =>
  new Command('push')
    .argument('<name>')
    .description('report the result of a push check (probe push); it is valid for its interval')
    .option('--fail <why>', 'the check has failed, for this reason')
    .addOption(runDirOption())
    .addHelpText(
      'after',
      afterHelp('Exit status: 0 taken, 1 refused, 2 no daemon answers, 3 wrong usage.'),
    )
    .action(async (name: string, { fail, runDir }: { fail?: string; runDir: string }) => {
      process.exitCode = await asking(async () => {
        await requestPush(daemonSocket(runDir, 'push'), name, fail)
        return exit.ok
      })
    })
