#!/usr/bin/env node
/**
 * The vipd command. Loads the one command that is named and nothing else: `vipd status` must not open the addon or pay
 * for the parser. A command's words, options and action are in its own file of `commands/`.
 */
import { Command, CommanderError } from 'commander'
import { exit } from './exit.ts'
import { likeKeepalived } from './like-keepalived.ts'
import { watchOutput } from './output.ts'
import { packageVersion } from './paths.ts'

type CommandFile = { readonly command: () => Command }

/** In the order in which `vipd --help` lists them. */
const commands: Readonly<Record<string, () => Promise<CommandFile>>> = {
  run: () => import('./commands/run.ts'),
  check: () => import('./commands/check.ts'),
  probe: () => import('./commands/probe.ts'),
  status: () => import('./commands/status.ts'),
  reload: () => import('./commands/reload.ts'),
  push: () => import('./commands/push.ts'),
  failover: () => import('./commands/failover.ts'),
  drain: () => import('./commands/drain.ts'),
  resume: () => import('./commands/resume.ts'),
  tune: () => import('./commands/tune.ts'),
  bench: () => import('./commands/bench.ts'),
  cleanup: () => import('./commands/cleanup.ts'),
  history: () => import('./commands/history.ts'),
  version: () => import('./commands/version.ts'),
}

/** With the command that the first word names; with all of them when it names none, for the help and the complaint. */
async function program(word: string): Promise<Command> {
  const vipd = new Command('vipd')
    .description(
      'Keeps virtual IP addresses available on a pair of Linux hosts: VRRP v2 and v3, health checks, keepalived.conf.',
    )
    .version(`vipd ${packageVersion()}`, '-V, --version')
    .showHelpAfterError('(vipd --help lists the commands)')
    .exitOverride()
  const named = Object.hasOwn(commands, word) ? commands[word] : undefined
  const wanted = named === undefined ? Object.values(commands) : [named]
  for (const file of await Promise.all(wanted.map((load) => load())))
    vipd.addCommand(file.command().copyInheritedSettings(vipd))
  return vipd
}

watchOutput()
try {
  const args = likeKeepalived(process.argv.slice(2))
  await (await program(args[0] ?? '')).parseAsync(args, { from: 'user' })
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = error.exitCode === 0 ? exit.ok : exit.usage
}
