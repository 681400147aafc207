/** `vipd drain`: a planned hand-over of everything. */
import { Command } from 'commander'
import { handOver, handOverStatuses } from './hand-over.ts'
import { afterHelp } from './help.ts'
import { runDirOption } from './options.ts'

export const command = (): Command =>
  new Command('drain')
    .description(
      'hand everything over, for maintenance of this host; it takes over again only when no peer does',
    )
    .addOption(runDirOption())
    .addHelpText(
      'after',
      afterHelp('Lasts until vipd resume or the end of the daemon.', handOverStatuses),
    )
    .action(async ({ runDir }: { runDir: string }) => {
      process.exitCode = await handOver(runDir, 'drain')
    })
