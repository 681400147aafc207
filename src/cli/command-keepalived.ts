/** `vipd keepalived`, or vipd under the name keepalived: keepalived's command line, which is read by its own rules. */
import { Command } from 'commander'

/** `--help` is keepalived's, and among the words. */
export const ownHelp = true

export const command = (): Command =>
  new Command('keepalived')
    .argument('[options...]')
    .description("take keepalived's place: its options, its log, its pid files, its exit statuses")
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (words: string[]) => {
      const { actAsKeepalived } = await import('./keepalived.ts')
      process.exitCode = await actAsKeepalived(words)
    })
