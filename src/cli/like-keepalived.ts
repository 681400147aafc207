/** Lets vipd stand where scripts, units and provisioning tools have keepalived. */
import { basename } from 'node:path'

/** Those of a command of vipd, from the words of the process. Called keepalived, it is keepalived. */
export function argumentsOf([, program = '', ...words]: readonly string[]): readonly string[] {
  return basename(program) === 'keepalived' ? ['keepalived', ...words] : likeKeepalived(words)
}

/** keepalived's options that mean nothing to a check that prints to its standard output. */
const silent = new Set([
  '-l',
  '--log-console',
  '-D',
  '--log-detail',
  '-n',
  '--dont-fork',
  '-P',
  '--vrrp',
])

/** Arguments without a command but with `-t` or `--config-test` become those of `vipd check`. */
export function likeKeepalived(args: readonly string[]): string[] {
  const isTest = (arg: string) => /^(-t|--config-test(=.*)?)$/.test(arg)
  const plain = args[0]?.startsWith('-') === true && args.some(isTest)
  if (!plain) return [...args]
  const rest = args.filter((arg) => !isTest(arg) && !silent.has(arg))
  return ['check', ...rest.map((arg) => arg.replace(/^--use-file(?=$|=)/, '--file'))]
}
