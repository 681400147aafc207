/** `vipd keepalived`, or vipd under the name keepalived: keepalived's command line, which is read by its own rules. */
import { Command } from 'commander'

export const command = (): Command =>
  new Command('keepalived')
    .argument('[options...]')
    .description("take keepalived's place: its options, its log, its pid files, its exit statuses")
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .addHelpText(
      'after',
      '\nvipd keepalived --help lists the options; docs/keepalived.md says how they differ.',
    )
    .action(async (words: string[]) => {
      const { actAsKeepalived } = await import('./keepalived.ts')
      process.exitCode = await actAsKeepalived(words)
    })
