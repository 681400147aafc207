/** `vipd completion SHELL`: prints what a shell has to read to complete vipd's command lines. */
import { Argument, Command } from 'commander'
import { type Shell, scripts } from './completion-scripts.ts'
import { afterHelp } from './help.ts'

export const command = (): Command =>
  new Command('completion')
    .addArgument(new Argument('<shell>', 'whose completion').choices(Object.keys(scripts)))
    .description('print the completion of a shell, for it to read')
    .addHelpText(
      'after',
      afterHelp(
        'bash: source <(vipd completion bash), or into /usr/share/bash-completion/completions/vipd\nzsh:  into a file called _vipd in a directory of $fpath\nfish: into ~/.config/fish/completions/vipd.fish',
      ),
    )
    .action((shell: Shell) => {
      process.stdout.write(scripts[shell])
    })
