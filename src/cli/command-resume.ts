/** `vipd resume`: the end of `vipd failover` and `vipd drain`. */
import { Command } from 'commander'
import { requestResume } from '../control/client.ts'
import { asking } from './ask.ts'
import { exit } from './exit.ts'
import { printable } from './format.ts'
import { handOverStatuses } from './hand-over.ts'
import { afterHelp } from './help.ts'
import { runDirOption } from './options.ts'
import { daemonSocket } from './trusted-directory.ts'

export const command = (): Command =>
  new Command('resume')
    .argument('[name]')
    .description('end drain and failover: the configured priorities are in effect again')
    .addOption(runDirOption())
    .addHelpText('after', afterHelp(handOverStatuses))
    .action(async (name: string | undefined, { runDir }: { runDir: string }) => {
      process.exitCode = await resume(runDir, name)
    })

function resume(runDir: string, wanted: string | undefined): Promise<number> {
  return asking(async () => {
    const names = await requestResume(daemonSocket(runDir), wanted)
    for (const name of names) process.stdout.write(`${printable(name)}: takes part as configured\n`)
    if (names.length === 0) process.stdout.write('no instance was standing by\n')
    return exit.ok
  })
}
