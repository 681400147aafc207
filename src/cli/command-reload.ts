/** `vipd reload`: asks the daemon to read its configuration again, and prints what it made of it. */
import { Command } from 'commander'
import { requestReload } from '../control/client.ts'
import type { ReloadRefusal } from '../daemon/types.ts'
import { asking } from './ask.ts'
import { exit } from './exit.ts'
import { printable } from './format.ts'
import { afterHelp } from './help.ts'
import { runDirOption } from './options.ts'
import { daemonSocket } from './trusted-directory.ts'

export const command = (): Command =>
  new Command('reload')
    .description('read the configuration again; changes nothing unless all of it is valid')
    .option('--force', 'take a file with mistakes, without what is wrong in it, as a start does')
    .addOption(runDirOption())
    .addHelpText(
      'after',
      afterHelp(
        'A file is rejected when it has a mistake that the running one does not have, when it ends inside a block, and when it leaves no instance, or an instance no address. --force takes such a file.',
        'Exit status: 0 accepted, 1 rejected, 2 no daemon answers, 3 wrong usage.',
      ),
    )
    .action(async (options: { force?: boolean; runDir: string }) => {
      process.exitCode = await reload(options.runDir, options.force === true)
    })

/** `force`: a file with mistakes is taken without what is wrong in it, as at start. */
function reload(runDir: string, force: boolean): Promise<number> {
  return asking(async () => {
    const { ok, diagnostics, changes, refusal } = await requestReload(daemonSocket(runDir), force)
    if (!ok) return rejected(diagnostics, refusal)
    complain(diagnostics)
    for (const line of changes) process.stdout.write(`${printable(line)}\n`)
    if (changes.length === 0) process.stdout.write('nothing to change\n')
    return exit.ok
  })
}

/** What refuses the file comes last, next to the prompt. */
function rejected(diagnostics: readonly string[], refusal: ReloadRefusal | undefined): number {
  const { reasons, forcible } = refusal ?? { reasons: diagnostics, forcible: false }
  const shown = new Set(reasons)
  complain(diagnostics.filter((line) => !shown.has(line)))
  complain(reasons)
  const hint = forcible ? '; vipd reload --force takes the file all the same' : ''
  complain([`vipd: rejected, nothing has changed${hint}`])
  return exit.degraded
}

function complain(lines: readonly string[]): void {
  for (const line of lines) process.stderr.write(`${printable(line)}\n`)
}
