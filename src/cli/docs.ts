/**
 * Writes what documentation follows from tables: docs/configuration.md and man/vipd.conf.5 from the keywords, and the table
 * of docs/probes.md from the probes. With `--check` it only says whether the files are what would be written, with exit status 1 if not. Run as
 * `npm run docs`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { keywordReference } from '../config/explain/docs.ts'
import { keywordManual } from '../config/explain/manual.ts'
import { probeTable } from '../config/scripts/probe-table.ts'

const root = packageRoot(dirname(fileURLToPath(import.meta.url)))
write('docs/configuration.md', () => keywordReference())
write('man/vipd.conf.5', () => keywordManual())
write('docs/probes.md', (before) => withTable(before))

function write(name: string, textFrom: (before: string) => string): void {
  const path = join(root, name)
  const before = read(path) ?? ''
  const after = textFrom(before)
  if (!process.argv.includes('--check')) writeFileSync(path, after)
  else if (before !== after) {
    process.stderr.write(`${name} is stale: npm run docs\n`)
    process.exitCode = 1
  }
}

/** Between the two marks. */
function withTable(before: string): string {
  const marks = /(<!-- probes: .* -->\n)[\s\S]*(<!-- end of probes -->)/
  if (!marks.test(before)) throw new Error('docs/probes.md: the marks of the table are missing')
  return before.replace(marks, (_, begin: string, end: string) => begin + probeTable() + end)
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

/** The nearest folder above that has a package.json: this file runs compiled, at another depth. */
function packageRoot(from: string): string {
  try {
    readFileSync(join(from, 'package.json'))
    return from
  } catch {
    return packageRoot(dirname(from))
  }
}
