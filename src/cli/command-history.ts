/** `vipd history`: when each instance changed state, and why. Oldest first, as a log reads. */
import { Command } from 'commander'
import { type History, requestHistory } from '../control/client.ts'
import { asking } from './ask.ts'
import { exit } from './exit.ts'
import { age, printable } from './format.ts'
import { runDirOption } from './options.ts'
import { daemonSocket } from './trusted-directory.ts'

export const command = (): Command =>
  new Command('history')
    .argument('[name]')
    .description('the transitions of every instance, or of one, and why')
    .option('--json', 'machine-readable')
    .addOption(runDirOption())
    .addHelpText(
      'after',
      '\nExit status: 0 done, 2 no daemon answers, 3 no instance has that name.',
    )
    .action(async (name: string | undefined, options: { json?: boolean; runDir: string }) => {
      process.exitCode = await show({ ...options, name, json: options.json === true })
    })

type Options = {
  readonly runDir: string
  readonly json: boolean
  readonly name: string | undefined
}

function show(options: Options): Promise<number> {
  return asking(async () => {
    const history = await requestHistory(daemonSocket(options.runDir, 'read'), options.name)
    process.stdout.write(
      options.json ? `${JSON.stringify(history, null, 2)}\n` : formatHistory(history, Date.now()),
    )
    return exit.ok
  })
}

/** All instances in one sequence: what caused what is seen across instances. `now` is in milliseconds. */
export function formatHistory(history: History, now: number): string {
  const lines = history
    .flatMap(({ name, history: transitions }) => transitions.map((t) => ({ name, ...t })))
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
    .map(({ name, at, from, to, why }) => {
      const ago = `${age(now - Date.parse(at))} ago`
      return `${at}  ${ago.padStart(12)}  ${name}  ${from} -> ${to}  ${printable(why)}\n`
    })
  return lines.join('')
}
