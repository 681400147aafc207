/** `vipd upgrade`: this program goes on in place of the process that runs, which changes nothing else. */
import { Command } from 'commander'
import { requestUpgrade } from '../control/client.ts'
import { asking } from './ask.ts'
import { exit } from './exit.ts'
import { afterHelp } from './help.ts'
import { runDirOption } from './options.ts'
import { daemonSocket } from './trusted-directory.ts'

const ends = {
  ended: 'has ended since: its warden has given up what it led',
  stopped: 'has stopped since: a stop was ordered while the upgrade was under way',
} as const

type Options = { readonly runDir: string; readonly leaveParent?: boolean }

export const command = (): Command =>
  new Command('upgrade')
    .description(
      'let this version of vipd (and of Node.js) go on in place of the process that runs: no transition, no advert missed',
    )
    .addOption(runDirOption())
    .option(
      '--leave-parent',
      'also where no service manager is told of the new process: what started the old one sees it end',
    )
    .addHelpText(
      'after',
      afterHelp(`
The configuration must be the one that runs: a new one is for vipd reload. Refused as process 1 of a container.

Exit status: 0 done, 1 refused (with the reason; the old process goes on) or ended since, 2 no daemon answers, 3 wrong usage.`),
    )
    .action(async ({ runDir, leaveParent = false }: Options) => {
      process.exitCode = await asking(async () => {
        const program = [process.execPath, ...process.execArgv, process.argv[1] ?? '']
        const { pid, version, from, afterwards } = await requestUpgrade(
          daemonSocket(runDir),
          program,
          leaveParent,
        )
        process.stdout.write(
          `vipd ${version} (process ${pid}) goes on in place of vipd ${from.version} (process ${from.pid})\n`,
        )
        if (afterwards === 'late')
          process.stdout.write('It is busy: vipd status answers in a moment\n')
        const since = afterwards === 'ended' || afterwards === 'stopped' ? ends[afterwards] : null
        if (since === null) return exit.ok
        process.stderr.write(`vipd: process ${pid} ${since}\n`)
        return exit.degraded
      })
    })
