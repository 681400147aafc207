/** `vipd failover`: a planned hand-over of one instance or sync group. */
import { Command } from 'commander'
import { handOver, handOverStatuses } from './hand-over.ts'
import { afterHelp } from './help.ts'
import { runDirOption } from './options.ts'

export const command = (): Command =>
  new Command('failover')
    .argument('<name>')
    .description('hand an instance, or a sync group, over to its peer without a gap in the service')
    .addOption(runDirOption())
    .addHelpText(
      'after',
      afterHelp(
        'The instance advertises priority 1 and stays master until the peer has taken over, which takes one down interval. It then stands by until the peer fails, or until vipd resume. When no peer takes over, nothing changes.',
        handOverStatuses,
      ),
    )
    .action(async (name: string, { runDir }: { runDir: string }) => {
      process.exitCode = await handOver(runDir, 'failover', name)
    })
