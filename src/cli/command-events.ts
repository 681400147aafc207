/** `vipd events`: what happens in the daemon, a line each, while it happens. */
import { Command } from 'commander'
import { requestStatus } from '../control/client.ts'
import { type DaemonEvent, eventText, subjectOf } from '../report/event.ts'
import { asking } from './ask.ts'
import { narrowed } from './command-status.ts'
import { exit } from './exit.ts'
import { follow } from './follow.ts'
import { printable } from './format.ts'
import { afterHelp } from './help.ts'
import { runDirOption } from './options.ts'
import { daemonSocket } from './trusted-directory.ts'

export const command = (): Command =>
  new Command('events')
    .argument('[name]')
    .description('what happens, while it happens: transitions, checks, priorities, reloads, orders')
    .option('--json', 'an object in each line')
    .addOption(runDirOption())
    .addHelpText(
      'after',
      afterHelp(
        '[name] is an instance with its checks, a group with its members, a check or a BFD session. Runs until it is interrupted; a daemon that is restarted is waited for.',
        'Exit status: 0 interrupted, 2 no daemon answers, 3 nothing has that name.',
      ),
    )
    .action(async (name: string | undefined, options: { json?: boolean; runDir: string }) => {
      process.exitCode = await show({ ...options, name, json: options.json === true })
    })

type Options = {
  readonly runDir: string
  readonly json: boolean
  readonly name: string | undefined
}

function show({ runDir, json, name }: Options): Promise<number> {
  return asking(async () => {
    const socket = daemonSocket(runDir, 'read')
    const names = name === undefined ? null : await namesOf(socket, name)
    if (names?.size === 0) {
      process.stderr.write(`vipd: there is no instance, group or check called ${name}\n`)
      return exit.usage
    }
    const line = (event: DaemonEvent) => {
      if (names !== null && !names.has(subjectOf(event) ?? '')) return null
      return json ? `${JSON.stringify(event)}\n` : eventLine(event)
    }
    await follow({ socket, line, isNew: () => false })
    return exit.ok
  })
}

/** What bears the name and what it uses: an instance with its checks, a group with its members. */
async function namesOf(socket: string, name: string): Promise<ReadonlySet<string>> {
  const status = narrowed(await requestStatus(socket), name)
  if (status === null) return new Set()
  const parts = [status.instances, status.groups, status.checks, status.bfd]
  return new Set(parts.flatMap((part) => part.map((it) => it.name)))
}

export const eventLine = (event: DaemonEvent): string =>
  `${event.at}  ${printable(subjectOf(event) ?? 'vipd')}  ${printable(eventText(event))}\n`
