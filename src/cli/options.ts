/** Options and arguments that several commands share, in the same words. */
import { InvalidArgumentError, Option } from 'commander'
import type { LanguageOptions } from '../config/language/tree-types.ts'
import { configPath, defaultRunDir } from './paths.ts'
import { usualRunDirectory } from './run-directories.ts'

export const fileOption = (): Option =>
  new Option(
    '-f, --file <file>',
    'configuration file (default: /etc/vipd/vipd.conf, else /etc/keepalived/keepalived.conf)',
  )

/** Of the daemon that is asked. */
export const runDirOption = (): Option =>
  new Option('--run-dir <dir>', 'directory of the control socket').default(
    usualRunDirectory(),
    `"${defaultRunDir}"`,
  )

export const idOption = (): Option =>
  new Option('-i, --config-id <id>', 'the id that @id lines compare with (default: the host name)')

export const includeOption = (): Option =>
  new Option('-e, --all-config', 'an include that finds no file is an error')

/** What the three options above are read into. */
export type FileOptions = {
  readonly file?: string
  readonly configId?: string
  readonly allConfig?: boolean
}

export const readFileOptions = (
  options: FileOptions,
): { readonly configPath: string; readonly language: LanguageOptions } => ({
  configPath: configPath(options.file),
  language: { configId: options.configId ?? null, includeAll: options.allConfig === true },
})

/** A whole number from 1 to `max`, for commander. */
export const countTo =
  (max: number) =>
  (text: string): number => {
    const count = Number(text)
    if (Number.isInteger(count) && count >= 1 && count <= max) return count
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${max}.`)
  }
