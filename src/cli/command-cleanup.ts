/** `vipd cleanup`: its words. */
import { Command } from 'commander'
import { afterHelp } from './help.ts'
import { fileOption, idOption, includeOption, runDirOption } from './options.ts'

export const command = (): Command =>
  new Command('cleanup')
    .description(
      'remove what a dead daemon left: its addresses, routes, rules, links and nft tables',
    )
    .addOption(runDirOption())
    // What is vipd's is known without a configuration; units that name one go on working.
    .addOption(fileOption().hideHelp())
    .addOption(idOption().hideHelp())
    .addOption(includeOption().hideHelp())
    .addHelpText('after', afterHelp('Exit status: 0 done, 1 refused (a daemon runs) or failed.'))
    .action(async (options: { readonly runDir: string }) => {
      const { cleanUp } = await import('./clean-up.ts')
      process.exitCode = await cleanUp(options)
    })
