/** Where the transitions of a daemon are kept, by its run directory: each daemon of a host has a directory of its own. */
import { createHash } from 'node:crypto'
import { basename, join, relative, resolve } from 'node:path'
import { defaultRunDir } from './paths.ts'

const defaultDirectory = '/var/lib/vipd'

/**
 * `configured`: of vipd_history. null: nothing is kept, which is what holds without the keyword for a daemon with a run
 * directory of its own: a trial, a test.
 */
export function historyDirectoryOf(
  runDir: string,
  configured: string | null,
  usual = process.env['STATE_DIRECTORY']?.split(':')[0] ?? defaultDirectory,
): string | null {
  const label = labelOf(resolve(runDir))
  if (configured === 'off') return null
  if (configured === null && label.startsWith('run-')) return null
  const base = configured ?? usual
  return label === '' ? base : join(base, label)
}

function labelOf(runDir: string): string {
  if (runDir === defaultRunDir) return ''
  const below = relative(defaultRunDir, runDir)
  if (!below.startsWith('..')) return below.replaceAll('/', '.')
  // In keepalived's place, with a pid file or a namespace of its own: a hash is in its name.
  if (runDir.startsWith(`${defaultRunDir}-`)) return runDir.slice(defaultRunDir.length + 1)
  const hash = createHash('sha256').update(runDir).digest('hex').slice(0, 8)
  return `run-${basename(runDir)}-${hash}`
}
