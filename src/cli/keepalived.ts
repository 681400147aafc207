/** vipd in keepalived's place: what its command line asks for. */
import { existsSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { inBackground, isInBackground } from './background.ts'
import { printableLines } from './format.ts'
import { type KeepalivedOptions, readKeepalivedOptions } from './keepalived-options.ts'
import { helpText, versionText } from './keepalived-words.ts'
import { packageVersion } from './paths.ts'

const defaultFile = '/etc/keepalived/keepalived.conf'
/** keepalived's own status for it. */
const exitNoFile = 6
const exitMistakes = 5

const complain = (text: string): void => void process.stderr.write(`${text}\n`)

/** The exit status, or undefined when the daemon runs in this process. */
export async function actAsKeepalived(words: readonly string[]): Promise<number | undefined> {
  const read = readKeepalivedOptions(words)
  if ('ended' in read) {
    const { status, error, output } = read.ended
    if (error !== undefined) complain(error)
    if (output !== undefined) process.stdout.write(`${output}\n`)
    return status
  }
  const { options } = read
  if (!isInBackground()) for (const note of options.notes) complain(note)
  switch (options.action) {
    case 'help':
      process.stderr.write(helpText)
      return 0
    case 'version':
      process.stderr.write(versionText(packageVersion()))
      return 0
    case 'check':
      return await check(options)
    case 'run':
      return await run(options, words)
  }
}

/** Complaints alone, to standard error or the file; the exit status is `vipd check`'s, which is keepalived's. */
async function check(options: KeepalivedOptions): Promise<number> {
  const { checkReport } = await import('../config/explain/check.ts')
  const { formatDiagnostic } = await import('../config/language/diagnostics.ts')
  const { realMachine } = await import('../loading/machine.ts')
  const language = { configId: options.configId, includeAll: options.includeAll }
  const report = checkReport(options.file ?? defaultFile, realMachine(), language)
  const found = report.diagnostics.filter(({ severity }) => severity !== 'note')
  const text = found.map((diagnostic) => `${formatDiagnostic(diagnostic)}\n`).join('')
  if (options.reportFile === null) process.stderr.write(printableLines(text))
  else writeFileSync(options.reportFile, text)
  return report.exit === 0 && options.mistaken ? exitMistakes : report.exit
}

async function run(
  options: KeepalivedOptions,
  words: readonly string[],
): Promise<number | undefined> {
  const file = resolve(options.file ?? defaultFile)
  // A pattern names files that are looked for when it is read.
  if (!/[*?[{]/.test(file) && !existsSync(file)) {
    complain(`Config files missing '${file}'.`)
    return exitNoFile
  }
  if (!options.foreground && !isInBackground()) return await inBackground(['keepalived', ...words])
  const { keepalivedRun } = await import('./keepalived-run.ts')
  await keepalivedRun({ ...options, file }, words)
  return undefined
}
