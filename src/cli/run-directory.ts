/**
 * The run directory belongs to one daemon. Looking whether somebody answers on the control socket is not enough: two
 * that start in the same instant would both find nobody. So it is locked, until the process ends.
 */
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { OpError } from '../base/errors.ts'
import { lockForLife } from '../engine/native.ts'

/** Makes it where it is missing. Throws OpError: EWOULDBLOCK (EAGAIN) when another daemon has it. */
export function claimRunDirectory(directory: string): void {
  makeDirectory(directory)
  const file = join(directory, 'vipd.lock')
  const code = lockForLife(file)
  if (code === null) return
  // Two names of one number.
  const taken = code === 'EWOULDBLOCK' || code === 'EAGAIN'
  throw new OpError('lock', code, taken ? `a vipd is already running with ${directory}` : file)
}

/** Not mkdirSync's `recursive`: below a directory that takes none (/proc, say) it never ends. */
function makeDirectory(directory: string): void {
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
