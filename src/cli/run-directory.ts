/**
 * The run directory belongs to one daemon. Looking whether somebody answers on the control socket is not enough: two
 * that start in the same instant would both find nobody. So it is locked, until the process ends.
 */
import { join } from 'node:path'
import { OpError } from '../base/errors.ts'
import { lockForLife } from '../engine/native.ts'
import { makeDirectory } from './make-directory.ts'
import { requirePrivate } from './trusted-directory.ts'

/** Makes it where it is missing. Throws OpError: EPERM when others may write there, EWOULDBLOCK (EAGAIN) when another daemon has it. */
export function claimRunDirectory(directory: string): void {
  makeDirectory(directory)
  requirePrivate(directory)
  const file = join(directory, 'vipd.lock')
  const code = lockForLife(file)
  if (code === null) return
  // Two names of one number.
  const taken = code === 'EWOULDBLOCK' || code === 'EAGAIN'
  throw new OpError('lock', code, taken ? `a vipd is already running with ${directory}` : file)
}
