/** Writes docs/conformance.md; with `--check` only says whether it is what would be written. Run by `npm run docs`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../src/lab/program.ts'
import { conformancePage } from './conformance-page.ts'

const path = join(projectRoot, 'docs/conformance.md')
if (!process.argv.includes('--check')) writeFileSync(path, conformancePage())
else if (readFileSync(path, 'utf8') !== conformancePage()) {
  process.stderr.write('docs/conformance.md is stale: npm run docs\n')
  process.exitCode = 1
}
