/**
 * Writes docs/configuration.md from the keyword table; with `--check` only says whether the file is what
 * would be written, with exit status 1 if not. Run as `npm run docs`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { keywordReference } from '../config/explain/docs.ts'

const path = join(packageRoot(dirname(fileURLToPath(import.meta.url))), 'docs/configuration.md')
const text = keywordReference()
if (process.argv.includes('--check')) {
  if (read(path) !== text) {
    process.stderr.write('docs/configuration.md is stale: npm run docs\n')
    process.exitCode = 1
  }
} else writeFileSync(path, text)

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
