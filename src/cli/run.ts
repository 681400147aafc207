#!/usr/bin/env node
/**
 * The vipd command. Loads the one command that is named and nothing else: `vipd status` must not open the addon or pay
 * for the parser. A command's words, options and action are in its own file, `command-NAME.ts`.
 */
import { Command, CommanderError } from 'commander'
import { commands } from './commands.ts'
import { exit } from './exit.ts'
import { argumentsOf } from './like-keepalived.ts'
import { watchOutput } from './output.ts'
import { packageVersion } from './paths.ts'

/** With the command that the first word names; with all of them when it names none, for the help and the complaint. */
async function program(word: string): Promise<Command> {
  const vipd = new Command('vipd')
    .description(
      'Keeps virtual IP addresses available on a pair of Linux hosts: VRRP v2 and v3, health checks, keepalived.conf.',
    )
    .version(`vipd ${packageVersion()}`, '-V, --version')
    .enablePositionalOptions()
    .showHelpAfterError('(vipd --help lists the commands)')
    .exitOverride()
  const named = Object.hasOwn(commands, word) ? commands[word] : undefined
  const wanted = named === undefined ? Object.values(commands) : [named]
  for (const file of await Promise.all(wanted.map((load) => load()))) {
    const command = inheriting(file.command(commands), vipd)
    if (file.ownHelp === true) command.helpOption(false)
    vipd.addCommand(command, { hidden: file.hidden === true })
  }
  return vipd
}

/** With the settings of the command above, as the commands below it have them too: a file makes them without it. */
function inheriting(command: Command, above: Command): Command {
  command.copyInheritedSettings(above)
  for (const below of command.commands) inheriting(below, command)
  return command
}

watchOutput()
try {
  const args = argumentsOf(process.argv)
  await (await program(args[0] ?? '')).parseAsync(args, { from: 'user' })
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = error.exitCode === 0 ? exit.ok : exit.usage
}
