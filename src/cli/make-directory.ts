import { accessSync, constants, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a directory and those above it where they are missing; throws the system's error. Not mkdirSync's `recursive`:
 * below a directory that takes none (/proc, say) it never ends.
 */
export function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o755 })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null
    if (code === 'EEXIST') return
    const parent = dirname(directory)
    if (code !== 'ENOENT' || parent === directory) throw error
    makeDirectory(parent)
    mkdirSync(directory, { mode: 0o755 })
  }
}

/** Makes it where it is missing, and throws the system's error unless files can be written there: before the long work. */
export function claimDirectory(directory: string): void {
  makeDirectory(directory)
  accessSync(`${directory}/.`, constants.W_OK)
}
