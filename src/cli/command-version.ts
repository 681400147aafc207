/** `vipd version`. */
import { Command } from 'commander'
import { packageVersion } from './paths.ts'

export const command = (): Command =>
  new Command('version')
    .description('print the version')
    .action(() => void process.stdout.write(`vipd ${packageVersion()}\n`))
